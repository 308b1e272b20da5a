/* Compares the bucket's list with the catalog, page by page. Changes nothing; doubtful recordings
 * are only noted, because a list may be old when it is read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "verify/verify-private.h"

#define BATCH 500 /* objects looked up in one catalog read */
#define WALK 512

struct listed {
	char key[CATALOG_KEY_TEXT_SIZE], etag[S3_ETAG_SIZE];
	int64_t size_bytes;
	struct verify_name name;
};

struct batch {
	struct verify *v;
	size_t count;
	struct listed items[BATCH];
	struct sid sids[BATCH];
};

static bool has_unreferenced(const struct verify *v)
{
	return v->scope.kind == CATALOG_SCOPE_WORKSPACE;
}

static bool is_in_scope(const struct verify *v, const struct catalog_recording *recording)
{
	switch (v->scope.kind) {
	case CATALOG_SCOPE_FOLDER:
		return recording->folder_id == v->scope.id;
	case CATALOG_SCOPE_RECORDING:
		return recording->id == v->scope.id;
	default:
		return recording->workspace_id == v->workspace.id;
	}
}

/* ---- one object ---- */

static int judge(struct verify *v, const struct listed *item, const struct catalog_belief *belief)
{
	const struct catalog_recording *recording = &belief->recording;
	char derived[CATALOG_KEY_TEXT_SIZE];

	catalog_object_key(v->storage.prefix, &v->workspace.account_sid, recording, derived);
	if (strcmp(item->key, derived) != 0 &&
	    !(belief->has_object && strcmp(item->key, belief->object.key) == 0)) {
		if (has_unreferenced(v))
			verify_report_key(v, VERIFY_UNREFERENCED, &recording->sid, item->key,
					  item->size_bytes, "its recording has another key");
		return 0;
	}
	switch (recording->state) {
	case CATALOG_STATE_STORED:
	case CATALOG_STATE_S3:
		/* Another one is not the object that was verified. */
		if (!is_in_scope(v, recording) || !belief->has_object ||
		    strcmp(item->key, belief->object.key) != 0)
			return 0;
		if (belief->object.size_bytes != item->size_bytes ||
		    strcasecmp(belief->object.etag, item->etag) != 0)
			return verify_doubt_add(v, recording->id);
		verify_good(v, recording);
		return 0;
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_MISSING:
		return is_in_scope(v, recording) ? verify_doubt_add(v, recording->id) : 0;
	case CATALOG_STATE_DELETED:
		if (has_unreferenced(v) && !belief->delete_waits)
			verify_report_key(v, VERIFY_REMOVED, &recording->sid, item->key,
					  item->size_bytes, "");
		return 0;
	case CATALOG_STATE_UPLOADING:
		break; /* a transfer runs */
	}
	return 0;
}

static int on_belief(void *arg, size_t index, const struct catalog_belief *belief)
{
	struct batch *batch = arg;
	struct verify *v = batch->v;

	if (belief)
		return judge(v, &batch->items[index], belief);
	if (!has_unreferenced(v))
		return 0;
	return array_push(&v->strays, &v->stray_count, &batch->items[index].name);
}

static int batch_flush(struct batch *batch)
{
	int err = catalog_beliefs_find(batch->v->env->catalog, batch->sids, batch->count, on_belief,
				       batch);

	batch->count = 0;
	verify_progress(batch->v);
	return err;
}

static int on_object(void *arg, const struct s3_list_entry *entry)
{
	struct batch *batch = arg;
	struct verify *v = batch->v;
	struct listed *item = &batch->items[batch->count];

	verify_count(v, &v->stats.objects, 1);
	if (verify_name_parse(v->storage.prefix, &v->workspace.account_sid, entry->key,
			      &item->name) < 0) {
		/* A list for one recording's key may show longer keys with that prefix. */
		if (has_unreferenced(v))
			verify_report_key(v, VERIFY_UNREFERENCED, NULL, entry->key,
					  entry->size_bytes, "");
		return 0;
	}
	snprintf(item->key, sizeof item->key, "%s", entry->key);
	item->size_bytes = entry->size_bytes;
	snprintf(item->etag, sizeof item->etag, "%s", entry->etag);
	batch->sids[batch->count++] = item->name.sid;
	return batch->count < BATCH ? 0 : batch_flush(batch);
}

static int list_prefix(struct verify *v, const char *prefix)
{
	cleanup_free struct batch *batch = calloc(1, sizeof *batch);
	struct remote_error error = REMOTE_ERROR_INIT;
	int err;

	if (!batch)
		return verify_fail(v, -ENOMEM, NULL);
	batch->v = v;
	err = s3_list(v->s3, S3_OBJECTS, prefix, on_object, batch, &error);
	if (err == 0)
		err = batch_flush(batch);
	return verify_fail(v, err, &error);
}

/* ---- objects outside the account's folder ---- */

struct beside {
	struct verify *v;
	char **folders; /* to be listed in full */
	size_t count;
};

static void beside_release(struct beside *beside)
{
	for (size_t i = 0; i < beside->count; i++)
		free(beside->folders[i]);
	free(beside->folders);
}

