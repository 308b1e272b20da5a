/*
 * The values of attributes that are answered at once, from the catalog or from memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/why.h"
#include "catalog/archive.h"
#include "catalog/campaign.h"
#include "catalog/job.h"
#include "catalog/workspace.h"
#include "fs/fs-private.h"
#include "util/cleanup.h"
#include "util/text.h"
#include "util/times.h"

/* What an attribute may be made from; each piece is fetched when the first asks for it. */
struct subject {
	const struct fs *fs;
	struct catalog_node node;
	bool has_recording, has_call, has_object, has_encryption;
	int call_error, object_error, encryption_error;
	struct catalog_recording recording;
	struct catalog_call call;
	struct catalog_object object;
	struct catalog_encryption encryption;
};

static const struct catalog_recording *recording_of(struct subject *s)
{
	if (s->node.kind != CATALOG_NODE_RECORDING)
		return NULL;
	if (!s->has_recording)
		s->has_recording = catalog_recording_get(s->fs->catalog, s->node.recording_id,
							 &s->recording) == 0;
	return s->has_recording ? &s->recording : NULL;
}

static const struct catalog_call *call_of(struct subject *s)
{
	if (s->node.kind != CATALOG_NODE_RECORDING)
		return NULL;
	if (!s->has_call)
		s->call_error =
			catalog_recording_call(s->fs->catalog, s->node.recording_id, &s->call);
	s->has_call = true;
	return s->call_error ? NULL : &s->call;
}

static const struct catalog_object *object_of(struct subject *s)
{
	if (s->node.kind != CATALOG_NODE_RECORDING)
		return NULL;
	if (!s->has_object)
		s->object_error =
			catalog_recording_object(s->fs->catalog, s->node.recording_id, &s->object);
	s->has_object = true;
	return s->object_error ? NULL : &s->object;
}

static const struct catalog_encryption *encryption_of(struct subject *s)
{
	if (s->node.kind != CATALOG_NODE_RECORDING)
		return NULL;
	if (!s->has_encryption)
		s->encryption_error = catalog_recording_encryption(
			s->fs->catalog, s->node.recording_id, &s->encryption);
	s->has_encryption = true;
	return s->encryption_error ? NULL : &s->encryption;
}

/* ---- values: each appends, or appends nothing where there is none ---- */

static void value_workspace(struct subject *s, struct buf *out)
{
	struct catalog_workspace workspace;

	if (s->node.workspace_id &&
	    catalog_workspace_get(s->fs->catalog, s->node.workspace_id, &workspace) == 0)
		buf_add_str(out, workspace.name);
}

static void value_campaign(struct subject *s, struct buf *out)
{
	struct catalog_campaign campaign;

	if (s->node.folder_id &&
	    catalog_campaign_get(s->fs->catalog, s->node.folder_id, &campaign) == 0)
		buf_add_str(out, campaign.is_unassigned ? CATALOG_UNASSIGNED : campaign.name);
}

static void add_sid(struct buf *out, const struct sid *sid, const char prefix[2])
{
	char text[SID_SIZE];

	sid_format(sid, prefix, text);
	buf_add_str(out, text);
}

static void value_call_sid(struct subject *s, struct buf *out)
{
	const struct catalog_call *call = call_of(s);

	if (call)
		add_sid(out, &call->sid, "CA");
}

static void value_recording_sid(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording)
		add_sid(out, &recording->sid, "RE");
}

static void value_kind(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording)
		buf_add_str(out, catalog_kind_name(recording->kind));
}

/* Why it cannot be read. */
static void value_why(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording)
		audio_why(s->fs->audio, recording, out);
}

/* Only of what was adopted is there anything to say. */
static void value_vouched(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording && recording->is_unvouched)
		buf_add_str(out, "no");
}

static void value_direction(struct subject *s, struct buf *out)
{
	const struct catalog_call *call = call_of(s);

	if (call)
		buf_add_str(out, call->direction);
}

static void value_from(struct subject *s, struct buf *out)
{
	const struct catalog_call *call = call_of(s);

	if (call && s->fs->names == CATALOG_NAMES_NUMBER)
		buf_add_str(out, call->from);
}

