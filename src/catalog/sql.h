/*
 * Pieces of SQL that SQLite (3.35 and later) and PostgreSQL (14 and later) both run. They are
 * string literals, so that a statement that names them is one, too.
 *
 *   numbers     of enums by their names here
 *   flags       are integers: `flag = 1`, never `flag` alone; a condition as a value is SQL_BOOL
 *   conflicts   ON CONFLICT names its columns, and for a partial index its condition; in
 *               DO UPDATE a column of the table is written as table.column
 *   new ids     by db_insert
 *   order       of text is the order of its bytes: the schema says so to engines that sort
 *               otherwise
 *   subqueries  in FROM have a name
 *
 * tests/unit/test_catalog_sql.c has the words that are not portable.
 */
#pragma once

/* recording.state: enum catalog_state */
#define SQL_STATE_TWILIO "1"
#define SQL_STATE_UPLOADING "2"
#define SQL_STATE_STORED "3"
#define SQL_STATE_S3 "4"
#define SQL_STATE_MISSING "5"
#define SQL_STATE_DELETED "6"

/* recording.migration: enum catalog_migration */
#define SQL_MIGRATION_NONE "0"
#define SQL_MIGRATION_QUEUED "1"
#define SQL_MIGRATION_RUNNING "2"
#define SQL_MIGRATION_DONE "3"
#define SQL_MIGRATION_FAILED "4"
#define SQL_MIGRATION_PAUSED "5"

/* job.kind: enum catalog_job_kind */
#define SQL_JOB_MIGRATE "1"
#define SQL_JOB_CLEANUP_TWILIO "2"
#define SQL_JOB_DELETE_TWILIO "4"
#define SQL_JOB_DELETE_S3 "8"
#define SQL_JOB_TOMBSTONE "16"

/* job.state */
#define SQL_JOB_QUEUED "0"
#define SQL_JOB_RUNNING "1"
#define SQL_JOB_FAILED "2"
#define SQL_JOB_PAUSED "3"

/* job.due_msecs of a job that is not due by itself */
#define SQL_NEVER "9223372036854775807"

/* recording.completed: enum completed */
#define SQL_COMPLETED_NOT_YET "0"
#define SQL_COMPLETED "1"
#define SQL_COMPLETED_NEVER "2"

/* recording.flags: RECORDING_FLAG_… */
#define SQL_FLAG_UNVOUCHED "4"

/* object.restore: enum catalog_restore */
#define SQL_RESTORE_NONE "0"
#define SQL_RESTORE_WANTED "1"
#define SQL_RESTORE_ONGOING "2"
#define SQL_RESTORE_DONE "3"
#define SQL_RESTORE_REFUSED "4"

/* A recording's bytes by its state. */
#define SQL_AT_TWILIO_ALONE "(" SQL_STATE_TWILIO ", " SQL_STATE_UPLOADING ")"
#define SQL_AT_TWILIO "(" SQL_STATE_TWILIO ", " SQL_STATE_UPLOADING ", " SQL_STATE_STORED ")"
#define SQL_IN_S3 "(" SQL_STATE_STORED ", " SQL_STATE_S3 ")"

/* A condition as a value. */
#define SQL_BOOL(condition) "CASE WHEN " condition " THEN 1 ELSE 0 END"
/* sum() of it: how many rows meet it. */
#define SQL_COUNT_IF(condition) "sum(" SQL_BOOL(condition) ")"
/* The greater of two. */
#define SQL_GREATER(a, b) "CASE WHEN " a " > " b " THEN " a " ELSE " b " END"
/* A time that moves on strictly: now, or one more than it was. */
#define SQL_LATER(column, now) "CASE WHEN " column " < " now " THEN " now " ELSE " column " + 1 END"
/* struct catalog_scope: ?1 is its kind, ?2 its id. */
#define SQL_IN_FOLDERS(workspace_id, folder_id) \
	"?1 = 0 OR (?1 = 1 AND " workspace_id " = ?2) OR (?1 = 2 AND " folder_id " = ?2)"
#define SQL_IN_SCOPE(workspace_id, folder_id, recording_id) \
	"(" SQL_IN_FOLDERS(workspace_id, folder_id) " OR (?1 = 3 AND " recording_id " = ?2))"
