/* Parses HTML forms as Twilio sends them. */
#include "hook/form.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [text, end) in place, and appends a NUL, which may overwrite the byte at end. Returns the
 * length, or -EINVAL. */
static ptrdiff_t decode(char *text, const char *end)
{
	char *out = text;

	for (char *in = text; in < end; in++) {
		if (*in == '%') {
			int high = end - in > 2 ? hex_digit(in[1]) : -1;
			int low = high >= 0 ? hex_digit(in[2]) : -1;

			if (low < 0)
				return -EINVAL;
			*out++ = (char)(high << 4 | low);
			in += 2;
		} else {
			*out++ = *in == '+' ? ' ' : *in;
		}
	}
	*out = '\0';
	return out - text;
}

/* [text, end) is "name=value", or a name alone. */
static int field_parse(char *text, char *end, struct twilio_field *ret_field)
{
	char *equals = memchr(text, '=', (size_t)(end - text));
	char *name_end = equals ? equals : end;
	char *value = equals ? equals + 1 : end;
	ptrdiff_t value_len, name_len;

	value_len = decode(value, end);
	name_len = decode(text, name_end);
	if (value_len < 0 || name_len < 0)
		return -EINVAL;
	*ret_field = (struct twilio_field){ text, value, (size_t)name_len, (size_t)value_len };
	return 0;
}

int form_parse(char *text, size_t len, struct form *ret_form)
{
	char *end = text + len;

	ret_form->count = 0;
	while (text < end) {
		char *ampersand = memchr(text, '&', (size_t)(end - text));
		char *field_end = ampersand ? ampersand : end;

		if (field_end > text) {
			if (ret_form->count == FORM_FIELDS_MAX)
				return -E2BIG;
			if (field_parse(text, field_end, &ret_form->fields[ret_form->count]) < 0)
				return -EINVAL;
			ret_form->count++;
		}
		text = field_end + 1;
	}
	return 0;
}

const char *form_value(const struct form *form, const char *name)
{
	const struct twilio_field *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < form->count; i++) {
		const struct twilio_field *field = &form->fields[i];

		if (field->name_len != len || memcmp(field->name, name, len) != 0)
			continue;
		if (found && (found->value_len != field->value_len ||
			      memcmp(found->value, field->value, field->value_len) != 0))
			return NULL;
		found = field;
	}
	return found && !memchr(found->value, '\0', found->value_len) ? found->value : NULL;
}