static void value_to(struct subject *s, struct buf *out)
{
	const struct catalog_call *call = call_of(s);

	if (call && s->fs->names == CATALOG_NAMES_NUMBER)
		buf_add_str(out, call->to);
}

static void value_started(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);
	char text[TIME_ISO8601_SIZE];

	if (!recording)
		return;
	time_format_iso8601(recording->start_secs, text);
	buf_add_str(out, text);
}

static void value_duration(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording && recording->duration_secs >= 0)
		buf_addf(out, "%lld", (long long)recording->duration_secs);
}

static void value_channels(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording && recording->channels_stored > 0)
		buf_addf(out, "%d", recording->channels_stored);
}

static void value_bucket(struct subject *s, struct buf *out)
{
	const struct catalog_object *object = object_of(s);

	if (object)
		buf_add_str(out, object->bucket);
}

static void value_key(struct subject *s, struct buf *out)
{
	const struct catalog_object *object = object_of(s);

	if (object)
		buf_add_str(out, object->key);
}

static void value_etag(struct subject *s, struct buf *out)
{
	const struct catalog_object *object = object_of(s);

	if (object)
		buf_add_str(out, object->etag);
}

static void value_sha256(struct subject *s, struct buf *out)
{
	const struct catalog_object *object = object_of(s);

	if (object)
		buf_add_str(out, object->sha256);
}

static void value_encryption_key(struct subject *s, struct buf *out)
{
	const struct catalog_encryption *encryption = encryption_of(s);

	if (encryption)
		buf_add_str(out, encryption->key_sid);
}

static void value_encryption_cek(struct subject *s, struct buf *out)
{
	const struct catalog_encryption *encryption = encryption_of(s);

	if (encryption)
		buf_add_str(out, encryption->cek);
}

static void value_encryption_iv(struct subject *s, struct buf *out)
{
	const struct catalog_encryption *encryption = encryption_of(s);

	if (encryption)
		buf_add_str(out, encryption->iv);
}

static void value_storage_class(struct subject *s, struct buf *out)
{
	struct catalog_archive archive;

	if (s->node.kind == CATALOG_NODE_RECORDING &&
	    catalog_archive_get(s->fs->catalog, s->node.recording_id, &archive) == 0)
		buf_add_str(out, archive.storage_class);
}

/* What the server confirmed, not what it was asked for. */
static void value_encryption(struct subject *s, struct buf *out)
{
	const struct catalog_object *object = object_of(s);

	if (!object)
		return;
	buf_add_str(out, object->encryption[0] ? object->encryption : "none");
	if (object->kms_key_id[0])
		buf_addf(out, " %s", object->kms_key_id);
	if (object->bucket_key)
		buf_add_str(out, " bucket-key");
}

static void value_state(struct subject *s, struct buf *out)
{
	const struct catalog_recording *recording = recording_of(s);

	if (recording)
		buf_add_str(out, catalog_state_name(recording->state));
}

static void migrate_of_file(struct subject *s, struct buf *out)
{
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	int percent;

	if (catalog_migrate_status(s->fs->catalog, s->node.recording_id, &migration, &percent,
				   reason))
		return;
	switch (migration) {
	case CATALOG_MIGRATION_NONE:
		buf_add_str(out, "none");
		break;
	case CATALOG_MIGRATION_QUEUED:
		buf_add_str(out, "queued");
		break;
	case CATALOG_MIGRATION_RUNNING:
		buf_addf(out, "running %d%%", percent);
		break;
	case CATALOG_MIGRATION_DONE:
		buf_add_str(out, "done");
		break;
	case CATALOG_MIGRATION_FAILED:
		buf_addf(out, "failed: %s", reason);
		break;
	case CATALOG_MIGRATION_PAUSED:
		buf_add_str(out, "paused");
		break;
	}
}

