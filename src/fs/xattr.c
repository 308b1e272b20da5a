/*
 * Extended attributes, user.tonicfs.<name>. Those that are stable and no secret are listed, so that
 * a backup sees no change where there is none; migrate and state are read by name only. Setting
 * migrate to `now` or `cancel`, and restore, are the only changes there are. Those that may need
 * the network are in xattr-remote.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "catalog/archive.h"
#include "catalog/job.h"
#include "fs/fs-private.h"
#include "storage/restore.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/text.h"
#include "util/times.h"

#define PREFIX "user.tonicfs."
#define PREFIX_LENGTH (sizeof PREFIX - 1)

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

/* NULL: none of ours. */
static const struct attribute *attribute_find(const char *name)
{
	if (strncmp(name, PREFIX, PREFIX_LENGTH))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name + PREFIX_LENGTH) == 0)
			return &attributes[i];
	return NULL;
}

/* ---- requests ---- */

void fs_reply_xattr(fuse_req_t req, const struct buf *bytes, size_t size)
{
	if (buf_failed(bytes))
		fs_reply_err(req, -ENOMEM);
	else if (!size)
		fuse_reply_xattr(req, bytes->len);
	else if (bytes->len > size)
		fs_reply_err(req, -ERANGE);
	else
		fuse_reply_buf(req, bytes->data, bytes->len);
}

static int subject_init(struct subject *subject, struct fs *fs, fuse_ino_t ino)
{
	memset(subject, 0, sizeof *subject);
	subject->fs = fs;
	return catalog_node_get(fs->catalog, ino, fs->names, &subject->node);
}

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	const struct attribute *attribute = attribute_find(name);
	cleanup_buf struct buf value = BUF_INIT;
	cleanup_free struct subject *subject = NULL;
	int err, remote = strncmp(name, PREFIX, PREFIX_LENGTH)
				  ? -1
				  : fs_xattr_remote_find(name + PREFIX_LENGTH);

	if (remote >= 0) {
		fs_xattr_remote_get(req, ino, remote, size);
		return;
	}

	/* Every ls -l and every write asks for what others keep there: answered without a look. */
	if (!attribute) {
		fs_reply_err(req, strncmp(name, "system.", 7) ? -ENODATA : -ENOTSUP);
		return;
	}
	subject = malloc(sizeof *subject);
	err = subject ? subject_init(subject, fs_of(req), ino) : -ENOMEM;
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	attribute->value(subject, &value);
	/* Servers and callers have chosen some of them; our own counters are lines. */
	if (value.data && attribute->value != value_metrics)
		value.len = text_clean(value.data);
	if (!value.len && !buf_failed(&value))
		fs_reply_err(req, -ENODATA);
	else
		fs_reply_xattr(req, &value, size);
}

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	cleanup_buf struct buf names = BUF_INIT;
	cleanup_buf struct buf value = BUF_INIT;
	cleanup_free struct subject *subject = malloc(sizeof *subject);
	int err = subject ? subject_init(subject, fs_of(req), ino) : -ENOMEM;

	if (err) {
		fs_reply_err(req, err);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (!attributes[i].is_listed)
			continue;
		buf_reset(&value);
		attributes[i].value(subject, &value);
		if (value.len)
			buf_addf(&names, PREFIX "%s%c", attributes[i].name, 0);
	}
	fs_reply_xattr(req, &names, size);
}

/* What can be written to `migrate`. */
static const struct {
	const char *value;
	catalog_migrate_fn *ask;
} migrate_asks[] = {
	{ "now", catalog_migrate_queue },   { "cancel", catalog_migrate_cancel },
	{ "pause", catalog_migrate_pause }, { "resume", catalog_migrate_resume },
	{ "retry", catalog_migrate_retry },
};
#define RESTORE (-1) /* the action of the attribute `restore` */

static void log_migrate_refused(const struct fs *fs, const struct catalog_node *node,
				const char *why)
{
	struct catalog_workspace workspace;

	if (node->workspace_id &&
	    catalog_workspace_get(fs->catalog, node->workspace_id, &workspace) == 0)
		log_warning("workspace %s: nothing can be migrated: %s", workspace.name, why);
	else
		log_warning("nothing can be migrated: %s", why);
}

