/*
 * The operations of S3 that tonicfs needs, on any S3-compatible server: virtual host or path style,
 * custom endpoint and region.
 *
 * Signing  SigV4 in headers, with the real SHA-256 of the payload. If the server refuses a signature
 *          for its time, the clock is corrected by the server's Date header, once per operation;
 *          the client keeps the offset.
 * Style    The bucket is in the host name; in the path if path_style is set, if the endpoint is an
 *          IP address or localhost, and if the name of the bucket has dots.
 * Retries  The synchronous operations retry busy and transient failures; every operation is
 *          idempotent unless noted.
 * Threads  Any number of threads may use a client: only its clock offset changes.
 * Errors   Negative errno of *ret_error. The <Code> of the XML decides, not the status alone; an
 *          error that is not XML is judged by its status.
 *            AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch …   -EACCES
 *            InvalidObjectState                                          -EREMOTE
 *            NoSuchKey, NoSuchVersion: REMOTE_NOT_FOUND                  -ENOENT
 *            NoSuchBucket, NoSuchUpload: REMOTE_REJECTED                 -ENOENT
 *            PreconditionFailed, 412                                     -ESTALE
 *            retention or legal hold on a delete                         -EPERM
 *            SlowDown, 503, 429                                          -EBUSY
 *            time-out                                                    -ETIMEDOUT
 *            unreachable                                                 -EHOSTUNREACH
 *            bucket in another region                                    -EINVAL
 *          The answer to a HEAD has no code: s3_head_object cannot tell a missing bucket from a
 *          missing key.
 * Missing  For a missing key S3 answers 403 to a client that may list only under a prefix. After a
 *          403, HEAD, GET and restores list the key to find out (s3_explain_denied).
 * Safety   Never sends a DELETE on a bucket (aws/lifecycle.h has the one exception). An empty key, or
 *          one with a segment "." or "..", is -EINVAL before anything is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "util/cancel.h"
#include "util/remote.h"

struct aws_credentials;
struct aws_source;
struct buf;

enum s3_encryption { S3_ENCRYPTION_NONE, S3_ENCRYPTION_SSE_S3, S3_ENCRYPTION_SSE_KMS };

/* All strings are copied by s3_client_new. */
struct s3_settings {
	const char *bucket;
	const char *region;   /* NULL or "": us-east-1 */
	const char *endpoint; /* scheme://host[:port][/path]; NULL or "": AWS's of the region */
	bool path_style;
	bool allow_plain_http;
	const char *access_key, *secret_key, *session_token;
	/* Takes the keys from here instead, for each request; the client takes a reference.
	 * Requests may wait for the source (aws/credentials.h). */
	struct aws_source *credentials;
	enum s3_encryption encryption;
	const char *kms_key_id;    /* NULL: the account's default key */
	const char *storage_class; /* NULL: not sent */
	const char *ca_file;
	/* For one operation (a page of a list) with its retries; 0: 60,000. A body adds one
	 * second per 64 KB; on a slower line only the stall limit applies. */
	unsigned total_timeout_msecs;
	const struct cancel *cancel; /* may be NULL; set, it ends waits */
};

struct s3_client;
/* -EINVAL: bad endpoint or bucket. */
int s3_client_new(struct http *http, const struct s3_settings *settings,
		  struct s3_client **ret_client);
void s3_client_free(struct s3_client *client);
/* The keys that would sign the next request; release them. Errors as in aws/credentials.h. */
int s3_client_credentials(const struct s3_client *client, struct aws_credentials *ret_credentials,
			  struct remote_error *ret_error);
/* The keys are valid, but s3_client_credentials would renew them. Never waits. */
bool s3_client_keys_are_due(const struct s3_client *client);
/* After a refusal: the next signature asks for other keys. False: the client has fixed keys. */
bool s3_client_distrust_keys(struct s3_client *client);
/* The keys are expired, revoked or unknown: other keys may work. */
bool s3_keys_are_refused(const struct remote_error *error);
/* Set it before the client is used. Not for s3_request_get, whose requests the caller sends. */
void s3_client_set_gate(struct s3_client *client, const struct remote_gate *gate);

