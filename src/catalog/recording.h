/*
 * Recordings and calls: what sync tells the catalog, and what everybody asks of it.
 *
 * State of a recording (where its bytes are):
 *
 *   state      at Twilio  in S3             read from  leaves by
 *   TWILIO     yes        no                Twilio     a migrate job is claimed
 *   UPLOADING  yes        perhaps, unproven Twilio     catalog_migrate_stored -> STORED; failed, put back, lease ended -> TWILIO
 *   STORED     yes        yes, verified     S3         catalog_cleanup_done -> S3
 *   S3         no         yes               S3         -
 *   MISSING    no         no                nowhere    found again -> TWILIO or S3
 *   DELETED    by policy  by policy         not listed -
 *
 * A recording is listed (a file in the tree) when Twilio says completed, its call is known, and it is neither DELETED nor taken away in Twilio's
 * console before it was migrated.
 */
#ifndef TONICFS_CATALOG_RECORDING_H
#define TONICFS_CATALOG_RECORDING_H

#include "catalog/catalog.h"
#include "util/sid.h"

enum catalog_state {
	CATALOG_STATE_TWILIO = 1,
	CATALOG_STATE_UPLOADING,
	CATALOG_STATE_STORED,
	CATALOG_STATE_S3,
	CATALOG_STATE_MISSING,
	CATALOG_STATE_DELETED,
};
#define CATALOG_STATE_COUNT 7
const char *catalog_state_name(enum catalog_state state); /* "twilio" … */

enum catalog_migration {
	CATALOG_MIGRATION_NONE,
	CATALOG_MIGRATION_QUEUED,
	CATALOG_MIGRATION_RUNNING,
	CATALOG_MIGRATION_DONE,
	CATALOG_MIGRATION_FAILED,
	CATALOG_MIGRATION_PAUSED,
};
#define CATALOG_MIGRATION_COUNT 6

enum catalog_kind { CATALOG_KIND_RECORDING, CATALOG_KIND_VOICEMAIL };
const char *catalog_kind_name(enum catalog_kind kind); /* "recording", "voicemail" */

struct catalog_recording {
	int64_t id;
	uint64_t inode;
	int64_t workspace_id, folder_id, call_id;
	struct sid sid;
	enum catalog_state state;
	enum catalog_migration migration;
	enum catalog_kind kind;
	bool is_listed, is_encrypted;
	bool is_unvouched; /* adopted: only the bucket says that it is a recording of this account */
	int64_t size_bytes;        /* -1: not known yet */
	int64_t duration_secs;     /* -1: null */
	int64_t start_secs;        /* the call's start: name, mtime and ctime */
	int64_t date_created_secs; /* of the recording: the date in the object key */
	int channels_requested; /* 0 not known; 2, or 1 after Twilio's error 16113: what to ask a media request for */
	int channels_stored; /* 0 not known, or no WAV */
	char party[32];      /* the other party's number as it stands in the name, or "anonymous" */
};

/* The most bytes that any recording has: WAV's 32 bits allow 4 GiB; the rest is for what encryption adds. */
#define CATALOG_RECORDING_BYTES_LIMIT (((int64_t)4 << 30) + 65536)
/* And the most that this one has by its duration: twelve times what two channels of 16 bit at 8 kHz
 * have. Answers of Twilio and S3 that tell more are not believed. */
int64_t catalog_recording_limit_bytes(const struct catalog_recording *recording);

struct catalog_object { /* a recording's verified object in S3 */
	char bucket[CATALOG_BUCKET_SIZE], key[600], etag[128], version_id[128];
	char sha256[65];          /* of the whole content, hex; "" not known */
	char checksum_sha256[48]; /* base64, stored by the server; "" none */
	char encryption[32], kms_key_id[256], storage_class[32]; /* as the server confirmed them */
	bool bucket_key;           /* encrypted by a key of the bucket's below the KMS key */
	char lock_mode[16];        /* Object Lock: "GOVERNANCE", "COMPLIANCE" or "" */
	int64_t retain_until_secs; /* 0: no retention */
	bool has_legal_hold;
	int64_t size_bytes, stored_secs;
};

