/* A client: its settings and the address of its bucket. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/credentials-private.h"
#include "aws/s3-private.h"

#define TOTAL_DEFAULT_MSECS 60000

static bool is_empty(const char *s)
{
	return !s || !*s;
}

/* ---- the address of a bucket ---- */

static bool consists_of(const char *s, const char *allowed)
{
	return *s && !s[strspn(s, allowed)];
}

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The rules of AWS are stricter; other servers accept more in the path. */
static bool bucket_is_valid(const char *bucket)
{
	return strlen(bucket) <= 255 && consists_of(bucket, LOWER_DIGITS UPPER "._-") &&
	       strcmp(bucket, ".") != 0 && strcmp(bucket, "..") != 0;
}

static bool bucket_fits_host_name(const char *bucket)
{
	size_t n = strlen(bucket);

	return n >= 3 && n <= 63 && consists_of(bucket, LOWER_DIGITS "-") && bucket[0] != '-' &&
	       bucket[n - 1] != '-';
}

/* IP addresses and localhost have no subdomains. */
static bool host_has_subdomains(const char *host)
{
	struct in_addr address;

	return *host != '[' && strcasecmp(host, "localhost") != 0 &&
	       inet_pton(AF_INET, host, &address) != 1;
}

struct endpoint {
	char *scheme, *host, *port,
		*path; /* port: "" for the default of the scheme; path: "" or "/a/b" */
};

static void endpoint_release(struct endpoint *e)
{
	free(e->scheme);
	free(e->host);
	free(e->port);
	free(e->path);
}

#define cleanup_endpoint cleanup_with(endpoint_release)

static int take_port(const char *text, bool is_https, char **ret_port)
{
	long port = 0;

	if (*text == ':') {
		if (strlen(text) > 6 || !consists_of(text + 1, "0123456789"))
			return -EINVAL;
		port = strtol(text + 1, NULL, 10);
		if (port < 1 || port > 65535)
			return -EINVAL;
	}
	if (port == 0 || port == (is_https ? 443 : 80))
		*ret_port = strdup("");
	else if (asprintf(ret_port, "%ld", port) < 0)
		*ret_port = NULL;
	return *ret_port ? 0 : -ENOMEM;
}

