/* Twilio's string identifiers: two capital letters and 32 lower-case hex digits ("RE0123…", 34
 * characters). Memory and catalog keep only the 16 bytes; the letters follow from the field. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SID_LENGTH 34
#define SID_SIZE (SID_LENGTH + 1)

struct sid {
	uint8_t bytes[16];
};

/* Exactly SID_LENGTH characters with this prefix; hex digits in either case. 0 or -EINVAL. */
int sid_parse(const char *text, const char prefix[2], struct sid *ret_sid);
/* The same for the first SID_LENGTH bytes of a longer text. */
int sid_parse_prefix(const char *text, size_t text_len, const char prefix[2], struct sid *ret_sid);
void sid_format(const struct sid *sid, const char prefix[2], char ret_text[SID_SIZE]);
static inline bool sid_equal(const struct sid *a, const struct sid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
bool sid_is_zero(const struct sid *sid);
/* The first 63 bits, big-endian, never 0 or 1: the preferred inode of a recording. */
uint64_t sid_inode(const struct sid *sid);
