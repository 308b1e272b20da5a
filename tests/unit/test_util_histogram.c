/* Histograms and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "util/buf.h"
#include "util/histogram.h"

static void test_util_histogram__a_value_is_in_the_first_bucket_that_holds_it(void **state)
{
	struct histogram h = { 0 };

	histogram_add(&h, -5);
	histogram_add(&h, 1);
	histogram_add(&h, 2);
	histogram_add(&h, 3);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.counts[1], 1);
	assert_int_equal(h.counts[2], 1);
	assert_int_equal(h.counts[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(h.count, 5);
}

static void test_util_histogram__the_text_is_cumulative_and_in_seconds(void **state)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct histogram h = { 0 };

	histogram_add(&h, 30);
	histogram_add(&h, 70);
	histogram_add(&h, 120000);
	histogram_write(&h, "x", "a=\"b\"", &out);
	assert_non_null(strstr(buf_str(&out), "x_bucket{a=\"b\",le=\"0.025\"} 0\n"));
	assert_non_null(strstr(buf_str(&out), "x_bucket{a=\"b\",le=\"0.050\"} 1\n"));
	assert_non_null(strstr(buf_str(&out), "x_bucket{a=\"b\",le=\"0.100\"} 2\n"));
	assert_non_null(strstr(buf_str(&out), "x_bucket{a=\"b\",le=\"60.000\"} 2\n"));
	assert_non_null(strstr(buf_str(&out), "x_bucket{a=\"b\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(buf_str(&out), "x_sum{a=\"b\"} 120.100\n"));
	assert_non_null(strstr(buf_str(&out), "x_count{a=\"b\"} 3\n"));
	buf_reset(&out);
	histogram_write(&h, "x", "", &out);
	assert_non_null(strstr(buf_str(&out), "x_bucket{le=\"0.001\"} 0\n"));
	assert_non_null(strstr(buf_str(&out), "x_count 3\n"));
}

static void test_util_histogram__a_text_that_is_read_gives_the_same(void **state)
{
	static const char *const labels[] = { "", "a=\"b\"" };
	struct histogram h = { 0 };

	for (int i = 1; i <= 1000; i++)
		histogram_add(&h, i * i);
	for (unsigned i = 0; i < 2; i++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct histogram again = { 0 };
		char *save = NULL;

		histogram_write(&h, "x", labels[i], &out);
		for (char *line = strtok_r((char *)buf_str(&out), "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			assert_false(histogram_parse_line(&again, "y", labels[i], line));
			assert_false(histogram_parse_line(&again, "x", labels[1 - i], line));
			assert_true(histogram_parse_line(&again, "x", labels[i], line));
		}
		assert_memory_equal(&again, &h, sizeof h);
	}
}

static void test_util_histogram__a_share_of_the_values_is_below_a_bound(void **state)
{
	struct histogram h = { 0 };

	assert_int_equal(histogram_bound(&h, 500), 0);
	for (int i = 0; i < 95; i++)
		histogram_add(&h, 4);
	for (int i = 0; i < 4; i++)
		histogram_add(&h, 70);
	histogram_add(&h, 100000);
	assert_int_equal(histogram_bound(&h, 500), 5);
	assert_int_equal(histogram_bound(&h, 950), 5);
	assert_int_equal(histogram_bound(&h, 951), 100);
	assert_int_equal(histogram_bound(&h, 990), 100);
	assert_int_equal(histogram_bound(&h, 991), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_histogram__a_value_is_in_the_first_bucket_that_holds_it),
		cmocka_unit_test(test_util_histogram__the_text_is_cumulative_and_in_seconds),
		cmocka_unit_test(test_util_histogram__a_text_that_is_read_gives_the_same),
		cmocka_unit_test(test_util_histogram__a_share_of_the_values_is_below_a_bound),
	};

	return cmocka_run_group_tests_name("util_histogram", tests, NULL, NULL);
}
