/* Requests of the connection test about a bucket as a whole. */
#include "aws/bucket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/s3-private.h"
#include "util/times.h"
#include "util/xml.h"

const char *s3_client_scheme(const struct s3_client *client)
{
	return client->scheme;
}

const char *s3_client_host(const struct s3_client *client)
{
	return client->host;
}

/* ---- asking once ---- */

static void copy(char *space, size_t size, const char *text)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		space[n++] = *text >= ' ' && *text < 127 ? *text : ' ';
	space[n] = '\0';
}

static int on_error_region(void *arg, const char *path, const char *text)
{
	struct s3_answer *answer = arg;

	if (strcmp(path, "Error/Region") == 0)
		copy(answer->region, sizeof answer->region, text);
	return 0;
}

static bool looks_like_html(const struct http_reply *reply)
{
	const char *type = http_reply_header(reply, "Content-Type"), *p = reply->body;

	if (type && strncasecmp(type, "text/html", 9) == 0)
		return true;
	p += strspn(p, " \t\r\n");
	return strncasecmp(p, "<!doctype html", 14) == 0 || strncasecmp(p, "<html", 5) == 0;
}

static void fill_answer(const struct http_reply *reply, struct s3_answer *answer)
{
	struct http_response response = { reply->status, reply->content_length, reply->headers,
					  reply->header_count };
	const char *date = http_reply_header(reply, "Date");

	answer->status = reply->status;
	answer->is_html = looks_like_html(reply);
	if (!date || time_parse_rfc2822(date, &answer->date_secs) < 0)
		answer->date_secs = 0;
	if (reply->status >= 300)
		/* An answer that is not XML names no region. */
		(void)xml_parse(reply->body, reply->body_len, on_error_region, answer, NULL);
	if (!*answer->region)
		copy(answer->region, sizeof answer->region,
		     http_reply_header(reply, "x-amz-bucket-region"));
	copy(answer->version, sizeof answer->version, http_reply_header(reply, "x-amz-version-id"));
	copy(answer->allow_origin, sizeof answer->allow_origin,
	     http_reply_header(reply, "Access-Control-Allow-Origin"));
	s3_judge(&response, reply->body, reply->body_len, &answer->error);
}

/* The same request without its signature. */
static void strip_signature(struct http_request *request, struct http_header *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < request->header_count; i++)
		if (strncasecmp(request->headers[i].name, "x-amz-", 6) != 0 &&
		    strcasecmp(request->headers[i].name, "Authorization") != 0)
			kept[count++] = request->headers[i];
	request->headers = kept;
	request->header_count = count;
}

static int ask(struct s3_client *client, bool anonymous, struct s3_call *call,
	       struct s3_answer *ret_answer)
{
	cleanup_credentials struct aws_credentials credentials = { .access_key = NULL };
	cleanup_s3_request struct s3_request_memory *memory = NULL;
	cleanup_free struct http_header *kept = NULL;
	struct remote_error *error = &ret_answer->error;
	struct http_request request;
	struct http_reply reply;
	int err;

	if (call->query.failed || call->headers.failed)
		return s3_fail(error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	err = s3_client_credentials(client, &credentials, error);
	if (err)
		return err;
	err = s3_call_sign(client, &credentials, call, SIGV4_EMPTY_SHA256, s3_client_now(client),
			   &request, &memory);
	if (err)
		return s3_fail(error, REMOTE_TRANSIENT, err, "the request cannot be signed");
	if (anonymous) {
		kept = calloc(request.header_count + 1, sizeof *kept);
		if (!kept)
			return s3_fail(error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
		strip_signature(&request, kept);
	}
	request.total_timeout_msecs = client->total_timeout_msecs;
	err = http_perform(client->http, &request, S3_ANSWER_LIMIT_BYTES, client->cancel, &reply,
			   error);
	if (err)
		return err;
	fill_answer(&reply, ret_answer);
	http_reply_release(&reply);
	return 0;
}

int s3_ask_bucket(struct s3_client *client, bool anonymous, const char *prefix,
		  struct s3_answer *ret_answer)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };

