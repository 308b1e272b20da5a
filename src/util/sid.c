/* Twilio's SIDs: text, 16 bytes, inode. */
#include "util/sid.h"

#include <errno.h>

#include "util/crypto.h"

int sid_parse_prefix(const char *text, size_t text_len, const char prefix[2], struct sid *ret_sid)
{
	char digits[SID_LENGTH - 1];
	struct sid sid;

	if (text_len < SID_LENGTH || text[0] != prefix[0] || text[1] != prefix[1])
		return -EINVAL;
	memcpy(digits, text + 2, SID_LENGTH - 2);
	digits[SID_LENGTH - 2] = '\0';
	if (crypto_unhex(digits, sid.bytes, sizeof sid.bytes) < 0)
		return -EINVAL;
	*ret_sid = sid;
	return 0;
}

int sid_parse(const char *text, const char prefix[2], struct sid *ret_sid)
{
	size_t len = strnlen(text, SID_SIZE);

	return len == SID_LENGTH ? sid_parse_prefix(text, len, prefix, ret_sid) : -EINVAL;
}

void sid_format(const struct sid *sid, const char prefix[2], char ret_text[SID_SIZE])
{
	ret_text[0] = prefix[0];
	ret_text[1] = prefix[1];
	crypto_hex(sid->bytes, sizeof sid->bytes, ret_text + 2);
}

bool sid_is_zero(const struct sid *sid)
{
	static const struct sid zero;

	return sid_equal(sid, &zero);
}

uint64_t sid_inode(const struct sid *sid)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < 8; i++)
		bits = bits << 8 | sid->bytes[i];
	bits >>= 1;
	/* 0 is not an inode, and 1 is the root. */
	return bits < 2 ? bits + 2 : bits;
}
