/* UTF-8, what is printable, hexadecimal digits and percent-encoding. */
#include "util/text.h"

#include <errno.h>
#include <string.h>

size_t text_utf8(const char *s, uint32_t *ret_char)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80       ? 1
		     : u[0] >> 5 == 6  ? 2
		     : u[0] >> 4 == 14 ? 3
		     : u[0] >> 3 == 30 ? 4
				       : 0;
	uint32_t c;

	if (len == 0)
		return 0;
	c = len == 1 ? u[0] : u[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (u[i] >> 6 != 2) /* fails at the terminating NUL, too */
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < smallest[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret_char = c;
	return len;
}

bool text_is_printable(uint32_t c)
{
	return !(c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200b || c == 0x200e ||
		 c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
		 c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe);
}

size_t text_clean(char *text)
{
	char *out = text;

	for (const char *s = text; *s;) {
		uint32_t c = 0;
		size_t len = text_utf8(s, &c);

		if (len && text_is_printable(c)) {
			memmove(out, s, len);
			out += len;
		} else {
			*out++ = '?';
		}
		s += len ? len : 1;
	}
	*out = '\0';
	return (size_t)(out - text);
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

ptrdiff_t text_url_decode(char *text, size_t n)
{
	const char *end = text + n;
	char *out = text;

	for (const char *in = text; in < end; in++) {
		if (*in == '%') {
			int high = end - in > 2 ? text_hex_digit(in[1]) : -1;
			int low = high >= 0 ? text_hex_digit(in[2]) : -1;

			if (low < 0)
				return -EINVAL;
			*out++ = (char)(high << 4 | low);
			in += 2;
		} else {
			*out++ = *in == '+' ? ' ' : *in;
		}
	}
	*out = '\0';
	return out - text;
}
