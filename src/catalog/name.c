/* Names of workspaces and campaigns as names of folders, and back. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "catalog/folder-private.h"
#include "catalog/name.h"
#include "util/cleanup.h"
#include "util/text.h"

/* Windows has devices of these names in every folder, whatever comes behind the first dot. */
static bool is_device(const char *name)
{
	static const char *const devices[] = { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" };
	static const char *const numbers[] = { "0",        "1",        "2",       "3", "4",
					       "5",        "6",        "7",       "8", "9",
					       "\xc2\xb9", "\xc2\xb2", "\xc2\xb3" };
	size_t len = strcspn(name, ".");

	while (len && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (len == strlen(devices[i]) && strncasecmp(name, devices[i], len) == 0)
			return true;
	if (strncasecmp(name, "COM", 3) != 0 && strncasecmp(name, "LPT", 3) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (len == 3 + strlen(numbers[i]) && strncmp(name + 3, numbers[i], len - 3) == 0)
			return true;
	return false;
}

/* Characters that macOS, or a tool on the way there, replaces by others of the same look (NFC):
 * marks behind the letter that they belong to, the parts of Korean syllables, signs that are
 * letters, ideographs that are there for compatibility. Some scripts of India and Hebrew have more
 * of them, which are left as they are. */
static bool is_decomposed(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x1161 && c <= 0x1175) ||
	       (c >= 0x11a8 && c <= 0x11c2) || c == 0x3099 || c == 0x309a || c == 0x2126 ||
	       c == 0x212a || c == 0x212b || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x2f800 && c <= 0x2fa1f);
}

static bool is_letter(uint32_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

int name_encode(const char *name, unsigned rules, size_t letters,
		char ret_encoded[CATALOG_NAME_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	bool has_bad_start = (rules & NAME_START) && (*name == '-' || is_device(name));
	const unsigned char *s = (const unsigned char *)name;
	size_t out = 0;

	if (!*s)
		return -EINVAL;
	for (bool is_first = true; *s; is_first = false) {
		uint32_t c = 0;
		size_t len = text_utf8((const char *)s, &c);
		bool is_last = !s[len ? len : 1];
		bool plain = len && text_is_printable(c) &&
			     !(c < 0x80 && strchr("/\\:*?\"<>|%", (int)c)) &&
			     !(c == '.' && (is_first || is_last)) && !(c == ' ' && is_last) &&
			     !(is_first && has_bad_start) &&
			     !((rules & NAME_DECOMPOSED) && is_decomposed(c));

		if (letters && len && is_letter(c)) {
			letters--;
			plain = false;
		}
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

int catalog_name_encode(const char *name, char ret_encoded[CATALOG_NAME_SIZE])
{
	return name_encode(name, NAME_START | NAME_DECOMPOSED, 0, ret_encoded);
}

int name_check(const char *name, const char *what, char ret_message[CATALOG_MESSAGE_SIZE])
{
	char encoded[CATALOG_NAME_SIZE];
	int err = catalog_name_encode(name, encoded);

	if (err == -EINVAL)
		return catalog_fail(err, ret_message, "a %s needs a name", what);
	return err ? catalog_fail(err, ret_message,
				  "the name is too long: as a folder's name it would have more"
				  " than 255 bytes")
		   : 0;
}
