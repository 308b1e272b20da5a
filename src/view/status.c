/* The status of a workspace, a campaign or a recording. */
#include "view/status.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/why.h"
#include "util/array.h"

/* ---- loading ---- */

static int add_class(void *arg, const char *storage_class, int64_t recordings, int64_t size_bytes)
{
	struct view_status *s = arg;
	struct view_class class = { .recordings = recordings, .size_bytes = size_bytes };

	snprintf(class.name, sizeof class.name, "%s", storage_class);
	return array_push(&s->classes, &s->class_count, &class);
}

struct listing {
	struct view_status *status;
	int64_t limit;
};

static int add_problem(void *arg, const struct catalog_problem *problem)
{
	const struct listing *listing = arg;
	struct view_status *s = listing->status;

	if (s->problem_total++ >= listing->limit)
		return 0;
	return array_push(&s->problems, &s->problem_count, problem);
}

static int load_workspace(struct catalog *catalog, int64_t problems_limit, struct view_status *s)
{
	struct listing listing = { s, problems_limit };
	int err = catalog_sync_state_get(catalog, s->scope.id, &s->sync);

	if (err == 0 && s->workspace.has_storage)
		err = catalog_storage_get(catalog, s->scope.id, &s->storage);
	if (err == 0)
		err = catalog_class_each(catalog, s->scope.id, add_class, s);
	if (err == 0)
		err = catalog_restore_status(catalog, s->scope, &s->restores);
	if (err == 0 && problems_limit >= 0)
		err = catalog_problem_each(catalog, s->scope, add_problem, &listing);
	return err;
}

static int load_recording(struct catalog *catalog, struct view_status *s)
{
	struct catalog_archive archive;
	int err = catalog_archive_get(catalog, s->recording.id, &archive);

	if (err == 0)
		snprintf(s->storage_class, sizeof s->storage_class, "%s", archive.storage_class);
	storage_why(catalog, &s->recording, &s->why);
	if (s->recording.is_unvouched)
		buf_addf(&s->why, "%sadopted: only the bucket vouches for it",
			 s->why.len ? "; " : "");
	if (buf_failed(&s->why))
		return -ENOMEM;
	return err == -ENOENT ? 0 : err;
}

/* The workspace, and the path; of a recording its SID, because its file's name has the number. */
static int load_place(struct catalog *catalog, struct view_status *s)
{
	struct catalog_scope folder = s->scope;
	struct catalog_campaign campaign = { .workspace_id = s->scope.id };
	char name[VIEW_SCOPE_SIZE], sid[SID_SIZE] = "";
	int err = 0;

	if (s->scope.kind == CATALOG_SCOPE_RECORDING) {
		err = catalog_recording_get(catalog, s->scope.id, &s->recording);
		folder = (struct catalog_scope){ CATALOG_SCOPE_FOLDER, s->recording.folder_id };
		sid_format(&s->recording.sid, "RE", sid);
	}
	if (err == 0 && folder.kind == CATALOG_SCOPE_FOLDER)
		err = catalog_campaign_get(catalog, folder.id, &campaign);
	if (err == 0)
		err = catalog_workspace_get(catalog, campaign.workspace_id, &s->workspace);
	if (err == 0)
		err = view_scope_name(catalog, folder, name);
	if (err == 0)
		snprintf(s->path, sizeof s->path, "%s%s%s", name, *sid ? "/" : "", sid);
	return err;
}

int view_status_load(struct catalog *catalog, struct catalog_scope scope, int64_t problems_limit,
		     struct view_status *ret_status)
{
	struct view_status *s = ret_status;
	int err;

	*s = (struct view_status){ .scope = scope, .why = BUF_INIT };
	err = load_place(catalog, s);
	if (err == 0)
		err = catalog_status_get(catalog, scope, &s->counts);
	if (err == 0)
		err = view_problems_load(catalog, scope, VIEW_ALL_KINDS, false, &s->reasons);
	if (err == 0 && scope.kind == CATALOG_SCOPE_WORKSPACE)
		err = load_workspace(catalog, problems_limit, s);
	if (err == 0 && scope.kind == CATALOG_SCOPE_RECORDING)
		err = load_recording(catalog, s);
	return err;
}

