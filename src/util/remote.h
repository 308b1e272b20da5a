/* How a request to a remote service ended; the kinds differ by what may be done next. Shared by
 * net, aws, twilio and their callers. */
#pragma once

#include <stdint.h>

enum remote_kind {
	REMOTE_OK,
	REMOTE_REJECTED,  /* the service refused; the same request would be refused again */
	REMOTE_NOT_FOUND, /* a special refusal: 404, NoSuchKey, 20404 */
	REMOTE_BUSY,      /* 429, 503 SlowDown: not processed, may be retried after a pause */
	REMOTE_TRANSIENT, /* no connection, 5xx: may be retried */
	REMOTE_UNCERTAIN, /* sent, the answer was lost: it may or may not have happened */
	REMOTE_INVALID,   /* the answer cannot be trusted: wrong type, wrong length, unparsable */
	REMOTE_CANCELLED, /* by this program */
};

/* The result of one remote operation. It holds no pointers; the caller owns it. */
struct remote_error {
	enum remote_kind kind;
	int error; /* negative errno for the user; 0 when kind is REMOTE_OK; table in ARCHITECTURE.md */
	int status;        /* HTTP status, 0 when there was none */
	int twilio_code;   /* 20404 …, 0 when none */
	char code[48];     /* S3's <Code>, or curl's short name of the failure; "" when none */
	char message[160]; /* for users and logs; never holds a secret, a number or a signed URL */
	int64_t retry_after_msecs; /* -1: not given */
};

#define REMOTE_ERROR_INIT { .kind = REMOTE_OK, .retry_after_msecs = -1 }

static inline void remote_error_clear(struct remote_error *e)
{
	*e = (struct remote_error)REMOTE_ERROR_INIT;
}

/* Hooks around each request that a client sends; they may delay it. Each may be NULL. Called on
 * the thread that called the client. */
struct remote_gate {
	void (*before)(void *arg); /* each request, also a retry */
	void (*after)(void *arg, const struct remote_error *error, int64_t began_msecs);
	void *arg;
};

/* Both return err. remote_error_set keeps the fields that it does not set. */
int remote_error_set(struct remote_error *e, enum remote_kind kind, int err, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));
int remote_fail(struct remote_error *ret_error, enum remote_kind kind, int err, const char *code,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
const char *remote_kind_name(enum remote_kind kind);
