/*
 * Comparing the catalog with the bucket: what is missing, what is not what was migrated, what
 * nobody refers to; and, where that is asked for, telling the catalog what was found.
 *
 * Way      The bucket is listed below the workspace's keys, a page at a time, and each object
 *          looked up in the catalog; one bit a recording remembers what was seen, so that a million
 *          objects need little memory, in whatever order a server lists. Sizes and ETags come from
 *          the list. What does not agree, or was not listed, is doubtful: it is asked for by itself
 *          (HEAD), and Twilio by its SID, before anything is said of it. With `read` every object
 *          is read back and hashed.
 * Repair   Without `repair` nothing is changed anywhere. With it the catalog is told, a recording a
 *          durable step, each only while the recording is still in the state that was looked at:
 *            object gone, Twilio has it: read from Twilio again (STORED -> TWILIO; S3 -> MISSING,
 *              which the next sync finds at Twilio)
 *            object gone at both places: MISSING, EIO, and the file stays in the tree
 *            other content, Twilio has it: STORED -> TWILIO; the object is left as it is
 *            the same content, another ETag: the new ETag is noted
 *            read, and the catalog had no SHA-256: it is noted
 *            object of a recording that is MISSING, or gone at Twilio: S3
 *            object of a recording that is at Twilio too: a migration is queued, which compares the
 *              bytes before it takes the object over
 *            object of a recording that neither the catalog nor Twilio knows, and whose metadata lead
 *              to a call of Twilio's call log: a recording again, of that call
 *            tombstone of a recording that is known: hidden, for good
 * Adopt    Objects whose metadata lead to no call may be anybody's who can write to the bucket: they
 *          are named, and become recordings only with `adopt`, marked as not vouched for.
 *          Nothing is ever deleted, here, in S3 or at Twilio.
 * Safety   One answer alone is never believed. A list that did not come to its end changes nothing;
 *          a service that fails leaves what it was asked for undecided, and after a few failures in
 *          a row the rest.
 * Threads  verify_scope may be called from any thread; callbacks come from its threads, one at a
 *          time.
 * Errors   0: everything was looked at (which says nothing about what was found). Else a negative
 *          errno, of *ret_error or (then its kind is REMOTE_OK) of the catalog: findings and
 *          changes before it stand.
 * Limits   What is at Twilio only is sync's to check. A transfer of another machine looks like an
 *          upload that was left. Whether a recording that another machine has removed, with its
 *          object, is only waiting for that delete cannot be told. Whoever may write the bucket and
 *          knows a call's SID can forge a recording of that call for a catalog that is made anew.
 */
#ifndef TONICFS_VERIFY_VERIFY_H
#define TONICFS_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "net/http.h"
#include "util/cancel.h"
#include "util/remote.h"
#include "util/sid.h"

struct verify_env {
	struct catalog *catalog;
	struct http *http;
	const struct cancel *cancel; /* may be NULL; set, it ends it soon: -ECANCELED */
};

enum verify_kind {
	VERIFY_MISSING,    /* the recording is in neither place */
	VERIFY_NOT_IN_S3,  /* its object is gone; Twilio has it */
	VERIFY_WRONG_SIZE, /* its object is longer or shorter than what was migrated */
	VERIFY_WRONG_HASH, /* its object has other bytes */
	VERIFY_NEW_ETAG,   /* the same bytes, written anew by somebody */
	VERIFY_FOUND,      /* in the bucket, and the catalog does not know that */
	VERIFY_UNVOUCHED, /* a recording by its key, and neither Twilio nor its call log knows it */
	VERIFY_UNREFERENCED, /* an object that no call refers to */
	VERIFY_REMOVED,      /* an object of a recording that was removed, but not from S3 */
	VERIFY_UPLOAD,       /* an upload in parts that nobody completed */
	VERIFY_UNDECIDED,    /* could not be told now */
};
#define VERIFY_KIND_COUNT 11
const char *verify_kind_name(enum verify_kind kind); /* "missing" … */

struct verify_finding {
	enum verify_kind kind;
	struct sid recording_sid;            /* zero: none */
	const char *key;                     /* of the object */
	const char *note;                    /* for people; "" none */
	int64_t expected_bytes, found_bytes; /* -1: not known, no object */
	bool is_repaired;                    /* the catalog has been told */
};
typedef void verify_finding_fn(void *arg, const struct verify_finding *finding);

struct verify_options {
	bool read, repair, adopt;
	unsigned threads; /* 0: 8 */
};

struct verify_stats {
	int64_t objects;          /* that the bucket lists for the workspace */
	int64_t good;             /* recordings whose object is as it was migrated */
	int64_t read, read_bytes; /* of them, read back */
	int64_t read_unproven;    /* of those, no SHA-256 was known to compare with */
	int64_t unvouched;  /* of the good ones, adopted: nobody but the bucket vouches for them */
	int64_t never_seen; /* deleted at Twilio before this catalog knew them, no object */
	int64_t found[VERIFY_KIND_COUNT], repaired[VERIFY_KIND_COUNT];
	bool uploads_unknown; /* the store would not list uploads */
};
/* At most ten times a second. */
typedef void verify_progress_fn(void *arg, const struct verify_stats *stats);

struct verify_observer {
	verify_finding_fn *finding;   /* may be NULL */
	verify_progress_fn *progress; /* may be NULL */
	void *arg;
};

/* One workspace, folder or recording; objects that no recording refers to are looked for with a
 * workspace only. -ENODEV: the workspace has no bucket. */
int verify_scope(const struct verify_env *env, struct catalog_scope scope,
		 const struct verify_options *options, const struct verify_observer *observer,
		 struct verify_stats *ret_stats, struct remote_error *ret_error);

#endif
