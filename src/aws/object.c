/* Operations on single objects: put, head, get, delete, restore; what a 403 for a key means. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/crypto.h"
#include "util/times.h"

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static void copy_text(char *space, size_t size, const char *text)
{
	/* What does not fit, or is not printable ASCII, counts as missing: half a value is worse. */
	snprintf(space, size, "%s", text && strlen(text) < size && is_printable(text) ? text : "");
}

const char *s3_storage_class(const char *text)
{
	size_t len = text ? strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") : 0;

	if (!text)
		return "";
	return text[len] || len > 31 ? "UNKNOWN" : text;
}

void s3_copy_etag(char *space, size_t size, const char *etag)
{
	size_t n;

	*space = '\0';
	if (!etag)
		return;
	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	n = strlen(etag);
	if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"')
		etag++, n -= 2;
	if (n < size && is_printable(etag))
		snprintf(space, size, "%.*s", (int)n, etag);
}

static bool is_true(const char *value)
{
	return value && strcasecmp(value, "true") == 0;
}

/* x-amz-restore: ongoing-request="false", expiry-date="Fri, 21 Dec 2026 00:00:00 GMT" */
static void restore_from_header(const char *value, struct s3_object *o)
{
	const char *expiry;
	char date[64];

	if (!value)
		return;
	o->is_restoring = strstr(value, "ongoing-request=\"true\"");
	expiry = strstr(value, "expiry-date=\"");
	if (o->is_restoring || !expiry)
		return;
	expiry += strlen("expiry-date=\"");
	snprintf(date, sizeof date, "%.*s", (int)strcspn(expiry, "\""), expiry);
	if (time_parse_rfc2822(date, &o->restored_until_secs) < 0)
		o->restored_until_secs = 0;
}

static void lock_from_headers(const struct http_response *response, struct s3_object *o)
{
	const char *until = http_response_header(response, "x-amz-object-lock-retain-until-date");
	const char *hold = http_response_header(response, "x-amz-object-lock-legal-hold");

	if (!until || time_parse_iso8601(until, &o->retain_until_secs) < 0)
		o->retain_until_secs = 0;
	o->has_legal_hold = hold && strcasecmp(hold, "ON") == 0;
}

#define TEXT_FIELD(header, member) \
	{ header, offsetof(struct s3_object, member), sizeof((struct s3_object *)0)->member }
static const struct {
	const char *header;
	size_t offset, size;
} text_fields[] = {
	TEXT_FIELD("Content-Type", content_type),
	TEXT_FIELD("x-amz-server-side-encryption", encryption),
	TEXT_FIELD("x-amz-server-side-encryption-aws-kms-key-id", kms_key_id),
	TEXT_FIELD("x-amz-version-id", version_id),
	TEXT_FIELD("x-amz-meta-sha256", meta_sha256),
	TEXT_FIELD("x-amz-object-lock-mode", lock_mode),
};

void s3_object_from_response(const struct http_response *response, struct s3_object *ret_object)
{
	struct s3_object *o = ret_object;
	const char *checksum = http_response_header(response, "x-amz-checksum-sha256");
	const char *type = http_response_header(response, "x-amz-checksum-type");
	const char *modified = http_response_header(response, "Last-Modified");
	int64_t first, last, total;

	memset(o, 0, sizeof *o);
	o->size_bytes = response->content_length;
	if (http_response_content_range(response, &first, &last, &total) == 0)
		o->size_bytes = total;
	s3_copy_etag(o->etag, sizeof o->etag, http_response_header(response, "ETag"));
	/* A composite checksum covers the checksums of the parts, not the bytes. */
	if (checksum && !strchr(checksum, '-') && !(type && strcmp(type, "COMPOSITE") == 0))
		copy_text(o->checksum_sha256, sizeof o->checksum_sha256, checksum);
	for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
		copy_text((char *)o + text_fields[i].offset, text_fields[i].size,
			  http_response_header(response, text_fields[i].header));
	copy_text(o->storage_class, sizeof o->storage_class,
		  s3_storage_class(http_response_header(response, "x-amz-storage-class")));
	o->bucket_key = is_true(
		http_response_header(response, "x-amz-server-side-encryption-bucket-key-enabled"));
	restore_from_header(http_response_header(response, "x-amz-restore"), o);
	lock_from_headers(response, o);
	if (!modified || time_parse_rfc2822(modified, &o->last_modified_secs) < 0)
		o->last_modified_secs = 0;
}

