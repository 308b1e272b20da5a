/*
 * Twilio's REST API, version 2010-04-01, as far as call recordings need it.
 *
 * Purpose   Lists calls and recordings page by page, asks for single ones, makes media requests, deletes recordings.
 * Threads   A client is immutable and may be used by any number of threads.
 * Ownership Structs handed to callbacks are valid during the call only; structs filled through ret_… own no memory but what is said.
 * Errors    Negative errno of *ret_error: 401/403 -EACCES; 404 REMOTE_NOT_FOUND -ENOENT (ambiguous: not yet there, deleted, or
 *           external; never believe it alone); 429 -EBUSY; timeouts -ETIMEDOUT; unreachable -EHOSTUNREACH; what cannot be parsed -EIO.
 *           Error bodies are JSON or, for extensionless media, XML; both are understood, neither is trusted to be there.
 * Retries   Lists, fetches: until the client's total time-out. A delete is sent again after an uncertain answer (deleting twice is
 *           harmless: the second answers 404).
 * Limits    A page has at most 8 MiB, a list 10,000 pages, and no page comes twice; a recording whose key material cannot be stored is left
 *           out. Each ends the list with an error that says so, after the other rows were handed over. A caller can choose a call's
 *           fields: what is longer than 256 bytes is cut, and said of the call.
 * Tolerance Any field may be null; unknown fields and enum values are fine; numbers may come as strings and strings as numbers.
 */
#ifndef TONICFS_TWILIO_TWILIO_H
#define TONICFS_TWILIO_TWILIO_H

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
	const char *user;             /* the account SID again, or an API key's SK… */
	const char *secret;           /* auth token, or the API key's secret */
	bool allow_plain_http;        /* else only to loopback */
	unsigned total_timeout_msecs; /* of one operation with its retries; 0: 60,000 */
	const struct cancel *cancel;  /* may be NULL */
};

struct twilio_client;
int twilio_client_new(struct http *http, const struct twilio_settings *settings,
		      struct twilio_client **ret_client); /* copies */
void twilio_client_free(struct twilio_client *client);
/* Before the client is used. The requests that twilio_request_media makes are the caller's. */
void twilio_client_set_gate(struct twilio_client *client, const struct remote_gate *gate);
/* The time by Twilio's own clock, as its last answer's Date told it. False: none has come yet, *ret_secs is by ours. */
bool twilio_client_now(struct twilio_client *client, int64_t *ret_secs);

enum twilio_recording_status {
	TWILIO_RECORDING_UNKNOWN, /* a value of tomorrow, or null */
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

/* One element of Recordings.json. Strings "" where null; times 0 where null; numbers -1 where null. */
struct twilio_recording {
	struct sid sid;
	struct sid
		call_sid; /* always the parent leg; zero for a pure conference recording without a call */
	struct sid conference_sid; /* zero: none */
	enum twilio_recording_status status;
	const char *source; /* "RecordVerb" is a voicemail */
	int64_t date_created_secs, date_updated_secs, start_time_secs;
	int64_t duration_secs;
	int channels; /* as the resource says it: may be 1 where two are stored */
	int error_code;
	const char *media_url; /* differs from Twilio's own host: external storage */
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
	bool is_cut; /* from, to, direction or status had more than 256 bytes: the first are here */
};
/* The call is over: completed, busy, failed, no-answer, canceled. */
bool twilio_call_is_finished(const char *status);

/* A window of a list, half open: since <= t < until; 0: not bounded. Recordings are filtered by date_created, calls by start_time. The
 * filter is Twilio's: rows beyond the edges (of the same second, or day) may come too. */
struct twilio_window {
	int64_t since_secs, until_secs;
};

typedef int twilio_recordings_fn(void *arg, const struct twilio_recording *recordings,
				 size_t count);
typedef int twilio_calls_fn(void *arg, const struct twilio_call *calls, size_t count);
/* Pages of 1,000 handed over one by one, in the caller's thread. The callback's non-zero value ends the list and is returned (*ret_error stays REMOTE_OK).
 * -EIO etc. after some pages: those that were handed over stand. A next page on another host is refused. A cursor that comes twice ends
 * the list with -EIO. */
int twilio_list_recordings(struct twilio_client *client, const struct twilio_window *window,
			   bool with_deleted, twilio_recordings_fn *fn, void *arg,
			   struct remote_error *ret_error);
int twilio_list_calls(struct twilio_client *client, const struct twilio_window *window,
		      twilio_calls_fn *fn, void *arg, struct remote_error *ret_error);

/* One resource; its callback is called once. REMOTE_NOT_FOUND: gone, or never there. */
int twilio_fetch_recording(struct twilio_client *client, const struct sid *sid,
			   twilio_recordings_fn *fn, void *arg, struct remote_error *ret_error);
int twilio_fetch_call(struct twilio_client *client, const struct sid *sid, twilio_calls_fn *fn,
		      void *arg, struct remote_error *ret_error);

/* 0: Twilio answered 204. REMOTE_NOT_FOUND: nothing there (any more). Not completed yet: REMOTE_BUSY. */
int twilio_delete_recording(struct twilio_client *client, const struct sid *sid,
			    struct remote_error *ret_error);

/* Media. channels 2: RequestedChannels=2 is asked for; 1: the bare recording (only after error 16113 has said that it is mono). */
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

/* Judges the head of an answer to a media request, before a byte of it is believed: 200 or 206 with an audio type (or, for an encrypted one, any type that is not
 * text, XML, JSON or HTML). For another status body holds the first bytes of the error. error->twilio_code is 16113 where the recording really is mono. */
void twilio_judge_media(const struct http_response *response, bool is_encrypted, const char *body,
			size_t body_len, struct remote_error *ret_error);
/* An ETag header (may be NULL) without its quotes; "" for a weak one. */
void twilio_etag_copy(const char *header, char *ret_etag, size_t size);

/* Channels asked for and stored are reported as they are: who fetches for good compares them (2 asked for, 1 got, and no 16113: a downmix?).
 * Learns what a recording's file is without fetching all of it where the server lets us: exact size, channels stored. Works with and without HEAD, Range,
 * Content-Length; in the worst case it reads all and counts. A size over limit_bytes is REMOTE_INVALID. Wrong answers are asked again a few times, as broken
 * ones are. Blocks (deadline: the client's). A 404 is followed by a look at the metadata: REMOTE_NOT_FOUND
 * at once where it is deleted or in external storage, REMOTE_BUSY where it is not completed, else tried again for as long as it may be spreading still. */
struct twilio_media_info {
	int64_t size_bytes;
	int channels_requested; /* 2, or 1 after 16113: what twilio_request_media wants from now on */
	int channels_stored;    /* of the WAV's fmt chunk; 0 where it is no WAV (encrypted) */
	char etag[128];         /* without quotes; "" where none, or a weak one */
};
int twilio_probe_media(struct twilio_client *client, const struct sid *sid, bool is_encrypted,
		       int channels_hint /* 0 unknown */, int64_t limit_bytes,
		       struct twilio_media_info *ret_info, struct remote_error *ret_error);

#endif
