/* Checks of URLs that users configure, before anything is sent to them. */
#include <errno.h>
#include <string.h>

#include "net/http-private.h"

int http_url_check(const char *url, bool allow_plain_http)
{
	struct http_url parsed;
	int err = http_url_parse(url, &parsed);

	if (err == 0 && !parsed.is_https && !parsed.is_loopback && !allow_plain_http)
		err = -EPERM;
	http_url_release(&parsed);
	return err;
}

bool http_url_same_origin(const char *a, const char *b)
{
	struct http_url first, second = HTTP_URL_INIT;
	bool is_same = http_url_parse(a, &first) == 0 && http_url_parse(b, &second) == 0 &&
		       strcmp(first.origin, second.origin) == 0;

	http_url_release(&first);
	http_url_release(&second);
	return is_same;
}
