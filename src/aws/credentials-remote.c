/*
 * Keys from a service: STS for a web identity, the agent of a container, the metadata of an
 * instance. Sources: "AssumeRoleWithWebIdentity", AWS STS API Reference; "Container credential
 * provider" and "IMDS credential provider", AWS SDKs and Tools Reference Guide.
 *
 * Each request has a short-lived HTTP engine of its own: keys are fetched once an hour, and may be
 * needed before the engine of the process exists and after it has ended.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/credentials-private.h"
#include "aws/s3-private.h"
#include "net/http.h"
#include "util/crypto.h"
#include "util/files.h"
#include "util/secret.h"
#include "util/times.h"
#include "util/xml.h"

#define ANSWER_LIMIT_BYTES (256 * 1024)
#define TOKEN_LIMIT_BYTES (64 * 1024)
/* To a service on this machine or link, or one that does not exist at all. */
#define CONNECT_MSECS 1000
#define LOCAL_MSECS 5000
#define STS_MSECS 10000
#define STS_VERSION "2011-06-15"
#define IMDS_TOKEN_SECS "21600"

static void reply_release(struct http_reply *reply)
{
	if (reply->body)
		crypto_wipe(reply->body, reply->body_len);
	http_reply_release(reply);
}
#define cleanup_reply cleanup_with(reply_release)

/* ---- answers ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void json_release(json_t **json)
{
	json_decref(*json);
}

int aws_credentials_from_json(const struct aws_search *search, const char *bytes, size_t n,
			      const char *token_name, const char *from)
{
	cleanup_with(json_release) json_t *object = json_loadb(bytes, n, 0, NULL);
	const char *expiration = text_of(object, "Expiration"), *code = text_of(object, "Code");
	struct aws_credentials *keys = search->credentials;
	int64_t expires = 0;

	if (!json_is_object(object))
		return aws_fail(search, -EIO, "%s: the answer is not JSON", from);
	if (*code && strcmp(code, "Success") != 0)
		return aws_fail(search, -EACCES, "%s: %.60s", from, code);
	if (*expiration && time_parse_iso8601(expiration, &expires) < 0)
		return aws_fail(search, -EIO, "%s: the Expiration of the answer is not a time",
				from);
	if (expires && expires <= time_now_secs())
		return aws_fail(search, -EACCES, "%s: the session has expired", from);
	if (aws_credentials_set(keys, text_of(object, "AccessKeyId"),
				text_of(object, "SecretAccessKey"), text_of(object, token_name),
				from))
		return aws_fail(search, -EIO, "%s: the answer has no keys", from);
	keys->expires_secs = expires;
	return 0;
}

/* ---- requests ---- */

static int send_request(const struct aws_search *search, struct http_request *request,
			const char *from, struct http_reply *ret_reply)
{
	struct http_settings settings = { .connect_timeout_msecs = request->connect_timeout_msecs };
	struct http *http;
	int err = http_new(&settings, &http);

	*ret_reply = (struct http_reply)HTTP_REPLY_INIT;
	if (err)
		return aws_fail(search, err, "%s: the network cannot be used", from);
	err = http_perform(http, request, ANSWER_LIMIT_BYTES, search->cancel, ret_reply,
			   search->error);
	http_free(http);
	if (err && search->error->kind == REMOTE_CANCELLED)
		return aws_cancelled(search);
	return err ? aws_fail_for_now(search, err, "%s: %.120s", from, search->error->message) : 0;
}

/* An answer other than 200. A busy or failing service may work a little later. */
static int refuse(const struct aws_search *search, const char *from, const char *who,
		  const struct http_reply *reply, const char *code)
{
	int status = reply->head.status;

	return remote_fail(search->error,
			   status >= 500 || status == 429 ? REMOTE_TRANSIENT : REMOTE_REJECTED,
			   -EACCES, "credentials", "%s: %s answered %d%s%s", from, who, status,
			   *code ? " " : "", code);
}

static int ask_local(const struct aws_search *search, enum http_method method, const char *url,
		     const struct http_header *header, const char *from,
		     struct http_reply *ret_reply)
{
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = header,
		.header_count = header ? 1 : 0,
		.connect_timeout_msecs = CONNECT_MSECS,
		.total_timeout_msecs = LOCAL_MSECS,
		.allow_plain_http = true, /* the callers have checked the URL */
		.no_proxy = true,
	};

	return send_request(search, &request, from, ret_reply);
}

/* ---- web identity ---- */

struct sts_answer {
	struct aws_credentials keys;
	char code[64];
};

static int take(char **where, const char *text)
{
	secret_free(*where);
	*where = secret_dup(text);
	return *where ? 0 : -ENOMEM;
}

