/* The client: address and credentials, one operation with its retries, the server's clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/retry.h"
#include "twilio/twilio-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/secret.h"
#include "util/times.h"

#define DEFAULT_URL "https://api.twilio.com"
#define DEFAULT_TIMEOUT_MSECS 60000
#define MAX_REDIRECTS 3
#define MAX_LIST_PAGES 10000
#define MAX_REPLY_BYTES (8u << 20) /* a page of 1,000 is about 1.5 MB, with encryption twice that */
#define BUSY_TRIES 12              /* more than for a server that cannot be reached */
#define TRIES 5

/* ---- addresses ---- */

/* RFC 3986 has no other characters, and curl would send them as they are. */
static bool is_visible_ascii(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

void twilio_url_account(const struct twilio_client *client, struct buf *url)
{
	buf_addf(url, "%s%s/2010-04-01/Accounts/%s/", client->origin, client->base_path,
		 client->account);
}

int twilio_url_next(const struct twilio_client *client, const char *next_page_uri,
		    struct buf *ret_url)
{
	const char *path = next_page_uri;
	size_t base_len = strlen(client->base_path);

	if (!is_visible_ascii(next_page_uri))
		return -EINVAL;
	if (*path != '/') {
		if (!http_url_same_origin(next_page_uri, client->origin))
			return -EINVAL;
		path = strstr(next_page_uri, "://");
		path = path ? strchr(path + strlen("://"), '/') : NULL;
	}
	/* "//host/…" names another host. */
	if (!path || path[1] == '/' || path[1] == '\\')
		return -EINVAL;
	buf_add_str(ret_url, client->origin);
	if (base_len && (strncmp(path, client->base_path, base_len) != 0 || path[base_len] != '/'))
		buf_add_str(ret_url, client->base_path);
	buf_add_str(ret_url, path);
	return buf_failed(ret_url) ? -ENOMEM : 0;
}

/* ---- life ---- */

static int authorization_new(const char *user, const char *secret, char **ret_authorization)
{
	cleanup_buf_secret struct buf plain = BUF_INIT;
	size_t user_len = strlen(user), secret_len = strlen(secret);
	char *text;

	/* Reserved first: growing would leave copies of the secret behind. */
	if (buf_reserve(&plain, user_len + 1 + secret_len) < 0)
		return -ENOMEM;
	buf_addf(&plain, "%s:%s", user, secret);
	text = secret_alloc(strlen("Basic ") + CRYPTO_BASE64_SIZE(plain.len));
	if (!text)
		return -ENOMEM;
	strcpy(text, "Basic ");
	crypto_base64(plain.data, plain.len, text + strlen(text));
	*ret_authorization = text;
	return 0;
}

static int set_up(struct twilio_client *client, const struct twilio_settings *settings)
{
	const char *url =
		settings->base_url && *settings->base_url ? settings->base_url : DEFAULT_URL;
	const char *user =
		settings->user && *settings->user ? settings->user : settings->account_sid;
	cleanup_http_url struct http_url parsed = HTTP_URL_INIT;
	struct sid account;
	size_t path_len;
	int err;

	if (!settings->account_sid || !settings->secret ||
	    sid_parse(settings->account_sid, "AC", &account) < 0)
		return -EINVAL;
	/* Basic authentication ends the user name at the first colon. */
	if (strchr(user, ':') || strpbrk(url, "?#") || !is_visible_ascii(url))
		return -EINVAL;
	strcpy(client->account, settings->account_sid);
	err = http_url_parse(url, &parsed);
	if (err < 0)
		return err;
	for (path_len = strlen(parsed.path); path_len && parsed.path[path_len - 1] == '/';)
		path_len--;
	client->origin = steal_pointer(&parsed.origin);
	client->base_path = strndup(parsed.path, path_len);
	if (!client->base_path)
		return -ENOMEM;
	return authorization_new(user, settings->secret, &client->authorization);
}

int twilio_client_new(struct http *http, const struct twilio_settings *settings,
		      struct twilio_client **ret_client)
{
	struct twilio_client *client = calloc(1, sizeof *client);
	int err;

	if (!client)
		return -ENOMEM;
	client->http = http;
	client->allow_plain_http = settings->allow_plain_http;
	client->total_timeout_msecs = settings->total_timeout_msecs ? settings->total_timeout_msecs
								    : DEFAULT_TIMEOUT_MSECS;
	client->pages_limit = MAX_LIST_PAGES;
	client->cancel = settings->cancel;
	err = set_up(client, settings);
	if (err < 0) {
		twilio_client_free(client);
		return err;
	}
	*ret_client = client;
	return 0;
}

void twilio_client_free(struct twilio_client *client)
{
	if (!client)
		return;
	secret_free(client->authorization);
	free(client->origin);
	free(client->base_path);
	free(client);
}

/* ---- the clock of the server ---- */

void twilio_note_date(struct twilio_client *client, const char *date)
{
	int64_t secs;

	if (!date || time_parse_rfc2822(date, &secs) < 0)
		return;
	atomic_store(&client->clock_offset_msecs, secs * 1000 - time_now_msecs());
	atomic_store(&client->clock_known, true);
}

bool twilio_client_now(struct twilio_client *client, int64_t *ret_secs)
{
	*ret_secs = (time_now_msecs() + atomic_load(&client->clock_offset_msecs)) / 1000;
	return atomic_load(&client->clock_known);
}

/* ---- one operation ---- */

static int send_once(struct twilio_client *client, const struct http_request *request,
		     struct http_reply *ret_reply, struct remote_error *ret_error)
{
	int err = http_perform(client->http, request, MAX_REPLY_BYTES, client->cancel, ret_reply,
			       ret_error);

	if (err < 0)
		return err;
	twilio_note_date(client, http_response_header(&ret_reply->head, "Date"));
	twilio_judge(ret_reply->head.status, http_response_retry_after_msecs(&ret_reply->head),
		     ret_reply->body, ret_reply->body_len, ret_error);
	if (ret_error->kind == REMOTE_OK)
		return 0;
	http_reply_release(ret_reply);
	return ret_error->error;
}

int twilio_perform(struct twilio_client *client, enum http_method method, const char *url,
		   struct http_reply *ret_reply, struct remote_error *ret_error)
{
	struct http_header headers[] = {
		{ "Authorization", client->authorization },
		{ "Accept", "application/json" },
	};
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.header_count = ARRAY_SIZE(headers),
		/* Twilio never redirects a DELETE. */
		.max_redirects = method == HTTP_DELETE ? 0 : MAX_REDIRECTS,
		.allow_plain_http = client->allow_plain_http,
	};
	struct retry retry;

	retry_init(&retry, BUSY_TRIES, client->total_timeout_msecs);
	for (;;) {
		int64_t began, left;
		int err;

		if (client->gate.before)
			client->gate.before(client->gate.arg);
		began = time_mono_msecs();
		left = retry.deadline_msecs - began;
		request.total_timeout_msecs = left > 1 ? (unsigned)left : 1;
		err = send_once(client, &request, ret_reply, ret_error);
		if (client->gate.after)
			client->gate.after(client->gate.arg, ret_error, began);
		if (err == 0)
			return 0;
		/* The recording itself is busy: that lasts longer than a request may wait. */
		if (ret_error->kind == REMOTE_BUSY && ret_error->status != 429 &&
		    ret_error->status != 503)
			return err;
		if (ret_error->kind != REMOTE_BUSY && retry.tried + 1 >= TRIES)
			return err;
		/* A retry does no harm: a second DELETE answers 404. */
		if (!retry_wait(&retry, ret_error, true, client->cancel))
			return err;
	}
}

void twilio_client_set_gate(struct twilio_client *client, const struct remote_gate *gate)
{
	client->gate = *gate;
}
