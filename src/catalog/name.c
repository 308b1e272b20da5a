/* Names of workspaces and campaigns as names of folders, and back. */
#include <errno.h>
#include <string.h>

#include "catalog/workspace.h"
#include "util/text.h"

int catalog_name_encode(const char *name, char ret_encoded[CATALOG_NAME_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *s = (const unsigned char *)name;
	size_t out = 0;

	if (!*s)
		return -EINVAL;
	for (bool is_first = true; *s; is_first = false) {
		uint32_t c = 0;
		size_t len = text_utf8((const char *)s, &c);
		bool is_last = !s[len ? len : 1];
		bool plain = len && text_is_printable(c) && !(c < 0x80 && strchr("/\\:*?\"<>|%", (int)c)) &&
			     !(c == '.' && (is_first || is_last)) && !(c == ' ' && is_last);

		if (len == 0)
			len = 1;
		if (out + (plain ? len : 3 * len) >= CATALOG_NAME_SIZE)
			return -ENAMETOOLONG;
		for (; len; len--, s++) {
			if (plain) {
				ret_encoded[out++] = (char)*s;
				continue;
			}
			ret_encoded[out++] = '%';
			ret_encoded[out++] = digits[*s >> 4];
			ret_encoded[out++] = digits[*s & 15];
		}
	}
	ret_encoded[out] = '\0';
	return 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int catalog_name_decode(const char *encoded, char ret_name[CATALOG_NAME_SIZE])
{
	char again[CATALOG_NAME_SIZE];
	size_t out = 0;

	if (strlen(encoded) >= CATALOG_NAME_SIZE)
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
	/* Two spellings of one name would be two paths to one folder. */
	if (catalog_name_encode(ret_name, again) < 0 || strcmp(again, encoded) != 0)
		return -EINVAL;
	return 0;
}
