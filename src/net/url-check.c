/* For those who take an address from a user before anything is sent to it. */
#include <errno.h>

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
