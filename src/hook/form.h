/*
 * application/x-www-form-urlencoded (WHATWG URL, "application/x-www-form-urlencoded parsing"),
 * decoded in place. Stricter than browsers are: a '%' without its two digits is refused. Any byte
 * may come out of it, NUL too: lengths count, and form_value gives no text that has one.
 * Pure functions; thread-safe.
 */
#ifndef TONICFS_HOOK_FORM_H
#define TONICFS_HOOK_FORM_H

#include <stddef.h>

#include "twilio/signature.h"

#define FORM_FIELDS_MAX 256

struct form {
	struct twilio_field fields[FORM_FIELDS_MAX]; /* in the order in which they came */
	size_t count;
};

/* The text, which has a NUL behind it, is changed; the form points into it. 0, -EINVAL (a broken
 * escape), -E2BIG (more than FORM_FIELDS_MAX fields). */
int form_parse(char *text, size_t len, struct form *ret_form);
/* The one value of a name. NULL: there is none, there are several that differ, or it has a NUL. */
const char *form_value(const struct form *form, const char *name);

#endif