bool s3_object_etag_is_md5(const struct s3_object *object)
{
	return strlen(object->etag) == 32 && strspn(object->etag, "0123456789abcdefABCDEF") == 32 &&
	       strncmp(object->encryption, "aws:kms", 7) != 0;
}

int s3_add_object_headers(const struct s3_client *client, const struct s3_put *put,
			  struct s3_pairs *headers)
{
	if (put->content_type && !is_printable(put->content_type))
		return -EINVAL;
	if (put->content_type)
		s3_pairs_add(headers, "Content-Type", put->content_type);
	if (client->encryption == S3_ENCRYPTION_SSE_S3)
		s3_pairs_add(headers, "x-amz-server-side-encryption", "AES256");
	if (client->encryption == S3_ENCRYPTION_SSE_KMS) {
		s3_pairs_add(headers, "x-amz-server-side-encryption", "aws:kms");
		if (client->kms_key_id)
			s3_pairs_add(headers, "x-amz-server-side-encryption-aws-kms-key-id",
				     client->kms_key_id);
		/* A bucket key: without it each recording costs KMS requests, for writing and
		 * for reading. */
		s3_pairs_add(headers, "x-amz-server-side-encryption-bucket-key-enabled", "true");
	}
	if (client->storage_class)
		s3_pairs_add(headers, "x-amz-storage-class", client->storage_class);
	for (size_t i = 0; i < put->metadata_count; i++) {
		char name[128];
		int n = snprintf(name, sizeof name, "x-amz-meta-%s", put->metadata[i].name);

		if (n < 0 || (size_t)n >= sizeof name || !is_printable(name) ||
		    name[strcspn(name, ": ")] || !is_printable(put->metadata[i].value))
			return -EINVAL;
		s3_pairs_add(headers, name, put->metadata[i].value);
	}
	return headers->failed ? -ENOMEM : 0;
}

/* The hashes of the object agree with the bytes that were to be sent. */
static bool object_has_body(const struct s3_object *object, const struct s3_put *put)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE], md5[CRYPTO_MD5_SIZE];
	char base64[CRYPTO_BASE64_SIZE(CRYPTO_SHA256_SIZE)], hex[CRYPTO_HEX_SIZE(CRYPTO_MD5_SIZE)];
	const void *body = put->body_len ? put->body : "";

	if (object->size_bytes != (int64_t)put->body_len)
		return false;
	if (*object->checksum_sha256) {
		if (crypto_sha256(body, put->body_len, sha256))
			return false;
		crypto_base64(sha256, sizeof sha256, base64);
		return strcmp(base64, object->checksum_sha256) == 0;
	}
	if (!s3_object_etag_is_md5(object) || crypto_md5(body, put->body_len, md5))
		return false;
	crypto_hex(md5, sizeof md5, hex);
	return strcasecmp(hex, object->etag) == 0;
}

