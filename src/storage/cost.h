/*
 * Costs of recordings where they are, and where they could be. Pure computation: numbers in,
 * numbers out.
 *
 * Twilio    by started minutes of each recording and month, above the account's free minutes
 * S3        by gigabyte (2^30), month and storage class; some classes bill small objects as larger
 *           ones, or add a few KB to each
 * Left out  requests, restores, transfer, KMS, taxes: they depend on use
 */
#ifndef TONICFS_STORAGE_COST_H
#define TONICFS_STORAGE_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/lifecycle.h"

#define COST_CLASSES_LIMIT 16
/* Below this AWS's lifecycle leaves an object where it is, unless it is told otherwise. */
#define COST_SMALL_BYTES (128 * 1024)

struct cost_class {
	char name[32];
	double per_gb_month;
	double per_1000_transitions;     /* into it */
	int64_t minimum_bytes;           /* billed for each object at least */
	int64_t overhead_bytes;          /* billed with each object, at this class's price */
	int64_t overhead_standard_bytes; /* the same, at STANDARD's */
};
struct cost_prices {
	char date[16], currency[8], region[32];
	double twilio_per_minute;
	int64_t twilio_free_minutes;
	struct cost_class classes[COST_CLASSES_LIMIT];
	size_t class_count;
};
/* The table that is built in, with its date. */
const struct cost_prices *cost_prices_default(void);
/* A table of the user's: JSON as `tonicfs cost --show-prices` prints it. -EINVAL and a sentence. */
int cost_prices_parse(const char *json, size_t n, struct cost_prices *ret_prices,
		      char ret_message[200]);
/* NULL: the table has no such class. */
const struct cost_class *cost_class_find(const struct cost_prices *prices, const char *name);

/* Recordings that are alike in what decides on their price. */
struct cost_group {
	bool at_twilio, in_s3;
	char storage_class[32]; /* where in_s3 */
	int64_t age_days;       /* of the object */
	int64_t recordings, minutes, size_bytes;
};

/* Started minutes: 0 seconds are one. */
int64_t cost_minutes(int64_t duration_secs);
/* Of the minutes that an account stores. */
double cost_twilio_month(const struct cost_prices *prices, int64_t minutes);
/* Of so many objects of a class. */
double cost_class_month(const struct cost_prices *prices, const struct cost_class *class,
			int64_t objects, int64_t size_bytes);

/* The class of an object of that class and age, once the rule has been at work: it moves towards
 * colder classes only. */
const char *cost_class_at(const struct cost_prices *prices, const char *storage_class,
			  int64_t age_days, const struct s3_transition *transitions, size_t count);

/* A group's costs of S3. new_class: of what is only at Twilio, as if it were moved today. */
struct cost_s3 {
	double month_now;   /* where it is in S3 now; 0 where it is not */
	double month_moved; /* all of it in S3 */
	double year_ruled;  /* all of it in S3, over the next twelve months under the rule,
			       transitions included */
	bool is_unknown;    /* a class that the table does not have: nothing is computed */
};
void cost_group_s3(const struct cost_prices *prices, const struct cost_group *group,
		   const char *new_class, const struct s3_transition *transitions, size_t count,
		   struct cost_s3 *ret_cost);

#endif