static void value_migrate(struct subject *s, struct buf *out)
{
	struct catalog_counts counts;
	struct catalog_scope scope;
	int64_t moved_bytes;

	if (s->node.kind == CATALOG_NODE_CALLS)
		return;
	if (s->node.kind == CATALOG_NODE_RECORDING) {
		migrate_of_file(s, out);
		return;
	}
	scope = catalog_node_scope(&s->node);
	if (catalog_progress_get(s->fs->catalog, &scope, 1, &counts, &moved_bytes))
		return;
	buf_addf(out, "none %lld queued %lld running %lld done %lld failed %lld",
		 (long long)counts.none, (long long)counts.queued, (long long)counts.running,
		 (long long)counts.done, (long long)counts.failed);
	/* Only where there are any: scripts compare the whole line. */
	if (counts.paused)
		buf_addf(out, " paused %lld", (long long)counts.paused);
}

static void value_metrics(struct subject *s, struct buf *out)
{
	if (s->node.kind == CATALOG_NODE_ROOT && s->fs->metrics)
		s->fs->metrics(s->fs->metrics_arg, out);
}

static void value_pid(struct subject *s, struct buf *out)
{
	if (s->node.kind == CATALOG_NODE_ROOT)
		buf_addf(out, "%d", (int)getpid());
}

/* ---- the table ---- */

struct attribute {
	const char *name;
	bool is_listed;
	void (*value)(struct subject *subject, struct buf *out);
};

static const struct attribute attributes[] = {
	{ "workspace", true, value_workspace },
	{ "campaign", true, value_campaign },
	{ "call_sid", true, value_call_sid },
	{ "recording_sid", true, value_recording_sid },
	{ "kind", true, value_kind },
	{ "vouched", true, value_vouched },
	{ "why", true, value_why },
	{ "direction", true, value_direction },
	{ "from", true, value_from },
	{ "to", true, value_to },
	{ "started", true, value_started },
	{ "duration", true, value_duration },
	{ "channels", true, value_channels },
	{ "bucket", true, value_bucket },
	{ "key", true, value_key },
	{ "etag", true, value_etag },
	{ "sha256", true, value_sha256 },
	{ "encryption", true, value_encryption },
	{ "encryption_public_key_sid", true, value_encryption_key },
	{ "encryption_cek", true, value_encryption_cek },
	{ "encryption_iv", true, value_encryption_iv },
	{ "migrate", false, value_migrate },
	{ "state", false, value_state },
	{ "metrics", false, value_metrics },
	{ "pid", false, value_pid },
	{ "storage_class", false, value_storage_class },
};

int fs_xattr_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* ---- asking ---- */

static int subject_new(struct fs *fs, fuse_ino_t ino, struct subject **ret_subject)
{
	struct subject *subject = calloc(1, sizeof *subject);
	int err;

	if (!subject)
		return -ENOMEM;
	subject->fs = fs;
	err = catalog_node_get(fs->catalog, ino, fs->names, &subject->node);
	if (err)
		free(subject);
	else
		*ret_subject = subject;
	return err;
}

int fs_xattr_value(struct fs *fs, fuse_ino_t ino, int index, struct buf *out)
{
	const struct attribute *attribute = &attributes[index];
	cleanup_free struct subject *subject = NULL;
	int err = subject_new(fs, ino, &subject);

	if (err)
		return err;
	attribute->value(subject, out);
	/* Servers and callers have chosen some of them; our own counters are lines. */
	if (out->data && attribute->value != value_metrics)
		out->len = text_clean(out->data);
	return buf_failed(out) ? -ENOMEM : out->len ? 0 : -ENODATA;
}

int fs_xattr_names(struct fs *fs, fuse_ino_t ino, struct buf *out)
{
	cleanup_buf struct buf value = BUF_INIT;
	cleanup_free struct subject *subject = NULL;
	int err = subject_new(fs, ino, &subject);

	for (size_t i = 0; !err && i < ARRAY_SIZE(attributes); i++) {
		if (!attributes[i].is_listed)
			continue;
		buf_reset(&value);
		attributes[i].value(subject, &value);
		if (value.len)
			buf_addf(out, FS_XATTR_PREFIX "%s%c", attributes[i].name, 0);
	}
	return err;
}
