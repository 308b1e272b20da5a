/*
 * Recordings and their calls: rows, states, names.
 *
 * State of a recording (where its bytes are):
 *
 *   state      at Twilio  in S3             read from  leaves by
 *   TWILIO     yes        no                Twilio     a migrate job is claimed
 *   UPLOADING  yes        perhaps, unproven Twilio     catalog_queue_stored -> STORED;
 *                                                      failed, put back, lease expired -> TWILIO
 *   STORED     yes        yes, verified     S3         catalog_cleanup_done -> S3
 *   S3         no         yes               S3         -
 *   MISSING    no         no                nowhere    found again -> TWILIO or S3
 *   DELETED    by policy  by policy         not listed -
 *
 * A recording is listed (a file in the tree) when Twilio says completed, its call is known, and it
 * is neither DELETED nor taken away in Twilio's console before it was migrated.
 */
#pragma once

#include "catalog/catalog.h"
#include "util/sid.h"

/* Stored in the catalog: a value never changes its meaning. */
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

/* Stored, too. */
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
	bool is_unvouched;         /* adopted: only the bucket says that this account recorded it */
	int64_t size_bytes;        /* -1: not known yet */
	int64_t duration_secs;     /* -1: null */
	int64_t start_secs;        /* the call's start: name, mtime and ctime */
	int64_t date_created_secs; /* of the recording: the date in the object key */
	int channels_requested;    /* 0 not known; 2, or 1 after Twilio's error 16113: what to ask a
				   media request for */
	int channels_stored;       /* 0 not known, or not a WAV file */
	char party[32]; /* the other party's number as it stands in the name, or "anonymous" */
};

/* The most bytes that any recording has: a WAV file's 32 bits allow 4 GiB; the rest is for what
 * encryption adds. */
#define CATALOG_RECORDING_BYTES_LIMIT (((int64_t)4 << 30) + 65536)
/* The most that this one has by its duration: twelve times the bytes of two channels of 16 bit at
 * 8 kHz. Answers of Twilio and S3 that tell more are not believed. */
int64_t catalog_recording_limit_bytes(const struct catalog_recording *recording);

struct catalog_call {
	struct sid sid;
	char from[128], to[128], direction[32], status[32];
	int64_t start_secs, duration_secs; /* -1: null */
};

/* Of a recording that Twilio encrypted with the customer's public key. Without it the bytes are
 * lost. */
struct catalog_encryption {
	char key_sid[64], cek[2048], iv[128];
};

/* Callbacks of functions that go through many. A non-zero value ends it and is returned. */
typedef int catalog_recording_fn(void *arg, const struct catalog_recording *recording);
typedef int catalog_sid_fn(void *arg, const struct sid *sid);

/* -ENOENT: no such recording. */
int catalog_recording_get(struct catalog *catalog, int64_t id,
			  struct catalog_recording *ret_recording);
int catalog_recording_find(struct catalog *catalog, const struct sid *sid,
			   struct catalog_recording *ret_recording);
/* -ENOENT: a recording of a conference, without a call. */
int catalog_recording_call(struct catalog *catalog, int64_t id, struct catalog_call *ret_call);
/* -ENOENT: not encrypted. */
int catalog_recording_encryption(struct catalog *catalog, int64_t id,
				 struct catalog_encryption *ret_encryption);

/* The file's name: "2026-03-01T10-15-00Z_+15551234567_RE….wav"; CATALOG_NAMES_SID leaves the number
 * out. */
#define CATALOG_FILE_NAME_SIZE 128
enum catalog_names { CATALOG_NAMES_NUMBER, CATALOG_NAMES_SID };
void catalog_recording_name(const struct catalog_recording *recording, enum catalog_names names,
			    char ret_name[CATALOG_FILE_NAME_SIZE]);
