/* The status of a workspace, a campaign or a recording: places, jobs in progress, failures. */
#pragma once

#include "catalog/archive.h"
#include "catalog/storage.h"
#include "catalog/sync.h"
#include "util/buf.h"
#include "view/problems.h"
#include "view/view.h"

#define VIEW_PATH_SIZE (VIEW_SCOPE_SIZE + SID_SIZE + 1)

struct view_status {
	struct catalog_scope scope;
	char path[VIEW_PATH_SIZE]; /* "WORKSPACE[/CAMPAIGN[/SID]]" */
	struct catalog_workspace workspace;
	struct catalog_status counts;
	struct view_problems reasons; /* jobs that failed or wait after a failure, by reason */

	/* A workspace only: */
	struct catalog_sync_state sync;
	struct catalog_storage storage; /* where the workspace has one */
	struct view_class {
		char name[32];
		int64_t recordings, size_bytes;
	} *classes;
	size_t class_count;
	struct catalog_restore_status restores;
	struct catalog_problem *problems; /* every such job by itself, up to the limit */
	size_t problem_count;
	int64_t problem_total;

	/* A recording only: */
	struct catalog_recording recording;
	char storage_class[32]; /* "": it is not in S3 */
	struct buf why;         /* why it cannot be read or is not vouched for; "" */
};
/* scope: a workspace, a campaign or a recording. problems_limit: the most jobs of a workspace to list
 * one by one; negative: none, and the walk over all jobs is skipped. */
int view_status_load(struct catalog *catalog, struct catalog_scope scope, int64_t problems_limit,
		     struct view_status *ret_status);
struct json_t *view_status_json(const struct view_status *status);
void view_status_release(struct view_status *status);
#define cleanup_view_status __attribute__((cleanup(view_status_release)))
