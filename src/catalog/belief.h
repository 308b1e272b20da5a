/* The catalog's view of the bucket, for verify to compare with the objects, and to correct. */
#pragma once

#include "catalog/object.h"

struct catalog_belief {
	struct catalog_recording recording;
	bool has_object;   /* then what follows is what was verified, or found */
	bool delete_waits; /* removed, and its object is still to be deleted */
	struct catalog_object object;
};

int catalog_belief_get(struct catalog *catalog, int64_t recording_id,
		       struct catalog_belief *ret_belief);
/* Of many, by their SIDs, in one read: fn is called with the index of each; belief NULL: the
 * catalog does not know it. A non-zero value ends it and is returned. */
typedef int catalog_belief_fn(void *arg, size_t index, const struct catalog_belief *belief);
int catalog_beliefs_find(struct catalog *catalog, const struct sid *sids, size_t count,
			 catalog_belief_fn *fn, void *arg);
/* Recordings of a scope (a workspace, a folder or a recording) that are said to be in S3 or to be
 * missing, with id > after_id, in order of id, at most limit. */
int catalog_beliefs_each(struct catalog *catalog, struct catalog_scope scope, int64_t after_id,
			 size_t limit, catalog_belief_fn *fn, void *arg);
/* Calls of a workspace that began in [since, until). */
int catalog_calls_begun(struct catalog *catalog, int64_t workspace_id, int64_t since_secs,
			int64_t until_secs, catalog_sid_fn *fn, void *arg);

/* ---- corrections; -ESTALE: the state has changed, nothing was done ---- */

/* The object of a MISSING or TWILIO recording was found in S3: -> S3. */
int catalog_recording_found_in_s3(struct catalog *catalog, int64_t id,
				  const struct catalog_object *object);
/* The object has vanished: STORED -> TWILIO; S3 -> MISSING, stays listed. */
int catalog_recording_lost_in_s3(struct catalog *catalog, int64_t id);
/* The same bytes have another ETag: somebody copied the object, or encrypted it anew. */
int catalog_object_renew(struct catalog *catalog, int64_t recording_id,
			 const struct catalog_object *object);
