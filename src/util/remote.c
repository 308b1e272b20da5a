/* Results of remote operations: their message and the name of their kind. */
#include "util/remote.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/cleanup.h"
#include "util/text.h"

__attribute__((format(printf, 2, 0))) static void set_message(struct remote_error *e,
							      const char *format, va_list args)
{
	if (vsnprintf(e->message, sizeof e->message, format, args) < 0)
		e->message[0] = '\0';
	/* It may quote the service, and is shown on terminals and in attributes. */
	text_clean(e->message);
}

int remote_error_set(struct remote_error *e, enum remote_kind kind, int err, const char *format,
		     ...)
{
	va_list args;

	e->kind = kind;
	e->error = err;
	va_start(args, format);
	set_message(e, format, args);
	va_end(args);
	return err;
}

int remote_fail(struct remote_error *ret_error, enum remote_kind kind, int err, const char *code,
		const char *format, ...)
{
	struct remote_error error = { .kind = kind, .error = err, .retry_after_msecs = -1 };
	va_list args;

	va_start(args, format);
	set_message(&error, format, args);
	va_end(args);
	snprintf(error.code, sizeof error.code, "%s", code);
	*ret_error = error;
	return err;
}

const char *remote_kind_name(enum remote_kind kind)
{
	static const char *const names[] = {
		[REMOTE_OK] = "ok",
		[REMOTE_REJECTED] = "rejected",
		[REMOTE_NOT_FOUND] = "not found",
		[REMOTE_BUSY] = "busy",
		[REMOTE_TRANSIENT] = "transient",
		[REMOTE_UNCERTAIN] = "uncertain",
		[REMOTE_INVALID] = "invalid",
		[REMOTE_CANCELLED] = "cancelled",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}
