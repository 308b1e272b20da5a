/* AWS Signature Version 4. */
#include "aws/sigv4.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

#define EXPIRES_LIMIT_SECS 604800
#define ALGORITHM "AWS4-HMAC-SHA256"

/* Appends one "name=value" of the query, or one "name:value" line of the headers, in the form
 * that is signed. */
struct line {
	char *name, *value;
};

struct lines {
	struct line *items;
	size_t count;
};

static void lines_release(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->items[i].name);
		if (lines->items[i].value)
			crypto_wipe(lines->items[i].value, strlen(lines->items[i].value));
		free(lines->items[i].value);
	}
	free(lines->items);
}

#define cleanup_lines cleanup_with(lines_release)

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int err = strcmp(x->name, y->name);

	return err ? err : strcmp(x->value, y->value);
}

static char *encode(const char *s)
{
	struct buf out = BUF_INIT;

	http_url_encode(&out, s, strlen(s), false);
	if (!out.data && !buf_failed(&out))
		return strdup("");
	return buf_detach(&out);
}

static char *lower(const char *s)
{
	char *copy = strdup(s);

	for (char *p = copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return copy;
}

/* Trims the value, and reduces runs of spaces to one. */
static char *squeeze(const char *s)
{
	char *copy = malloc(strlen(s) + 1), *out = copy;

	if (!copy)
		return NULL;
	for (; *s; s++) {
		if (*s != ' ' && *s != '\t')
			*out++ = *s;
		else if (out > copy && out[-1] != ' ')
			*out++ = ' ';
	}
	if (out > copy && out[-1] == ' ')
		out--;
	*out = '\0';
	return copy;
}

static int lines_build(const struct sigv4_pair *pairs, size_t count,
		       char *(*name_form)(const char *), char *(*value_form)(const char *),
		       struct lines *ret_lines)
{
	ret_lines->items = calloc(count + 1, sizeof *ret_lines->items);
	if (!ret_lines->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		ret_lines->items[i].name = name_form(pairs[i].name);
		ret_lines->items[i].value = value_form(pairs[i].value);
		ret_lines->count = i + 1;
		if (!ret_lines->items[i].name || !ret_lines->items[i].value)
			return -ENOMEM;
	}
	qsort(ret_lines->items, count, sizeof *ret_lines->items, compare_lines);
	return 0;
}

static void add_query(struct buf *out, const struct lines *query)
{
	for (size_t i = 0; i < query->count; i++)
		buf_addf(out, "%s%s=%s", i ? "&" : "", query->items[i].name, query->items[i].value);
}

static void add_header_names(struct buf *out, const struct lines *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		buf_addf(out, "%s%s", i ? ";" : "", headers->items[i].name);
}

/* query: empty before, and sorted afterwards, as it is needed again. */
static int canonical_request(const struct sigv4_input *input, const struct lines *headers,
			     const struct sigv4_pair *pairs, size_t count, struct lines *ret_query,
			     struct buf *ret_text)
{
	int err = lines_build(pairs, count, encode, encode, ret_query);

	if (err)
		return err;
	buf_addf(ret_text, "%s\n%s\n", input->method, input->path);
	add_query(ret_text, ret_query);
	buf_add_char(ret_text, '\n');
	for (size_t i = 0; i < headers->count; i++)
		buf_addf(ret_text, "%s:%s\n", headers->items[i].name, headers->items[i].value);
	buf_add_char(ret_text, '\n');
	add_header_names(ret_text, headers);
	buf_addf(ret_text, "\n%s", input->payload_sha256);
	return buf_failed(ret_text) ? -ENOMEM : 0;
}

static void add_scope(struct buf *out, const struct sigv4_input *input, const char *date)
{
	buf_addf(out, "%.8s/%s/%s/aws4_request", date, input->region, input->service);
}

/* The signing key of the day, region and service. */
static int derive_key(const struct sigv4_input *input, const char *date,
		      uint8_t ret_key[CRYPTO_SHA256_SIZE])
{
	cleanup_buf_secret struct buf first = BUF_INIT;
	const char *parts[] = { input->region, input->service, "aws4_request" };
	int err = buf_reserve(&first, strlen(input->secret_key) + 5);

	buf_addf(&first, "AWS4%s", input->secret_key);
	if (err || buf_failed(&first))
		return -ENOMEM;
	err = crypto_hmac_sha256(first.data, first.len, date, 8, ret_key);
	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++) {
		uint8_t next[CRYPTO_SHA256_SIZE];

		err = crypto_hmac_sha256(ret_key, CRYPTO_SHA256_SIZE, parts[i], strlen(parts[i]),
					 next);
		memcpy(ret_key, next, sizeof next);
		crypto_wipe(next, sizeof next);
	}
	return err;
}

