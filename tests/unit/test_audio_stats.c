/* The counters' text: what a mount writes is what status reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "audio/stats.h"
#include "util/buf.h"

static void test_audio_stats__what_was_written_is_read(void **state)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct audio_stats stats = { .reads = 11,
				     .reads_failed = 2,
				     .reads_from_memory = 3,
				     .ahead_files = 4,
				     .ahead_hits = 5,
				     .ahead_wasted_bytes = 6,
				     .memory_bytes = 7,
				     .memory_budget_bytes = UINT64_MAX,
				     .memory_peak_bytes = 8,
				     .reads_waiting = 10,
				     .files_open = 9,
				     .last_failure = {
					     .sid = { { 0xab, 1 } },
					     .at_secs = 1796120100,
					     .text = "read from S3 failed: no # {a=\"1\"} 7" } };
	struct audio_stats again;

	for (int i = 0; i < AUDIO_OUTCOME_COUNT; i++) {
		stats.origins[AUDIO_FROM_TWILIO].requests[i] = 20 + (uint64_t)i;
		stats.origins[AUDIO_FROM_S3].requests[i] = 30 + (uint64_t)i;
	}
	stats.origins[AUDIO_FROM_TWILIO].bytes = 41;
	stats.origins[AUDIO_FROM_S3].bytes = 42;
	histogram_add(&stats.read, 3);
	histogram_add(&stats.origins[AUDIO_FROM_TWILIO].first_byte, 700);
	histogram_add(&stats.origins[AUDIO_FROM_S3].first_byte, 100000);
	audio_stats_write(&stats, &text);
	assert_false(buf_failed(&text));
	assert_int_equal(audio_stats_parse(buf_str(&text), &again), 0);
	assert_memory_equal(&again, &stats, sizeof stats);
}

static void test_audio_stats__another_text_is_none(void **state)
{
	struct audio_stats stats;

	assert_int_equal(audio_stats_parse("", &stats), -EINVAL);
	assert_int_equal(audio_stats_parse("node_load1 2\ntonicfs_reads_totals 3", &stats),
			 -EINVAL);
	assert_int_equal(audio_stats_parse("other 1\ntonicfs_reads_total 3", &stats), 0);
	assert_int_equal(stats.reads, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audio_stats__what_was_written_is_read),
		cmocka_unit_test(test_audio_stats__another_text_is_none),
	};

	return cmocka_run_group_tests_name("audio_stats", tests, NULL, NULL);
}
