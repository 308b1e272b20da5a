/* Shared by the files of the verify room only. */
#pragma once

#include <pthread.h>

#include "account/deletion.h"
#include "aws/s3.h"
#include "catalog/belief.h"
#include "catalog/storage.h"
#include "catalog/workspace.h"
#include "storage/card.h"
#include "twilio/twilio.h"
#include "verify/verify.h"

/* ---- marks.c: a bit for each recording, by its id in the catalog ---- */

struct marks {
	uint8_t *bytes;
	size_t size;
};
int marks_set(struct marks *marks, int64_t id); /* 0 or -ENOMEM */
bool marks_has(const struct marks *marks, int64_t id);
void marks_release(struct marks *marks);

/* ---- names.c: keys ---- */

/* Parts of a recording's object key,
 * "<prefix>recordings/<AccountSid>/<yyyy>/<mm>/<dd>/<RecordingSid>.wav". */
struct verify_name {
	struct sid sid;
	int32_t day; /* since 1970 */
	bool is_encrypted;
};
/* -EINVAL: not a key of a recording of this account. Accepts exactly the keys that
 * catalog_object_key makes. */
int verify_name_parse(const char *prefix, const struct sid *account_sid, const char *key,
		      struct verify_name *ret_name);
void verify_name_key(const char *prefix, const struct sid *account_sid,
		     const struct verify_name *name, char ret_key[CATALOG_KEY_TEXT_SIZE]);
/* The key is in the folder of another account, below "<prefix>recordings/". */
bool verify_is_other_account(const char *prefix, const struct sid *account_sid, const char *key);

/* ---- verify.c: the run ---- */

struct verify {
	const struct verify_env *env;
	struct verify_options options;
	const struct verify_observer *observer;
	struct catalog_scope scope;
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	char root[CATALOG_KEY_TEXT_SIZE];   /* "<prefix>recordings/" */
	char folder[CATALOG_KEY_TEXT_SIZE]; /* of the account: "<prefix>recordings/<AccountSid>/" */
	struct s3_client *s3;
	struct twilio_client *twilio;

	/* Filled by verify_list, then read-only. */
	int64_t *doubts; /* recordings, each once */
	size_t doubt_count;
	struct marks doubted;
	struct verify_name *strays; /* objects that are unknown to the catalog */
	size_t stray_count;

	pthread_mutex_t lock; /* guards the rest */
	struct marks good;    /* recordings whose object is unchanged */
	struct verify_stats stats;
	int err; /* the first failure */
	struct remote_error error;
	unsigned failures_running;
	bool is_stopped; /* further requests would be useless */
	int64_t progress_msecs;
};

void verify_report(struct verify *v, const struct verify_finding *finding);
/* Of an object; sid may be NULL. */
void verify_report_key(struct verify *v, enum verify_kind kind, const struct sid *sid,
		       const char *key, int64_t size_bytes, const char *note);
void verify_progress(struct verify *v);
/* Adds to a number of the statistics. */
void verify_count(struct verify *v, int64_t *number, int64_t more);
/* Remembers the first failure, and returns err. 0: none. error NULL or REMOTE_OK: a failure of the
 * catalog, which ends the run. */
int verify_fail(struct verify *v, int err, const struct remote_error *error);
/* The result of a request about a recording. False: the service failed, and the recording has been
 * reported as undecided. True resets the count of failures in a row. */
bool verify_answered(struct verify *v, const struct sid *sid, const char *key, int err,
		     const struct remote_error *error);
/* A request of Twilio. False as above. */
bool verify_ask_twilio(struct verify *v, const struct sid *sid, const char *key,
		       enum account_presence *ret_presence);
bool verify_is_over(struct verify *v); /* stopped or cancelled */
void verify_good(struct verify *v, const struct catalog_recording *recording);
/* Whether the bucket has a tombstone. *ret_is_known false: the request failed, and has been
 * reported. */
bool verify_is_removed(struct verify *v, const struct sid *sid, const char *key,
		       bool *ret_is_known);
int verify_doubt_add(struct verify *v, int64_t recording_id);
/* Takes the result of a catalog update: true for success. -ESTALE (the state has changed meanwhile)
 * is not a failure. */
bool verify_was_told(struct verify *v, int err);

/* listing.c: compares the bucket's list with the catalog. 0, or the first failure. */
int verify_list(struct verify *v);

/* doubt.c: checks one doubtful recording; index into doubts. */
void verify_doubt(void *arg, size_t index);
/* Reports an object whose content has changed. */
void verify_doubt_wrong(struct verify *v, const struct catalog_belief *belief,
			enum verify_kind kind, int64_t found_bytes);
/* stray.c: checks one object that is unknown to the catalog; index into strays. */
void verify_stray(void *arg, size_t index);

/* content.c */
/* Reads and hashes a whole object. -ESTALE: it changed meanwhile. ret_sha256 in hex. */
int verify_read(struct verify *v, const char *key, int64_t size_bytes, const char *etag,
		char ret_sha256[65], struct remote_error *ret_error);
/* Whether an object can be the recording: by its size, and by its head unless it is encrypted. 0:
 * it can; -EBADMSG with *ret_why: it cannot; else the service failed. An archived object is judged
 * by its metadata, if they are ours. */
int verify_is_audio(struct verify *v, const struct catalog_recording *recording, const char *key,
		    const struct s3_object *object, const char **ret_why,
		    struct remote_error *ret_error);
/* Reads back all recordings of the scope that are good so far. */
void verify_read_all(struct verify *v);