#define S3_ETAG_SIZE 128
struct s3_metadata { /* x-amz-meta-<name>: value, both printable ASCII */
	const char *name;
	const char *value;
};

/* An object by the answer to a HEAD or PUT. Empty strings: not given. */
struct s3_object {
	int64_t size_bytes;
	char etag[S3_ETAG_SIZE]; /* without quotes */
	/* Base64, as the server stored it; composite ones ("<…>-N") are left out. */
	char checksum_sha256[48];
	char content_type[64];
	char storage_class[32]; /* "" is STANDARD */
	char encryption[32];    /* "AES256", "aws:kms" or "", as the server confirmed it */
	char kms_key_id[128];
	char version_id[128];
	char meta_sha256[65]; /* x-amz-meta-sha256, ours */
	int64_t last_modified_secs;
	bool bucket_key;   /* of an encryption by KMS */
	bool is_restoring; /* x-amz-restore: in progress, or done and readable until then */
	int64_t restored_until_secs;
	char lock_mode[16]; /* Object Lock: "GOVERNANCE", "COMPLIANCE" or "" */
	int64_t retain_until_secs;
	bool has_legal_hold;
};
/* Whether the ETag is the MD5 of the content: 32 hex digits, not KMS-encrypted, not multipart. */
bool s3_object_etag_is_md5(const struct s3_object *object);

struct s3_put {
	const char *key;
	const void *body;
	size_t body_len;
	const char *content_type;
	const struct s3_metadata *metadata;
	size_t metadata_count;
	/* If-None-Match: *. -EEXIST (REMOTE_REJECTED, 412) if the key has an object, unless a
	 * lost earlier try of this very call put it there: that is success. A server that
	 * ignores the header overwrites. */
	bool if_none_match;
	bool send_checksum;    /* sends x-amz-checksum-sha256, too */
	const uint8_t *sha256; /* of the body, 32 bytes, if known; NULL: computed here */
};
int s3_put_object(struct s3_client *client, const struct s3_put *put, struct s3_object *ret_object,
		  struct remote_error *ret_error);
int s3_head_object(struct s3_client *client, const char *key, struct s3_object *ret_object,
		   struct remote_error *ret_error);
/* The same, and every x-amz-meta-<name> of the answer; names as the server writes them. */
typedef void s3_metadata_fn(void *arg, const char *name, const char *value);
int s3_head_object_metadata(struct s3_client *client, const char *key, s3_metadata_fn *fn,
			    void *arg, struct s3_object *ret_object,
			    struct remote_error *ret_error);
/* A small object, or a range of one (length_bytes -1: to the end). */
int s3_get_object(struct s3_client *client, const char *key, int64_t offset_bytes,
		  int64_t length_bytes, size_t limit_bytes, struct buf *ret_body,
		  struct s3_object *ret_object, struct remote_error *ret_error);
/* version_id NULL: the current version. Deleting a missing key is success. */
int s3_delete_object(struct s3_client *client, const char *key, const char *version_id,
		     struct remote_error *ret_error);

/* Requests a readable copy of an archived object. tier: "Bulk", "Standard", "Expedited". 0 also
 * if one is in progress already, or there (then until days from now). -EOPNOTSUPP: the server
 * has no restores; -EREMOTE: not for this class. */
int s3_restore_object(struct s3_client *client, const char *key, unsigned days, const char *tier,
		      struct remote_error *ret_error);

/* Multipart. Parts are numbered from 1; each but the last at least 5 MiB. */
#define S3_UPLOAD_ID_SIZE 1024
/* Not retried after a lost answer (REMOTE_UNCERTAIN): an upload may be left, which a list finds. */
int s3_upload_create(struct s3_client *client, const struct s3_put *head /* body unused */,
		     char ret_upload_id[S3_UPLOAD_ID_SIZE], struct remote_error *ret_error);
int s3_upload_part(struct s3_client *client, const char *key, const char *upload_id,
		   unsigned number, const void *body, size_t body_len, char ret_etag[S3_ETAG_SIZE],
		   struct remote_error *ret_error);
