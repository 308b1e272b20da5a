/* Requests: path, query, headers, signature. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/array.h"
#include "util/secret.h"
#include "util/times.h"

/* ---- pairs ---- */

void s3_pairs_add(struct s3_pairs *pairs, const char *name, const char *value)
{
	struct sigv4_pair *pair = pairs->failed ? NULL : array_add(&pairs->items, &pairs->count);

	if (pair) {
		pair->name = strdup(name);
		pair->value = strdup(value);
	}
	pairs->failed = !pair || !pair->name || !pair->value;
}

void s3_pairs_addf(struct s3_pairs *pairs, const char *name, const char *format, ...)
{
	cleanup_buf struct buf value = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&value, format, args);
	va_end(args);
	if (buf_failed(&value))
		pairs->failed = true;
	else
		s3_pairs_add(pairs, name, buf_str(&value));
}

static void pairs_release(struct s3_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free((char *)pairs->items[i].name);
		secret_free((char *)pairs->items[i].value); /* a session token may be among them */
	}
	free(pairs->items);
	*pairs = (struct s3_pairs){ NULL, 0, false };
}

void s3_call_release(struct s3_call *call)
{
	pairs_release(&call->query);
	pairs_release(&call->headers);
	buf_release(&call->document);
	http_reply_release(&call->reply);
}

/* ---- signing ---- */

struct s3_request_memory {
	struct buf url;
	struct s3_pairs pairs;       /* all signed headers, Host first, then Authorization */
	struct http_header *headers; /* the same without Host, which curl takes from the URL */
};

void s3_request_memory_free(struct s3_request_memory *memory)
{
	if (!memory)
		return;
	buf_release(&memory->url);
	pairs_release(&memory->pairs);
	free(memory->headers);
	free(memory);
}

void s3_request_memory_freep(struct s3_request_memory **memory)
{
	s3_request_memory_free(*memory);
}

