/* What the files of this room share; tests and fuzzers reach the parsers through it. */
#ifndef TONICFS_TWILIO_TWILIO_PRIVATE_H
#define TONICFS_TWILIO_TWILIO_PRIVATE_H

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
	char *origin;    /* scheme://host[:port], lower case */
	char *base_path; /* "" or "/prefix": of a base URL with a path; no '/' at its end */
	char account[SID_SIZE];
	char *authorization; /* "Basic …"; wiped when freed */
	bool allow_plain_http;
	unsigned total_timeout_msecs;
	unsigned pages_limit; /* of one list; a test's is smaller */
	const struct cancel *cancel;
	struct remote_gate gate;
	atomic_int_fast64_t clock_offset_msecs; /* server's clock minus ours */
	atomic_bool clock_known;
};

/* Appends <origin><base_path>/2010-04-01/Accounts/<AC>/ */
void twilio_url_account(const struct twilio_client *client, struct buf *url);
/* Where next_page_uri leads. -EINVAL: to another origin, or nowhere. */
int twilio_url_next(const struct twilio_client *client, const char *next_page_uri,
		    struct buf *ret_url);
/* One operation with its retries, until the client's total time-out. 0: *ret_reply is a 2xx
 * (release it). */
int twilio_perform(struct twilio_client *client, enum http_method method, const char *url,
		   struct http_reply *ret_reply, struct remote_error *ret_error);
void twilio_note_date(struct twilio_client *client, const char *date);

/* ---- json.c ---- */

enum twilio_list_kind { TWILIO_LIST_RECORDINGS, TWILIO_LIST_CALLS };
#define TWILIO_FIELD_LIMIT_BYTES 256 /* of a call's number, direction and status */

/* Its strings live in the text that it was parsed from. */
struct twilio_page {
	struct twilio_recording *recordings; /* one of the two is NULL */
	struct twilio_call *calls;
	size_t count;
	size_t skipped;   /* elements without a usable SID */
	size_t oversized; /* recordings with an encryption field that is too long to be stored */
	const char *next_page_uri; /* NULL: the last page */
};
#define TWILIO_PAGE_INIT { .recordings = NULL }

/* A page of a list. The text, which has a NUL behind it, is changed. 0, -EIO (no JSON, or not such
 * a page), -ENOMEM. Release *ret_page in any case. */
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
/* The code and message of a JSON or XML error body. 0 or -EINVAL: neither. The message is as Twilio
 * sent it: scrub it. */
int twilio_error_body_parse(const char *body, size_t body_len, int *ret_code,
			    struct buf *ret_message);
/* Nothing that could be a number, a SID or a date stays in the text. */
void twilio_scrub(const char *text, char *ret_text, size_t size);

/* ---- media.c ---- */

/* What judging a media answer needs of it; outlives the http_response. */
struct twilio_media_head {
	int status;
	bool is_start;         /* the body begins with the file's first byte */
	char content_type[64]; /* lower case, without parameters */
	int64_t retry_after_msecs;
};
void twilio_media_head_take(const struct http_response *response,
			    struct twilio_media_head *ret_head);
void twilio_media_head_judge(const struct twilio_media_head *head, bool is_encrypted,
			     const char *body, size_t body_len, struct remote_error *ret_error);

/* ---- spread.c ---- */

/* How often a 404 may be asked again; 0: never, and *ret_error says why. */
unsigned twilio_judge_missing(struct twilio_client *client, const struct sid *sid,
			      struct remote_error *ret_error);
/* 1 s to 3 s at first, then longer; false where it may wait no more. */
bool twilio_pause_spreading(const struct twilio_client *client, unsigned tried,
			    int64_t deadline_msecs);

#endif