int s3_put_object(struct s3_client *client, const struct s3_put *put, struct s3_object *ret_object,
		  struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = {
		.method = HTTP_PUT, .key = put->key, .body = put->body, .body_len = put->body_len
	};
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int err;

	memset(ret_object, 0, sizeof *ret_object);
	call.sha256 = put->sha256 ? put->sha256 : digest;
	if (!put->sha256 && crypto_sha256(put->body_len ? put->body : "", put->body_len, digest))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	err = s3_add_object_headers(client, put, &call.headers);
	if (err)
		return s3_fail(ret_error, REMOTE_REJECTED, err,
			       "the metadata of the object cannot be sent");
	if (put->if_none_match)
		s3_pairs_add(&call.headers, "If-None-Match", "*");
	if (put->send_checksum) {
		char base64[CRYPTO_BASE64_SIZE(CRYPTO_SHA256_SIZE)];

		crypto_base64(call.sha256, sizeof digest, base64);
		s3_pairs_add(&call.headers, "x-amz-checksum-sha256", base64);
	}
	if (s3_call_run(client, &call, ret_error) == 0) {
		s3_object_from_response(&call.reply.head, ret_object);
		ret_object->size_bytes = (int64_t)put->body_len;
		return 0;
	}
	s3_judge_exists(put->if_none_match, ret_error);
	if (ret_error->error == -EEXIST && call.was_uncertain) {
		struct remote_error head_error;
		struct s3_object object;

		/* The existing object may come from an earlier try of this call. */
		if (s3_head_object(client, put->key, &object, &head_error) == 0 &&
		    object_has_body(&object, put)) {
			*ret_object = object;
			remote_error_clear(ret_error);
		}
	}
	return ret_error->error;
}

static int head(struct s3_client *client, bool with_checksum, struct s3_call *call,
		struct remote_error *ret_error)
{
	/* AWS returns a stored checksum only on request. */
	if (with_checksum)
		s3_pairs_add(&call->headers, "x-amz-checksum-mode", "ENABLED");
	return s3_call_run(client, call, ret_error);
}

int s3_head_object_metadata(struct s3_client *client, const char *key, s3_metadata_fn *fn,
			    void *arg, struct s3_object *ret_object, struct remote_error *ret_error)
{
	static const char meta[] = "x-amz-meta-";
	cleanup_call struct s3_call first = { .method = HTTP_HEAD, .key = key };
	cleanup_call struct s3_call second = { .method = HTTP_HEAD, .key = key };
	bool with_checksum = !atomic_load(&client->knows_no_checksum_mode);
	const struct http_response *answer = &first.reply.head;
	int err = head(client, with_checksum, &first, ret_error);

	memset(ret_object, 0, sizeof *ret_object);
	/* Some servers refuse headers that they do not know. */
	if (err && with_checksum && (ret_error->status == 400 || ret_error->status == 501)) {
		answer = &second.reply.head;
		err = head(client, false, &second, ret_error);
		if (!err)
			atomic_store(&client->knows_no_checksum_mode, true);
	}
	if (err)
		return s3_explain_denied(client, key, ret_error);
	s3_object_from_response(answer, ret_object);
	if (ret_object->size_bytes < 0)
		return s3_fail(ret_error, REMOTE_INVALID, -EIO,
			       "the answer does not say how long the object is");
	for (size_t i = 0; i < answer->header_count && fn; i++) {
		const struct http_header *header = &answer->headers[i];

		if (strncasecmp(header->name, meta, sizeof meta - 1) == 0)
			fn(arg, header->name + sizeof meta - 1, header->value);
	}
	return 0;
}

int s3_head_object(struct s3_client *client, const char *key, struct s3_object *ret_object,
		   struct remote_error *ret_error)
{
	return s3_head_object_metadata(client, key, NULL, NULL, ret_object, ret_error);
}

/* The answer is the requested range, or as much of it as the object has. */
static bool is_range(const struct http_reply *reply, int64_t offset_bytes, int64_t length_bytes)
{
	int64_t first, last, total, wanted_last;

	if (http_response_content_range(&reply->head, &first, &last, &total) < 0 ||
	    first != offset_bytes || last - first + 1 != (int64_t)reply->body_len)
		return false;
	if (total < 0)
		return length_bytes < 0 || last - first + 1 == length_bytes;
	wanted_last = length_bytes < 0 || offset_bytes + length_bytes > total
			      ? total - 1
			      : offset_bytes + length_bytes - 1;
	return last == wanted_last;
}

