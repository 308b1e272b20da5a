/*
 * One object under a recording's key that the catalog knows nothing of: of a lost catalog, or
 * nobody's. It becomes a recording again where Twilio knows none of the name, nobody has removed
 * it, it is audio, and its metadata lead to a call of Twilio's call log: only this program, with the
 * call's SID, can have written them. What leads to no call is adopted only on demand.
 */
#include <errno.h>
#include <string.h>

#include "account/deletion.h"
#include "catalog/sync.h"
#include "storage/object.h"
#include "verify/verify-private.h"

#define DAY_SECS 86400

struct stray {
	struct verify *v;
	const struct verify_name *name;
	char key[CATALOG_KEY_TEXT_SIZE];
	struct s3_object object;
	struct storage_card card;
};

static void report(const struct stray *stray, enum verify_kind kind, bool is_repaired,
		   const char *note)
{
	const struct verify_finding finding = {
		.kind = kind,
		.recording_sid = stray->name->sid,
		.key = stray->key,
		.note = note,
		.expected_bytes = -1,
		.found_bytes = stray->object.size_bytes,
		.is_repaired = is_repaired,
	};

	verify_report(stray->v, &finding);
}

/* ---- its call ---- */

struct candidates {
	const struct stray *stray;
	struct sid call_sid; /* zero: not found */
};

static int on_call(void *arg, const struct sid *sid)
{
	struct candidates *candidates = arg;
	char call[STORAGE_CARD_CALL_SIZE];
	int rc = storage_card_call(&candidates->stray->name->sid, sid, call);

	if (rc == 0 && strcmp(call, candidates->stray->card.call) == 0) {
		candidates->call_sid = *sid;
		rc = 1;
	}
	return rc;
}

/* The call log is looked through where the call should be, and around it. */
static int find_call(const struct stray *stray, struct sid *ret_call_sid)
{
	const struct storage_card *card = &stray->card;
	struct candidates candidates = { .stray = stray };
	int rc = 0;

	if (card->call[0] && card->started_secs > 0) {
		rc = catalog_calls_begun(stray->v->env->catalog, stray->v->workspace.id,
					 card->started_secs, card->started_secs + 1, on_call,
					 &candidates);
		if (rc == 0)
			rc = catalog_calls_begun(stray->v->env->catalog, stray->v->workspace.id,
						 card->started_secs - DAY_SECS,
						 card->started_secs + DAY_SECS, on_call,
						 &candidates);
	}
	*ret_call_sid = candidates.call_sid;
	return rc < 0 ? rc : 0;
}

/* ---- a recording again ---- */

/* Two durable steps; what is between them is a recording that was deleted at Twilio before it was
 * seen, whose object the next verification, or sync, finds. */
static int make_known(const struct stray *stray, const struct sid *call_sid)
{
	struct verify *v = stray->v;
	const struct storage_card *card = &stray->card;
	int64_t day_secs = (int64_t)stray->name->day * DAY_SECS;
	struct catalog_recording_input input = {
		.sid = stray->name->sid,
		.is_deleted = true,
		.is_encrypted = stray->name->is_encrypted,
		.is_unvouched = sid_is_zero(call_sid),
		.call_sid = *call_sid,
		.kind = card->is_voicemail ? CATALOG_KIND_VOICEMAIL : CATALOG_KIND_RECORDING,
		.duration_secs = card->duration_secs,
		.date_created_secs = card->created_secs,
		.start_time_secs = card->started_secs > 0 ? card->started_secs : day_secs,
		.encryption_key_sid = card->encryption.key_sid,
		.encryption_cek = card->encryption.cek,
		.encryption_iv = card->encryption.iv,
	};
	struct catalog_recording recording;
	struct catalog_object found;
	int rc;

	/* The date is the key's, whatever else is said. */
	if (card->created_secs < day_secs || card->created_secs >= day_secs + DAY_SECS)
		input.date_created_secs = day_secs;
	rc = catalog_recordings_apply(v->env->catalog, v->workspace.id, &input, 1, NULL);
	if (rc == 0)
		rc = catalog_recording_find(v->env->catalog, &input.sid, &recording);
	if (rc)
		return rc;
	storage_object_describe(&v->storage, stray->key, &stray->object, &found);
	return catalog_recording_found_in_s3(v->env->catalog, recording.id, &found);
}