static int on_sts_element(void *arg, const char *path, const char *text)
{
	const char *name = xml_below(path, "AssumeRoleWithWebIdentityResponse/"
					   "AssumeRoleWithWebIdentityResult/Credentials");
	struct sts_answer *a = arg;
	struct aws_credentials *keys = &a->keys;

	if (strcmp(path, "ErrorResponse/Error/Code") == 0)
		snprintf(a->code, sizeof a->code, "%.60s", text);
	if (!name)
		return 0;
	if (strcmp(name, "AccessKeyId") == 0)
		return take(&keys->access_key, text);
	if (strcmp(name, "SecretAccessKey") == 0)
		return take(&keys->secret_key, text);
	if (strcmp(name, "SessionToken") == 0)
		return take(&keys->session_token, text);
	if (strcmp(name, "Expiration") == 0 && time_parse_iso8601(text, &keys->expires_secs) < 0)
		return -EBADMSG;
	return 0;
}

static void add_field(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s%s=", out->len ? "&" : "", name);
	http_url_encode(out, value, strlen(value), false);
}

static void sts_url(const char *region, struct buf *out)
{
	const char *said = aws_env("AWS_ENDPOINT_URL_STS");

	if (!region)
		region = aws_env("AWS_REGION");
	if (!region)
		region = aws_env("AWS_DEFAULT_REGION");
	if (said)
		buf_add_str(out, said);
	else if (region)
		buf_addf(out, "https://sts.%s.amazonaws.com%s/", region,
			 strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	else
		buf_add_str(out, "https://sts.amazonaws.com/");
}

static int sts_reply(const struct aws_search *search, const struct http_reply *reply,
		     const char *from)
{
	struct sts_answer answer = { .code = "" };
	const struct aws_credentials *keys = &answer.keys;
	int err = xml_parse(reply->body, reply->body_len, on_sts_element, &answer, NULL);

	if (reply->head.status != 200)
		err = refuse(search, from, "STS", reply, answer.code);
	else if (err || aws_credentials_set(search->credentials, keys->access_key, keys->secret_key,
					    keys->session_token, from))
		err = aws_fail(search, -EIO, "%s: the answer of STS has no keys", from);
	else
		search->credentials->expires_secs = keys->expires_secs;
	aws_credentials_release(&answer.keys);
	return err;
}

int aws_assume_with_web_identity(const struct aws_search *search, const char *token_file,
				 const char *role, const char *session, const char *region)
{
	static const char from[] = "web identity";
	const struct http_header type = { "Content-Type", "application/x-www-form-urlencoded" };
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	cleanup_buf_secret struct buf body = BUF_INIT;
	cleanup_buf struct buf url = BUF_INIT;
	cleanup_secret char *token = NULL;
	struct http_request request;
	size_t len;
	int err = files_read(token_file, TOKEN_LIMIT_BYTES, &token, &len);

	if (err)
		return aws_fail(search, err, "%s: %.80s cannot be read: %s", from, token_file,
				strerror(-err));
	token[strcspn(token, "\r\n")] = '\0';
	if (buf_reserve(&body, 3 * len + 1024))
		return aws_fail(search, -ENOMEM, "out of memory");
	add_field(&body, "Action", "AssumeRoleWithWebIdentity");
	add_field(&body, "Version", STS_VERSION);
	add_field(&body, "RoleArn", role);
	add_field(&body, "RoleSessionName", session ? session : "tonicfs");
	add_field(&body, "WebIdentityToken", token);
	sts_url(region, &url);
	if (buf_failed(&body) || buf_failed(&url))
		return aws_fail(search, -ENOMEM, "out of memory");
	request = (struct http_request){
		.method = HTTP_POST,
		.url = buf_str(&url),
		.headers = &type,
		.header_count = 1,
		.body = body.data,
		.body_len = body.len,
		.total_timeout_msecs = STS_MSECS,
	};
	err = send_request(search, &request, from, &reply);
	return err ? err : sts_reply(search, &reply, from);
}

int aws_from_web_identity(const struct aws_search *search)
{
	const char *token_file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"),
		   *role = aws_env("AWS_ROLE_ARN");

	if (!token_file || !role)
		return -ENOENT;
	return aws_assume_with_web_identity(search, token_file, role,
					    aws_env("AWS_ROLE_SESSION_NAME"), NULL);
}

/* ---- container ---- */

/* Plain http is allowed to this machine or its link only: the token is sent with it. */
static bool is_local_url(const char *text)
{
	static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "169.254.169.254",
					     "[fd00:ec2::23]", "[fd00:ec2::254]" };
	cleanup_http_url struct http_url url;

	if (http_url_parse(text, &url) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (strcmp(url.host, hosts[i]) == 0)
			return true;
	return url.is_https || url.is_loopback;
}

static int container_url(const struct aws_search *search, struct buf *out)
{
	const char *relative = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (relative)
		buf_addf(out, "http://169.254.170.2%s%s", *relative == '/' ? "" : "/", relative);
	else if (full)
		buf_add_str(out, full);
	else
		return -ENOENT;
	if (buf_failed(out))
		return aws_fail(search, -ENOMEM, "out of memory");
	if (!is_local_url(out->data))
		return aws_fail(search, -EPERM,
				"container: plain http to another machine is refused");
	return 0;
}

/* The file is read each time: the container platform renews it. */
static int container_token(const struct aws_search *search, char **ret_token)
{
	const char *path = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
		   *said = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	size_t len;
	int err = 0;

	if (path)
		err = files_read(path, TOKEN_LIMIT_BYTES, ret_token, &len);
	else if (said)
		err = (*ret_token = strdup(said)) ? 0 : -ENOMEM;
	if (err)
		return aws_fail(search, err, "container: its token cannot be read: %s",
				strerror(-err));
	if (*ret_token)
		(*ret_token)[strcspn(*ret_token, "\r\n")] = '\0';
	return 0;
}

int aws_from_container(const struct aws_search *search)
{
	static const char from[] = "container";
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	cleanup_secret char *token = NULL;
	cleanup_buf struct buf url = BUF_INIT;
	struct http_header authorization = { .name = "Authorization" };
	int err = container_url(search, &url);

	if (!err)
		err = container_token(search, &token);
	if (err)
		return err;
	authorization.value = token;
	err = ask_local(search, HTTP_GET, url.data, token ? &authorization : NULL, from, &reply);
	if (err)
		return err;
	if (reply.head.status != 200)
		return refuse(search, from, "the agent", &reply, "");
	return aws_credentials_from_json(search, reply.body, reply.body_len, "Token", from);
}

/* ---- instance metadata ---- */

static const char instance[] = "instance metadata";

static int ask_instance(const struct aws_search *search, const char *base, const char *path,
			const char *more, const char *token, struct http_reply *ret_reply)
{
	const struct http_header header = { "X-aws-ec2-metadata-token", token };
	cleanup_buf struct buf url = BUF_INIT;
	int err;

	buf_addf(&url, "%s%s", base, path);
	http_url_encode(&url, more, strlen(more), false);
	if (buf_failed(&url))
		return aws_fail(search, -ENOMEM, "out of memory");
	err = ask_local(search, HTTP_GET, url.data, &header, instance, ret_reply);
	if (err == 0 && ret_reply->head.status != 200)
		err = refuse(search, instance, "the service", ret_reply, "");
	return err;
}

/* -ENOENT: no answer; this is not an instance. */
static int instance_token(const struct aws_search *search, const char *base, char **ret_token)
{
	static const struct http_header ttl = { "X-aws-ec2-metadata-token-ttl-seconds",
						IMDS_TOKEN_SECS };
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	cleanup_buf struct buf url = BUF_INIT;
	int err;

	buf_addf(&url, "%s/latest/api/token", base);
	if (buf_failed(&url))
		return aws_fail(search, -ENOMEM, "out of memory");
	err = ask_local(search, HTTP_PUT, url.data, &ttl, instance, &reply);
	if (err == -ETIMEDOUT || err == -EHOSTUNREACH) {
		remote_error_clear(search->error);
		return -ENOENT;
	}
	if (err)
		return err;
	if (reply.head.status != 200 || !reply.body_len || reply.body[strcspn(reply.body, "\r\n")])
		return refuse(search, instance, "the service", &reply, "");
	*ret_token = strdup(reply.body);
	return *ret_token ? 0 : aws_fail(search, -ENOMEM, "out of memory");
}

int aws_from_instance(const struct aws_search *search)
{
	static const char path[] = "/latest/meta-data/iam/security-credentials/";
	const char *base = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		   *disabled = aws_env("AWS_EC2_METADATA_DISABLED");
	cleanup_reply struct http_reply role = HTTP_REPLY_INIT, keys = HTTP_REPLY_INIT;
	cleanup_secret char *token = NULL;
	int err;

	if (disabled && strcasecmp(disabled, "true") == 0)
		return -ENOENT;
	if (!base)
		base = "http://169.254.169.254";
	if (!is_local_url(base))
		return aws_fail(search, -EPERM,
				"instance metadata: plain http to another machine is refused");
	err = instance_token(search, base, &token);
	if (!err)
		err = ask_instance(search, base, path, "", token, &role);
	if (err)
		return err;
	role.body[strcspn(role.body, "\r\n")] = '\0';
	err = ask_instance(search, base, path, role.body, token, &keys);
	return err ? err
		   : aws_credentials_from_json(search, keys.body, keys.body_len, "Token", instance);
}
