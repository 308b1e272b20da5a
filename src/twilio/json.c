/* Lists and resources as JSON. A field of another type is converted if possible, else taken for
 * null: only a page without its array, or an element without its SID, is an error. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/scan.h"
#include "twilio/twilio-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/text.h"
#include "util/times.h"

/* Limits of text that is stored. A content key is RSA: 684 characters with a key of 4096 bits. */
#define KEY_SID_LIMIT_BYTES 63
#define CONTENT_KEY_LIMIT_BYTES 2047
#define IV_LIMIT_BYTES 127

/* ---- fields ---- */

enum field_kind {
	FIELD_TEXT,   /* const char * */
	FIELD_NUMBER, /* int64_t */
	FIELD_SMALL,  /* int */
	FIELD_TIME,   /* int64_t */
	FIELD_RE,     /* struct sid */
	FIELD_CA,
	FIELD_CF,
	FIELD_STATUS, /* enum twilio_recording_status */
	FIELD_ENCRYPTION,
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
};

#define RECORDING(name, kind, member) { name, kind, offsetof(struct twilio_recording, member) }
static const struct field recording_fields[] = {
	RECORDING("sid", FIELD_RE, sid),
	RECORDING("call_sid", FIELD_CA, call_sid),
	RECORDING("conference_sid", FIELD_CF, conference_sid),
	RECORDING("status", FIELD_STATUS, status),
	RECORDING("source", FIELD_TEXT, source),
	RECORDING("date_created", FIELD_TIME, date_created_secs),
	RECORDING("date_updated", FIELD_TIME, date_updated_secs),
	RECORDING("start_time", FIELD_TIME, start_time_secs),
	RECORDING("duration", FIELD_NUMBER, duration_secs),
	RECORDING("channels", FIELD_SMALL, channels),
	RECORDING("error_code", FIELD_SMALL, error_code),
	RECORDING("media_url", FIELD_TEXT, media_url),
	RECORDING("encryption_details", FIELD_ENCRYPTION, is_encrypted),
	{ NULL, FIELD_TEXT, 0 },
};

#define CALL(name, kind, member) { name, kind, offsetof(struct twilio_call, member) }
static const struct field call_fields[] = {
	CALL("sid", FIELD_CA, sid),
	CALL("parent_call_sid", FIELD_CA, parent_call_sid),
	CALL("from", FIELD_TEXT, from),
	CALL("to", FIELD_TEXT, to),
	CALL("direction", FIELD_TEXT, direction),
	CALL("status", FIELD_TEXT, status),
	CALL("phone_number_sid", FIELD_TEXT, phone_number_sid),
	CALL("caller_name", FIELD_TEXT, caller_name),
	CALL("start_time", FIELD_TIME, start_time_secs),
	CALL("end_time", FIELD_TIME, end_time_secs),
	CALL("date_created", FIELD_TIME, date_created_secs),
	CALL("date_updated", FIELD_TIME, date_updated_secs),
	CALL("duration", FIELD_NUMBER, duration_secs),
	{ NULL, FIELD_TEXT, 0 },
};

/* ---- values ---- */

/* Text that goes into names, tables and terminals is UTF-8 without controls. It lies in the
 * page, which may be changed. */
static const char *clean_text(const char *text)
{
	text_clean((char *)text);
	return text;
}

/* -1: null, negative, out of range or not a number. "4.0" is 4. */
static int64_t to_number(const struct scan_value *value)
{
	long long number;
	char *end;

	if (value->type != SCAN_NUMBER && value->type != SCAN_STRING)
		return -1;
	errno = 0;
	number = strtoll(value->text, &end, 10);
	if (end == value->text || errno || number < 0)
		return -1;
	if (value->type == SCAN_STRING ? *end && *end != '.' : *end == 'e' || *end == 'E')
		return -1;
	return number;
}

static int64_t to_time(const struct scan_value *value)
{
	int64_t secs;

	if (value->type != SCAN_STRING)
		return 0;
	if (time_parse_rfc2822(value->text, &secs) == 0 ||
	    time_parse_iso8601(value->text, &secs) == 0)
		return secs;
	return 0;
}

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

static enum twilio_recording_status to_status(const struct scan_value *value)
{
	for (size_t i = 0; value->type == SCAN_STRING && i < ARRAY_SIZE(statuses); i++)
		if (strcmp(statuses[i].name, value->text) == 0)
			return statuses[i].status;
	return TWILIO_RECORDING_UNKNOWN;
}

