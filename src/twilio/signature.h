/*
 * X-Twilio-Signature: what proves that a webhook comes from Twilio. Base64 of the HMAC-SHA1, under
 * the account's auth token, of the URL that Twilio was given, its query included, and behind it the
 * form: for every parameter, in byte order of the names, the name and the value, decoded and
 * without anything between. Of a repeated name each different value counts once, in byte order. A
 * body that is no form is not in it: the query then has its SHA-256 (bodySHA256).
 *
 * An API key's secret is no auth token and proves nothing. Pure functions; thread-safe.
 */
#ifndef TONICFS_TWILIO_SIGNATURE_H
#define TONICFS_TWILIO_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/crypto.h"

#define TWILIO_SIGNATURE_SIZE CRYPTO_BASE64_SIZE(CRYPTO_SHA1_SIZE)

struct twilio_field { /* decoded; any byte may be in it */
	const char *name, *value;
	size_t name_len, value_len;
};

/* fields come in any order and stay as they are. 0 or -ENOMEM. */
int twilio_signature(const char *auth_token, const char *url, const struct twilio_field *fields,
		     size_t count, char ret_signature[TWILIO_SIGNATURE_SIZE]);
/* Takes the signature of the URL as it is, and of the same URL with its scheme's port added or its
 * port left out: Twilio may sign either. The comparison takes the same time wherever the texts
 * differ. 0, -EACCES (signed by somebody else, or another request) or -ENOMEM. */
int twilio_signature_check(const char *auth_token, const char *url,
			   const struct twilio_field *fields, size_t count, const char *signature);
/* The same of a body that is no form: the URL alone is signed, and its query names the body's hash.
 * -EACCES also where it names none, or another. */
int twilio_signature_check_body(const char *auth_token, const char *url, const void *body,
				size_t body_len, const char *signature);

#endif