int s3_key_check(const char *key, struct remote_error *ret_error)
{
	remote_error_clear(ret_error);
	for (const char *p = key; p && *p; p += strcspn(p, "/")) {
		size_t n;

		p += *p == '/';
		n = strcspn(p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return s3_fail(ret_error, REMOTE_REJECTED, -EINVAL,
				       "a segment of the object key is . or ..");
	}
	if (!key || !*key)
		return s3_fail(ret_error, REMOTE_REJECTED, -EINVAL, "the object key is empty");
	return 0;
}

static void add_path(struct buf *out, const struct s3_client *client, const char *key)
{
	buf_add_str(out, client->base_path);
	if (key || !*client->base_path)
		buf_add_char(out, '/');
	if (key)
		http_url_encode(out, key, strlen(key), true);
}

static const char *const method_names[] = {
	[HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",
	[HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
};

static struct sigv4_input sigv4_input_of(const struct s3_client *client,
					 const struct aws_credentials *credentials,
					 const struct s3_call *call, const char *path,
					 int64_t time_secs)
{
	return (struct sigv4_input){
		.access_key = credentials->access_key,
		.secret_key = credentials->secret_key,
		.session_token = credentials->session_token,
		.region = client->region,
		.service = "s3",
		.time_secs = time_secs,
		.method = method_names[call->method],
		.path = path,
		.query = call->query.items,
		.query_count = call->query.count,
	};
}

int64_t s3_client_now(const struct s3_client *client)
{
	return time_now_secs() + atomic_load(&client->clock_offset_secs);
}

static void copy_pairs(struct s3_pairs *to, const struct s3_pairs *from)
{
	for (size_t i = 0; i < from->count; i++)
		s3_pairs_add(to, from->items[i].name, from->items[i].value);
	if (from->failed)
		to->failed = true;
}

int s3_call_sign(const struct s3_client *client, const struct aws_credentials *credentials,
		 const struct s3_call *call, const char *payload_sha256, int64_t time_secs,
		 struct http_request *ret_request, struct s3_request_memory **ret_memory)
{
	cleanup_s3_request struct s3_request_memory *memory = calloc(1, sizeof *memory);
	cleanup_buf struct buf path = BUF_INIT, authorization = BUF_INIT;
	struct sigv4_input input;
	char date[TIME_ISO8601_SIZE];
	int err;

	if (!memory)
		return -ENOMEM;
	time_format_basic(time_secs, date);
	s3_pairs_add(&memory->pairs, "Host", client->host);
	s3_pairs_add(&memory->pairs, "x-amz-content-sha256", payload_sha256);
	s3_pairs_add(&memory->pairs, "x-amz-date", date);
	if (credentials->session_token)
		s3_pairs_add(&memory->pairs, "x-amz-security-token", credentials->session_token);
	copy_pairs(&memory->pairs, &call->headers);
	add_path(&path, client, call->key);
	buf_addf(&memory->url, "%s://%s", client->scheme, client->host);
	buf_add(&memory->url, path.data, path.len);
	for (size_t i = 0; i < call->query.count; i++) {
		const struct sigv4_pair *pair = &call->query.items[i];

		buf_add_char(&memory->url, i ? '&' : '?');
		http_url_encode(&memory->url, pair->name, strlen(pair->name), false);
		buf_add_char(&memory->url, '=');
		http_url_encode(&memory->url, pair->value, strlen(pair->value), false);
	}
	if (memory->pairs.failed || call->query.failed || buf_failed(&path) ||
	    buf_failed(&memory->url))
		return -ENOMEM;
	input = sigv4_input_of(client, credentials, call, buf_str(&path), time_secs);
	input.headers = memory->pairs.items;
	input.header_count = memory->pairs.count;
	input.payload_sha256 = payload_sha256;
	err = sigv4_authorization(&input, &authorization);
	if (!err)
		s3_pairs_add(&memory->pairs, "Authorization", buf_str(&authorization));
	if (err || memory->pairs.failed)
		return err ? err : -ENOMEM;
	memory->headers = calloc(memory->pairs.count, sizeof *memory->headers);
	if (!memory->headers)
		return -ENOMEM;
	for (size_t i = 1; i < memory->pairs.count; i++)
		memory->headers[i - 1] = (struct http_header){ memory->pairs.items[i].name,
							       memory->pairs.items[i].value };
	*ret_request = (struct http_request){
		.method = call->method,
		.url = buf_str(&memory->url),
		.headers = memory->headers,
		.header_count = memory->pairs.count - 1,
		.allow_plain_http = client->allow_plain_http,
		.ca_file = client->ca_file,
	};
	*ret_memory = steal_pointer(&memory);
	return 0;
}

/* ---- requests that the caller sends ---- */

int s3_add_range(struct s3_pairs *headers, int64_t offset_bytes, int64_t length_bytes)
{
	if (offset_bytes < 0 || length_bytes == 0 || length_bytes < -1 ||
	    (length_bytes > 0 && offset_bytes > INT64_MAX - length_bytes))
		return -EINVAL;
	if (length_bytes > 0)
		s3_pairs_addf(headers, "Range", "bytes=%lld-%lld", (long long)offset_bytes,
			      (long long)(offset_bytes + length_bytes - 1));
	else if (offset_bytes > 0)
		s3_pairs_addf(headers, "Range", "bytes=%lld-", (long long)offset_bytes);
	return 0;
}

int s3_request_get(struct s3_client *client, const char *key, int64_t offset_bytes,
		   int64_t length_bytes, const char *if_match, struct http_request *ret_request,
		   struct s3_request_memory **ret_memory)
{
	cleanup_credentials struct aws_credentials credentials = { .access_key = NULL };
	cleanup_call struct s3_call call = { .method = HTTP_GET, .key = key };
	struct remote_error error;
	int err = s3_key_check(key, &error);
	bool is_due;

	if (!err)
		err = s3_add_range(&call.headers, offset_bytes, length_bytes);
	if (err)
		return err;
	if (if_match)
		s3_pairs_addf(&call.headers, "If-Match", "\"%s\"", if_match);
	if (call.headers.failed)
		return -ENOMEM;
	err = client->source ? aws_source_peek(client->source, &credentials, &is_due)
			     : s3_client_credentials(client, &credentials, &error);
	if (err)
		return err;
	return s3_call_sign(client, &credentials, &call, SIGV4_EMPTY_SHA256, s3_client_now(client),
			    ret_request, ret_memory);
}

/* Quotes and backslashes would end the file name early, and control characters the header. */
static void add_disposition(struct buf *out, enum s3_disposition disposition, const char *file_name)
{
	buf_addf(out, "%s; filename=\"", disposition == S3_INLINE ? "inline" : "attachment");
	for (; *file_name; file_name++)
		buf_add_char(out,
			     *file_name < ' ' || *file_name > '~' || strchr("\"\\/", *file_name)
				     ? '_'
				     : *file_name);
	buf_add_char(out, '"');
}

int s3_presign_get(struct s3_client *client, const char *key, unsigned expires_secs,
		   const char *content_type, enum s3_disposition as, const char *file_name,
		   struct buf *ret_url)
{
	cleanup_credentials struct aws_credentials credentials = { .access_key = NULL };
	cleanup_call struct s3_call call = { .method = HTTP_GET, .key = key };
	struct sigv4_pair host = { "Host", client->host };
	cleanup_buf struct buf path = BUF_INIT, disposition = BUF_INIT;
	cleanup_buf_secret struct buf query = BUF_INIT;
	struct remote_error error;
	struct sigv4_input input;
	int err = s3_key_check(key, &error);

	if (err)
		return err;
	if (file_name) {
		add_disposition(&disposition, as, file_name);
		s3_pairs_add(&call.query, "response-content-disposition", buf_str(&disposition));
	}
	if (content_type)
		s3_pairs_add(&call.query, "response-content-type", content_type);
	add_path(&path, client, key);
	if (buf_failed(&disposition) || buf_failed(&path) || call.query.failed)
		return -ENOMEM;
	err = s3_client_credentials(client, &credentials, &error);
	if (err)
		return err;
	input = sigv4_input_of(client, &credentials, &call, buf_str(&path), s3_client_now(client));
	input.headers = &host;
	input.header_count = 1;
	input.payload_sha256 = SIGV4_UNSIGNED;
	err = sigv4_presign(&input, expires_secs, &query);
	if (err)
		return err;
	buf_addf(ret_url, "%s://%s%s?%s", client->scheme, client->host, buf_str(&path),
		 buf_str(&query));
	return buf_failed(ret_url) ? -ENOMEM : 0;
}
