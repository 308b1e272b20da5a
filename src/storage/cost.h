/*
 * Costs of recordings where they are, and where they could be. Pure computation: numbers in,
 * numbers out.
 *
 * Twilio    by started minutes of each recording and month, above the account's free minutes
 * S3        by gigabyte (2^30), month and storage class; some classes bill small objects as larger
 *           ones, or add a few KB to each
 * Left out  requests, restores, transfer, KMS, taxes: they depend on use
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/lifecycle.h"
#include "catalog/cost.h"

#define COST_CLASSES_LIMIT 16
/* AWS's lifecycle does not move smaller objects by default. */
#define COST_SMALL_BYTES (128 * 1024)

struct cost_class {
	char name[32];
	double per_gb_month;
	double per_1000_transitions; /* transitions into this class */
	int64_t minimum_bytes;       /* least size billed for an object */
	int64_t overhead_bytes;      /* billed in addition for each object, at this class's price */
	int64_t overhead_standard_bytes; /* the same at STANDARD's price */
};
struct cost_prices {
	char date[16], currency[8], region[32];
	double twilio_per_minute;
	int64_t twilio_free_minutes;
	struct cost_class classes[COST_CLASSES_LIMIT];
	size_t class_count;
};
/* The built-in table. */
const struct cost_prices *cost_prices_default(void);
/* Parses a user's table: JSON as `tonicfs cost --show-prices` prints it. -EINVAL and a message. */
int cost_prices_parse(const char *json, size_t n, struct cost_prices *ret_prices,
		      char ret_message[200]);
/* NULL: no such class. */
const struct cost_class *cost_class_find(const struct cost_prices *prices, const char *name);

/* Twilio's price for an account's stored minutes. */
double cost_twilio_month(const struct cost_prices *prices, int64_t minutes);
/* S3's price for these objects of one class. */
double cost_class_month(const struct cost_prices *prices, const struct cost_class *class,
			int64_t objects, int64_t size_bytes);

/* The class that the rule moves it to, by class and age. Rules move to colder classes only. */
const char *cost_class_at(const struct cost_prices *prices, const char *storage_class,
			  int64_t age_days, const struct s3_transition *transitions, size_t count);

/* A group's S3 costs. new_class: the class of recordings at Twilio, if they were moved today. */
struct cost_s3 {
	double month_now;   /* as it is in S3 now; 0: not in S3 */
	double month_moved; /* if all were in S3 */
	double year_ruled;  /* if all were in S3, for the next twelve months under the rule,
			       transitions included */
	bool is_unknown;    /* the table does not have the class: nothing is computed */
};
void cost_group_s3(const struct cost_prices *prices, const struct catalog_cost_row *group,
		   const char *new_class, const struct s3_transition *transitions, size_t count,
		   struct cost_s3 *ret_cost);