	*ret_answer = (struct s3_answer){ .error = REMOTE_ERROR_INIT };
	s3_pairs_add(&call.query, "list-type", "2");
	s3_pairs_add(&call.query, "max-keys", "1");
	if (prefix && *prefix)
		s3_pairs_add(&call.query, "prefix", prefix);
	return ask(client, anonymous, &call, ret_answer);
}

int s3_ask_object(struct s3_client *client, bool anonymous, const char *key,
		  struct s3_answer *ret_answer)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET, .key = key };
	int err;

	*ret_answer = (struct s3_answer){ .error = REMOTE_ERROR_INIT };
	err = s3_key_check(key, &ret_answer->error);
	if (err)
		return err;
	s3_pairs_add(&call.headers, "Range", "bytes=0-0");
	return ask(client, anonymous, &call, ret_answer);
}

int s3_ask_preflight(struct s3_client *client, const char *key, const char *origin,
		     struct s3_answer *ret_answer)
{
	cleanup_call struct s3_call call = { .method = HTTP_OPTIONS, .key = key };
	int err;

	*ret_answer = (struct s3_answer){ .error = REMOTE_ERROR_INIT };
	err = s3_key_check(key, &ret_answer->error);
	if (err)
		return err;
	s3_pairs_add(&call.headers, "Origin", origin);
	s3_pairs_add(&call.headers, "Access-Control-Request-Method", "GET");
	s3_pairs_add(&call.headers, "Access-Control-Request-Headers", "range");
	return ask(client, true, &call, ret_answer);
}

/* ---- versioning and locks ---- */

static int get_subresource(struct s3_client *client, const char *name, xml_fn *fn, void *arg,
			   struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };
	struct http_reply reply;
	int err;

	s3_pairs_add(&call.query, name, "");
	err = s3_call_run(client, &call, &reply, ret_error);
	if (err)
		return err;
	err = xml_parse(reply.body, reply.body_len, fn, arg, NULL);
	http_reply_release(&reply);
	if (err == -ENOMEM)
		return s3_fail(ret_error, REMOTE_TRANSIENT, err, "out of memory");
	return err ? s3_fail(ret_error, REMOTE_INVALID, -EIO, "the answer is not XML") : 0;
}

static int on_versioning(void *arg, const char *path, const char *text)
{
	if (strcmp(path, "VersioningConfiguration/Status") == 0)
		copy(arg, 16, text);
	return 0;
}

int s3_get_versioning(struct s3_client *client, char ret_status[16], struct remote_error *ret_error)
{
	ret_status[0] = '\0';
	return get_subresource(client, "versioning", on_versioning, ret_status, ret_error);
}

static int on_lock(void *arg, const char *path, const char *text)
{
	static const char retention[] = "ObjectLockConfiguration/Rule/DefaultRetention/";
	struct s3_lock *lock = arg;

	if (strcmp(path, "ObjectLockConfiguration/ObjectLockEnabled") == 0)
		lock->is_enabled = strcmp(text, "Enabled") == 0;
	if (strncmp(path, retention, strlen(retention)) != 0)
		return 0;
	path += strlen(retention);
	if (strcmp(path, "Mode") == 0)
		copy(lock->mode, sizeof lock->mode, text);
	else if (strcmp(path, "Days") == 0)
		lock->days = (unsigned)strtoul(text, NULL, 10);
	else if (strcmp(path, "Years") == 0)
		lock->years = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

int s3_get_lock(struct s3_client *client, struct s3_lock *ret_lock, struct remote_error *ret_error)
{
	int err;

	*ret_lock = (struct s3_lock){ .is_enabled = false };
	err = get_subresource(client, "object-lock", on_lock, ret_lock, ret_error);
	/* RGW has its own code for a bucket created without object lock. */
	if (err && (strcmp(ret_error->code, "ObjectLockConfigurationNotFoundError") == 0 ||
		    strcmp(ret_error->code, "NoSuchObjectLockConfiguration") == 0)) {
		remote_error_clear(ret_error);
		err = 0;
	}
	return err;
}
