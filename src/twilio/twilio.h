/*
 * Twilio's REST API, version 2010-04-01, as far as call recordings need it.
 *
 * Purpose   Lists calls and recordings page by page, fetches single ones, makes media requests,
 *           deletes recordings.
 * Threads   A client is immutable and may be used by any number of threads.
 * Ownership Structs passed to callbacks are valid during the call only; structs filled through
 *           ret_… own no memory unless noted.
 * Errors    Negative errno of *ret_error: 401, 403 -EACCES; 404 REMOTE_NOT_FOUND -ENOENT
 *           (ambiguous: not yet there, deleted, or external; never trust it alone); 429 -EBUSY;
 *           time-outs -ETIMEDOUT; unreachable -EHOSTUNREACH; unparsable -EIO. Error bodies are JSON
 *           or, for media without an extension, XML; both are optional.
 * Retries   Lists and fetches: within the total timeout of the client. A delete is retried after an
 *           uncertain answer (idempotent: the second one answers 404).
 * Limits    A page has at most 8 MiB, a list 10,000 pages, and no page comes twice; a recording
 *           whose key material is too long to be stored is left out. Each ends the list with an
 *           error that says so, after the other rows were passed on. Callers choose the fields of a
 *           call: a field longer than 256 bytes is cut, and the call is marked.
 * Tolerance Any field may be null; unknown fields and enum values are fine; numbers may come as
 *           strings and strings as numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "util/cancel.h"
#include "util/remote.h"
#include "util/sid.h"

struct twilio_settings {
	const char *base_url;         /* NULL or "": https://api.twilio.com */
	const char *account_sid;      /* AC… */
	const char *user;             /* the account SID again, or the SK… of an API key */
	const char *secret;           /* the auth token, or the secret of the API key */
	bool allow_plain_http;        /* else to loopback only */
	unsigned total_timeout_msecs; /* for one operation with its retries; 0: 60,000 */
	const struct cancel *cancel;  /* may be NULL */
};

struct twilio_client;
int twilio_client_new(struct http *http, const struct twilio_settings *settings,
		      struct twilio_client **ret_client); /* copies the settings */
void twilio_client_free(struct twilio_client *client);
/* Set it before the client is used. Not for twilio_request_media, which the caller sends. */
void twilio_client_set_gate(struct twilio_client *client, const struct remote_gate *gate);
/* Twilio's time, by the Date of its last answer. False: none came yet, and it is the local time. */
bool twilio_client_now(struct twilio_client *client, int64_t *ret_secs);

enum twilio_recording_status {
	TWILIO_RECORDING_UNKNOWN, /* an unknown value, or null */
	TWILIO_RECORDING_IN_PROGRESS,
	TWILIO_RECORDING_PAUSED,
	TWILIO_RECORDING_STOPPED,
	TWILIO_RECORDING_PROCESSING,
	TWILIO_RECORDING_COMPLETED,
	TWILIO_RECORDING_ABSENT,
	TWILIO_RECORDING_DELETED,
	TWILIO_RECORDING_FAILED,
};
const char *twilio_recording_status_name(enum twilio_recording_status status);

/* One element of Recordings.json. Null is "" for strings, 0 for times, -1 for numbers. */
struct twilio_recording {
	struct sid sid;
	struct sid call_sid; /* always the parent leg; zero: a pure conference, without a call */
	struct sid conference_sid; /* zero: none */
	enum twilio_recording_status status;
	const char *source; /* "RecordVerb" is a voicemail */
	int64_t date_created_secs, date_updated_secs, start_time_secs;
	int64_t duration_secs;
	int channels; /* as the resource has it: may be 1 when two are stored */
	int error_code;
	const char *media_url; /* at another host than Twilio's: external storage */
	bool is_encrypted;
	const char *encryption_key_sid, *encryption_cek, *encryption_iv;
};

/* One element of Calls.json. */
struct twilio_call {
	struct sid sid;
	struct sid parent_call_sid; /* zero: none */
	const char *from, *to, *direction, *status, *phone_number_sid, *caller_name;
	int64_t start_time_secs, end_time_secs, date_created_secs, date_updated_secs;
	int64_t duration_secs;
	bool is_cut; /* from, to, direction or status had more than 256 bytes and was cut */
};
/* The call is over: completed, busy, failed, no-answer, canceled. */
bool twilio_call_is_finished(const char *status);

