/* The table of extended attributes, and the values that are made without the network. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audio/why.h"
#include "fs/fs-private.h"
#include "fs/xattr.h"
#include "util/cleanup.h"
#include "util/text.h"
#include "util/times.h"

/* ---- getters; the row that the table names is loaded ---- */

static int get_campaign(struct fs_subject *s, struct buf *out)
{
	buf_add_str(out, s->campaign.is_unassigned ? CATALOG_UNASSIGNED : s->campaign.name);
	return 0;
}

static int add_sid(struct buf *out, const struct sid *sid, const char prefix[2])
{
	char text[SID_SIZE];

	sid_format(sid, prefix, text);
	buf_add_str(out, text);
	return 0;
}

static int get_call_sid(struct fs_subject *s, struct buf *out)
{
	return add_sid(out, &s->call.sid, "CA");
}

static int get_recording_sid(struct fs_subject *s, struct buf *out)
{
	return add_sid(out, &s->recording.sid, "RE");
}

static int get_kind(struct fs_subject *s, struct buf *out)
{
	buf_add_str(out, catalog_kind_name(s->recording.kind));
	return 0;
}

/* Exists only for adopted recordings. */
static int get_vouched(struct fs_subject *s, struct buf *out)
{
	if (s->recording.is_unvouched)
		buf_add_str(out, "no");
	return 0;
}

static int get_why(struct fs_subject *s, struct buf *out)
{
	audio_why(s->fs->audio, &s->recording, out);
	return 0;
}

static int get_started(struct fs_subject *s, struct buf *out)
{
	char text[TIME_ISO8601_SIZE];

	time_format_iso8601(s->recording.start_secs, text);
	buf_add_str(out, text);
	return 0;
}

static int get_duration(struct fs_subject *s, struct buf *out)
{
	if (s->recording.duration_secs >= 0)
		buf_addf(out, "%lld", (long long)s->recording.duration_secs);
	return 0;
}

static int get_channels(struct fs_subject *s, struct buf *out)
{
	if (s->recording.channels_stored > 0)
		buf_addf(out, "%d", s->recording.channels_stored);
	return 0;
}

/* As the server confirmed it, which may differ from what was requested. */
static int get_encryption(struct fs_subject *s, struct buf *out)
{
	const struct catalog_object *object = &s->object;

	buf_add_str(out, object->encryption[0] ? object->encryption : "none");
	if (object->kms_key_id[0])
		buf_addf(out, " %s", object->kms_key_id);
	if (object->bucket_key)
		buf_add_str(out, " bucket-key");
	return 0;
}

static int get_state(struct fs_subject *s, struct buf *out)
{
	buf_add_str(out, catalog_state_name(s->recording.state));
	return 0;
}

static int get_migrate_of_recording(struct fs_subject *s, struct buf *out)
{
	static const char *const names[] = {
		[CATALOG_MIGRATION_NONE] = "none",       [CATALOG_MIGRATION_QUEUED] = "queued",
		[CATALOG_MIGRATION_RUNNING] = "running", [CATALOG_MIGRATION_DONE] = "done",
		[CATALOG_MIGRATION_FAILED] = "failed",   [CATALOG_MIGRATION_PAUSED] = "paused",
	};
	enum catalog_migration migration;
	char reason[CATALOG_REASON_SIZE];
	int percent;
	int err = catalog_migrate_status(s->fs->catalog, s->node->recording_id, &migration,
					 &percent, reason);

	if (err)
		return err;
	buf_add_str(out, names[migration]);
	if (migration == CATALOG_MIGRATION_RUNNING)
		buf_addf(out, " %d%%", percent);
	else if (migration == CATALOG_MIGRATION_FAILED)
		buf_addf(out, ": %s", reason);
	return 0;
}

static int get_migrate(struct fs_subject *s, struct buf *out)
{
	struct catalog_scope scope = catalog_node_scope(s->node);
	struct catalog_counts counts;
	int64_t moved_bytes;
	int err;

	if (s->node->kind == CATALOG_NODE_RECORDING)
		return get_migrate_of_recording(s, out);
	err = catalog_progress_get(s->fs->catalog, &scope, 1, &counts, &moved_bytes);
	if (err)
		return err;
	buf_addf(out, "none %lld queued %lld running %lld done %lld failed %lld",
		 (long long)counts.none, (long long)counts.queued, (long long)counts.running,
		 (long long)counts.done, (long long)counts.failed);
	/* Only if there are any: scripts compare the whole line. */
	if (counts.paused)
		buf_addf(out, " paused %lld", (long long)counts.paused);
	return 0;
}