static int on_beside(void *arg, const struct s3_list_entry *entry)
{
	struct beside *beside = arg;
	struct verify *v = beside->v;
	char **folder;

	if (!entry->is_folder) {
		/* Some tools make an empty object to show a folder. */
		if (entry->key[strlen(entry->key) - 1] != '/' || entry->size_bytes)
			verify_report_key(v, VERIFY_UNREFERENCED, NULL, entry->key,
					  entry->size_bytes, "");
		return 0;
	}
	if (strcmp(entry->key, v->folder) == 0 ||
	    verify_is_other_account(v->storage.prefix, &v->workspace.account_sid, entry->key))
		return 0;
	folder = array_add(&beside->folders, &beside->count);
	return folder && (*folder = strdup(entry->key)) ? 0 : -ENOMEM;
}

static int list_beside(struct verify *v)
{
	cleanup_with(beside_release) struct beside beside = { .v = v };
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = s3_list(v->s3, S3_FOLDER, v->root, on_beside, &beside, &error);

	verify_fail(v, err, &error);
	for (size_t i = 0; i < beside.count && err == 0; i++)
		err = list_prefix(v, beside.folders[i]);
	return err;
}

/* ---- uploads ---- */

static int on_uploader(void *arg, size_t index, const struct catalog_belief *belief)
{
	*(bool *)arg = belief && belief->recording.state == CATALOG_STATE_UPLOADING;
	return 0;
}

static int on_upload(void *arg, const struct s3_list_entry *entry)
{
	struct verify *v = arg;
	char began[TIME_ISO8601_SIZE], note[64] = "";
	struct verify_name name;
	bool is_running = false, is_ours;
	int err = 0;

	if (verify_is_other_account(v->storage.prefix, &v->workspace.account_sid, entry->key))
		return 0;
	is_ours = verify_name_parse(v->storage.prefix, &v->workspace.account_sid, entry->key,
				    &name) == 0;
	if (is_ours)
		err = catalog_beliefs_find(v->env->catalog, &name.sid, 1, on_uploader, &is_running);
	if (err || is_running)
		return err;
	if (entry->last_modified_secs > 0) {
		time_format_iso8601(entry->last_modified_secs, began);
		snprintf(note, sizeof note, "begun %s", began);
	}
	verify_report_key(v, VERIFY_UPLOAD, is_ours ? &name.sid : NULL, entry->key, -1, note);
	return 0;
}

static int list_uploads(struct verify *v)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int err = s3_list(v->s3, S3_UPLOADS, v->root, on_upload, v, &error);

	if (err == 0 || error.kind == REMOTE_OK || error.kind == REMOTE_CANCELLED)
		return verify_fail(v, err, &error);
	/* Listing uploads is a separate permission. */
	pthread_mutex_lock(&v->lock);
	v->stats.uploads_unknown = true;
	pthread_mutex_unlock(&v->lock);
	return 0;
}

/* ---- recordings that the list did not show ---- */

struct walk {
	struct verify *v;
	int64_t after_id;
	size_t count;
};

static int on_walked(void *arg, size_t index, const struct catalog_belief *belief)
{
	struct walk *walk = arg;
	struct verify *v = walk->v;
	const struct catalog_recording *recording = &belief->recording;

	walk->count++;
	walk->after_id = recording->id;
	if (marks_has(&v->good, recording->id) || marks_has(&v->doubted, recording->id))
		return 0;
	if (recording->state == CATALOG_STATE_MISSING && recording->start_secs <= 0) {
		/* Deleted before it was a file here: nothing was lost. */
		verify_count(v, &v->stats.never_seen, 1);
		return 0;
	}
	return verify_doubt_add(v, recording->id);
}

static int walk_catalog(struct verify *v)
{
	struct walk walk = { .v = v };
	int err;

	do {
		walk.count = 0;
		err = catalog_beliefs_each(v->env->catalog, v->scope, walk.after_id, WALK,
					   on_walked, &walk);
	} while (err == 0 && walk.count == WALK);
	return verify_fail(v, err, NULL);
}

/* ---- the whole ---- */

static int list_recording(struct verify *v)
{
	char key[CATALOG_KEY_TEXT_SIZE];
	struct catalog_belief belief;
	int err = catalog_belief_get(v->env->catalog, v->scope.id, &belief);

	if (verify_fail(v, err, NULL))
		return err;
	if (belief.has_object)
		snprintf(key, sizeof key, "%s", belief.object.key);
	else
		catalog_object_key(v->storage.prefix, &v->workspace.account_sid, &belief.recording,
				   key);
	return list_prefix(v, key);
}

int verify_list(struct verify *v)
{
	int err = v->scope.kind == CATALOG_SCOPE_RECORDING ? list_recording(v)
							   : list_prefix(v, v->folder);

	if (err == 0 && has_unreferenced(v))
		err = list_beside(v);
	if (err == 0 && has_unreferenced(v))
		err = list_uploads(v);
	if (err == 0)
		err = walk_catalog(v);
	return err;
}
