/* Between the files of the catalog that add rows to the queue or take them back. */
#pragma once

#include "catalog/queue.h"
#include "catalog/recording-private.h"

/* The folders of a scope that is not one recording; with_removed: removed ones, too. The caller
 * frees *ret_ids. -ENOENT: no such folder or workspace. */
int scope_folders(struct db_conn *conn, struct catalog_scope scope, bool with_removed,
		  int64_t **ret_ids, size_t *ret_count);

/* keep_at_twilio was set: takes back the deletes that are owed, but for those that may be on their
 * way. */
int cleanups_take_back(struct db_conn *conn, int64_t workspace_id);
/* keep_at_twilio was unset: everything stored owes a delete. */
int cleanups_queue(struct db_conn *conn, int64_t workspace_id);
int audit_add(struct db_conn *conn, const char *action, int64_t workspace_id, int64_t recording_id,
	      const char *note);
