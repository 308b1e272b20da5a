/* Parses HTML forms as Twilio sends them: name=value&… */
#include "hook/form.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* [text, end) is "name=value", or a name alone. */
static int field_parse(char *text, char *end, struct twilio_field *ret_field)
{
	char *equals = memchr(text, '=', (size_t)(end - text));
	char *name_end = equals ? equals : end;
	char *value = equals ? equals + 1 : end;
	ptrdiff_t value_len, name_len;

	value_len = text_url_decode(value, (size_t)(end - value));
	name_len = text_url_decode(text, (size_t)(name_end - text));
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
