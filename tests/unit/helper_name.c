/* Names of folders back to names of workspaces and campaigns. */
#include "helper_name.h"

#include <errno.h>
#include <string.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int catalog_name_decode(const char *encoded, char ret_name[CATALOG_NAME_SIZE])
{
	size_t out = 0;

	if (!*encoded || strlen(encoded) >= CATALOG_NAME_SIZE)
		return -EINVAL;
	for (const char *s = encoded; *s; s++) {
		int byte;

		if (*s != '%') {
			ret_name[out++] = *s;
			continue;
		}
		if (digit(s[1]) < 0 || digit(s[2]) < 0)
			return -EINVAL;
		byte = digit(s[1]) << 4 | digit(s[2]);
		if (byte == 0)
			return -EINVAL;
		ret_name[out++] = (char)byte;
		s += 2;
	}
	ret_name[out] = '\0';
	return 0;
}
