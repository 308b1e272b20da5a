/* X-Twilio-Signature: computing and checking it. */
#include "twilio/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"
#include "util/cleanup.h"

#define BODY_HASH "bodySHA256="

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t len = a_len < b_len ? a_len : b_len;
	int order = len ? memcmp(a, b, len) : 0;

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_fields(const void *a, const void *b)
{
	const struct twilio_field *x = a, *y = b;
	int order = compare_bytes(x->name, x->name_len, y->name, y->name_len);

	return order ? order : compare_bytes(x->value, x->value_len, y->value, y->value_len);
}

/* The part that is signed after the URL. */
static int form_text(const struct twilio_field *fields, size_t count, struct buf *ret_text)
{
	cleanup_free struct twilio_field *sorted = NULL;

	if (!count)
		return 0;
	sorted = calloc(count, sizeof *sorted);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, fields, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_fields);
	for (size_t i = 0; i < count; i++) {
		if (i && compare_fields(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		buf_add(ret_text, sorted[i].name, sorted[i].name_len);
		buf_add(ret_text, sorted[i].value, sorted[i].value_len);
	}
	return buf_failed(ret_text) ? -ENOMEM : 0;
}

static int sign(const char *auth_token, const char *url, const struct buf *form,
		char ret_signature[TWILIO_SIGNATURE_SIZE])
{
	cleanup_buf struct buf text = BUF_INIT;
	uint8_t mac[CRYPTO_SHA1_SIZE];
	int err;

	buf_add_str(&text, url);
	buf_add(&text, buf_str(form), form->len);
	if (buf_failed(&text))
		return -ENOMEM;
	err = crypto_hmac_sha1(auth_token, strlen(auth_token), text.data, text.len, mac);
	if (err == 0)
		crypto_base64(mac, sizeof mac, ret_signature);
	return err;
}

int twilio_signature(const char *auth_token, const char *url, const struct twilio_field *fields,
		     size_t count, char ret_signature[TWILIO_SIGNATURE_SIZE])
{
	cleanup_buf struct buf form = BUF_INIT;
	int err = form_text(fields, count, &form);

	return err ? err : sign(auth_token, url, &form, ret_signature);
}

/* The end of host and port, and the colon of the port; NULL: no port. */
static const char *find_port(const char *host, const char **ret_end)
{
	const char *end = host + strcspn(host, "/?#"), *colon = end;

	*ret_end = end;
	while (colon > host && colon[-1] >= '0' && colon[-1] <= '9')
		colon--;
	return colon > host && colon[-1] == ':' ? colon - 1 : NULL;
}

/* The other spelling of the same URL: without its port, or with the default port of the scheme. */
static void other_form(const char *url, struct buf *ret_url)
{
	bool is_https = strncasecmp(url, "https://", 8) == 0;
	const char *host = strstr(url, "://"), *colon, *end;

	if (!host)
		return;
	colon = find_port(host + 3, &end);
	buf_add(ret_url, url, (size_t)((colon ? colon : end) - url));
	if (!colon)
		buf_add_str(ret_url, is_https ? ":443" : ":80");
	buf_add_str(ret_url, end);
}

static bool is_same(const char *expected, const char *signature)
{
	return strlen(signature) == TWILIO_SIGNATURE_SIZE - 1 &&
	       crypto_equal(expected, signature, TWILIO_SIGNATURE_SIZE - 1);
}

int twilio_signature_check(const char *auth_token, const char *url,
			   const struct twilio_field *fields, size_t count, const char *signature)
{
	cleanup_buf struct buf form = BUF_INIT, other = BUF_INIT;
	char first[TWILIO_SIGNATURE_SIZE] = "", second[TWILIO_SIGNATURE_SIZE] = "";
	bool is_first, is_second;
	int err = form_text(fields, count, &form);

	other_form(url, &other);
	if (err == 0 && buf_failed(&other))
		err = -ENOMEM;
	if (err == 0)
		err = sign(auth_token, url, &form, first);
	if (err == 0)
		err = sign(auth_token, buf_str(&other), &form, second);
	if (err)
		return err;
	is_first = is_same(first, signature);
	is_second = is_same(second, signature);
	return is_first || is_second ? 0 : -EACCES;
}

/* The value of bodySHA256 in the query; NULL: absent. */
static const char *query_body_hash(const char *url)
{
	const char *part = strchr(url, '?');

	while (part) {
		part++;
		if (strncmp(part, BODY_HASH, strlen(BODY_HASH)) == 0)
			return part + strlen(BODY_HASH);
		part = strchr(part, '&');
	}
	return NULL;
}

int twilio_signature_check_body(const char *auth_token, const char *url, const void *body,
				size_t body_len, const char *signature)
{
	const char *given = query_body_hash(url);
	char hex[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int err = twilio_signature_check(auth_token, url, NULL, 0, signature);

	if (err)
		return err;
	err = crypto_sha256(body, body_len, digest);
	if (err)
		return err;
	crypto_hex(digest, sizeof digest, hex);
	if (!given || strcspn(given, "&#") != sizeof hex - 1 ||
	    strncasecmp(given, hex, sizeof hex - 1) != 0)
		return -EACCES;
	return 0;
}
