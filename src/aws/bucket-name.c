/* Valid names of buckets. */
#include <arpa/inet.h>
#include <string.h>

#include "aws/bucket.h"

#define NAME_MIN 3
#define NAME_MAX_AWS 63
#define NAME_MAX_ANY 255 /* AWS formerly, in us-east-1; Ceph, with the matching setting */
#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

static bool is_lower_or_digit(char c)
{
	return c && strchr(LOWER_DIGITS, c);
}

const char *s3_bucket_name_problem(const char *name, bool is_aws_now)
{
	size_t len = strlen(name);
	struct in_addr address;

	if (len < NAME_MIN)
		return "it has fewer than three characters";
	if (len > NAME_MAX_ANY)
		return "it has more than 255 characters";
	if (name[strspn(name, LOWER_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-")])
		return "it has other characters than letters without accents, digits, dots, hyphens and underscores";
	if (strstr(name, ".."))
		return "it has two dots side by side";
	if (inet_pton(AF_INET, name, &address) == 1)
		return "it looks like an IP address";
	if (!is_aws_now)
		return NULL;
	if (len > NAME_MAX_AWS)
		return "it has more than 63 characters";
	if (name[strspn(name, LOWER_DIGITS ".-")])
		return "AWS allows only lower-case letters, digits, dots and hyphens";
	if (!is_lower_or_digit(name[0]) || !is_lower_or_digit(name[len - 1]))
		return "at AWS it has to begin and end with a letter or digit";
	return NULL;
}
