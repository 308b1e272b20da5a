/*
 * Lists and resources as JSON. Whatever a field's type is, it is taken for what it can mean, else
 * for null: only a page without its array, or an element without its SID, is an error.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/twilio-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* Numbers as doubles: one too long for 64 bits, in a field that nobody reads, must not cost a page.
 */
#define LOAD_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

/* ---- what strict parsers refuse: half a surrogate pair, bytes that are no UTF-8 ---- */

static int hex4(const char *s, const char *end)
{
	int value = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = s[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if (c >= 'a' && c <= 'f')
			value |= c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value |= c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

/* Length of the well-formed UTF-8 sequence at s, 0 for none. */
static size_t utf8_length(const unsigned char *s, const unsigned char *end)
{
	size_t n = *s < 0x80		     ? 1
		   : *s >= 0xc2 && *s < 0xe0 ? 2
		   : (*s & 0xf0) == 0xe0     ? 3
		   : *s >= 0xf0 && *s < 0xf5 ? 4
					     : 0;

	if (!n || (size_t)(end - s) < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, and what lies above U+10FFFF */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static char *repair(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	char *s = copy, *end;

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	end = copy + len;
	while (s < end) {
		size_t n;
		int unit;

		if (*s == '\\' && end - s >= 2 && s[1] == 'u' &&
		    (unit = hex4(s + 2, end)) >= 0xd800 && unit < 0xe000) {
			int low = end - s >= 12 && s[6] == '\\' && s[7] == 'u' ? hex4(s + 8, end)
									       : -1;

			if (unit < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
				s += 12;
			} else {
				memcpy(s + 2, "fffd", 4);
				s += 6;
			}
			continue;
		}
		if (*s == '\\' && end - s >= 2) {
			s += 1;
			if (*(unsigned char *)s < 0x80)
				s++;
			continue;
		}
		n = utf8_length((const unsigned char *)s, (const unsigned char *)end);
		if (!n) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
	return copy;
}

static json_t *load(const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, LOAD_FLAGS, NULL);

	if (!root) {
		cleanup_free char *repaired = repair(text, len);

		if (repaired)
			root = json_loadb(repaired, len, LOAD_FLAGS, NULL);
	}
	return root;
}

/* ---- fields ---- */

static const char *get_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* -1 where null, out of range or no number. */
static int64_t get_number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_number(value)) {
		double number = json_number_value(value);

		return number >= 0 && number <= (double)(INT64_C(1) << 53) ? (int64_t)number : -1;
	}
	if (json_is_string(value)) {
		const char *text = json_string_value(value);
		long long number;
		char *end;

		errno = 0;
		number = strtoll(text, &end, 10);
		/* "4.0" is 4 */
		if (end == text || (*end && *end != '.') || errno || number < 0)
			return -1;
		return number;
	}
	return -1;
}

static int get_small(const json_t *object, const char *name)
{
	int64_t number = get_number(object, name);

	return number > INT_MAX ? -1 : (int)number;
}

static int64_t get_time(const json_t *object, const char *name)
{
	const char *text = get_text(object, name);
	int64_t secs;

	if (!*text)
		return 0;
	if (time_parse_rfc2822(text, &secs) == 0 || time_parse_iso8601(text, &secs) == 0)
		return secs;
	return 0;
}

static struct sid get_sid(const json_t *object, const char *name, const char prefix[2])
{
	struct sid sid;

	if (sid_parse(get_text(object, name), prefix, &sid) < 0)
		return (struct sid){ { 0 } };
	return sid;
}

/* ---- recordings ---- */

static const struct {
	const char *name;
	enum twilio_recording_status status;
} statuses[] = {
	{ "completed", TWILIO_RECORDING_COMPLETED },
	{ "in-progress", TWILIO_RECORDING_IN_PROGRESS },
	{ "paused", TWILIO_RECORDING_PAUSED },
	{ "stopped", TWILIO_RECORDING_STOPPED },
	{ "processing", TWILIO_RECORDING_PROCESSING },
	{ "absent", TWILIO_RECORDING_ABSENT },
	{ "deleted", TWILIO_RECORDING_DELETED },
	{ "failed", TWILIO_RECORDING_FAILED },
};

static enum twilio_recording_status status_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (strcmp(statuses[i].name, name) == 0)
			return statuses[i].status;
	}
	return TWILIO_RECORDING_UNKNOWN;
}

const char *twilio_recording_status_name(enum twilio_recording_status status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].name;
	}
	return "unknown";
}