/* False: it is none, or nobody could say; that has been reported. */
static bool look(struct stray *stray)
{
	struct verify *v = stray->v;
	struct catalog_recording recording = { .is_encrypted = stray->name->is_encrypted,
					       .size_bytes = -1 };
	struct remote_error error = REMOTE_ERROR_INIT;
	const char *why = "";
	int rc;

	storage_card_init(&stray->card);
	rc = s3_head_object_metadata(v->s3, stray->key, storage_card_read, &stray->card,
				     &stray->object, &error);
	if (rc && error.kind == REMOTE_NOT_FOUND) {
		verify_answered(v);
		return false; /* gone by now */
	}
	recording.duration_secs = stray->card.duration_secs;
	if (rc == 0)
		rc = verify_is_audio(v, &recording, stray->key, &stray->object, &why, &error);
	if (rc == 0 && recording.is_encrypted && !stray->card.encryption.cek[0]) {
		why = "encrypted, and its metadata have no key";
		rc = -EBADMSG;
	}
	if (rc == -EBADMSG) {
		verify_answered(v);
		report(stray, VERIFY_UNREFERENCED, false, why);
		return false;
	}
	if (rc)
		verify_undecided(v, &stray->name->sid, stray->key, rc, &error);
	else
		verify_answered(v);
	return rc == 0;
}

static bool is_known_by_now(const struct stray *stray)
{
	struct catalog_recording recording;
	int rc = catalog_recording_find(stray->v->env->catalog, &stray->name->sid, &recording);

	if (rc && rc != -ENOENT)
		verify_fail(stray->v, rc, NULL);
	return rc != -ENOENT;
}

void verify_stray(void *arg, size_t index)
{
	struct verify *v = arg;
	struct stray stray = { .v = v, .name = &v->strays[index] };
	struct remote_error error = REMOTE_ERROR_INIT;
	enum account_presence presence;
	bool is_told = false, is_known, is_vouched;
	struct sid call_sid;
	int rc;

	if (verify_is_over(v)) {
		pthread_mutex_lock(&v->lock);
		v->stats.found[VERIFY_UNDECIDED]++;
		pthread_mutex_unlock(&v->lock);
		return;
	}
	verify_name_key(v->storage.prefix, &v->workspace.account_sid, stray.name, stray.key);
	stray.object.size_bytes = -1;
	if (is_known_by_now(&stray))
		return;
	if (verify_is_removed(v, &stray.name->sid, stray.key, &is_known)) {
		report(&stray, VERIFY_REMOVED, false, "");
		return;
	}
	if (!is_known || !look(&stray))
		return;
	rc = account_recording_presence(v->twilio, &stray.name->sid, &presence, &error);
	if (rc) {
		verify_undecided(v, &stray.name->sid, stray.key, rc, &error);
		return;
	}
	verify_answered(v);
	if (presence != ACCOUNT_RECORDING_GONE) {
		report(&stray, VERIFY_FOUND, false, "Twilio has it too: the next sync brings it");
		return;
	}
	rc = find_call(&stray, &call_sid);
	if (rc) {
		verify_fail(v, rc, NULL);
		return;
	}
	is_vouched = !sid_is_zero(&call_sid);
	if (is_vouched ? v->options.repair : v->options.adopt)
		is_told = verify_was_told(v, make_known(&stray, &call_sid));
	report(&stray, is_vouched ? VERIFY_FOUND : VERIFY_UNVOUCHED, is_told,
	       is_vouched           ? ""
	       : stray.card.call[0] ? "its call is not in Twilio's call log"
				    : "it names no call");
}
