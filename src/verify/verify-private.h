/* Shared by the files of the verify room only. */
#ifndef TONICFS_VERIFY_PRIVATE_H
#define TONICFS_VERIFY_PRIVATE_H

#include <pthread.h>

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

/* What a recording's key says:
 * "<prefix>recordings/<AccountSid>/<yyyy>/<mm>/<dd>/<RecordingSid>.wav". */
struct verify_name {
	struct sid sid;
	int32_t day; /* since 1970 */
	bool is_encrypted;
};
/* -EINVAL: no key of a recording of this account. Exactly what catalog_object_key makes. */
int verify_name_parse(const char *prefix, const struct sid *account_sid, const char *key,
		      struct verify_name *ret_name);
void verify_name_key(const char *prefix, const struct sid *account_sid,
		     const struct verify_name *name, char ret_key[CATALOG_KEY_TEXT_SIZE]);
/* The first folder below "<prefix>recordings/" is an account's, and another's than this one's. */
bool verify_is_other_account(const char *prefix, const struct sid *account_sid, const char *key);

/* ---- verify.c: the run ---- */

struct verify {
	const struct verify_env *env;
	struct verify_options options;
	const struct verify_observer *observer;
	struct catalog_scope scope;
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	struct s3_client *s3;
	struct twilio_client *twilio;

	/* Filled by listing, read by what follows. */
	int64_t *doubts; /* recordings, each once */
	size_t doubt_count, doubt_capacity;
	struct marks doubted;
	struct verify_name *strays; /* objects whose recording the catalog does not know */
	size_t stray_count, stray_capacity;

	pthread_mutex_t lock; /* guards the rest */
	struct marks good;    /* recordings whose object agrees */
	struct verify_stats stats;
	int rc; /* the first failure */
	struct remote_error error;
	unsigned failures_running;
	bool is_stopped; /* no use in asking on */
	int64_t progress_msecs;
};

void verify_report(struct verify *v, const struct verify_finding *finding);
void verify_progress(struct verify *v);
/* Notes a failure. error NULL: the catalog's. */
void verify_fail(struct verify *v, int rc, const struct remote_error *error);
/* A service's failure: what was asked for stays undecided. */
void verify_undecided(struct verify *v, const struct sid *sid, const char *key, int rc,
		      const struct remote_error *error);
/* Somebody answered: failures are not in a row. */
void verify_answered(struct verify *v);
bool verify_is_over(struct verify *v); /* stopped or cancelled */
void verify_good(struct verify *v, const struct catalog_recording *recording);
/* The bucket has a tombstone. *ret_is_known false: it could not be asked, which has been reported. */
bool verify_is_removed(struct verify *v, const struct sid *sid, const char *key,
		       bool *ret_is_known);
int verify_doubt_add(struct verify *v, int64_t recording_id);
/* What telling the catalog returned: true where it is told. That the state is another by now
 * (-ESTALE) is no failure: somebody else was faster. */
bool verify_was_told(struct verify *v, int rc);

/* listing.c: the bucket's list against the catalog. 0, or the first failure. */
int verify_list(struct verify *v);

/* doubt.c: one recording that is doubtful; index into doubts. */
void verify_doubt(void *arg, size_t index);
/* Its object has other content than what was migrated. */
void verify_doubt_wrong(struct verify *v, const struct catalog_belief *belief,
			enum verify_kind kind, int64_t found_bytes);
/* stray.c: one object that the catalog does not know; index into strays. */
void verify_stray(void *arg, size_t index);

/* content.c */
/* Reads all of an object. -ESTALE: it changed meanwhile. ret_sha256 in hex. */
int verify_read(struct verify *v, const char *key, int64_t size_bytes, const char *etag,
		char ret_sha256[65], struct remote_error *ret_error);
/* Whether an object is audio, by its beginning, or what an encrypted recording may be: 0;
 * -EBADMSG with *ret_why: it is not; else the service failed. An archived object whose metadata are
 * ours is taken for what they say. */
int verify_is_audio(struct verify *v, const struct catalog_recording *recording, const char *key,
		    const struct s3_object *object, const char **ret_why,
		    struct remote_error *ret_error);
/* Reads back what agreed so far, of the whole scope. */
void verify_read_all(struct verify *v);

#endif