const char *twilio_recording_status_name(enum twilio_recording_status status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].name;
	return "unknown";
}

bool twilio_call_is_finished(const char *status)
{
	static const char *const finished[] = { "completed", "no-answer", "busy", "failed",
						"canceled" };

	for (size_t i = 0; i < ARRAY_SIZE(finished); i++)
		if (strcmp(finished[i], status) == 0)
			return true;
	return false;
}

/* ---- elements ---- */

static int take_encryption(struct scan *scan, struct twilio_recording *recording)
{
	bool is_first = true;
	const char *name;
	int err;

	while ((err = scan_member(scan, &is_first, &name)) > 0) {
		struct scan_value value = scan_value(scan);

		if (scan_skip(scan, value.type) < 0)
			return -EINVAL;
		/* An empty object counts as null. */
		recording->is_encrypted = true;
		if (value.type != SCAN_STRING)
			continue;
		/* The second names are those in the example of the public documentation. */
		if (strcmp(name, "encryption_public_key_sid") == 0 ||
		    strcmp(name, "public_key_sid") == 0)
			recording->encryption_key_sid = clean_text(value.text);
		else if (strcmp(name, "encryption_cek") == 0 || strcmp(name, "encrypted_cek") == 0)
			recording->encryption_cek = clean_text(value.text);
		else if (strcmp(name, "encryption_iv") == 0 || strcmp(name, "iv") == 0)
			recording->encryption_iv = clean_text(value.text);
	}
	return err;
}

static void take_sid(const struct scan_value *value, const char prefix[2], struct sid *sid)
{
	if (value->type != SCAN_STRING || sid_parse(value->text, prefix, sid) < 0)
		*sid = (struct sid){ { 0 } };
}

static void take_value(const struct scan_value *value, const struct field *field, void *element)
{
	void *member = (char *)element + field->offset;
	int64_t number = to_number(value);

	switch (field->kind) {
	case FIELD_TEXT:
		*(const char **)member = value->type == SCAN_STRING ? clean_text(value->text) : "";
		break;
	case FIELD_NUMBER:
		*(int64_t *)member = number;
		break;
	case FIELD_SMALL:
		*(int *)member = number > INT_MAX ? -1 : (int)number;
		break;
	case FIELD_TIME:
		*(int64_t *)member = to_time(value);
		break;
	case FIELD_RE:
		take_sid(value, "RE", member);
		break;
	case FIELD_CA:
		take_sid(value, "CA", member);
		break;
	case FIELD_CF:
		take_sid(value, "CF", member);
		break;
	case FIELD_STATUS:
		*(enum twilio_recording_status *)member = to_status(value);
		break;
	case FIELD_ENCRYPTION:
		break;
	}
}

static int take_field(struct scan *scan, const struct field *field, void *element)
{
	struct scan_value value = scan_value(scan);

	if (field->kind == FIELD_ENCRYPTION && value.type == SCAN_OBJECT)
		return take_encryption(scan, element);
	if (scan_skip(scan, value.type) < 0)
		return -EINVAL;
	take_value(&value, field, element);
	return 0;
}

/* Reads the members of an object whose bracket has been read. A missing one counts as null. */
static int take_members(struct scan *scan, const struct field *fields, void *element)
{
	static const struct scan_value null = { SCAN_NULL, "" };
	bool is_first = true;
	const char *name;
	int err;

	for (const struct field *field = fields; field->name; field++)
		take_value(&null, field, element);
	while ((err = scan_member(scan, &is_first, &name)) > 0) {
		const struct field *field = fields;

		while (field->name && (*field->name != *name || strcmp(field->name, name) != 0))
			field++;
		err = field->name ? take_field(scan, field, element)
				  : scan_skip(scan, scan_value(scan).type);
		if (err < 0)
			return err;
	}
	return err;
}

/* ---- pages ---- */

static bool is_longer(const char *text, size_t limit_bytes)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a missing text is "" */
	return strnlen(text, limit_bytes + 1) > limit_bytes;
}

static bool recording_is_oversized(const struct twilio_recording *recording)
{
	return is_longer(recording->encryption_key_sid, KEY_SID_LIMIT_BYTES) ||
	       is_longer(recording->encryption_cek, CONTENT_KEY_LIMIT_BYTES) ||
	       is_longer(recording->encryption_iv, IV_LIMIT_BYTES);
}