static int get_metrics(struct fs_subject *s, struct buf *out)
{
	const struct fs_settings *settings = &s->fs->settings;

	if (settings->metrics)
		settings->metrics(settings->metrics_arg, out);
	return 0;
}

static int get_pid(struct fs_subject *s, struct buf *out)
{
	buf_addf(out, "%d", (int)getpid());
	return 0;
}

/* ---- the table ---- */

#define ON(kind) (1U << CATALOG_NODE_##kind)
#define AT_ROOT ON(ROOT)
#define RECORDINGS ON(RECORDING)
#define IN_CAMPAIGNS (ON(CAMPAIGN) | ON(RECORDING) | ON(CALLS))
#define IN_WORKSPACES (ON(WORKSPACE) | IN_CAMPAIGNS)
#define SCOPES (ON(ROOT) | ON(WORKSPACE) | ON(CAMPAIGN) | ON(RECORDING)) /* all but calls.csv */
#define LISTED FS_XATTR_LISTED
/* The value is a text in the row. */
#define TEXT(row_, field) .row = FS_ROW_##row_, .text_offset = offsetof(struct fs_subject, field)
/* The value is made from the row. */
#define FROM(row_, getter) .row = FS_ROW_##row_, .get = (getter)
#define SET(name) .parse = fs_xattr_parse_##name, .apply = fs_xattr_apply_##name

const struct fs_xattr fs_xattrs[] = {
	{ "workspace", IN_WORKSPACES, LISTED, TEXT(WORKSPACE, workspace.name) },
	{ "campaign", IN_CAMPAIGNS, LISTED, FROM(CAMPAIGN, get_campaign) },
	{ "call_sid", RECORDINGS, LISTED, FROM(CALL, get_call_sid) },
	{ "recording_sid", RECORDINGS, LISTED, FROM(RECORDING, get_recording_sid) },
	{ "kind", RECORDINGS, LISTED, FROM(RECORDING, get_kind) },
	{ "vouched", RECORDINGS, LISTED, FROM(RECORDING, get_vouched) },
	{ "why", RECORDINGS, LISTED, FROM(RECORDING, get_why) },
	{ "direction", RECORDINGS, LISTED, TEXT(CALL, call.direction) },
	{ "from", RECORDINGS, LISTED | FS_XATTR_NUMBER, TEXT(CALL, call.from) },
	{ "to", RECORDINGS, LISTED | FS_XATTR_NUMBER, TEXT(CALL, call.to) },
	{ "started", RECORDINGS, LISTED, FROM(RECORDING, get_started) },
	{ "duration", RECORDINGS, LISTED, FROM(RECORDING, get_duration) },
	{ "channels", RECORDINGS, LISTED, FROM(RECORDING, get_channels) },
	{ "bucket", RECORDINGS, LISTED, TEXT(OBJECT, object.bucket) },
	{ "key", RECORDINGS, LISTED, TEXT(OBJECT, object.key) },
	{ "etag", RECORDINGS, LISTED, TEXT(OBJECT, object.etag) },
	{ "sha256", RECORDINGS, LISTED, TEXT(OBJECT, object.sha256) },
	{ "encryption", RECORDINGS, LISTED, FROM(OBJECT, get_encryption) },
	{ "encryption_public_key_sid", RECORDINGS, LISTED, TEXT(ENCRYPTION, encryption.key_sid) },
	{ "encryption_cek", RECORDINGS, LISTED, TEXT(ENCRYPTION, encryption.cek) },
	{ "encryption_iv", RECORDINGS, LISTED, TEXT(ENCRYPTION, encryption.iv) },
	{ "state", RECORDINGS, 0, FROM(RECORDING, get_state) },
	{ "storage_class", RECORDINGS, 0, TEXT(ARCHIVE, archive.storage_class) },
	{ "metrics", AT_ROOT, FS_XATTR_LINES, FROM(NONE, get_metrics) },
	{ "pid", AT_ROOT, 0, FROM(NONE, get_pid) },
	{ "url", RECORDINGS, FS_XATTR_GRANTS | FS_XATTR_NETWORK, FROM(NONE, fs_xattr_get_url) },
	{ "retention", RECORDINGS, FS_XATTR_NETWORK, FROM(NONE, fs_xattr_get_retention) },
	{ "restore", SCOPES, FS_XATTR_NETWORK, FROM(NONE, fs_xattr_get_restore), SET(restore) },
	{ "migrate", SCOPES, 0, FROM(NONE, get_migrate), SET(migrate) },
};
const size_t fs_xattr_count = ARRAY_SIZE(fs_xattrs);

