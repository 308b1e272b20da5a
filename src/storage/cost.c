/* The built-in price table, and the computation of costs. */
#include "storage/cost.h"

#include <string.h>

#define GB ((double)(1 << 30))
#define DAYS_OF_MONTH 30
#define KB(n) ((n) * 1024)

const struct cost_prices *cost_prices_default(void)
{
	static const struct cost_prices prices = {
		.date = "2025-06-01",
		.currency = "USD",
		.region = "us-east-1",
		.twilio_per_minute = 0.0005,
		.twilio_free_minutes = 10000,
		.classes = {
			{ "STANDARD", 0.023, 0, 0, 0, 0 },
			{ "INTELLIGENT_TIERING", 0.023, 0.01, 0, 0, 0 },
			{ "STANDARD_IA", 0.0125, 0.01, KB(128), 0, 0 },
			{ "ONEZONE_IA", 0.01, 0.01, KB(128), 0, 0 },
			{ "GLACIER_IR", 0.004, 0.02, KB(128), 0, 0 },
			{ "GLACIER", 0.0036, 0.03, 0, KB(32), KB(8) },
			{ "DEEP_ARCHIVE", 0.00099, 0.05, 0, KB(32), KB(8) },
		},
		.class_count = 7,
	};

	return &prices;
}

const struct cost_class *cost_class_find(const struct cost_prices *prices, const char *name)
{
	for (size_t i = 0; i < prices->class_count; i++)
		if (strcmp(prices->classes[i].name, name) == 0)
			return &prices->classes[i];
	return NULL;
}

double cost_twilio_month(const struct cost_prices *prices, int64_t minutes)
{
	int64_t billed = minutes - prices->twilio_free_minutes;

	return billed > 0 ? (double)billed * prices->twilio_per_minute : 0;
}

double cost_class_month(const struct cost_prices *prices, const struct cost_class *class,
			int64_t objects, int64_t size_bytes)
{
	const struct cost_class *standard = cost_class_find(prices, "STANDARD");
	int64_t billed = size_bytes > objects * class->minimum_bytes
				 ? size_bytes
				 : objects * class->minimum_bytes;
	double cost = (double)(billed + objects * class->overhead_bytes) / GB * class->per_gb_month;

	if (standard)
		cost += (double)(objects * class->overhead_standard_bytes) / GB *
			standard->per_gb_month;
	return cost;
}

/* Order in which a rule moves objects; -1: a class that no rule moves from or to. */
static int coldness(const char *storage_class)
{
	static const char *const order[] = { "STANDARD",    "STANDARD_IA", "INTELLIGENT_TIERING",
					     "ONEZONE_IA",  "GLACIER_IR",  "GLACIER",
					     "DEEP_ARCHIVE" };

	for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
		if (strcmp(order[i], storage_class) == 0)
			return i;
	return -1;
}

const char *cost_class_at(const struct cost_prices *prices, const char *storage_class,
			  int64_t age_days, const struct s3_transition *transitions, size_t count)
{
	const char *now = storage_class;

	for (size_t i = 0; i < count; i++)
		if (age_days >= transitions[i].days &&
		    coldness(transitions[i].storage_class) > coldness(now) &&
		    cost_class_find(prices, transitions[i].storage_class))
			now = transitions[i].storage_class;
	return now;
}

static double year_under(const struct cost_prices *prices, const struct catalog_cost_row *group,
			 const char *first_class, const struct s3_transition *transitions,
			 size_t count)
{
	int64_t age = group->in_s3 ? group->age_days : 0;
	const char *before = first_class;
	double sum = 0;

	if (group->size_bytes < group->recordings * COST_SMALL_BYTES)
		count = 0; /* too small for the rule */
	for (int month = 0; month < 12; month++) {
		const char *name = cost_class_at(
			prices, before, age + (int64_t)month * DAYS_OF_MONTH, transitions, count);
		const struct cost_class *class = cost_class_find(prices, name);

		if (strcmp(name, before) != 0)
			sum += (double)group->recordings / 1000 * class->per_1000_transitions;
		sum += cost_class_month(prices, class, group->recordings, group->size_bytes);
		before = name;
	}
	return sum;
}

void cost_group_s3(const struct cost_prices *prices, const struct catalog_cost_row *group,
		   const char *new_class, const struct s3_transition *transitions, size_t count,
		   struct cost_s3 *ret_cost)
{
	const char *name = group->in_s3 ? group->storage_class : new_class;
	const struct cost_class *class = cost_class_find(prices, name);

	*ret_cost = (struct cost_s3){ .is_unknown = !class };
	if (!class)
		return;
	ret_cost->month_moved =
		cost_class_month(prices, class, group->recordings, group->size_bytes);
	if (group->in_s3)
		ret_cost->month_now = ret_cost->month_moved;
	ret_cost->year_ruled = year_under(prices, group, name, transitions, count);
}
