/* Shared by the files of this room. Tests and fuzzers reach the parsers through it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "twilio/twilio.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/remote.h"

/* ---- client.c ---- */

struct twilio_client {
	struct http *http;
	char *origin;    /* scheme://host:port, lower case */
	char *base_path; /* the path of the base URL: "" or "/prefix", without a trailing '/' */
	char account[SID_SIZE];
	char *authorization; /* "Basic …"; wiped when freed */
	bool allow_plain_http;
	unsigned total_timeout_msecs;
	unsigned pages_limit; /* of one list; tests lower it */
	const struct cancel *cancel;
	struct remote_gate gate;
	atomic_int_fast64_t clock_offset_msecs; /* the clock of the server minus the local one */
	atomic_bool clock_known;
};

/* Appends <origin><base_path>/2010-04-01/Accounts/<AC>/ */
void twilio_url_account(const struct twilio_client *client, struct buf *url);
/* The URL of next_page_uri. -EINVAL: malformed, or at another origin. */
int twilio_url_next(const struct twilio_client *client, const char *next_page_uri,
		    struct buf *ret_url);
/* One operation with its retries, within the client's timeout. 0: release *ret_reply, a 2xx. */
int twilio_perform(struct twilio_client *client, enum http_method method, const char *url,
		   struct http_reply *ret_reply, struct remote_error *ret_error);
void twilio_note_date(struct twilio_client *client, const char *date);
/* An answer that cannot be right. Returns -EIO. */
#define twilio_invalid(ret_error, ...) \
	remote_error_set(ret_error, REMOTE_INVALID, -EIO, __VA_ARGS__)

/* ---- json.c ---- */

enum twilio_list_kind { TWILIO_LIST_RECORDINGS, TWILIO_LIST_CALLS };
#define TWILIO_FIELD_LIMIT_BYTES 256 /* of a call's number, direction and status */

/* Its strings point into the parsed text. */
struct twilio_page {
	struct twilio_recording *recordings; /* one of the two is NULL */
	struct twilio_call *calls;
	size_t count;
	size_t skipped;   /* elements without a usable SID */
	size_t oversized; /* recordings with an encryption field that is too long to be stored */
	const char *next_page_uri; /* NULL: the last page */
};
#define TWILIO_PAGE_INIT { .recordings = NULL }

/* Parses a page of a list. The text must be followed by a NUL, and is changed. 0, -EIO (not
 * JSON, or not such a page), -ENOMEM. Release *ret_page in any case. */
int twilio_page_parse(char *text, size_t len, enum twilio_list_kind kind,
		      struct twilio_page *ret_page);
/* A single resource, as a page of one. */
int twilio_resource_parse(char *text, size_t len, enum twilio_list_kind kind,
			  struct twilio_page *ret_page);
void twilio_page_release(struct twilio_page *page);

/* ---- error.c ---- */

#define TWILIO_ERROR_BODY_LIMIT 16384

/* Fills *ret_error from an answer: REMOTE_OK for 2xx, else by status and the body's code. */
void twilio_judge(int status, int64_t retry_after_msecs, const char *body, size_t body_len,
		  struct remote_error *ret_error);
/* Code and message of a JSON or XML error body. 0; -EINVAL: neither. Scrub Twilio's message. */
int twilio_error_body_parse(const char *body, size_t body_len, int *ret_code,
			    struct buf *ret_message);
/* Removes everything that could be a phone number, a SID or a date. */
void twilio_scrub(const char *text, char *ret_text, size_t size);

/* ---- spread.c ---- */

/* How often a 404 may be retried; 0: not at all, and *ret_error says why. */
unsigned twilio_judge_missing(struct twilio_client *client, const struct sid *sid,
			      struct remote_error *ret_error);
/* Pauses 1 s at first, then longer, up to 8 s. False: cancelled, or the deadline would pass. */
bool twilio_pause_spreading(const struct twilio_client *client, unsigned tried,
			    int64_t deadline_msecs);
