/* Judges answers to reads: no page, other range or other object is taken for a recording. */
#include "audio/answer.h"

#include <errno.h>
#include <string.h>

#include "twilio/twilio.h"
#include "util/cleanup.h"

#define ERROR_BODY_BYTES 8192

static void reject(struct audio_answer *a, const char *why)
{
	remote_error_set(&a->judged, REMOTE_INVALID, -EIO, "%s", why);
}

/* ---- errors ---- */

static void keep_head(struct audio_answer *a, const struct http_response *response)
{
	static const char *const names[] = { "Content-Type", "Retry-After", "Date", "Server" };

	a->is_error = true;
	a->error_head = (struct http_response){ .status = response->status,
						.content_length = -1,
						.headers = a->headers };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = http_response_header(response, names[i]);

		if (!value || !*value)
			continue;
		snprintf(a->values[i], sizeof a->values[i], "%s", value);
		a->headers[a->error_head.header_count++] =
			(struct http_header){ names[i], a->values[i] };
	}
}

bool audio_answer_take_error(struct audio_answer *a, const void *bytes, size_t n)
{
	size_t room = ERROR_BODY_BYTES - a->body.len;

	buf_add(&a->body, bytes, n < room ? n : room);
	return n < room;
}

void audio_answer_judge_error(const struct audio_answer *a, struct remote_error *ret_error)
{
	const struct http_response *head = &a->error_head;

	if (a->from == AUDIO_FROM_S3)
		s3_judge(head, buf_str(&a->body), a->body.len, ret_error);
	else
		twilio_judge_media(head, a->is_encrypted, buf_str(&a->body), a->body.len,
				   ret_error);
	/* Other statuses, such as 3xx, bring no bytes of the recording either. A 416 is a wrong
	 * answer, because the requested range is within the size. */
	if (ret_error->kind == REMOTE_OK || head->status == 416)
		remote_error_set(ret_error, REMOTE_INVALID, -EIO, "HTTP %d in answer to a read",
				 head->status);
}

/* ---- heads ---- */

static void judge_length(struct audio_answer *a, const struct http_response *response)
{
	int64_t first = 0, last = -1, total = -1;

	a->is_length_known = response->content_length >= 0;
	if (response->status != 206) {
		/* Some servers do not know ranges, and send the whole recording. */
		a->skip_bytes = a->start_bytes;
		a->last_end_bytes = a->size_bytes;
		if (a->is_length_known && response->content_length != a->size_bytes)
			reject(a, "the size differs from the known one");
		return;
	}
	if (http_response_content_range(response, &first, &last, &total) < 0 ||
	    first != a->start_bytes || last >= a->end_bytes)
		reject(a, "the range differs from the request");
	else if ((total >= 0 && total != a->size_bytes) || last >= a->size_bytes)
		reject(a, "the size differs from the known one");
	else if (a->is_length_known && response->content_length != last + 1 - first)
		reject(a, "the length does not match the range");
	a->last_end_bytes = last + 1;
}

/* Content types of proxies' pages and of S3's errors; recordings are not stored under them. */
static bool is_page(const struct http_response *response)
{
	const char *type = http_response_header(response, "Content-Type");

	return type &&
	       (strcasestr(type, "html") || strcasestr(type, "xml") || strcasestr(type, "json"));
}

static void judge_s3_head(struct audio_answer *a, const struct http_response *response)
{
	struct s3_object object;

	s3_judge(response, NULL, 0, &a->judged);
	s3_object_from_response(response, &object);
	/* For servers that ignore If-Match. */
	if (a->judged.kind == REMOTE_OK && a->etag[0] && object.etag[0] &&
	    strcmp(a->etag, object.etag) != 0)
		remote_error_set(&a->judged, REMOTE_REJECTED, -ESTALE, "another object");
	if (a->judged.kind == REMOTE_OK && is_page(response))
		reject(a, "a page instead of a recording");
}

void audio_answer_take_head(struct audio_answer *a, const struct http_response *response)
{
	if (response->status != 200 && response->status != 206) {
		keep_head(a, response);
		return;
	}
	if (a->from == AUDIO_FROM_TWILIO)
		twilio_judge_media(response, a->is_encrypted, NULL, 0, &a->judged);
	else
		judge_s3_head(a, response);
	if (a->judged.kind == REMOTE_OK)
		judge_length(a, response);
	a->is_head_good = a->judged.kind == REMOTE_OK;
}

/* ---- the file's first bytes ---- */

static bool is_wave(const char *bytes)
{
	return memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WAVE", 4) == 0;
}

size_t audio_answer_take_start(struct audio_answer *a, const char *bytes, size_t n)
{
	size_t part = AUDIO_MAGIC_BYTES - a->start_len;

	if (part > n)
		part = n;
	memcpy(a->start + a->start_len, bytes, part);
	a->start_len += part;
	if (a->start_len == AUDIO_MAGIC_BYTES && !is_wave(a->start))
		reject(a, "not a WAV file");
	return part;
}
