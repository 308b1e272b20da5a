/* Forms of callbacks, and what is signed of them: src/hook/form.c, src/twilio/signature.c. */
#include <errno.h>

#include "fuzz.h"
#include "hook/form.h"

/* The signature does not depend on the order of the fields. */
static void check_signature(struct form *form, const char *url)
{
	char first[TWILIO_SIGNATURE_SIZE], second[TWILIO_SIGNATURE_SIZE];

	MUST(twilio_signature("token", url, form->fields, form->count, first) == 0);
	for (size_t i = 0; i < form->count / 2; i++) {
		struct twilio_field swap = form->fields[i];

		form->fields[i] = form->fields[form->count - 1 - i];
		form->fields[form->count - 1 - i] = swap;
	}
	MUST(twilio_signature("token", url, form->fields, form->count, second) == 0);
	MUST(strcmp(first, second) == 0);
	MUST(twilio_signature_check("token", url, form->fields, form->count, first) == 0);
	first[0] = first[0] == 'A' ? 'B' : 'A';
	MUST(twilio_signature_check("token", url, form->fields, form->count, first) == -EACCES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *url = fuzz_text(data, size);
	struct form *form = malloc(sizeof *form);
	size_t sum = 0;
	int r;

	MUST(form);
	r = form_parse(text, size, form);
	MUST(r == 0 || r == -EINVAL || r == -E2BIG);
	if (r == 0) {
		for (size_t i = 0; i < form->count; i++) {
			const struct twilio_field *field = &form->fields[i];

			MUST(field->name[field->name_len] == '\0');
			MUST(field->value[field->value_len] == '\0');
			sum += field->name_len + field->value_len;
		}
		MUST(sum <= size);
		form_value(form, "AccountSid");
		check_signature(form, url);
	}
	twilio_signature_check_body("token", url, data, size, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	free(form);
	free(url);
	free(text);
	return 0;
}