static int endpoint_parse(const char *text, struct endpoint *ret_endpoint)
{
	bool is_https = strncasecmp(text, "https://", 8) == 0;
	const char *host, *end, *path;

	if (!is_https && strncasecmp(text, "http://", 7) != 0)
		return -EINVAL;
	host = text + (is_https ? 8 : 7);
	path = host + strcspn(host, "/");
	if (*host == '[') {
		end = host + strcspn(host, "]");
		if (*end != ']' || end > path)
			return -EINVAL;
		end++;
	} else {
		end = host + strcspn(host, ":/");
	}
	ret_endpoint->scheme = strdup(is_https ? "https" : "http");
	ret_endpoint->host = strndup(host, (size_t)(end - host));
	ret_endpoint->path = strdup(path);
	if (!ret_endpoint->scheme || !ret_endpoint->host || !ret_endpoint->path)
		return -ENOMEM;
	if (*host == '[' ? !consists_of(ret_endpoint->host, LOWER_DIGITS UPPER ":.[]")
			 : !consists_of(ret_endpoint->host, LOWER_DIGITS UPPER ".-_"))
		return -EINVAL;
	for (char *p = ret_endpoint->host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	for (size_t n = strlen(ret_endpoint->path); n && ret_endpoint->path[n - 1] == '/'; n--)
		ret_endpoint->path[n - 1] = '\0';
	if (*ret_endpoint->path && !consists_of(ret_endpoint->path, LOWER_DIGITS UPPER "/._~-"))
		return -EINVAL;
	if (end < path && *end != ':')
		return -EINVAL;
	{
		cleanup_free char *port = strndup(end, (size_t)(path - end));

		return port ? take_port(port, is_https, &ret_endpoint->port) : -ENOMEM;
	}
}

/* The endpoint of AWS for a region. */
static int endpoint_of_aws(const char *region, struct endpoint *ret_endpoint)
{
	if (asprintf(&ret_endpoint->host, "s3.%s.amazonaws.com%s", region,
		     strncmp(region, "cn-", 3) == 0 ? ".cn" : "") < 0)
		ret_endpoint->host = NULL;
	ret_endpoint->scheme = strdup("https");
	ret_endpoint->port = strdup("");
	ret_endpoint->path = strdup("");
	return ret_endpoint->host && ret_endpoint->scheme && ret_endpoint->port &&
			       ret_endpoint->path
		       ? 0
		       : -ENOMEM;
}

static int set_place(struct s3_client *client, const struct s3_settings *settings)
{
	cleanup_endpoint struct endpoint e = { NULL, NULL, NULL, NULL };
	const char *bucket = settings->bucket;
	bool in_path;
	int err;

	if (is_empty(bucket) || !bucket_is_valid(bucket) ||
	    !consists_of(client->region, LOWER_DIGITS UPPER "-_"))
		return -EINVAL;
	err = is_empty(settings->endpoint) ? endpoint_of_aws(client->region, &e)
					   : endpoint_parse(settings->endpoint, &e);
	if (err)
		return err;
	in_path = settings->path_style || !bucket_fits_host_name(bucket) ||
		  !host_has_subdomains(e.host);
	client->scheme = steal_pointer(&e.scheme);
	if (asprintf(&client->host, "%s%s%s%s%s", in_path ? "" : bucket, in_path ? "" : ".", e.host,
		     *e.port ? ":" : "", e.port) < 0)
		client->host = NULL;
	if (asprintf(&client->base_path, "%s%s%s", e.path, in_path ? "/" : "",
		     in_path ? bucket : "") < 0)
		client->base_path = NULL;
	return client->host && client->base_path ? 0 : -ENOMEM;
}

/* ---- new, free ---- */

/* NULL stays NULL, and so does "". */
static int copy_string(const char *s, char **ret_copy)
{
	*ret_copy = is_empty(s) ? NULL : strdup(s);
	return is_empty(s) || *ret_copy ? 0 : -ENOMEM;
}

static bool is_header_safe(const char *s)
{
	return !s || !s[strcspn(s, "\r\n")];
}

static int copy_settings(struct s3_client *client, const struct s3_settings *s)
{
	client->encryption = s->encryption;
	client->allow_plain_http = s->allow_plain_http;
	client->total_timeout_msecs =
		s->total_timeout_msecs ? s->total_timeout_msecs : TOTAL_DEFAULT_MSECS;
	client->cancel = s->cancel;
	if (!is_header_safe(s->kms_key_id) || !is_header_safe(s->storage_class))
		return -EINVAL;
	if (s->credentials) {
		client->source = aws_source_ref(s->credentials);
	} else {
		int err = aws_credentials_set(&client->fixed, s->access_key, s->secret_key,
					      s->session_token, "");

		if (err)
			return err;
	}
	if (copy_string(s->bucket, &client->bucket) ||
	    copy_string(s->kms_key_id, &client->kms_key_id) ||
	    copy_string(s->storage_class, &client->storage_class) ||
	    copy_string(s->ca_file, &client->ca_file) ||
	    copy_string(is_empty(s->region) ? "us-east-1" : s->region, &client->region))
		return -ENOMEM;
	return set_place(client, s);
}

int s3_client_new(struct http *http, const struct s3_settings *settings,
		  struct s3_client **ret_client)
{
	struct s3_client *client = calloc(1, sizeof *client);
	int err;

	if (!client)
		return -ENOMEM;
	client->http = http;
	atomic_init(&client->clock_offset_secs, 0);
	atomic_init(&client->knows_no_checksum_mode, false);
	err = copy_settings(client, settings);
	if (err) {
		s3_client_free(client);
		return err;
	}
	*ret_client = client;
	return 0;
}

void s3_client_free(struct s3_client *client)
{
	if (!client)
		return;
	free(client->scheme);
	free(client->host);
	free(client->base_path);
	free(client->bucket);
	free(client->region);
	aws_credentials_release(&client->fixed);
	aws_source_unref(client->source);
	free(client->kms_key_id);
	free(client->storage_class);
	free(client->ca_file);
	free(client);
}

int s3_client_credentials(const struct s3_client *client, struct aws_credentials *ret_credentials,
			  struct remote_error *ret_error)
{
	const struct aws_credentials *fixed = &client->fixed;

	if (client->source)
		return aws_source_credentials(client->source, client->cancel, ret_credentials,
					      ret_error);
	remote_error_clear(ret_error);
	if (aws_credentials_set(ret_credentials, fixed->access_key, fixed->secret_key,
				fixed->session_token, ""))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	return 0;
}

bool s3_client_keys_are_due(const struct s3_client *client)
{
	cleanup_credentials struct aws_credentials keys = { .access_key = NULL };
	bool is_due = false;

	return client->source && aws_source_peek(client->source, &keys, &is_due) == 0 && is_due;
}

bool s3_client_distrust_keys(struct s3_client *client)
{
	cleanup_credentials struct aws_credentials refused = { .access_key = NULL };
	bool is_due;

	if (!client->source)
		return false;
	if (aws_source_peek(client->source, &refused, &is_due) == 0)
		aws_source_distrust(client->source, &refused);
	return true;
}

bool s3_keys_are_refused(const struct remote_error *error)
{
	static const char *const codes[] = { "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
					     "InvalidAccessKeyId" };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i], error->code) == 0)
			return true;
	return false;
}

void s3_client_set_gate(struct s3_client *client, const struct remote_gate *gate)
{
	client->gate = *gate;
}
