/* JSON, read in place. */
#include "twilio/scan.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "util/text.h"

#define MAX_DEPTH 64 /* no answer of Twilio is deeper than 4 */

void scan_init(struct scan *scan, char *text, size_t len)
{
	scan->at = text;
	scan->end = text + len;
}

static void skip_blanks(struct scan *scan)
{
	while (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r')
		scan->at++;
}

bool scan_is_over(struct scan *scan)
{
	skip_blanks(scan);
	return scan->at == scan->end;
}

/* ---- strings ---- */

static int hex4(const char *s)
{
	int value = 0;

	/* Stops at the NUL after the text, too. */
	for (int i = 0; i < 4; i++) {
		int digit = text_hex_digit(s[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static char *put_utf8(char *out, uint32_t c)
{
	unsigned more = c < 0x80      ? 0
			: c < 0x800   ? 1
			: c < 0x10000 ? 2
				      : 3; /* bytes after the first */
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };

	*out++ = (char)(first[more] | c >> 6 * more);
	while (more--)
		*out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
	return out;
}

/* s points after "\u". Returns the end of the escape; NULL: not an escape. The output is never
 * longer than the escape. */
static char *take_unicode(char *s, char **out)
{
	int unit = hex4(s), low;

	if (unit < 0)
		return NULL;
	s += 4;
	if (unit >= 0xd800 && unit < 0xdc00 && s[0] == '\\' && s[1] == 'u' &&
	    (low = hex4(s + 2)) >= 0xdc00 && low < 0xe000) {
		*out = put_utf8(*out, 0x10000 + ((uint32_t)(unit - 0xd800) << 10) +
					      (uint32_t)(low - 0xdc00));
		return s + 6;
	}
	*out = put_utf8(*out, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : (uint32_t)unit);
	return s;
}

/* Reads the rest of a string from its first escape on. */
static int take_escaped(struct scan *scan)
{
	char *s = scan->at, *out = s;

	while (*s != '"') {
		static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
		const char *name;

		if (s >= scan->end)
			return -EINVAL;
		if (*s != '\\') {
			*out++ = *s++;
			continue;
		}
		s++;
		if (*s == 'u') {
			s = take_unicode(s + 1, &out);
			if (!s)
				return -EINVAL;
			continue;
		}
		name = *s ? strchr(names, *s) : NULL;
		if (!name)
			return -EINVAL;
		*out++ = values[name - names];
		s++;
	}
	*out = '\0';
	scan->at = s + 1;
	return 0;
}

/* scan->at points after the opening quote. */
static int take_string(struct scan *scan, const char **ret_text)
{
	char *s = scan->at;

	*ret_text = s;
	while (*s != '"' && *s != '\\') {
		/* A NUL may be part of the text; only the one at scan->end ends it. */
		if (s >= scan->end)
			return -EINVAL;
		s++;
	}
	scan->at = s;
	if (*s == '\\')
		return take_escaped(scan);
	*s = '\0';
	scan->at = s + 1;
	return 0;
}

/* ---- values ---- */

static enum scan_type take_word(struct scan *scan, const char *word, enum scan_type type)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return SCAN_BAD;
	scan->at += len;
	return type;
}

static enum scan_type take_number(struct scan *scan)
{
	bool has_digit = false;

	for (;; scan->at++) {
		char c = *scan->at;

		if (c >= '0' && c <= '9')
			has_digit = true;
		else if (c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E')
			break;
	}
	return has_digit ? SCAN_NUMBER : SCAN_BAD;
}

struct scan_value scan_value(struct scan *scan)
{
	struct scan_value value = { SCAN_BAD, "" };

	skip_blanks(scan);
	switch (*scan->at) {
	case '"':
		scan->at++;
		if (take_string(scan, &value.text) == 0)
			value.type = SCAN_STRING;
		break;
	case '{':
		scan->at++;
		value.type = SCAN_OBJECT;
		break;
	case '[':
		scan->at++;
		value.type = SCAN_ARRAY;
		break;
	case 'n':
		value.type = take_word(scan, "null", SCAN_NULL);
		break;
	case 't':
		value.type = take_word(scan, "true", SCAN_TRUE);
		break;
	case 'f':
		value.type = take_word(scan, "false", SCAN_FALSE);
		break;
	case '-':
	case '0' ... '9':
		value.text = scan->at;
		value.type = take_number(scan);
		break;
	default:
		break;
	}
	return value;
}

static bool take_char(struct scan *scan, char c)
{
	skip_blanks(scan);
	if (*scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Expects a comma before each but the first. 0: the closing bracket. */
static int next(struct scan *scan, bool *is_first, char bracket)
{
	if (take_char(scan, bracket))
		return 0;
	if (!*is_first && !take_char(scan, ','))
		return -EINVAL;
	*is_first = false;
	return 1;
}

int scan_element(struct scan *scan, bool *is_first)
{
	return next(scan, is_first, ']');
}

int scan_member(struct scan *scan, bool *is_first, const char **ret_name)
{
	int err = next(scan, is_first, '}');

	if (err <= 0)
		return err;
	if (!take_char(scan, '"') || take_string(scan, ret_name) < 0 || !take_char(scan, ':'))
		return -EINVAL;
	return 1;
}

static int skip(struct scan *scan, enum scan_type type, unsigned depth)
{
	bool is_first = true;
	const char *name;
	int err;

	if (type == SCAN_BAD || depth > MAX_DEPTH)
		return -EINVAL;
	if (type != SCAN_ARRAY && type != SCAN_OBJECT)
		return 0;
	while ((err = type == SCAN_ARRAY ? scan_element(scan, &is_first)
					 : scan_member(scan, &is_first, &name)) > 0) {
		err = skip(scan, scan_value(scan).type, depth + 1);
		if (err < 0)
			return err;
	}
	return err;
}

int scan_skip(struct scan *scan, enum scan_type type)
{
	return skip(scan, type, 0);
}