/* A window of a list, half open: since <= t < until; 0: not bounded. Recordings are filtered by
 * date_created, calls by start_time. Twilio does the filtering: rows beyond the edges (within
 * the same second, or day) may come, too. */
struct twilio_window {
	int64_t since_secs, until_secs;
};

typedef int twilio_recordings_fn(void *arg, const struct twilio_recording *recordings,
				 size_t count);
typedef int twilio_calls_fn(void *arg, const struct twilio_call *calls, size_t count);
/* Passes on pages of 1,000 elements one by one, on the thread of the caller. A callback's value
 * other than 0 ends the list and is returned (*ret_error stays REMOTE_OK). After an error the
 * pages passed on so far stay valid. A next page on another host, and a cursor that comes twice,
 * end the list with -EIO. */
int twilio_list_recordings(struct twilio_client *client, const struct twilio_window *window,
			   bool with_deleted, twilio_recordings_fn *fn, void *arg,
			   struct remote_error *ret_error);
int twilio_list_calls(struct twilio_client *client, const struct twilio_window *window,
		      twilio_calls_fn *fn, void *arg, struct remote_error *ret_error);

/* One resource: the callback is called once. REMOTE_NOT_FOUND: deleted, or never existed. */
int twilio_fetch_recording(struct twilio_client *client, const struct sid *sid,
			   twilio_recordings_fn *fn, void *arg, struct remote_error *ret_error);
int twilio_fetch_call(struct twilio_client *client, const struct sid *sid, twilio_calls_fn *fn,
		      void *arg, struct remote_error *ret_error);

/* 0: answered 204. REMOTE_NOT_FOUND: not there (any more). REMOTE_BUSY: not completed yet. */
int twilio_delete_recording(struct twilio_client *client, const struct sid *sid,
			    struct remote_error *ret_error);

/* Media. channels 2: sends RequestedChannels=2. 1: sends nothing (only after error 16113: mono). */
struct twilio_request_memory;
int twilio_request_media(struct twilio_client *client, const struct sid *sid, int channels,
			 int64_t offset_bytes /* 0: no Range */,
			 int64_t length_bytes /* -1: to the end */,
			 const char *if_match /* NULL: none; with or without quotes */,
			 struct http_request *ret_request,
			 struct twilio_request_memory **ret_memory);
void twilio_request_memory_free(struct twilio_request_memory *memory);
void twilio_request_memory_freep(struct twilio_request_memory **memory);
#define cleanup_twilio_request __attribute__((cleanup(twilio_request_memory_freep)))

/* Judges the head of an answer to a media request, before a byte of it is trusted: 200 or 206
 * with an audio type (for an encrypted recording: any type but text, XML, JSON and HTML). For
 * another status body holds the first bytes of the error. error->twilio_code is 16113 if the
 * recording is mono. */
void twilio_judge_media(const struct http_response *response, bool is_encrypted, const char *body,
			size_t body_len, struct remote_error *ret_error);
/* An ETag header (may be NULL) without its quotes; "" for a weak one. */
void twilio_etag_copy(const char *header, char *ret_etag, size_t size);

/* Learns the exact size and the stored channels of a recording without fetching all of it, if
 * the server allows that. Works with and without HEAD, Range and Content-Length; in the worst
 * case it reads and counts all bytes. Requested and stored channels are both returned: a caller
 * that keeps the file has to compare them (2 requested, 1 stored, and no 16113: perhaps a
 * downmix). A size above limit_bytes is REMOTE_INVALID. Wrong answers are retried a few times,
 * as broken ones are. Blocks up to the timeout of the client. After a 404 the metadata decides:
 * REMOTE_NOT_FOUND at once if the recording is deleted or in external storage, REMOTE_BUSY if it
 * is not completed, else retries as long as it may not have spread yet. */
struct twilio_media_info {
	int64_t size_bytes;
	int channels_requested; /* 2, or 1 after 16113: for later calls of twilio_request_media */
	int channels_stored;    /* of the fmt chunk; 0: not a WAV file (encrypted) */
	char etag[128];         /* without quotes; "": none, or a weak one */
};
int twilio_probe_media(struct twilio_client *client, const struct sid *sid, bool is_encrypted,
		       int channels_hint /* 0: unknown */, int64_t limit_bytes,
		       struct twilio_media_info *ret_info, struct remote_error *ret_error);