struct catalog_call {
	struct sid sid;
	char from[CATALOG_MESSAGE_SIZE / 4], to[CATALOG_MESSAGE_SIZE / 4], direction[32],
		status[32];
	int64_t start_secs, duration_secs; /* -1: null */
};

struct catalog_encryption { /* of what Twilio encrypted with the customer's public key: without it the bytes are lost */
	char key_sid[64], cek[2048], iv[128];
};

int catalog_recording_get(struct catalog *catalog, int64_t id,
			  struct catalog_recording *ret_recording);
int catalog_recording_find(struct catalog *catalog, const struct sid *sid,
			   struct catalog_recording *ret_recording);
/* The catalog's one place that says what a file is called: "2026-03-01T10-15-00Z_+15551234567_RE….wav". */
#define CATALOG_FILE_NAME_SIZE 128
enum catalog_names { CATALOG_NAMES_NUMBER, CATALOG_NAMES_SID };
void catalog_recording_name(const struct catalog_recording *recording, enum catalog_names names,
			    char ret_name[CATALOG_FILE_NAME_SIZE]);
int catalog_recording_object(struct catalog *catalog, int64_t id,
			     struct catalog_object *ret_object); /* -ENOENT before migration */
int catalog_recording_call(struct catalog *catalog, int64_t id, struct catalog_call *ret_call);
int catalog_recording_encryption(
	struct catalog *catalog, int64_t id,
	struct catalog_encryption *ret_encryption); /* -ENOENT: not encrypted */

/* "<prefix>recordings/<AccountSid>/<yyyy>/<mm>/<dd>/<RecordingSid>.wav" (".wav.encrypted"), by date_created in UTC; and of the tombstone
 * "<prefix>tonicfs/removed/<RecordingSid>". Derived from the recording alone. */
#define CATALOG_KEY_TEXT_SIZE 600
void catalog_object_key(const char *prefix, const struct sid *account_sid,
			const struct catalog_recording *recording,
			char ret_key[CATALOG_KEY_TEXT_SIZE]);
void catalog_tombstone_key(const char *prefix, const struct sid *recording_sid,
			   char ret_key[CATALOG_KEY_TEXT_SIZE]);

/* ---- what sync learns ---- */

struct catalog_call_input {
	struct sid sid;
	const char *from, *to, *direction, *status; /* "" where null */
	int64_t start_secs, date_created_secs,
		duration_secs; /* 0 / 0 / -1 where null; where start is null date_created stands in */
	bool is_finished;
};
struct catalog_recording_input {
	struct sid sid,
		call_sid; /* call_sid zero: a conference without a call; the recording's own start time and "anonymous" are used */
	bool is_completed, is_deleted, is_absent; /* of Twilio's status */
	bool is_removed; /* another machine has removed it, as a tombstone says: it is noted, and never a file */
	bool is_encrypted;
	bool is_unvouched; /* neither Twilio nor its call log knows it; noted for good */
	enum catalog_kind kind;
	int64_t duration_secs; /* -1: null */
	int64_t date_created_secs, start_time_secs;
	int channels; /* as the resource says; only a hint */
	const char *encryption_key_sid, *encryption_cek,
		*encryption_iv; /* NULL or "" where not encrypted */
};
struct catalog_apply_stats { /* added to */
	int64_t calls_new, calls_changed, recordings_new, recordings_changed, recordings_listed,
		recordings_unlisted;
};
/* A page of the call list, in one transaction; child legs must be left out. Applying twice changes nothing, in any order with recordings. Calls of recordings that
 * came first complete them. A call whose entry was removed stays so. Sets the folder by the tracking number. */
int catalog_calls_apply(struct catalog *catalog, int64_t workspace_id,
			const struct catalog_call_input *calls, size_t count,
			struct catalog_apply_stats *stats);
/* A page of the recording list. What is DELETED stays so. is_deleted is believed (Twilio says it of itself): see catalog_recording_gone. Where the workspace has migrate_new
 * and storage enabled, newly listed ones are queued. Files get their sort keys here. */
