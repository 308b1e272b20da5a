/* Clocks, and date formats of protocols and files. Times are UTC, in Unix seconds. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t time_now_secs(void);
int64_t time_now_msecs(void);  /* wall clock */
int64_t time_now_nsecs(void);  /* wall clock */
int64_t time_mono_msecs(void); /* for deadlines */
struct timespec time_to_timespec(int64_t msecs);

/* RFC 2822 with a numeric offset or GMT/UT ("Sun, 01 Mar 2026 10:15:00 +0200"); the weekday may
 * be absent. 0 or -EINVAL. */
int time_parse_rfc2822(const char *s, int64_t *ret_secs);
/* "2026-03-01", "2026-03-01T10:15:00Z", "…+02:00", fractions ignored. 0 or -EINVAL. */
int time_parse_iso8601(const char *s, int64_t *ret_secs);

#define TIME_ISO8601_SIZE 24
/* "2026-03-01T10:15:00Z" */
void time_format_iso8601(int64_t secs, char ret_text[TIME_ISO8601_SIZE]);
/* "2026-03-01T10-15-00Z": the form in file names (no colon: Windows, rsync). */
void time_format_name(int64_t secs, char ret_text[TIME_ISO8601_SIZE]);
/* "2026-03-01 10:15:00": the form that spreadsheets recognise. */
void time_format_table(int64_t secs, char ret_text[TIME_ISO8601_SIZE]);
/* "20260301T101500Z": the form of SigV4. */
void time_format_basic(int64_t secs, char ret_text[TIME_ISO8601_SIZE]);
/* The calendar date, for keys and date windows. */
void time_civil(int64_t secs, int *ret_year, int *ret_month, int *ret_day);
