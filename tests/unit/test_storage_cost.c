/* Costs: each number is worked out here by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/cost.h"
#include "util/cleanup.h"

#define GB (INT64_C(1) << 30)
#define NEAR 1e-9

static const struct s3_transition rule[] = { { 90, "GLACIER_IR" }, { 365, "DEEP_ARCHIVE" } };

static void test_storage__twilio_bills_started_minutes_above_the_free_ones(void **state)
{
	const struct cost_prices *p = cost_prices_default();

	assert_float_equal(cost_twilio_month(p, 0), 0, NEAR);
	assert_float_equal(cost_twilio_month(p, 10000), 0, NEAR);
	assert_float_equal(cost_twilio_month(p, 10001), 0.0005, NEAR);
	assert_float_equal(cost_twilio_month(p, 110000), 50, NEAR);
}

static void test_storage__a_class_bills_gigabytes_minimums_and_overheads(void **state)
{
	const struct cost_prices *p = cost_prices_default();
	const int64_t n = 8192; /* 8192 objects of 128 KB are a gigabyte */

	assert_float_equal(cost_class_month(p, cost_class_find(p, "STANDARD"), 1000, 10 * GB), 0.23,
			   NEAR);
	/* Small ones count as 128 KB. */
	assert_float_equal(cost_class_month(p, cost_class_find(p, "GLACIER_IR"), n, n), 0.004,
			   NEAR);
	assert_float_equal(cost_class_month(p, cost_class_find(p, "GLACIER_IR"), n, 4 * GB), 0.016,
			   NEAR);
	/* 32 KB of each at the class's price, 8 KB at STANDARD's: a quarter and a sixteenth of a
	 * gigabyte. */
	assert_float_equal(cost_class_month(p, cost_class_find(p, "DEEP_ARCHIVE"), n, GB),
			   1.25 * 0.00099 + 0.0625 * 0.023, NEAR);
	assert_null(cost_class_find(p, "EXPRESS"));
}

static void test_storage__a_rule_moves_by_age_towards_colder_classes_only(void **state)
{
	static const struct {
		const char *from;
		int64_t age;
		const char *to;
	} cases[] = {
		{ "STANDARD", 0, "STANDARD" },       { "STANDARD", 89, "STANDARD" },
		{ "STANDARD", 90, "GLACIER_IR" },    { "STANDARD", 364, "GLACIER_IR" },
		{ "STANDARD", 365, "DEEP_ARCHIVE" }, { "GLACIER", 100, "GLACIER" },
		{ "GLACIER", 400, "DEEP_ARCHIVE" },  { "DEEP_ARCHIVE", 100, "DEEP_ARCHIVE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(cost_class_at(cost_prices_default(), cases[i].from,
						  cases[i].age, rule, ARRAY_SIZE(rule)),
				    cases[i].to);
}

static void test_storage__a_year_under_the_rule_is_its_months_and_its_moves(void **state)
{
	const struct cost_prices *p = cost_prices_default();
	const struct catalog_cost_row young = { .at_twilio = true,
						.recordings = 1000,
						.size_bytes = 10 * GB };
	const struct catalog_cost_row old = { .in_s3 = true,
					      .storage_class = "GLACIER_IR",
					      .age_days = 365,
					      .recordings = 8192,
					      .size_bytes = GB * 8192 / 8192 };
	struct cost_s3 cost;
	double deep;

	cost_group_s3(p, &young, "STANDARD", rule, ARRAY_SIZE(rule), &cost);
	assert_float_equal(cost.month_now, 0, NEAR);
	assert_float_equal(cost.month_moved, 0.23, NEAR);
	/* Three months of STANDARD (days 0, 30, 60), nine of GLACIER_IR, 1000 moves into it. */
	assert_float_equal(cost.year_ruled, 3 * 0.23 + 9 * 0.04 + 0.02, NEAR);
	cost_group_s3(p, &young, "STANDARD", NULL, 0, &cost);
	assert_float_equal(cost.year_ruled, 12 * 0.23, NEAR);

	cost_group_s3(p, &old, "STANDARD", rule, ARRAY_SIZE(rule), &cost);
	deep = 1.25 * 0.00099 + 0.0625 * 0.023;
	assert_float_equal(cost.month_now, 0.004, NEAR);
	assert_float_equal(cost.year_ruled, 12 * deep + 8.192 * 0.05, NEAR);
}

