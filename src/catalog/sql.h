/*
 * Numbers of enums as they stand in SQL: catalog/recording.h, catalog/queue.h. String literals, so
 * that a statement that names them is one, too.
 */
#ifndef TONICFS_CATALOG_SQL_H
#define TONICFS_CATALOG_SQL_H

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

#endif
