/* Checks one object that has a recording's key and is unknown to the catalog, for example because
 * the catalog was lost. The object becomes a recording again if Twilio does not have the recording,
 * there is no tombstone, it is audio, and its metadata match a call of Twilio's call log: only
 * a program that knew the call's SID can have written them. Without a matching call it is adopted
 * only on request. */
#include <errno.h>
#include <string.h>

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
	int err = storage_card_call(&candidates->stray->name->sid, sid, call);

	if (err == 0 && strcmp(call, candidates->stray->card.call) == 0) {
		candidates->call_sid = *sid;
		err = 1;
	}
	return err;
}

/* Searches the call log at the call's start, then a day around it. */
static int find_call(const struct stray *stray, struct sid *ret_call_sid)
{
	const struct storage_card *card = &stray->card;
	struct catalog *catalog = stray->v->env->catalog;
	int64_t id = stray->v->workspace.id, at = card->started_secs;
	struct candidates candidates = { .stray = stray };
	int err = 0;

	if (card->call[0] && at > 0) {
		err = catalog_calls_begun(catalog, id, at, at + 1, on_call, &candidates);
		if (err == 0)
			err = catalog_calls_begun(catalog, id, at - DAY_SECS, at + DAY_SECS,
						  on_call, &candidates);
	}
	*ret_call_sid = candidates.call_sid;
	return err < 0 ? err : 0;
}

/* ---- making it a recording again ---- */

/* Two durable steps. After a crash between them the catalog has a recording that was deleted at
 * Twilio; the next verification or sync finds its object. */
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
	int err;

	/* The date must be the key's. */
	if (card->created_secs < day_secs || card->created_secs >= day_secs + DAY_SECS)
		input.date_created_secs = day_secs;
	err = catalog_recordings_apply(v->env->catalog, v->workspace.id, &input, 1, NULL);
	if (err == 0)
		err = catalog_recording_find(v->env->catalog, &input.sid, &recording);
	if (err)
		return err;
	storage_object_describe(&v->storage, stray->key, &stray->object, &found);
	return catalog_recording_found_in_s3(v->env->catalog, recording.id, &found);
}

/* Whether the object can be a recording. False: it cannot, or a request failed; both reported. */
static bool look(struct stray *stray)
{
	struct verify *v = stray->v;
	struct catalog_recording recording = { .is_encrypted = stray->name->is_encrypted,
					       .size_bytes = -1 };
	struct remote_error error = REMOTE_ERROR_INIT;
	const char *why = "";
	int err;

	storage_card_init(&stray->card);
	err = s3_head_object_metadata(v->s3, stray->key, storage_card_read, &stray->card,
				      &stray->object, &error);
	if (err && error.kind == REMOTE_NOT_FOUND) /* deleted meanwhile */
		return !verify_answered(v, &stray->name->sid, stray->key, 0, &error);
	recording.duration_secs = stray->card.duration_secs;
	if (err == 0)
		err = verify_is_audio(v, &recording, stray->key, &stray->object, &why, &error);
	if (err == 0 && recording.is_encrypted && !stray->card.encryption.cek[0]) {
		why = "encrypted, and its metadata have no key";
		err = -EBADMSG;
	}
	if (!verify_answered(v, &stray->name->sid, stray->key, err == -EBADMSG ? 0 : err, &error))
		return false;
	if (err)
		report(stray, VERIFY_UNREFERENCED, false, why);
	return !err;
}

static bool is_known_by_now(const struct stray *stray)
{
	struct catalog_recording recording;
	int err = catalog_recording_find(stray->v->env->catalog, &stray->name->sid, &recording);

	if (err != -ENOENT)
		verify_fail(stray->v, err, NULL);
	return err != -ENOENT;
}

void verify_stray(void *arg, size_t index)
{
	struct verify *v = arg;
	struct stray stray = { .v = v, .name = &v->strays[index] };
	enum account_presence presence;
	bool is_told = false, is_known, is_vouched;
	struct sid call_sid;

	if (verify_is_over(v)) {
		verify_count(v, &v->stats.found[VERIFY_UNDECIDED], 1);
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
	if (!is_known || !look(&stray) ||
	    !verify_ask_twilio(v, &stray.name->sid, stray.key, &presence))
		return;
	if (presence != ACCOUNT_RECORDING_GONE) {
		report(&stray, VERIFY_FOUND, false, "Twilio has it too: the next sync brings it");
		return;
	}
	if (verify_fail(v, find_call(&stray, &call_sid), NULL))
		return;
	is_vouched = !sid_is_zero(&call_sid);
	if (is_vouched ? v->options.repair : v->options.adopt)
		is_told = verify_was_told(v, make_known(&stray, &call_sid));
	report(&stray, is_vouched ? VERIFY_FOUND : VERIFY_UNVOUCHED, is_told,
	       is_vouched           ? ""
	       : stray.card.call[0] ? "its call is not in Twilio's call log"
				    : "it names no call");
}