/* An error document inside a 200 is an error. Not retried after a lost answer
 * (REMOTE_UNCERTAIN); s3_head_object tells then whether the object is there. ret_object has no
 * size (-1), and with Ceph no etag. if_none_match: AWS answers 412 (-EEXIST) if the key has an
 * object. Ceph RGW 16.2.15 ignores it here (it obeys it on a PUT): it answers 200 and replaces
 * the object. Completing the same upload again answers 200 there as well. A caller that must not
 * overwrite checks first on such a server; the check proves nothing about another machine. */
int s3_upload_complete(struct s3_client *client, const char *key, const char *upload_id,
		       const char (*etags)[S3_ETAG_SIZE], unsigned count, bool if_none_match,
		       struct s3_object *ret_object, struct remote_error *ret_error);
int s3_upload_abort(struct s3_client *client, const char *key, const char *upload_id,
		    struct remote_error *ret_error);

enum s3_list_kind {
	S3_OBJECTS,
	S3_FOLDER, /* the objects directly below a prefix that ends in '/', and the folders below it */
	S3_VERSIONS,
	S3_UPLOADS,
};
struct s3_list_entry {
	const char *key;
	int64_t size_bytes;
	const char *etag; /* without quotes; NULL for uploads */
	const char *storage_class;
	const char *upload_id;  /* S3_UPLOADS only */
	const char *version_id; /* S3_VERSIONS only */
	bool is_delete_marker;
	bool is_folder; /* S3_FOLDER only: the key is a common prefix, "…/" */
	int64_t last_modified_secs;
};
typedef int s3_list_fn(void *arg, const struct s3_list_entry *entry);
/* Lists what begins with the prefix (may be NULL). A callback's value other than 0 ends the list and
 * is returned. Strings are valid during the call only. */
int s3_list(struct s3_client *client, enum s3_list_kind kind, const char *prefix, s3_list_fn *fn,
	    void *arg, struct remote_error *ret_error);

/* A signed GET for streaming: fills url and headers of an http_request; the caller sets the
 * callbacks and sends it. length_bytes -1: to the end; if_match NULL: none. The strings are in
 * *ret_memory, which the caller releases after the request was submitted. Never waits for keys:
 * -EAGAIN if there are none at hand; then s3_client_credentials has to be called on a thread
 * that may wait. */
struct s3_request_memory;
int s3_request_get(struct s3_client *client, const char *key, int64_t offset_bytes,
		   int64_t length_bytes, const char *if_match, struct http_request *ret_request,
		   struct s3_request_memory **ret_memory);
void s3_request_memory_free(struct s3_request_memory *memory);
void s3_request_memory_freep(struct s3_request_memory **memory);
#define cleanup_s3_request __attribute__((cleanup(s3_request_memory_freep)))
/* Judges any answer of S3 by its head and (an error) its body's first bytes. REMOTE_OK for 2xx. */
void s3_judge(const struct http_response *response, const char *body, size_t body_len,
	      struct remote_error *ret_error);
/* If *error is a 403 that may stand for a missing key, a list of the key decides: *error becomes
 * REMOTE_NOT_FOUND, or the failure of the list; it stays if the key is there or may not be
 * listed. For requests that the caller sends; the synchronous operations do it themselves.
 * Synchronous. Returns the errno of *error. */
int s3_explain_denied(struct s3_client *client, const char *key, struct remote_error *error);
/* The facts about an object in the headers of an answer. */
void s3_object_from_response(const struct http_response *response, struct s3_object *ret_object);

/* A GET URL that works for anybody for expires_secs (1…604800). content_type, file_name NULL: not
 * overridden. as: whether a browser shows or stores the object; not sent without a file_name. */
enum s3_disposition { S3_INLINE, S3_ATTACHMENT };
int s3_presign_get(struct s3_client *client, const char *key, unsigned expires_secs,
		   const char *content_type, enum s3_disposition as, const char *file_name,
		   struct buf *ret_url);