void view_status_release(struct view_status *status)
{
	view_problems_release(&status->reasons);
	free(status->classes);
	free(status->problems);
	buf_release(&status->why);
}

/* ---- JSON ---- */

static json_t *by_state_json(const int64_t *values)
{
	json_t *object = json_object();

	for (int i = 1; i < CATALOG_STATE_COUNT; i++)
		json_object_set_new(object, catalog_state_name((enum catalog_state)i),
				    json_integer((json_int_t)values[i]));
	return object;
}

static json_t *scope_json(const struct view_status *status)
{
	const struct catalog_status *s = &status->counts;

	return json_pack("{s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "calls",
			 (json_int_t)s->calls, "states", by_state_json(s->by_state), "bytes",
			 by_state_json(s->bytes_by_state), "migrate", view_counts_json(&s->counts),
			 "twilio_deletes_queued", (json_int_t)s->counts.cleanup_queued,
			 "deletes_queued", (json_int_t)s->deletes_queued, "deletes_failed",
			 (json_int_t)s->deletes_failed, "tombstones_queued",
			 (json_int_t)s->tombstones_queued, "sizes_unknown",
			 (json_int_t)s->sizes_unknown, "reasons",
			 view_problems_json(&status->reasons));
}

static json_t *problem_json(const struct catalog_problem *p)
{
	return json_pack("{s:o, s:s, s:s, s:I, s:o}", "recording_sid",
			 view_sid_json(&p->recording_sid, "RE"), "job", view_job_kind_name(p->kind),
			 "reason", p->reason, "attempts", (json_int_t)p->attempts, "next",
			 view_next_json(p->next_msecs));
}

static json_t *classes_json(const struct view_status *s)
{
	json_t *object = json_object();

	for (size_t i = 0; i < s->class_count; i++)
		json_object_set_new(object, s->classes[i].name,
				    json_pack("{s:I, s:I}", "recordings",
					      (json_int_t)s->classes[i].recordings, "bytes",
					      (json_int_t)s->classes[i].size_bytes));
	return object;
}

static json_t *workspace_json(const struct view_status *s)
{
	const struct catalog_workspace *w = &s->workspace;
	json_t *counts = scope_json(s);
	json_t *object =
		json_pack("{s:o, s:b, s:{s:b, s:b, s:s}, s:b, s:b, s:o, s:I, s:o}", "name",
			  view_name_json(w->name), "removed", (int)w->removed, "storage",
			  "configured", (int)w->has_storage, "enabled", (int)w->storage_enabled,
			  "bucket", s->storage.bucket, "migrate_new", (int)w->migrate_new,
			  "keep_at_twilio", (int)w->keep_at_twilio, "last_poll",
			  view_time_json(s->sync.last_poll_secs), "problems_count",
			  (json_int_t)s->problem_total, "problems",
			  view_array_json(s->problems, s->problem_count, problem_json));

	json_object_update_missing(object, counts);
	json_decref(counts);
	json_object_set_new(object, "storage_classes", classes_json(s));
	return object;
}

json_t *view_status_json(const struct view_status *s)
{
	json_t *object, *recording;

	if (s->scope.kind == CATALOG_SCOPE_WORKSPACE)
		return workspace_json(s);
	object = scope_json(s);
	json_object_set_new(object, "path", view_name_json(s->path));
	if (s->scope.kind != CATALOG_SCOPE_RECORDING)
		return object;
	recording = json_pack("{s:s, s:o, s:o, s:o, s:s*}", "state",
			      catalog_state_name(s->recording.state), "why",
			      s->why.len ? view_name_json(buf_str(&s->why)) : json_null(),
			      "size_bytes", view_number_json(s->recording.size_bytes),
			      "duration_secs", view_number_json(s->recording.duration_secs),
			      "storage_class", s->storage_class[0] ? s->storage_class : NULL);
	json_object_update(object, recording);
	json_decref(recording);
	return object;
}
