/*
 * Compares the catalog with the bucket: finds missing objects, changed objects and unreferenced
 * objects, and on request repairs the catalog.
 *
 * Method   The bucket is listed below the workspace's keys, page by page, and each object is looked
 *          up in the catalog. One bit for each recording remembers what was seen, so a million
 *          objects need little memory, in any order of listing. Sizes and ETags come from the list.
 *          A recording that disagrees or was not listed is doubtful: a HEAD asks for its object,
 *          and Twilio is asked for the recording, before anything is reported. With `read` every
 *          object is read back and hashed.
 * Repair   Without `repair` nothing is changed. With it the catalog is updated, one durable step
 *          for each recording, only while the recording is still in the state that was checked:
 *            object gone, recording at Twilio      STORED -> TWILIO; S3 -> MISSING, and the next
 *                                                  sync finds it at Twilio
 *            object gone, not at Twilio            MISSING: the file stays in the tree, reads EIO
 *            other content, recording at Twilio    STORED -> TWILIO; the object is left as it is
 *            same content, another ETag            the new ETag is stored
 *            read back, no SHA-256 in the catalog  the SHA-256 is stored
 *            object of a MISSING recording, or of  S3
 *              one that is gone at Twilio
 *            object of a recording at Twilio       a migration is queued; it compares the bytes
 *                                                  before it adopts the object
 *            object unknown to catalog and Twilio, becomes a recording of that call again
 *              its metadata match a call
 *            tombstone of a known recording        hidden, for good
 * Adopt    An object whose metadata match no call may come from anybody who can write to the
 *          bucket. It is reported, and becomes a recording only with `adopt`, marked as not vouched
 *          for. Nothing is ever deleted: neither here, nor in S3, nor at Twilio.
 * Safety   No single answer is believed. An incomplete list changes nothing. When a service fails,
 *          the recording in question stays undecided; after a few failures in a row the rest, too.
 * Threads  verify_scope may be called from any thread. Callbacks come from its threads, one at a
 *          time.
 * Errors   0: everything was checked (whatever was found). Otherwise a negative errno, of
 *          *ret_error or (when its kind is REMOTE_OK) of the catalog; findings and changes made
 *          before it stand.
 * Limits   Recordings that are only at Twilio are checked by sync. Another machine's transfer looks
 *          like an abandoned upload. A recording that another machine removed, with its object, may
 *          be waiting for that delete; this cannot be detected. Anybody who can write to the bucket
 *          and knows a call's SID can forge a recording of that call for a new catalog.
 */
#pragma once

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
	const struct cancel *cancel; /* may be NULL; when set, the run ends soon: -ECANCELED */
};

enum verify_kind {
	VERIFY_MISSING,      /* the recording is neither at Twilio nor in S3 */
	VERIFY_NOT_IN_S3,    /* its object is gone; the recording is at Twilio */
	VERIFY_WRONG_SIZE,   /* its object is longer or shorter than the migrated one */
	VERIFY_WRONG_HASH,   /* its object has different bytes */
	VERIFY_NEW_ETAG,     /* the same bytes, but rewritten */
	VERIFY_FOUND,        /* in the bucket, unknown to the catalog */
	VERIFY_UNVOUCHED,    /* has a recording's key; unknown to Twilio and its call log */
	VERIFY_UNREFERENCED, /* an object that no recording refers to */
	VERIFY_REMOVED,      /* an object of a removed recording */
	VERIFY_UPLOAD,       /* a multipart upload that was not completed */
	VERIFY_UNDECIDED,    /* a service failed; not known */
};
#define VERIFY_KIND_COUNT 11
const char *verify_kind_name(enum verify_kind kind); /* "missing" … */

struct verify_finding {
	enum verify_kind kind;
	struct sid recording_sid;            /* all zero: none */
	const char *key;                     /* of the object */
	const char *note;                    /* for the user; may be "" */
	int64_t expected_bytes, found_bytes; /* -1: not known, no object */
	bool is_repaired;                    /* the catalog has been updated */
};
typedef void verify_finding_fn(void *arg, const struct verify_finding *finding);

struct verify_options {
	bool read, repair, adopt;
	unsigned threads; /* 0: 8 */
};

struct verify_stats {
	int64_t objects;          /* listed for the workspace */
	int64_t good;             /* recordings whose object is unchanged */
	int64_t read, read_bytes; /* of these, read back */
	int64_t read_unproven;    /* of these, without a SHA-256 to compare with */
	int64_t unvouched;        /* good, but adopted: only the bucket vouches for them */
	int64_t never_seen;       /* deleted at Twilio before the catalog knew them; no object */
	int64_t found[VERIFY_KIND_COUNT], repaired[VERIFY_KIND_COUNT];
	bool uploads_unknown; /* the server refused to list uploads */
};
/* Called at most ten times a second. */
typedef void verify_progress_fn(void *arg, const struct verify_stats *stats);

struct verify_observer {
	verify_finding_fn *finding;   /* may be NULL */
	verify_progress_fn *progress; /* may be NULL */
	void *arg;
};

/* Checks a workspace, a folder or a recording. Unreferenced objects are reported for a workspace
 * only. -ENODEV: the workspace has no bucket. */
int verify_scope(const struct verify_env *env, struct catalog_scope scope,
		 const struct verify_options *options, const struct verify_observer *observer,
		 struct verify_stats *ret_stats, struct remote_error *ret_error);