static void run_migrate(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct catalog *catalog = wait->fs->catalog;
	struct catalog_scope scope = catalog_node_scope(&wait->node);
	int64_t count;
	int err = migrate_asks[wait->action].ask(catalog, scope, &count);

	if (err == -ENOENT || err == -ENODEV) {
		log_migrate_refused(wait->fs, &wait->node,
				    err == -ENOENT ? "it has no storage settings"
						   : "its storage is not enabled");
		err = -ENODEV;
	} else if (err) {
		log_migrate_refused(wait->fs, &wait->node, strerror(-err));
	}
	fs_wait_reply_err(wait, err);
}

static bool is_ours(const char *name)
{
	return attribute_find(name) || (strncmp(name, PREFIX, PREFIX_LENGTH) == 0 &&
					fs_xattr_remote_find(name + PREFIX_LENGTH) >= 0);
}

/* "7 bulk" of the attribute, as restore's options have them; either may be missing. */
static int parse_restore(const char *value, size_t size, unsigned *ret_days, const char **ret_tier)
{
	char text[64], *rest, *word;

	*ret_days = RESTORE_DAYS_DEFAULT;
	*ret_tier = storage_restore_tier("bulk");
	if (size >= sizeof text)
		return -EINVAL;
	memcpy(text, value, size);
	text[size] = '\0';
	for (word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		char *end;
		unsigned long days = strtoul(word, &end, 10);

		if (*word >= '0' && *word <= '9' && !*end && days >= 1 && days <= RESTORE_DAYS_LIMIT)
			*ret_days = (unsigned)days;
		else if (storage_restore_tier(word))
			*ret_tier = storage_restore_tier(word);
		else if (strcmp(word, "now") != 0)
			return -EINVAL;
	}
	return 0;
}

static void run_restore(struct pool_task *task)
{
	struct fs_wait *wait = list_entry(task, struct fs_wait, task);
	struct catalog_restore_counts counts;
	int err = catalog_restore_want(wait->fs->catalog, catalog_node_scope(&wait->node),
				       wait->restore_days, wait->restore_tier, &counts);

	if (err)
		log_error("a restore cannot be asked for: %s", strerror(-err));
	/* Nothing in it can be restored: not what the caller believes. */
	else if (!counts.wanted && !counts.under_way && !counts.restored)
		err = -ENODATA;
	fs_wait_reply_err(wait, err);
}

static int setxattr_check(const struct fs *fs, const char *name, const char *value, size_t size,
			  int flags, struct fs_wait *ret_wait)
{
	const struct attribute *attribute = attribute_find(name);

	if (fs->is_read_only)
		return -EROFS;
	if (!is_ours(name))
		return -ENOTSUP;
	if (strcmp(name, PREFIX "restore") == 0) {
		ret_wait->action = RESTORE;
		return flags & XATTR_CREATE ? -EEXIST
					    : parse_restore(value, size, &ret_wait->restore_days,
							    &ret_wait->restore_tier);
	}
	if (!attribute || attribute->value != value_migrate)
		return -EPERM;
	if (flags & XATTR_CREATE)
		return -EEXIST;
	for (size_t i = 0; i < ARRAY_SIZE(migrate_asks); i++) {
		if (size == strlen(migrate_asks[i].value) &&
		    memcmp(value, migrate_asks[i].value, size) == 0) {
			ret_wait->action = (int)i;
			return 0;
		}
	}
	return -EINVAL;
}

void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags)
{
	struct fs *fs = fs_of(req);
	struct fs_wait asked = { .action = 0 };
	struct fs_wait *wait;
	int err = setxattr_check(fs, name, value, size, flags, &asked);

	if (!err)
		err = catalog_node_get(fs->catalog, ino, fs->names, &asked.node);
	if (!err && asked.node.kind == CATALOG_NODE_CALLS)
		err = -EPERM;
	if (err) {
		fs_reply_err(req, err);
		return;
	}
	wait = fs_wait_new(fs, req);
	if (!wait)
		return;
	wait->node = asked.node;
	wait->action = asked.action;
	wait->restore_days = asked.restore_days;
	wait->restore_tier = asked.restore_tier;
	fs_wait_push(wait, wait->action == RESTORE ? run_restore : run_migrate);
}

void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	if (fs_of(req)->is_read_only)
		fs_reply_err(req, -EROFS);
	else
		fs_reply_err(req, is_ours(name) ? -EPERM : -ENODATA);
}
