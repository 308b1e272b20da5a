/* Results of remote operations: their message and the name of their kind. */
#include "util/remote.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/text.h"

void remote_error_set(struct remote_error *e, enum remote_kind kind, int err, const char *format,
		      ...)
{
	va_list args;

	e->kind = kind;
	e->error = err;
	va_start(args, format);
	if (vsnprintf(e->message, sizeof e->message, format, args) < 0)
		e->message[0] = '\0';
	text_clean(
		e->message); /* it may quote the service, and is shown on terminals and in attributes */
	va_end(args);
}

const char *remote_kind_name(enum remote_kind kind)
{
	switch (kind) {
	case REMOTE_OK:
		return "ok";
	case REMOTE_REJECTED:
		return "rejected";
	case REMOTE_NOT_FOUND:
		return "not found";
	case REMOTE_BUSY:
		return "busy";
	case REMOTE_TRANSIENT:
		return "transient";
	case REMOTE_UNCERTAIN:
		return "uncertain";
	case REMOTE_INVALID:
		return "invalid";
	case REMOTE_CANCELLED:
		return "cancelled";
	}
	return "unknown";
}