static int sign(const struct sigv4_input *input, const struct buf *canonical,
		char ret_signature[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)])
{
	cleanup_buf struct buf text = BUF_INIT;
	char date[TIME_ISO8601_SIZE], hex[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	uint8_t key[CRYPTO_SHA256_SIZE], digest[CRYPTO_SHA256_SIZE];
	int err = crypto_sha256(canonical->data, canonical->len, digest);

	if (err)
		return err;
	crypto_hex(digest, sizeof digest, hex);
	time_format_basic(input->time_secs, date);
	buf_addf(&text, ALGORITHM "\n%s\n", date);
	add_scope(&text, input, date);
	buf_addf(&text, "\n%s", hex);
	if (buf_failed(&text))
		return -ENOMEM;
	err = derive_key(input, date, key);
	if (!err)
		err = crypto_hmac_sha256(key, sizeof key, text.data, text.len, digest);
	crypto_wipe(key, sizeof key);
	if (!err)
		crypto_hex(digest, sizeof digest, ret_signature);
	return err;
}

static int headers_build(const struct sigv4_input *input, struct lines *ret_headers)
{
	return lines_build(input->headers, input->header_count, lower, squeeze, ret_headers);
}

int sigv4_canonical_request(const struct sigv4_input *input, struct buf *ret_text)
{
	cleanup_lines struct lines query = { NULL, 0 }, headers = { NULL, 0 };
	int err = headers_build(input, &headers);

	return err ? err
		   : canonical_request(input, &headers, input->query, input->query_count, &query,
				       ret_text);
}

int sigv4_authorization(const struct sigv4_input *input, struct buf *ret_value)
{
	cleanup_lines struct lines query = { NULL, 0 }, headers = { NULL, 0 };
	cleanup_buf_secret struct buf canonical = BUF_INIT;
	char signature[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)], date[TIME_ISO8601_SIZE];
	int err = headers_build(input, &headers);

	if (!err)
		err = canonical_request(input, &headers, input->query, input->query_count, &query,
					&canonical);
	if (!err)
		err = sign(input, &canonical, signature);
	if (err)
		return err;
	time_format_basic(input->time_secs, date);
	buf_addf(ret_value, ALGORITHM " Credential=%s/", input->access_key);
	add_scope(ret_value, input, date);
	buf_add_str(ret_value, ",SignedHeaders=");
	add_header_names(ret_value, &headers);
	buf_addf(ret_value, ",Signature=%s", signature);
	return buf_failed(ret_value) ? -ENOMEM : 0;
}

int sigv4_presign(const struct sigv4_input *input, unsigned expires_secs, struct buf *ret_query)
{
	cleanup_lines struct lines query = { NULL, 0 }, headers = { NULL, 0 };
	cleanup_buf_secret struct buf canonical = BUF_INIT;
	cleanup_buf struct buf credential = BUF_INIT, names = BUF_INIT;
	cleanup_free struct sigv4_pair *pairs = NULL;
	char signature[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)], date[TIME_ISO8601_SIZE], expires[16];
	size_t n = input->query_count;
	int err;

	if (expires_secs < 1 || expires_secs > EXPIRES_LIMIT_SECS)
		return -EINVAL;
	err = headers_build(input, &headers);
	pairs = calloc(n + 6, sizeof *pairs);
	if (err || !pairs)
		return -ENOMEM;
	time_format_basic(input->time_secs, date);
	buf_addf(&credential, "%s/", input->access_key);
	add_scope(&credential, input, date);
	add_header_names(&names, &headers);
	snprintf(expires, sizeof expires, "%u", expires_secs);
	if (buf_failed(&credential) || buf_failed(&names))
		return -ENOMEM;
	if (n)
		memcpy(pairs, input->query, n * sizeof *pairs);
	pairs[n++] = (struct sigv4_pair){ "X-Amz-Algorithm", ALGORITHM };
	pairs[n++] = (struct sigv4_pair){ "X-Amz-Credential", credential.data };
	pairs[n++] = (struct sigv4_pair){ "X-Amz-Date", date };
	pairs[n++] = (struct sigv4_pair){ "X-Amz-Expires", expires };
	pairs[n++] = (struct sigv4_pair){ "X-Amz-SignedHeaders", buf_str(&names) };
	if (input->session_token && *input->session_token)
		pairs[n++] = (struct sigv4_pair){ "X-Amz-Security-Token", input->session_token };
	err = canonical_request(input, &headers, pairs, n, &query, &canonical);
	if (!err)
		err = sign(input, &canonical, signature);
	if (err)
		return err;
	add_query(ret_query, &query);
	buf_addf(ret_query, "&X-Amz-Signature=%s", signature);
	return buf_failed(ret_query) ? -ENOMEM : 0;
}