int s3_get_object(struct s3_client *client, const char *key, int64_t offset_bytes,
		  int64_t length_bytes, size_t limit_bytes, struct buf *ret_body,
		  struct s3_object *ret_object, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET, .key = key };
	const struct http_reply *reply = &call.reply;
	bool is_whole = offset_bytes == 0 && length_bytes < 0;
	int err = s3_add_range(&call.headers, offset_bytes, length_bytes);

	memset(ret_object, 0, sizeof *ret_object);
	if (err)
		return s3_fail(ret_error, REMOTE_REJECTED, err, "invalid range");
	/* The limit has room for an error document; a longer object is refused below. */
	call.limit_bytes =
		limit_bytes > S3_ANSWER_LIMIT_BYTES ? limit_bytes : S3_ANSWER_LIMIT_BYTES;
	if (s3_call_run(client, &call, ret_error))
		return s3_explain_denied(client, key, ret_error);
	s3_object_from_response(&reply->head, ret_object);
	if (is_whole)
		ret_object->size_bytes = (int64_t)reply->body_len;
	if (reply->body_len > limit_bytes)
		err = s3_fail(ret_error, REMOTE_INVALID, -EFBIG,
			      "the object is larger than was asked for");
	else if (is_whole ? reply->head.status != 200
			  : !is_range(reply, offset_bytes, length_bytes))
		err = s3_fail(ret_error, REMOTE_INVALID, -EIO,
			      "the answer is not the range that was asked for");
	else
		buf_add(ret_body, reply->body, reply->body_len);
	if (!err && buf_failed(ret_body))
		err = s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	if (err)
		ret_error->status = reply->head.status;
	return err;
}

int s3_delete_object(struct s3_client *client, const char *key, const char *version_id,
		     struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_DELETE, .key = key };

	if (version_id)
		s3_pairs_add(&call.query, "versionId", version_id);
	s3_call_run(client, &call, ret_error);
	if (ret_error->kind == REMOTE_NOT_FOUND)
		remote_error_clear(ret_error);
	return ret_error->error;
}

int s3_restore_object(struct s3_client *client, const char *key, unsigned days, const char *tier,
		      struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_POST, .key = key };

	buf_addf(&call.document,
		 "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>%u</Days>"
		 "<GlacierJobParameters><Tier>%s</Tier></GlacierJobParameters></RestoreRequest>",
		 days, tier);
	s3_pairs_add(&call.query, "restore", "");
	s3_call_run(client, &call, ret_error);
	/* A restore was requested before, by any client. */
	if (strcmp(ret_error->code, "RestoreAlreadyInProgress") == 0)
		remote_error_clear(ret_error);
	return s3_explain_denied(client, key, ret_error);
}

static bool may_be_missing(const struct remote_error *error)
{
	return error->status == 403 && error->error == -EACCES &&
	       (!*error->code || strcmp(error->code, "AccessDenied") == 0);
}

struct look {
	const char *key;
	bool is_there;
};

/* In a list, a key comes before all longer keys that begin with it. */
static int on_first(void *arg, const struct s3_list_entry *entry)
{
	struct look *look = arg;

	look->is_there = strcmp(entry->key, look->key) == 0;
	return 1;
}

int s3_explain_denied(struct s3_client *client, const char *key, struct remote_error *error)
{
	struct remote_error list_error;
	struct look look = { .key = key };
	int err;

	if (!may_be_missing(error))
		return error->error;
	err = s3_list(client, S3_OBJECTS, key, on_first, &look, &list_error);
	if (err < 0 && !may_be_missing(&list_error)) {
		*error = list_error;
	} else if (err >= 0 && !look.is_there) {
		s3_fail(error, REMOTE_NOT_FOUND, -ENOENT,
			"S3 answered 403, and the key is not in the list of the bucket");
		error->status = 404;
	}
	return error->error;
}
