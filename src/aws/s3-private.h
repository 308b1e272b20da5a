/* Shared by the files of the S3 client. Nothing outside src/aws includes it. */
#pragma once

#include <stdatomic.h>

#include "aws/credentials.h"
#include "aws/s3.h"
#include "aws/sigv4.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/cleanup.h"

/* The limit for error documents and the answers to POSTs. */
#define S3_ANSWER_LIMIT_BYTES (256 * 1024)

struct s3_client {
	struct http *http;
	const char *scheme;
	char *host;      /* as in the Host header: with a port only if it is not the default */
	char *base_path; /* encoded: "", "/path" or "/path/bucket"; a key follows after a '/' */
	char *bucket, *region;
	struct aws_credentials fixed; /* unused if there is a source */
	struct aws_source *source;    /* NULL: fixed */
	char *kms_key_id, *storage_class, *ca_file;
	enum s3_encryption encryption;
	bool allow_plain_http;
	unsigned total_timeout_msecs;
	const struct cancel *cancel;
	struct remote_gate gate;
	_Atomic int64_t clock_offset_secs;  /* the clock of the server minus the local one */
	atomic_bool knows_no_checksum_mode; /* it refused a HEAD that asked for checksums */
};

/* Pairs that own their strings. Remembers a failed addition, as a buf does. */
struct s3_pairs {
	struct sigv4_pair *items;
	size_t count;
	bool failed;
};

void s3_pairs_add(struct s3_pairs *pairs, const char *name, const char *value);
void s3_pairs_addf(struct s3_pairs *pairs, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One operation: the request of each try, and the answer. */
struct s3_call {
	enum http_method method;
	const char *key;
	bool is_on_bucket; /* without a key */
	struct s3_pairs query, headers;
	struct buf document; /* a body of XML */
	const void *body;    /* any other body */
	size_t body_len;
	const uint8_t *sha256; /* of the body; NULL: computed */
	size_t limit_bytes;    /* of the body of the answer; 0: S3_ANSWER_LIMIT_BYTES */
	bool is_once;          /* not idempotent: no retry after a lost answer */

	/* set by s3_call_run */
	bool was_uncertain;      /* an earlier try may have taken effect */
	struct http_reply reply; /* a 2xx answer; empty after a failure */
};
#define cleanup_call cleanup_with(s3_call_release)
void s3_call_release(struct s3_call *call);

/* The time by the clock of the server. */
int64_t s3_client_now(const struct s3_client *client);
/* Fills *ret_request, but for the body, the timeouts and the callbacks. 0 or -ENOMEM. */
int s3_call_sign(const struct s3_client *client, const struct aws_credentials *credentials,
		 const struct s3_call *call, const char *payload_sha256, int64_t time_secs,
		 struct http_request *ret_request, struct s3_request_memory **ret_memory);
/* Checks the key, signs, sends, judges and retries. 0, or the negative errno of *ret_error. */
int s3_call_run(struct s3_client *client, struct s3_call *call, struct remote_error *ret_error);
/* Gets a document about the bucket: "cors", "lifecycle" … An empty reply: the bucket has none. */
int s3_call_get_document(struct s3_client *client, struct s3_call *call, const char *name,
			 struct remote_error *ret_error);
int s3_call_put_document(struct s3_client *client, struct s3_call *call, const char *name,
			 struct remote_error *ret_error);
/* Clears *ret_error and refuses invalid keys: empty, or with a segment "." or "..", which a
 * server may resolve. */
int s3_key_check(const char *key, struct remote_error *ret_error);
/* For a failure before anything is sent. Returns err. */
static inline int s3_fail(struct remote_error *ret_error, enum remote_kind kind, int err,
			  const char *text)
{
	return remote_fail(ret_error, kind, err, "", "%s", text);
}

/* length_bytes -1: to the end. Adds nothing for the whole object. 0 or -EINVAL. */
int s3_add_range(struct s3_pairs *headers, int64_t offset_bytes, int64_t length_bytes);
/* A put's headers, but for those about its body. -EINVAL: metadata that is not printable ASCII. */
int s3_add_object_headers(const struct s3_client *client, const struct s3_put *put,
			  struct s3_pairs *headers);
/* A storage class's name: [A-Z0-9_], at most 31 bytes; "UNKNOWN": any other text of a server. */
const char *s3_storage_class(const char *text);
/* Copies an ETag without its quotes and "W/". "": NULL, too long or not printable. */
void s3_copy_etag(char *space, size_t size, const char *etag);
/* Copies what has room, with a blank for each byte that is not printable ASCII. text may be NULL. */
void s3_copy_printable(char *space, size_t size, const char *text);
/* With If-None-Match, a 412 means that the object exists. */
void s3_judge_exists(bool if_none_match, struct remote_error *error);

/* The entries of one page, for tests and fuzzers. 0, -EBADMSG, -ENOMEM, or the callback's. */
int s3_list_parse(enum s3_list_kind kind, const char *bytes, size_t n, s3_list_fn *fn, void *arg);
/* As s3_judge, for an error document inside an answer with status 200. */
void s3_judge_document(int status, const char *body, size_t body_len,
		       struct remote_error *ret_error);