const struct fs_xattr *fs_xattr_find(const char *name)
{
	if (strncmp(name, FS_XATTR_PREFIX, strlen(FS_XATTR_PREFIX)) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fs_xattrs); i++)
		if (strcmp(fs_xattrs[i].name, name + strlen(FS_XATTR_PREFIX)) == 0)
			return &fs_xattrs[i];
	return NULL;
}

bool fs_xattr_is_on(const struct fs_xattr *xattr, const struct catalog_node *node)
{
	return xattr->on & 1U << node->kind;
}

/* ---- values ---- */

static int load(struct fs_subject *s, enum fs_row row)
{
	struct catalog *catalog = s->fs->catalog;
	const struct catalog_node *node = s->node;

	switch (row) {
	case FS_ROW_WORKSPACE:
		return catalog_workspace_get(catalog, node->workspace_id, &s->workspace);
	case FS_ROW_CAMPAIGN:
		return catalog_campaign_get(catalog, node->folder_id, &s->campaign);
	case FS_ROW_RECORDING:
		return catalog_recording_get(catalog, node->recording_id, &s->recording);
	case FS_ROW_CALL:
		return catalog_recording_call(catalog, node->recording_id, &s->call);
	case FS_ROW_OBJECT:
		return catalog_recording_object(catalog, node->recording_id, &s->object);
	case FS_ROW_ENCRYPTION:
		return catalog_recording_encryption(catalog, node->recording_id, &s->encryption);
	case FS_ROW_ARCHIVE:
		return catalog_archive_get(catalog, node->recording_id, &s->archive);
	case FS_ROW_NONE:
	case FS_ROW_COUNT:
		break;
	}
	return 0;
}

static int value_of(struct fs_subject *s, const struct fs_xattr *xattr, struct buf *out)
{
	int err;

	if (!fs_xattr_is_on(xattr, s->node) ||
	    (xattr->flags & FS_XATTR_NUMBER && s->fs->names != CATALOG_NAMES_NUMBER))
		return -ENODATA;
	if (!s->is_loaded[xattr->row])
		s->errs[xattr->row] = load(s, xattr->row);
	s->is_loaded[xattr->row] = true;
	err = s->errs[xattr->row];
	if (!err && xattr->get)
		err = xattr->get(s, out);
	else if (!err)
		buf_add_str(out, (const char *)s + xattr->text_offset);
	if (!err && buf_failed(out))
		err = -ENOMEM;
	return err == -ENOENT || (!err && !out->len) ? -ENODATA : err;
}

int fs_xattr_value(struct fs *fs, const struct catalog_node *node, const struct fs_xattr *xattr,
		   struct buf *out)
{
	struct fs_subject subject = { .fs = fs, .node = node };
	int err = value_of(&subject, xattr, out);

	/* Servers and callers have chosen parts of it. */
	if (!err && !(xattr->flags & FS_XATTR_LINES))
		out->len = text_clean(out->data);
	return err;
}

int fs_xattr_names(struct fs *fs, const struct catalog_node *node, struct buf *out)
{
	struct fs_subject subject = { .fs = fs, .node = node };
	cleanup_buf struct buf value = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(fs_xattrs); i++) {
		int err = -ENODATA;

		buf_reset(&value);
		if (fs_xattrs[i].flags & FS_XATTR_LISTED)
			err = value_of(&subject, &fs_xattrs[i], &value);
		if (err && err != -ENODATA)
			return err;
		if (!err)
			buf_addf(out, FS_XATTR_PREFIX "%s%c", fs_xattrs[i].name, 0);
	}
	return 0;
}
