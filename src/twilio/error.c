/* Error answers: JSON, XML (for media without an extension), or the HTML of a proxy. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/twilio-private.h"
#include "util/cleanup.h"
#include "util/xml.h"

#define CODE_FILE_IS_MONO 16113
#define CODE_UNFINISHED 20009 /* "cannot delete this resource before it is complete" */
#define CODE_STILL_PROCESSING 21501
#define CODE_TOO_MANY_REQUESTS 20429

/* ---- JSON ---- */

static int parse_json(const char *body, size_t len, int *ret_code, struct buf *ret_message)
{
	json_t *root = json_loadb(body, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	const json_t *code;
	const char *message;

	if (!json_is_object(root)) {
		json_decref(root);
		return -EINVAL;
	}
	code = json_object_get(root, "code");
	if (json_is_number(code) && json_number_value(code) > 0 && json_number_value(code) < 1e6)
		*ret_code = (int)json_number_value(code);
	else if (json_is_string(code))
		*ret_code = atoi(json_string_value(code));
	message = json_string_value(json_object_get(root, "message"));
	if (message)
		buf_add_str(ret_message, message);
	json_decref(root);
	return 0;
}

/* ---- XML: <TwilioResponse><RestException><Code>20404</Code><Message>… ---- */

struct xml_answer {
	int code;
	struct buf *message;
};

static int on_element(void *arg, const char *path, const char *text)
{
	struct xml_answer *answer = arg;

	if (strcmp(path, "TwilioResponse/RestException/Code") == 0)
		answer->code = atoi(text);
	else if (strcmp(path, "TwilioResponse/RestException/Message") == 0)
		buf_add_str(answer->message, text);
	return 0;
}

static int parse_xml(const char *body, size_t len, int *ret_code, struct buf *ret_message)
{
	struct xml_answer answer = { .message = ret_message };

	/* A body that was cut off still says its code. */
	xml_parse(body, len, on_element, &answer, NULL);
	*ret_code = answer.code;
	return answer.code ? 0 : -EINVAL;
}

int twilio_error_body_parse(const char *body, size_t body_len, int *ret_code,
			    struct buf *ret_message)
{
	*ret_code = 0;
	while (body_len && isspace((unsigned char)*body))
		body++, body_len--;
	if (!body_len)
		return -EINVAL;
	if (body_len > TWILIO_ERROR_BODY_LIMIT)
		body_len = TWILIO_ERROR_BODY_LIMIT;
	if (*body == '{')
		return parse_json(body, body_len, ret_code, ret_message);
	return parse_xml(body, body_len, ret_code, ret_message);
}

void twilio_scrub(const char *text, char *ret_text, size_t size)
{
	size_t out = 0;

	while (*text && out + 4 < size) {
		size_t word = 0, digits = 0;

		while (isalnum((unsigned char)text[word])) {
			digits += isdigit((unsigned char)text[word]) ? 1 : 0;
			word++;
		}
		if (!word) {
			ret_text[out++] = isprint((unsigned char)*text) ? *text : ' ';
			text++;
		} else if (digits >= 4) {
			memcpy(ret_text + out, "***", 3);
			out += 3;
			text += word;
		} else {
			for (; word && out + 4 < size; word--, text++)
				ret_text[out++] = isdigit((unsigned char)*text) ? '#' : *text;
			if (word)
				break;
		}
	}
	ret_text[out] = '\0';
}

static const struct {
	int status;
	enum remote_kind kind;
	int error;
} statuses[] = {
	{ 401, REMOTE_REJECTED, -EACCES },     { 403, REMOTE_REJECTED, -EACCES },
	{ 404, REMOTE_NOT_FOUND, -ENOENT },    { 408, REMOTE_TRANSIENT, -ETIMEDOUT },
	{ 409, REMOTE_BUSY, -EBUSY },          { 410, REMOTE_NOT_FOUND, -ENOENT },
	{ 429, REMOTE_BUSY, -EBUSY },          { 503, REMOTE_BUSY, -EBUSY },
	{ 504, REMOTE_TRANSIENT, -ETIMEDOUT },
};

/* The kind of a failure, by the status and the code of Twilio. */
static enum remote_kind judge_kind(int status, int code, int *ret_err)
{
	if (code == CODE_TOO_MANY_REQUESTS || code == CODE_STILL_PROCESSING ||
	    code == CODE_UNFINISHED) {
		*ret_err = -EBUSY;
		return REMOTE_BUSY;
	}
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status) {
			*ret_err = statuses[i].error;
			return statuses[i].kind;
		}
	*ret_err = -EIO;
	if (status >= 500)
		return REMOTE_TRANSIENT;
	/* Else too many redirects, or a status that makes no sense here. */
	return status >= 400 ? REMOTE_REJECTED : REMOTE_INVALID;
}

void twilio_judge(int status, int64_t retry_after_msecs, const char *body, size_t body_len,
		  struct remote_error *ret_error)
{
	struct buf message = BUF_INIT;
	char scrubbed[96];
	enum remote_kind kind;
	int code = 0, err;

	remote_error_clear(ret_error);
	ret_error->status = status;
	if (status >= 200 && status < 300)
		return;

	if (twilio_error_body_parse(body, body_len, &code, &message) < 0)
		buf_reset(&message);
	twilio_scrub(buf_str(&message), scrubbed, sizeof scrubbed);
	buf_release(&message);
	kind = judge_kind(status, code, &err);
	if (status == 401)
		remote_error_set(ret_error, kind, err,
				 "Twilio rejected the credentials (HTTP 401, error %d)", code);
	else if (code == CODE_FILE_IS_MONO)
		remote_error_set(ret_error, kind, err,
				 "Twilio: the recording has one channel only");
	else if (code)
		remote_error_set(ret_error, kind, err, "Twilio: HTTP %d, error %d: %s", status,
				 code, scrubbed);
	else
		remote_error_set(ret_error, kind, err, "Twilio: HTTP %d", status);
	ret_error->status = status;
	ret_error->twilio_code = code;
	ret_error->retry_after_msecs = retry_after_msecs;
}
