/* Parses a user's price table. Missing values keep their built-in defaults; classes do not. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "storage/cost.h"

struct reading {
	char *message;
	bool failed;
};

static void complain(struct reading *reading, const char *where, const char *name, const char *what)
{
	if (!reading->failed)
		snprintf(reading->message, 200, "%s%s%s %s", where, *where ? "." : "", name, what);
	reading->failed = true;
}

static void read_text(struct reading *reading, json_t *object, const char *name, char *where,
		      size_t size)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		return;
	if (!json_is_string(value) || json_string_length(value) >= size)
		complain(reading, "", name, "is not a text, or too long");
	else
		snprintf(where, size, "%s", json_string_value(value));
}

static void read_number(struct reading *reading, const char *where, json_t *object,
			const char *name, double *ret_value)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		return;
	if (!json_is_number(value) || !(json_number_value(value) >= 0) ||
	    !isfinite(json_number_value(value)))
		complain(reading, where, name, "is not a number of 0 or more");
	else
		*ret_value = json_number_value(value);
}

static void read_bytes(struct reading *reading, const char *where, json_t *object, const char *name,
		       int64_t *ret_value)
{
	double value = (double)*ret_value;

	read_number(reading, where, object, name, &value);
	if (value > 1e12)
		complain(reading, where, name, "is too large");
	else
		*ret_value = (int64_t)value;
}

static void read_class(struct reading *reading, const char *name, json_t *object,
		       struct cost_prices *prices)
{
	struct cost_class *class = &prices->classes[prices->class_count];

	if (strlen(name) >= sizeof class->name || prices->class_count == COST_CLASSES_LIMIT ||
	    !json_is_number(json_object_get(object, "per_gb_month"))) {
		complain(reading, "s3", name, "has no per_gb_month, or is one too many");
		return;
	}
	*class = (struct cost_class){ .per_gb_month = 0 };
	snprintf(class->name, sizeof class->name, "%s", name);
	read_number(reading, name, object, "per_gb_month", &class->per_gb_month);
	read_number(reading, name, object, "per_1000_transitions", &class->per_1000_transitions);
	read_bytes(reading, name, object, "minimum_bytes", &class->minimum_bytes);
	read_bytes(reading, name, object, "overhead_bytes", &class->overhead_bytes);
	read_bytes(reading, name, object, "overhead_standard_bytes",
		   &class->overhead_standard_bytes);
	prices->class_count++;
}

static void read_table(struct reading *reading, json_t *table, struct cost_prices *prices)
{
	json_t *twilio = json_object_get(table, "twilio"), *s3 = json_object_get(table, "s3");
	json_t *object;
	const char *name;

	if (!json_is_string(json_object_get(table, "date")))
		complain(reading, "", "date", "is missing: prices need a date");
	read_text(reading, table, "date", prices->date, sizeof prices->date);
	read_text(reading, table, "currency", prices->currency, sizeof prices->currency);
	read_text(reading, table, "region", prices->region, sizeof prices->region);
	read_number(reading, "twilio", twilio, "per_minute", &prices->twilio_per_minute);
	read_bytes(reading, "twilio", twilio, "free_minutes", &prices->twilio_free_minutes);
	if (!s3)
		return;
	if (!json_is_object(s3))
		complain(reading, "", "s3", "is not an object");
	prices->class_count = 0;
	json_object_foreach(s3, name, object) read_class(reading, name, object, prices);
}

int cost_prices_parse(const char *json, size_t n, struct cost_prices *ret_prices,
		      char ret_message[200])
{
	struct reading reading = { .message = ret_message };
	json_error_t error;
	json_t *table = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);

	*ret_prices = *cost_prices_default();
	if (!json_is_object(table)) {
		snprintf(ret_message, 200, "line %d: %.120s", error.line,
			 table ? "not a JSON object" : error.text);
		reading.failed = true;
	} else {
		read_table(&reading, table, ret_prices);
	}
	json_decref(table);
	return reading.failed ? -EINVAL : 0;
}
