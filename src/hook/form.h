/* application/x-www-form-urlencoded (WHATWG URL, "application/x-www-form-urlencoded parsing"),
 * decoded in place. Stricter than browsers: a '%' without two hex digits is an error. Decoded text
 * may have any byte, also NUL: use the lengths; form_value returns no value with a NUL.
 * Pure functions; thread-safe. */
#pragma once

#include <stddef.h>

#include "twilio/signature.h"

#define FORM_FIELDS_MAX 256

struct form {
	struct twilio_field fields[FORM_FIELDS_MAX]; /* in the order of the text */
	size_t count;
};

/* Changes the text, which must be NUL-terminated; the form points into it. -EINVAL: a malformed
 * escape; -E2BIG: more than FORM_FIELDS_MAX fields. */
int form_parse(char *text, size_t len, struct form *ret_form);
/* The value of a name. NULL: there is none, several differ, or it has a NUL. */
const char *form_value(const struct form *form, const char *name);