static void test_storage__what_is_too_small_for_the_rule_stays(void **state)
{
	const struct cost_prices *p = cost_prices_default();
	const struct catalog_cost_row small = { .in_s3 = true,
						.storage_class = "STANDARD",
						.age_days = 1000,
						.recordings = 100,
						.size_bytes = 100 * 64 * 1024 };
	struct cost_s3 cost;

	cost_group_s3(p, &small, "STANDARD", rule, ARRAY_SIZE(rule), &cost);
	assert_float_equal(cost.year_ruled, 12 * cost.month_now, NEAR);
}

static void test_storage__a_class_without_a_price_is_named_and_not_guessed(void **state)
{
	const struct catalog_cost_row group = {
		.in_s3 = true, .storage_class = "SNOW", .recordings = 1, .size_bytes = GB
	};
	struct cost_s3 cost;

	cost_group_s3(cost_prices_default(), &group, "STANDARD", rule, ARRAY_SIZE(rule), &cost);
	assert_true(cost.is_unknown);
	assert_float_equal(cost.month_now + cost.month_moved + cost.year_ruled, 0, NEAR);
}

static int parse(const char *json, struct cost_prices *ret_prices, char message[200])
{
	return cost_prices_parse(json, strlen(json), ret_prices, message);
}

static void test_storage__a_price_table_replaces_what_it_names(void **state)
{
	struct cost_prices p;
	char message[200];

	assert_int_equal(parse("{\"date\": \"2030-01-01\", \"currency\": \"EUR\","
			       " \"twilio\": {\"per_minute\": 0.001},"
			       " \"s3\": {\"STANDARD\": {\"per_gb_month\": 0.03},"
			       " \"COLD\": {\"per_gb_month\": 0.001, \"minimum_bytes\": 65536}}}",
			       &p, message),
			 0);
	assert_string_equal(p.date, "2030-01-01");
	assert_string_equal(p.currency, "EUR");
	assert_float_equal(p.twilio_per_minute, 0.001, NEAR);
	assert_int_equal(p.twilio_free_minutes, 10000);
	assert_int_equal(p.class_count, 2);
	assert_int_equal(cost_class_find(&p, "COLD")->minimum_bytes, 65536);
	assert_null(cost_class_find(&p, "GLACIER"));
}

static void test_storage__a_price_table_that_is_none_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *json, *reason;
	} cases[] = {
		{ "", "line" },
		{ "[1]", "not a JSON object" },
		{ "{\"currency\": \"EUR\"}", "date" },
		{ "{\"date\": 2030}", "date" },
		{ "{\"date\": \"2030-01-01\", \"twilio\": {\"per_minute\": -1}}",
		  "twilio.per_minute" },
		{ "{\"date\": \"2030-01-01\", \"twilio\": {\"per_minute\": \"1\"}}",
		  "twilio.per_minute" },
		{ "{\"date\": \"2030-01-01\", \"s3\": {\"STANDARD\": {}}}", "s3.STANDARD" },
		{ "{\"date\": \"2030-01-01\", \"s3\": {\"STANDARD\": 1}}", "s3.STANDARD" },
		{ "{\"date\": \"2030-01-01\", \"s3\": []}", "s3" },
	};
	struct cost_prices p;
	char message[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].json, &p, message), -EINVAL);
		assert_non_null(strstr(message, cases[i].reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage__twilio_bills_started_minutes_above_the_free_ones),
		cmocka_unit_test(test_storage__a_class_bills_gigabytes_minimums_and_overheads),
		cmocka_unit_test(test_storage__a_rule_moves_by_age_towards_colder_classes_only),
		cmocka_unit_test(test_storage__a_year_under_the_rule_is_its_months_and_its_moves),
		cmocka_unit_test(test_storage__what_is_too_small_for_the_rule_stays),
		cmocka_unit_test(test_storage__a_class_without_a_price_is_named_and_not_guessed),
		cmocka_unit_test(test_storage__a_price_table_replaces_what_it_names),
		cmocka_unit_test(test_storage__a_price_table_that_is_none_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
