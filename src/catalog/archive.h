/*
 * Objects after they were stored: their storage classes (a lifecycle moves them),
 * restores from classes that cannot be read at once, and locks that forbid deleting.
 *
 * Restores are durable: what was asked for is in the catalog before a request is sent, and asking
 * S3 twice does no harm.
 *
 *   restore    NONE       archived, where its class is one of those; else readable
 *              WANTED     asked for here, S3 has not been told yet
 *              ONGOING    S3 said that it is under way
 *              DONE       readable until restored_until_secs; after that as NONE
 *              REFUSED    S3 said no: the reason; asking again is WANTED
 */
#pragma once

#include "catalog/catalog.h"
#include "util/sid.h"

enum catalog_restore {
	CATALOG_RESTORE_NONE,
	CATALOG_RESTORE_WANTED,
	CATALOG_RESTORE_ONGOING,
	CATALOG_RESTORE_DONE,
	CATALOG_RESTORE_REFUSED,
};

#define CATALOG_TIER_SIZE 16
#define CATALOG_RESTORE_REASON_SIZE 160

struct catalog_archive {        /* of one recording's object */
	char storage_class[32]; /* never "": STANDARD */
	bool is_archived;       /* it cannot be read now without a restore */
	enum catalog_restore restore;
	int64_t since_secs, restored_until_secs;
	unsigned days; /* of the restore that was asked for */
	char tier[CATALOG_TIER_SIZE];
	char reason[CATALOG_RESTORE_REASON_SIZE];
};
/* GLACIER, DEEP_ARCHIVE: AWS's classes that are not read at once. */
bool catalog_class_is_archive(const char *storage_class);
/* -ENOENT: no object, or no longer in S3. */
int catalog_archive_get(struct catalog *catalog, int64_t recording_id,
			struct catalog_archive *ret_archive);

/* ---- what is learned ---- */

struct catalog_class_seen {
	struct sid recording_sid;
	char storage_class[32]; /* "": STANDARD */
};
/* A page of a list. Objects that the catalog does not know are left out. *ret_changed (may be NULL)
 * is counted up. */
int catalog_classes_seen(struct catalog *catalog, int64_t workspace_id,
			 const struct catalog_class_seen *seen, size_t count, int64_t *ret_changed);

struct catalog_object_seen {       /* of one object, as a HEAD says it */
	const char *storage_class; /* "": STANDARD */
	bool is_restoring;
	int64_t restored_until_secs; /* 0: not said */
	const char *lock_mode;       /* "GOVERNANCE", "COMPLIANCE", "" */
	int64_t retain_until_secs;
	bool has_legal_hold;
};
int catalog_object_seen(struct catalog *catalog, int64_t recording_id,
			const struct catalog_object_seen *seen);
/* Whether this workspace's server reads archived classes at once (not every one archives): 1, 0, -1
 * not known. */
int catalog_archive_readable_set(struct catalog *catalog, int64_t workspace_id, int readable);

/* ---- classes, for status and costs ---- */

typedef int catalog_class_fn(void *arg, const char *storage_class, int64_t recordings,
			     int64_t size_bytes);
/* From counters; by name. workspace_id 0: of all. */
int catalog_class_each(struct catalog *catalog, int64_t workspace_id, catalog_class_fn *fn,
		       void *arg);

/* ---- restores ---- */

struct catalog_restore_counts {
	int64_t wanted;       /* asked for by this call */
	int64_t under_way;    /* already WANTED or ONGOING */
	int64_t restored;     /* already DONE */
	int64_t not_archived; /* readable, or not in S3 */
};
int catalog_restore_want(struct catalog *catalog, struct catalog_scope scope, unsigned days,
			 const char *tier, struct catalog_restore_counts *ret_counts);
struct catalog_restore_job {
	int64_t recording_id, workspace_id;
	struct sid recording_sid;
	char key[600];
	enum catalog_restore restore; /* WANTED or ONGOING */
	unsigned days;
	char tier[CATALOG_TIER_SIZE];
};
/* At most count WANTED ones, and ONGOING ones whose turn it is to be looked at, by their due times.
 * workspace_id 0: any. */
int catalog_restore_due(struct catalog *catalog, int64_t workspace_id,
			struct catalog_restore_job *ret_jobs, size_t count, size_t *ret_count);
/* The outcome of a restore: ONGOING (looked at again after due_msecs), WANTED (tried again then,
 * with the reason), REFUSED, or NONE where the class needs none. */
int catalog_restore_set(struct catalog *catalog, int64_t recording_id, enum catalog_restore restore,
			int64_t due_msecs, const char *reason);
/* Of a scope: archived now, WANTED or ONGOING, DONE, REFUSED. */
struct catalog_restore_status {
	int64_t archived, under_way, restored, refused;
};
int catalog_restore_status(struct catalog *catalog, struct catalog_scope scope,
			   struct catalog_restore_status *ret_status);

/* ---- locks ---- */

struct catalog_lock {
	char mode[16];
	int64_t retain_until_secs; /* 0: none */
	bool has_legal_hold;
};
int catalog_lock_get(struct catalog *catalog, int64_t recording_id, struct catalog_lock *ret_lock);
/* Of a scope: objects that a retention or legal hold keeps now. */
int catalog_lock_count(struct catalog *catalog, struct catalog_scope scope, int64_t *ret_count);
