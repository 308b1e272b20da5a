/* Names of workspaces and campaigns as names of folders, and back. */
#include <errno.h>
#include <string.h>

#include "catalog/workspace.h"

/* The length of the UTF-8 sequence at s, and its character; 0 where there is none (overlong, surrogate, cut off). */
static size_t utf8_length(const unsigned char *s, uint32_t *ret_char)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (len == 0)
		return 0;
	c = len == 1 ? s[0] : s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2) /* the terminating NUL too */
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret_char = c;
	return len;
}

/* Controls, and those format characters that make a name look like another one. */
static bool is_printable(uint32_t c)
{
	return !(c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200b || c == 0x200e || c == 0x200f ||
		 (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
		 (c >= 0xfff9 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe);
}

int catalog_name_encode(const char *name, char ret_encoded[CATALOG_NAME_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *s = (const unsigned char *)name;
	size_t out = 0;

	if (!*s)
		return -EINVAL;
	for (bool is_first = true; *s; is_first = false) {
		uint32_t c = 0;
		size_t len = utf8_length(s, &c);
		bool is_last = !s[len ? len : 1];
		bool plain = len && is_printable(c) && !(c < 0x80 && strchr("/\\:*?\"<>|%", (int)c)) &&
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
