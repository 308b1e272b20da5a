/* URLs: their origin, loopback hosts, percent-encoding. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http-private.h"
#include "util/cleanup.h"

static void cleanup_curlup(CURLU **u)
{
	curl_url_cleanup(*u);
}

static void cleanup_curlp(char **s)
{
	curl_free(*s);
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcasecmp(s + n - m, suffix) == 0;
}

static bool host_is_loopback(const char *host, bool *ret_is_localhost)
{
	char inner[INET6_ADDRSTRLEN + 2];
	struct in6_addr six;
	struct in_addr four;
	size_t n = strlen(host);

	*ret_is_localhost = ends_with(host, ".localhost");
	if (strcasecmp(host, "localhost") == 0 || *ret_is_localhost)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (n > 2 && n < sizeof inner && host[0] == '[' && host[n - 1] == ']') {
		memcpy(inner, host + 1, n - 2);
		inner[n - 2] = '\0';
		return inet_pton(AF_INET6, inner, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	}
	return false;
}

int http_url_parse(const char *text, struct http_url *ret_url)
{
	cleanup_with(cleanup_curlup) CURLU *u = curl_url();
	cleanup_with(cleanup_curlp) char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	CURLUcode code;

	*ret_url = (struct http_url)HTTP_URL_INIT;
	if (!u)
		return -ENOMEM;
	code = curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER);
	if (code)
		return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
	    curl_url_get(u, CURLUPART_PATH, &path, 0))
		return -EINVAL;
	ret_url->is_https = strcasecmp(scheme, "https") == 0;
	ret_url->port = (unsigned)strtoul(port, NULL, 10);
	if ((!ret_url->is_https && strcasecmp(scheme, "http") != 0) || !ret_url->port)
		return -EINVAL;
	ret_url->is_loopback = host_is_loopback(host, &ret_url->is_localhost);
	for (char *p = host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	ret_url->host = strdup(host);
	ret_url->path = strdup(path);
	if (asprintf(&ret_url->origin, "%s://%s:%u", ret_url->is_https ? "https" : "http", host,
		     ret_url->port) < 0)
		ret_url->origin = NULL;
	return ret_url->host && ret_url->path && ret_url->origin ? 0 : -ENOMEM;
}

void http_url_release(struct http_url *url)
{
	free(url->origin);
	free(url->host);
	free(url->path);
	*url = (struct http_url)HTTP_URL_INIT;
}

int http_url_check(const char *url, bool allow_plain_http)
{
	cleanup_http_url struct http_url parsed;
	int err = http_url_parse(url, &parsed);

	return !err && !parsed.is_https && !parsed.is_loopback && !allow_plain_http ? -EPERM : err;
}

bool http_url_same_origin(const char *a, const char *b)
{
	cleanup_http_url struct http_url first = HTTP_URL_INIT, second = HTTP_URL_INIT;

	return http_url_parse(a, &first) == 0 && http_url_parse(b, &second) == 0 &&
	       strcmp(first.origin, second.origin) == 0;
}

void http_url_encode(struct buf *out, const char *bytes, size_t n, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash)) {
			buf_add_char(out, (char)c);
		} else {
			buf_add_char(out, '%');
			buf_add_char(out, digits[c >> 4]);
			buf_add_char(out, digits[c & 15]);
		}
	}
}
