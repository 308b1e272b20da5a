/*
 * X-Twilio-Signature: the proof that a webhook comes from Twilio. It is the Base64 of the
 * HMAC-SHA1, under the auth token of the account, of the configured URL with its query, followed by
 * the form: for each parameter, in byte order of the names, the name and the value, decoded and
 * without a separator. Of a repeated name each distinct value counts once, in byte order. A body
 * that is not a form is not signed: the query has its SHA-256 instead (bodySHA256).
 *
 * The secret of an API key is not an auth token and proves nothing. Pure functions; thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/crypto.h"

#define TWILIO_SIGNATURE_SIZE CRYPTO_BASE64_SIZE(CRYPTO_SHA1_SIZE)

struct twilio_field { /* decoded; may hold any byte */
	const char *name, *value;
	size_t name_len, value_len;
};

/* fields: in any order, not changed. 0 or -ENOMEM. */
int twilio_signature(const char *auth_token, const char *url, const struct twilio_field *fields,
		     size_t count, char ret_signature[TWILIO_SIGNATURE_SIZE]);
/* Checks the signature for the URL as given, and for the same URL with the default port of its
 * scheme added or removed: Twilio may sign either. The comparison runs in constant time. 0,
 * -EACCES (signed with another token, or for another request) or -ENOMEM. */
int twilio_signature_check(const char *auth_token, const char *url,
			   const struct twilio_field *fields, size_t count, const char *signature);
/* The same for a body that is not a form: only the URL is signed, and its query has the hash of
 * the body. -EACCES also if it has no hash, or another one. */
int twilio_signature_check_body(const char *auth_token, const char *url, const void *body,
				size_t body_len, const char *signature);