/* Cuts the text in place, as clean_text does, at a character boundary. */
static bool cut_text(const char *text)
{
	size_t len = TWILIO_FIELD_LIMIT_BYTES;

	if (!is_longer(text, len))
		return false;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	((char *)text)[len] = '\0';
	return true;
}

/* Callers choose these: an oversized one must not affect the call or the rest of the list. */
static void cut_fields(struct twilio_call *call)
{
	call->is_cut = cut_text(call->from);
	call->is_cut |= cut_text(call->to);
	call->is_cut |= cut_text(call->direction);
	call->is_cut |= cut_text(call->status);
}

static int take_element(struct scan *scan, enum scan_type type, enum twilio_list_kind kind,
			struct twilio_page *page)
{
	bool is_oversized = false;
	const struct sid *sid;
	int err;

	if (type != SCAN_OBJECT) {
		page->skipped++;
		return scan_skip(scan, type);
	}
	if (kind == TWILIO_LIST_RECORDINGS) {
		struct twilio_recording *recording = array_add(&page->recordings, &page->count);

		if (!recording)
			return -ENOMEM;
		recording->encryption_key_sid = recording->encryption_cek = "";
		recording->encryption_iv = "";
		sid = &recording->sid;
		err = take_members(scan, recording_fields, recording);
		is_oversized = recording_is_oversized(recording);
	} else {
		struct twilio_call *call = array_add(&page->calls, &page->count);

		if (!call)
			return -ENOMEM;
		sid = &call->sid;
		err = take_members(scan, call_fields, call);
		cut_fields(call);
	}
	if (sid_is_zero(sid)) {
		page->skipped++;
		page->count--;
	} else if (is_oversized) {
		page->oversized++;
		page->count--;
	}
	return err;
}

static int take_array(struct scan *scan, enum twilio_list_kind kind, struct twilio_page *page)
{
	bool is_first = true;
	int err;

	while ((err = scan_element(scan, &is_first)) > 0) {
		err = take_element(scan, scan_value(scan).type, kind, page);
		if (err < 0)
			return err;
	}
	return err;
}

static int take_page(struct scan *scan, enum twilio_list_kind kind, struct twilio_page *page)
{
	const char *array_name = kind == TWILIO_LIST_CALLS ? "calls" : "recordings";
	bool is_first = true, has_array = false;
	const char *name;
	int err;

	if (scan_value(scan).type != SCAN_OBJECT)
		return -EINVAL;
	while ((err = scan_member(scan, &is_first, &name)) > 0) {
		bool is_array = strcmp(name, array_name) == 0,
		     is_next = strcmp(name, "next_page_uri") == 0;
		struct scan_value value = scan_value(scan);

		if (is_array) {
			has_array = value.type == SCAN_ARRAY;
			err = has_array ? take_array(scan, kind, page) : -EINVAL;
		} else {
			err = scan_skip(scan, value.type);
		}
		/* Taking a malformed one for the end would hide the pages after it. */
		if (is_next && value.type != SCAN_STRING && value.type != SCAN_NULL)
			err = -EINVAL;
		if (err < 0)
			return err;
		if (is_next)
			page->next_page_uri = *value.text ? value.text : NULL;
	}
	return err < 0 || !has_array || !scan_is_over(scan) ? -EINVAL : 0;
}

int twilio_page_parse(char *text, size_t len, enum twilio_list_kind kind,
		      struct twilio_page *ret_page)
{
	struct scan scan;
	int err;

	*ret_page = (struct twilio_page)TWILIO_PAGE_INIT;
	scan_init(&scan, text, len);
	err = take_page(&scan, kind, ret_page);
	return err == -EINVAL ? -EIO : err;
}

int twilio_resource_parse(char *text, size_t len, enum twilio_list_kind kind,
			  struct twilio_page *ret_page)
{
	struct scan scan;
	int err;

	*ret_page = (struct twilio_page)TWILIO_PAGE_INIT;
	scan_init(&scan, text, len);
	err = take_element(&scan, scan_value(&scan).type, kind, ret_page);
	if (err == -EINVAL || (err == 0 && (ret_page->count != 1 || !scan_is_over(&scan))))
		err = -EIO;
	return err;
}

void twilio_page_release(struct twilio_page *page)
{
	free(page->recordings);
	free(page->calls);
	*page = (struct twilio_page)TWILIO_PAGE_INIT;
}
