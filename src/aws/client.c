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

static int parse_endpoint(const char *text, struct http_url *ret_url)
{
	int err = http_url_parse(text, ret_url);

	if (err)
		return err;
	for (size_t n = strlen(ret_url->path); n && ret_url->path[n - 1] == '/'; n--)
		ret_url->path[n - 1] = '\0';
	/* An IPv6 address is valid if curl takes it; any other host is put into a header. */
	if (strpbrk(text, "?#") ||
	    (*ret_url->host != '[' && !consists_of(ret_url->host, LOWER_DIGITS ".-_")) ||
	    (*ret_url->path && !consists_of(ret_url->path, LOWER_DIGITS UPPER "/._~-")))
		return -EINVAL;
	return 0;
}

static int set_place(struct s3_client *client, const struct s3_settings *settings)
{
	cleanup_http_url struct http_url url = HTTP_URL_INIT;
	cleanup_free char *of_aws = NULL;
	const char *bucket = settings->bucket;
	char port[8] = "";
	bool in_path;
	int err;

	if (is_empty(bucket) || !bucket_is_valid(bucket) ||
	    !consists_of(client->region, LOWER_DIGITS UPPER "-_"))
		return -EINVAL;
	if (asprintf(&of_aws, "https://s3.%s.amazonaws.com%s", client->region,
		     strncmp(client->region, "cn-", 3) == 0 ? ".cn" : "") < 0) {
		of_aws = NULL;
		return -ENOMEM;
	}
	err = parse_endpoint(is_empty(settings->endpoint) ? of_aws : settings->endpoint, &url);
	if (err)
		return err;
	in_path = settings->path_style || !bucket_fits_host_name(bucket) ||
		  !host_has_subdomains(url.host);
	client->scheme = url.is_https ? "https" : "http";
	if (url.port != (url.is_https ? 443 : 80))
		snprintf(port, sizeof port, ":%u", url.port);
	if (asprintf(&client->host, "%s%s%s%s", in_path ? "" : bucket, in_path ? "" : ".", url.host,
		     port) < 0)
		client->host = NULL;
	if (asprintf(&client->base_path, "%s%s%s", url.path, in_path ? "/" : "",
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
