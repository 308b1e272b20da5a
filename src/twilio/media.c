/* Media requests, and judging their answers before a byte of them is trusted. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "twilio/twilio-private.h"
#include "twilio/wav.h"
#include "util/cleanup.h"
#include "util/secret.h"

#define MAX_REDIRECTS 3

/* ---- the request ---- */

struct twilio_request_memory {
	char *url;
	char *authorization;
	char *if_match;
	char range[64];
	struct http_header headers[4];
};

void twilio_request_memory_free(struct twilio_request_memory *memory)
{
	if (!memory)
		return;
	secret_free(memory->authorization);
	free(memory->url);
	free(memory->if_match);
	free(memory);
}

void twilio_request_memory_freep(struct twilio_request_memory **memory)
{
	twilio_request_memory_free(*memory);
}

static char *media_url(const struct twilio_client *client, const struct sid *sid, int channels)
{
	struct buf url = BUF_INIT;
	char text[SID_SIZE];

	sid_format(sid, "RE", text);
	twilio_url_account(client, &url);
	buf_addf(&url, "Recordings/%s.wav%s", text, channels == 1 ? "" : "?RequestedChannels=2");
	return buf_detach(&url);
}

static char *quote_etag(const char *etag)
{
	struct buf quoted = BUF_INIT;

	buf_addf(&quoted, *etag == '"' ? "%s" : "\"%s\"", etag);
	return buf_detach(&quoted);
}

int twilio_request_media(struct twilio_client *client, const struct sid *sid, int channels,
			 int64_t offset_bytes, int64_t length_bytes, const char *if_match,
			 struct http_request *ret_request,
			 struct twilio_request_memory **ret_memory)
{
	cleanup_twilio_request struct twilio_request_memory *memory = calloc(1, sizeof *memory);
	size_t count = 0;

	if (!memory)
		return -ENOMEM;
	if (offset_bytes < 0 || length_bytes == 0)
		return -EINVAL;
	memory->url = media_url(client, sid, channels);
	memory->authorization = secret_dup(client->authorization);
	if (!memory->url || !memory->authorization)
		return -ENOMEM;
	memory->headers[count++] = (struct http_header){ "Authorization", memory->authorization };
	memory->headers[count++] = (struct http_header){ "Accept", "*/*" };
	if (offset_bytes > 0 || length_bytes > 0) {
		int n = snprintf(memory->range, sizeof memory->range, "bytes=%" PRId64 "-",
				 offset_bytes);

		if (length_bytes > 0)
			snprintf(memory->range + n, sizeof memory->range - (size_t)n, "%" PRId64,
				 offset_bytes + length_bytes - 1);
		memory->headers[count++] = (struct http_header){ "Range", memory->range };
	}
	if (if_match && *if_match) {
		memory->if_match = quote_etag(if_match);
		if (!memory->if_match)
			return -ENOMEM;
		memory->headers[count++] = (struct http_header){ "If-Match", memory->if_match };
	}
	*ret_request = (struct http_request){
		.method = HTTP_GET,
		.url = memory->url,
		.headers = memory->headers,
		.header_count = count,
		.total_timeout_msecs = client->total_timeout_msecs,
		.max_redirects = MAX_REDIRECTS,
		.allow_plain_http = client->allow_plain_http,
	};
	*ret_memory = steal_pointer(&memory);
	return 0;
}

/* ---- the answer ---- */

void twilio_etag_copy(const char *header, char *ret_etag, size_t size)
{
	size_t len = header ? strlen(header) : 0;

	ret_etag[0] = '\0';
	/* A weak ETag promises nothing about bytes. */
	if (len < 2 || header[0] != '"' || header[len - 1] != '"' || len - 2 >= size)
		return;
	memcpy(ret_etag, header + 1, len - 2);
	ret_etag[len - 2] = '\0';
}

static bool type_is_wave(const char *type)
{
	static const char *const types[] = { "audio/x-wav", "audio/wav", "audio/wave",
					     "audio/vnd.wave", "audio/x-pn-wav" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcasecmp(types[i], type) == 0)
			return true;
	return false;
}

/* The types of error pages. Ciphertext may have any other type. */
static bool type_is_text(const char *type)
{
	return !*type || strncasecmp(type, "text/", 5) == 0 || strcasestr(type, "json") ||
	       strcasestr(type, "xml") || strcasestr(type, "html");
}

/* An answer of an audio type is text all the same. Ciphertext begins so once in 2^32 at most. */
static bool is_error_page(const char *body, size_t body_len)
{
	static const char *const starts[] = { "<?xml", "<!doctype", "<html", "<twilioresponse",
					      "{\"code\"" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		size_t len = strlen(starts[i]);

		if (body_len >= len && strncasecmp(body, starts[i], len) == 0)
			return true;
	}
	return false;
}

/* The body begins with the first byte of the file. */
static bool is_start(const struct http_response *response)
{
	int64_t first, last, total;

	return response->status == 200 ||
	       (http_response_content_range(response, &first, &last, &total) == 0 && first == 0);
}

void twilio_judge_media(const struct http_response *response, bool is_encrypted, const char *body,
			size_t body_len, struct remote_error *ret_error)
{
	const char *header = http_response_header(response, "Content-Type");
	struct wav_info info;
	char type[64];

	if (response->status != 200 && response->status != 206) {
		twilio_judge(response->status, http_response_retry_after_msecs(response), body,
			     body_len, ret_error);
		if (ret_error->kind == REMOTE_OK)
			twilio_invalid(ret_error,
				       "Twilio: HTTP %d in answer to a request for media",
				       response->status);
		return;
	}
	remote_error_clear(ret_error);
	ret_error->status = response->status;
	/* Without parameters. */
	snprintf(type, sizeof type, "%.*s", header ? (int)strcspn(header, "; ") : 0,
		 header ? header : "");
	if (is_encrypted ? type_is_text(type) : !type_is_wave(type))
		twilio_invalid(ret_error,
			       "Twilio: an answer of type \"%.60s\" instead of a recording", type);
	else if (body_len && is_start(response) &&
		 (is_encrypted ? is_error_page(body, body_len)
			       : wav_parse(body, body_len, &info) == -EINVAL))
		twilio_invalid(ret_error, "Twilio: an answer of an audio type that is %s",
			       is_encrypted ? "an error page" : "not a WAV file");
}