static void take_encryption(const json_t *details, struct twilio_recording *recording)
{
	recording->encryption_key_sid = get_text(details, "encryption_public_key_sid");
	if (!*recording->encryption_key_sid) /* as the public documentation's example has it */
		recording->encryption_key_sid = get_text(details, "public_key_sid");
	recording->encryption_cek = get_text(details, "encryption_cek");
	if (!*recording->encryption_cek)
		recording->encryption_cek = get_text(details, "encrypted_cek");
	recording->encryption_iv = get_text(details, "encryption_iv");
	if (!*recording->encryption_iv)
		recording->encryption_iv = get_text(details, "iv");
	/* An empty object says as much as null. */
	recording->is_encrypted = json_object_size(details) > 0;
}

static int take_recording(const json_t *object, struct twilio_recording *recording)
{
	if (sid_parse(get_text(object, "sid"), "RE", &recording->sid) < 0)
		return -EINVAL;
	recording->call_sid = get_sid(object, "call_sid", "CA");
	recording->conference_sid = get_sid(object, "conference_sid", "CF");
	recording->status = status_parse(get_text(object, "status"));
	recording->source = get_text(object, "source");
	recording->date_created_secs = get_time(object, "date_created");
	recording->date_updated_secs = get_time(object, "date_updated");
	recording->start_time_secs = get_time(object, "start_time");
	recording->duration_secs = get_number(object, "duration");
	recording->channels = get_small(object, "channels");
	recording->error_code = get_small(object, "error_code");
	recording->media_url = get_text(object, "media_url");
	take_encryption(json_object_get(object, "encryption_details"), recording);
	return 0;
}

/* ---- calls ---- */

static int take_call(const json_t *object, struct twilio_call *call)
{
	if (sid_parse(get_text(object, "sid"), "CA", &call->sid) < 0)
		return -EINVAL;
	call->parent_call_sid = get_sid(object, "parent_call_sid", "CA");
	call->from = get_text(object, "from");
	call->to = get_text(object, "to");
	call->direction = get_text(object, "direction");
	call->status = get_text(object, "status");
	call->phone_number_sid = get_text(object, "phone_number_sid");
	call->caller_name = get_text(object, "caller_name");
	call->start_time_secs = get_time(object, "start_time");
	call->end_time_secs = get_time(object, "end_time");
	call->date_created_secs = get_time(object, "date_created");
	call->date_updated_secs = get_time(object, "date_updated");
	call->duration_secs = get_number(object, "duration");
	return 0;
}

bool twilio_call_is_finished(const char *status)
{
	static const char *const finished[] = { "completed", "no-answer", "busy", "failed",
						"canceled" };

	for (size_t i = 0; i < ARRAY_SIZE(finished); i++) {
		if (strcmp(finished[i], status) == 0)
			return true;
	}
	return false;
}

/* ---- pages ---- */

static int reserve(struct twilio_page *page, enum twilio_list_kind kind, size_t count)
{
	/* calloc(0) may give NULL */
	if (kind == TWILIO_LIST_RECORDINGS)
		page->recordings = calloc(count + 1, sizeof *page->recordings);
	else
		page->calls = calloc(count + 1, sizeof *page->calls);
	return page->recordings || page->calls ? 0 : -ENOMEM;
}

static void take(struct twilio_page *page, const json_t *element)
{
	int rc;

	if (page->recordings)
		rc = take_recording(element, &page->recordings[page->count]);
	else
		rc = take_call(element, &page->calls[page->count]);
	if (rc < 0)
		page->skipped++;
	else
		page->count++;
}

int twilio_page_parse(const char *text, size_t len, enum twilio_list_kind kind,
		      struct twilio_page *ret_page)
{
	const json_t *array, *next;
	size_t size;

	*ret_page = (struct twilio_page)TWILIO_PAGE_INIT;
	ret_page->root = load(text, len);
	array = json_object_get(ret_page->root, kind == TWILIO_LIST_CALLS ? "calls" : "recordings");
	if (!json_is_array(array))
		return -EIO;
	next = json_object_get(ret_page->root, "next_page_uri");
	/* Taking an odd one for the end would hide whatever comes behind it. */
	if (next && !json_is_null(next) && !json_is_string(next))
		return -EIO;
	ret_page->next_page_uri = json_string_value(next);
	if (ret_page->next_page_uri && !*ret_page->next_page_uri)
		ret_page->next_page_uri = NULL;

	size = json_array_size(array);
	if (reserve(ret_page, kind, size) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		take(ret_page, json_array_get(array, i));
	return 0;
}

int twilio_resource_parse(const char *text, size_t len, enum twilio_list_kind kind,
			  struct twilio_page *ret_page)
{
	*ret_page = (struct twilio_page)TWILIO_PAGE_INIT;
	ret_page->root = load(text, len);
	if (reserve(ret_page, kind, 1) < 0)
		return -ENOMEM;
	take(ret_page, ret_page->root);
	return ret_page->count == 1 ? 0 : -EIO;
}

void twilio_page_release(struct twilio_page *page)
{
	free(page->recordings);
	free(page->calls);
	json_decref(page->root);
	*page = (struct twilio_page)TWILIO_PAGE_INIT;
}
