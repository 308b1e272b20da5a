/* A bucket as a whole: valid names, and the requests of the connection test. */
#include "aws/bucket.h"

#include <arpa/inet.h>
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

/* ---- names ---- */

#define NAME_MIN 3
#define NAME_MAX_AWS 63
#define NAME_MAX_ANY 255 /* AWS formerly, in us-east-1; Ceph, with the matching setting */
#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

static bool is_lower_or_digit(char c)
{
	return c && strchr(LOWER_DIGITS, c);
}

const char *s3_bucket_name_problem(const char *name, bool is_aws_now)
{
	size_t len = strlen(name);
	struct in_addr address;

	if (len < NAME_MIN)
		return "it has fewer than three characters";
	if (len > NAME_MAX_ANY)
		return "it has more than 255 characters";
	if (name[strspn(name, LOWER_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-")])
		return "it has other characters than letters without accents, digits, dots, hyphens and underscores";
	if (strstr(name, ".."))
		return "it has two dots side by side";
	if (inet_pton(AF_INET, name, &address) == 1)
		return "it looks like an IP address";
	if (!is_aws_now)
		return NULL;
	if (len > NAME_MAX_AWS)
		return "it has more than 63 characters";
	if (name[strspn(name, LOWER_DIGITS ".-")])
		return "AWS allows only lower-case letters, digits, dots and hyphens";
	if (!is_lower_or_digit(name[0]) || !is_lower_or_digit(name[len - 1]))
		return "at AWS it has to begin and end with a letter or digit";
	return NULL;
}

/* ---- asking once ---- */

static int on_error_region(void *arg, const char *path, const char *text)
{
	struct s3_answer *answer = arg;

	if (strcmp(path, "Error/Region") == 0)
		s3_copy_printable(answer->region, sizeof answer->region, text);
	return 0;
}

static bool looks_like_html(const struct http_reply *reply)
{
	const char *type = http_response_header(&reply->head, "Content-Type"), *p = reply->body;

	if (type && strncasecmp(type, "text/html", 9) == 0)
		return true;
	p += strspn(p, " \t\r\n");
	return strncasecmp(p, "<!doctype html", 14) == 0 || strncasecmp(p, "<html", 5) == 0;
}

static void fill_answer(const struct http_reply *reply, struct s3_answer *answer)
{
	const char *date = http_response_header(&reply->head, "Date");

	answer->status = reply->head.status;
	answer->is_html = looks_like_html(reply);
	if (!date || time_parse_rfc2822(date, &answer->date_secs) < 0)
		answer->date_secs = 0;
	if (reply->head.status >= 300)
		/* An answer that is not XML names no region. */
		(void)xml_parse(reply->body, reply->body_len, on_error_region, answer, NULL);
	if (!*answer->region)
		s3_copy_printable(answer->region, sizeof answer->region,
				  http_response_header(&reply->head, "x-amz-bucket-region"));
	s3_copy_printable(answer->version, sizeof answer->version,
			  http_response_header(&reply->head, "x-amz-version-id"));
	s3_copy_printable(answer->allow_origin, sizeof answer->allow_origin,
			  http_response_header(&reply->head, "Access-Control-Allow-Origin"));
	s3_judge(&reply->head, reply->body, reply->body_len, &answer->error);
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
	int err;

	*ret_answer = (struct s3_answer){ .error = REMOTE_ERROR_INIT };
	if (!call->is_on_bucket && s3_key_check(call->key, error))
		return error->error;
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
	err = http_perform(client->http, &request, S3_ANSWER_LIMIT_BYTES, client->cancel,
			   &call->reply, error);
	if (!err)
		fill_answer(&call->reply, ret_answer);
	return err;
}

int s3_ask_bucket(struct s3_client *client, bool anonymous, const char *prefix,
		  struct s3_answer *ret_answer)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET, .is_on_bucket = true };

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

	s3_pairs_add(&call.headers, "Range", "bytes=0-0");
	return ask(client, anonymous, &call, ret_answer);
}

int s3_ask_preflight(struct s3_client *client, const char *key, const char *origin,
		     struct s3_answer *ret_answer)
{
	cleanup_call struct s3_call call = { .method = HTTP_OPTIONS, .key = key };

	s3_pairs_add(&call.headers, "Origin", origin);
	s3_pairs_add(&call.headers, "Access-Control-Request-Method", "GET");
	s3_pairs_add(&call.headers, "Access-Control-Request-Headers", "range");
	return ask(client, true, &call, ret_answer);
}

/* ---- versioning and locks ---- */

static int get_document(struct s3_client *client, const char *name, xml_fn *fn, void *arg,
			struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };
	int err = s3_call_get_document(client, &call, name, ret_error);

	if (err || !call.reply.body)
		return err;
	err = xml_parse(call.reply.body, call.reply.body_len, fn, arg, NULL);
	if (err == -ENOMEM)
		return s3_fail(ret_error, REMOTE_TRANSIENT, err, "out of memory");
	return err ? s3_fail(ret_error, REMOTE_INVALID, -EIO, "the answer is not XML") : 0;
}

static int on_versioning(void *arg, const char *path, const char *text)
{
	if (strcmp(path, "VersioningConfiguration/Status") == 0)
		s3_copy_printable(arg, 16, text);
	return 0;
}

int s3_get_versioning(struct s3_client *client, char ret_status[16], struct remote_error *ret_error)
{
	ret_status[0] = '\0';
	return get_document(client, "versioning", on_versioning, ret_status, ret_error);
}

static int on_lock(void *arg, const char *path, const char *text)
{
	const char *name = xml_below(path, "ObjectLockConfiguration/Rule/DefaultRetention");
	struct s3_lock *lock = arg;

	if (strcmp(path, "ObjectLockConfiguration/ObjectLockEnabled") == 0)
		lock->is_enabled = strcmp(text, "Enabled") == 0;
	else if (name && strcmp(name, "Mode") == 0)
		s3_copy_printable(lock->mode, sizeof lock->mode, text);
	else if (name && strcmp(name, "Days") == 0)
		lock->days = (unsigned)strtoul(text, NULL, 10);
	else if (name && strcmp(name, "Years") == 0)
		lock->years = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

int s3_get_lock(struct s3_client *client, struct s3_lock *ret_lock, struct remote_error *ret_error)
{
	*ret_lock = (struct s3_lock){ .is_enabled = false };
	return get_document(client, "object-lock", on_lock, ret_lock, ret_error);
}