int catalog_recordings_apply(struct catalog *catalog, int64_t workspace_id,
			     const struct catalog_recording_input *recordings, size_t count,
			     struct catalog_apply_stats *stats);
typedef int catalog_sid_fn(void *arg, const struct sid *sid);
/* Calls that a recording names and no list has shown yet, at most limit. */
int catalog_calls_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_sid_fn *fn, void *arg);
/* Twilio knows no such call (any more): its recordings are listed with what they know themselves. */
int catalog_call_unavailable(struct catalog *catalog, int64_t workspace_id,
			     const struct sid *call_sid);
/* Start of the oldest call, and date_created of the oldest recording, that was not finished when last seen; 0: none. */
int catalog_oldest_unfinished(struct catalog *catalog, int64_t workspace_id, int64_t *ret_call_secs,
			      int64_t *ret_recording_secs);
/* Every recording that is believed to be at Twilio (TWILIO, and UPLOADING), created in [since, until). */
typedef int catalog_recording_fn(void *arg, const struct catalog_recording *recording);
int catalog_recordings_at_twilio(struct catalog *catalog, int64_t workspace_id, int64_t since_secs,
				 int64_t until_secs, catalog_recording_fn *fn, void *arg);
/* Asked by its SID, Twilio says that it is deleted or not there, and its derived key in S3 has no object. TWILIO becomes MISSING and leaves the tree.
 * STORED becomes S3. -ESTALE: the state is another by now (a transfer runs, or it was deleted): nothing changed. */
int catalog_recording_gone(struct catalog *catalog, int64_t id);
/* Bytes found again, or lost: S3 object vanished (STORED -> TWILIO; S3 -> MISSING, stays listed). object NULL unless found in S3. */
int catalog_recording_found_in_s3(struct catalog *catalog, int64_t id,
				  const struct catalog_object *object);
int catalog_recording_lost_in_s3(struct catalog *catalog, int64_t id);

/* The listed recordings that follow this one in its folder: by name (a listing's order), or by inode
 * (reads all of the folder's index: ask for many at a time). A callback's non-zero value ends it and
 * is returned. */
enum catalog_order { CATALOG_ORDER_NAME, CATALOG_ORDER_INODE };
#define CATALOG_ORDER_COUNT 2
typedef int catalog_after_fn(void *arg, const struct catalog_recording *recording,
			     bool is_archived); /* and cannot be read without a restore */
int catalog_recordings_after(struct catalog *catalog, int64_t recording_id,
			     enum catalog_order order, size_t limit, catalog_after_fn *fn,
			     void *arg);
/* Is no listed recording of its folder before it? */
int catalog_recording_is_first(struct catalog *catalog, int64_t recording_id,
			       enum catalog_order order, bool *ret_is_first);

/* Sizes: learned in the background; folders that somebody looks at first. */
struct catalog_size {
	int64_t recording_id, size_bytes;
	int channels_requested, channels_stored;
};
int catalog_sizes_set(struct catalog *catalog, const struct catalog_size *sizes, size_t count);
void catalog_folder_want_sizes(struct catalog *catalog,
			       int64_t folder_id); /* cheap; of this process, not stored */
/* Listed recordings of unknown size with id > after_id, wanted folders first, at most limit. workspace_id 0: any. */
int catalog_sizes_unknown(struct catalog *catalog, int64_t workspace_id, size_t limit,
			  catalog_recording_fn *fn, void *arg);

/* Per workspace: what the poll has to remember. All 0 at first. */
struct catalog_sync_state {
	int64_t last_poll_secs;    /* a complete incremental poll began */
	int64_t last_sweep_secs;   /* a complete full sweep began */
	int64_t listed_until_secs; /* everything created before is in the catalog */
};
int catalog_sync_state_get(struct catalog *catalog, int64_t workspace_id,
			   struct catalog_sync_state *ret_state);
int catalog_sync_state_set(struct catalog *catalog, int64_t workspace_id,
			   const struct catalog_sync_state *state);

#endif
