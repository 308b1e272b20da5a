/* Errors as Twilio tells them: JSON, XML where media is asked for without an extension, or a
 * proxy's HTML. */
#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/twilio-private.h"

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

struct xml_walk {
	XML_Parser parser;
	unsigned depth;
	bool is_twilio, is_exception, in_code, in_message;
	struct buf code;
	struct buf *message;
};

static void on_element(void *arg, const char *name, const char **attributes)
{
	struct xml_walk *walk = arg;

	(void)attributes;
	walk->depth++;
	if (walk->depth == 1)
		walk->is_twilio = strcmp(name, "TwilioResponse") == 0;
	else if (walk->depth == 2)
		walk->is_exception = walk->is_twilio && strcmp(name, "RestException") == 0;
	walk->in_code = walk->depth == 3 && walk->is_exception && strcmp(name, "Code") == 0;
	walk->in_message = walk->depth == 3 && walk->is_exception && strcmp(name, "Message") == 0;
}

static void on_element_end(void *arg, const char *name)
{
	struct xml_walk *walk = arg;

	(void)name;
	walk->depth--;
	walk->in_code = walk->in_message = false;
}

static void on_text(void *arg, const char *text, int len)
{
	struct xml_walk *walk = arg;

	if (walk->in_code)
		buf_add(&walk->code, text, (size_t)len);
	if (walk->in_message)
		buf_add(walk->message, text, (size_t)len);
}

/* An error page needs no document type; entities could only do harm. */
static void on_doctype(void *arg, const char *name, const char *system, const char *public,
		       int has_internal_subset)
{
	struct xml_walk *walk = arg;

	(void)name, (void)system, (void)public, (void)has_internal_subset;
	XML_StopParser(walk->parser, XML_FALSE);
}

static int parse_xml(const char *body, size_t len, int *ret_code, struct buf *ret_message)
{
	struct xml_walk walk = { .code = BUF_INIT, .message = ret_message };
	int rc = -EINVAL;

	walk.parser = XML_ParserCreate(NULL);
	if (!walk.parser)
		return -ENOMEM;
	XML_SetUserData(walk.parser, &walk);
	XML_SetElementHandler(walk.parser, on_element, on_element_end);
	XML_SetCharacterDataHandler(walk.parser, on_text);
	XML_SetStartDoctypeDeclHandler(walk.parser, on_doctype);
	/* A body that was cut off still says its code. */
	XML_Parse(walk.parser, body, (int)len, 1);
	XML_ParserFree(walk.parser);
	if (walk.code.len) {
		*ret_code = atoi(buf_str(&walk.code));
		rc = 0;
	}
	buf_release(&walk.code);
	return rc;
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

/* What may be done next, by status and Twilio's own code. */
static enum remote_kind judge_kind(int status, int code, int *ret_error)
{
	if (code == CODE_TOO_MANY_REQUESTS || code == CODE_STILL_PROCESSING ||
	    code == CODE_UNFINISHED) {
		*ret_error = -EBUSY;
		return REMOTE_BUSY;
	}
	switch (status) {
	case 401:
	case 403:
		*ret_error = -EACCES;
		return REMOTE_REJECTED;
	case 404:
	case 410:
		*ret_error = -ENOENT;
		return REMOTE_NOT_FOUND;
	case 408:
	case 504:
		*ret_error = -ETIMEDOUT;
		return REMOTE_TRANSIENT;
	case 409:
	case 429:
	case 503:
		*ret_error = -EBUSY;
		return REMOTE_BUSY;
	}
	*ret_error = -EIO;
	if (status >= 500)
		return REMOTE_TRANSIENT;
	if (status >= 400)
		return REMOTE_REJECTED;
	/* A redirect too many, or no HTTP that makes sense here. */
	return REMOTE_INVALID;
}

void twilio_judge(int status, int64_t retry_after_msecs, const char *body, size_t body_len,
		  struct remote_error *ret_error)
{
	struct buf message = BUF_INIT;
	char scrubbed[96];
	enum remote_kind kind;
	int code = 0, error;

	remote_error_clear(ret_error);
	ret_error->status = status;
	if (status >= 200 && status < 300)
		return;

	if (twilio_error_body_parse(body, body_len, &code, &message) < 0)
		buf_reset(&message);
	twilio_scrub(buf_str(&message), scrubbed, sizeof scrubbed);
	buf_release(&message);
	kind = judge_kind(status, code, &error);
	if (status == 401)
		remote_error_set(ret_error, kind, error,
				 "Twilio rejected the credentials (HTTP 401, error %d)", code);
	else if (code == CODE_FILE_IS_MONO)
		remote_error_set(ret_error, kind, error,
				 "Twilio: the recording has one channel only");
	else if (code)
		remote_error_set(ret_error, kind, error, "Twilio: HTTP %d, error %d: %s", status,
				 code, scrubbed);
	else
		remote_error_set(ret_error, kind, error, "Twilio: HTTP %d", status);
	ret_error->status = status;
	ret_error->twilio_code = code;
	ret_error->retry_after_msecs = retry_after_msecs;
}
