/* Dates on the wires: src/util/times.c. */
#include "fuzz.h"
#include "util/times.h"

/* What has been read can be written and read again. */
static void check(int64_t secs)
{
	char text[TIME_ISO8601_SIZE];
	int year, month, day;
	int64_t again;

	time_civil(secs, &year, &month, &day);
	MUST(month >= 1 && month <= 12 && day >= 1 && day <= 31);
	time_format_name(secs, text);
	time_format_basic(secs, text);
	time_format_iso8601(secs, text);
	MUST(strlen(text) == 20);
	MUST(time_parse_iso8601(text, &again) == 0);
	/* An offset may lead out of the years that have four digits. */
	MUST(again == secs || secs < INT64_C(-62167219200) || secs > INT64_C(253402300799));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	int64_t secs;

	if (time_parse_rfc2822(text, &secs) == 0)
		check(secs);
	if (time_parse_iso8601(text, &secs) == 0)
		check(secs);
	if (size >= sizeof secs) {
		memcpy(&secs, data, sizeof secs);
		check(secs);
	}
	free(text);
	return 0;
}
