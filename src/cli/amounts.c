/* Writes bytes, counts and times as people read them. */
#include "cli/amounts.h"

#include <stdio.h>

#include "util/cleanup.h"

const char *amount_bytes(int64_t bytes, char ret_text[AMOUNT_SIZE])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(ret_text, AMOUNT_SIZE, "%lld B", (long long)bytes);
		return ret_text;
	}
	/* 999.95 would be rounded to 1000.0 of the smaller unit. */
	while (value >= 999.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(ret_text, AMOUNT_SIZE, "%.1f %s", value, units[unit]);
	return ret_text;
}

const char *amount_count(int64_t count, char ret_text[AMOUNT_SIZE])
{
	char digits[AMOUNT_SIZE];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)count);
	char *out = ret_text;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return ret_text;
}

const char *amount_secs(int64_t secs, char ret_text[AMOUNT_SIZE])
{
	long long s = secs % 60, m = secs / 60 % 60, h = secs / 3600;

	if (h >= 48)
		snprintf(ret_text, AMOUNT_SIZE, "%lld d %lld h", h / 24, h % 24);
	else if (h)
		snprintf(ret_text, AMOUNT_SIZE, "%lld:%02lld:%02lld", h, m, s);
	else
		snprintf(ret_text, AMOUNT_SIZE, "%lld:%02lld", m, s);
	return ret_text;
}
