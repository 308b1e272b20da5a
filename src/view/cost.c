/* Adds up the costs of a workspace's recordings from the catalog's rows and the prices. */
#include "view/cost.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/cost.h"
#include "storage/lifecycle.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "view/bucket.h"

/* ---- loading ---- */

struct loading {
	struct view_cost *cost;
	const char *new_class; /* of recordings that would be moved today */
};

/* NULL: there are too many classes. */
static struct view_cost_class *class_of(struct view_cost *cost, const char *name)
{
	struct view_cost_class *class = cost->classes, *end = class + cost->class_count;

	while (class < end && strcmp(class->name, name) != 0)
		class ++;
	if (class < end)
		return class;
	if (cost->class_count == VIEW_COST_CLASSES_LIMIT)
		return NULL;
	cost->class_count++;
	snprintf(class->name, sizeof class->name, "%s", name);
	return class;
}

/* Rows come folder by folder. NULL: no memory. */
static struct view_cost_campaign *campaign_of(struct view_cost *cost, int64_t folder_id)
{
	struct view_cost_campaign *campaign;

	if (cost->campaign_count &&
	    cost->campaigns[cost->campaign_count - 1].folder_id == folder_id)
		return &cost->campaigns[cost->campaign_count - 1];
	campaign = array_add(&cost->campaigns, &cost->campaign_count);
	if (campaign)
		campaign->folder_id = folder_id;
	return campaign;
}

static int add_row(void *arg, const struct catalog_cost_row *row)
{
	const struct loading *loading = arg;
	struct view_cost *cost = loading->cost;
	struct view_cost_campaign *campaign = campaign_of(cost, row->folder_id);
	struct view_cost_class *class = row->in_s3 ? class_of(cost, row->storage_class) : NULL;
	struct cost_s3 s3;

	if (!campaign)
		return -ENOMEM;
	cost_group_s3(cost->prices, row, loading->new_class, cost->transitions,
		      cost->transition_count, &s3);
	cost->recordings += row->recordings;
	campaign->recordings += row->recordings;
	campaign->size_bytes += row->size_bytes;
	if (row->at_twilio) {
		cost->twilio_recordings += row->recordings;
		cost->twilio_minutes += row->minutes;
		cost->unknown_minutes += row->unknown_minutes;
		campaign->twilio_minutes += row->minutes;
	}
	if (class) {
		class->recordings += row->recordings;
		class->size_bytes += row->size_bytes;
		class->s3 += s3.month_now;
		class->is_unknown |= s3.is_unknown;
	}
	if (s3.is_unknown)
		cost->unpriced += row->recordings;
	cost->s3 += s3.month_now;
	cost->all_in_s3 += s3.month_moved;
	cost->all_in_s3_ruled += s3.year_ruled;
	campaign->s3 += s3.month_now;
	campaign->all_in_s3 += s3.month_moved;
	campaign->all_in_s3_ruled += s3.year_ruled;
	return 0;
}

/* Turns years into months, and fills in the campaigns' names and shares of Twilio's bill. */
static void finish(struct catalog *catalog, struct view_cost *cost)
{
	cost->twilio = cost_twilio_month(cost->prices, cost->twilio_minutes);
	cost->all_in_s3_ruled /= 12;
	for (size_t i = 0; i < cost->campaign_count; i++) {
		struct view_cost_campaign *c = &cost->campaigns[i];
		char shown[CATALOG_NAME_SIZE];
		struct catalog_campaign row;

		c->all_in_s3_ruled /= 12;
		c->twilio = cost->twilio_minutes ? cost->twilio * (double)c->twilio_minutes /
							   (double)cost->twilio_minutes
						 : 0;
		snprintf(c->name, sizeof c->name, "%s",
			 catalog_campaign_get(catalog, c->folder_id, &row) == 0
				 ? view_campaign_name(&row, shown)
				 : "?");
	}
}

static void choose_rule(struct catalog *catalog, int64_t workspace_id,
			const struct s3_transition *given, size_t count, struct view_cost *cost)
{
	static const struct s3_transition example[] = { { 90, "GLACIER_IR" },
							{ 365, "DEEP_ARCHIVE" } };

	if (!count && storage_lifecycle_noted(catalog, workspace_id, cost->transitions,
					      &cost->transition_count) == 0) {
		cost->is_rule_set = true;
		return;
	}
	cost->transition_count = count ? count : ARRAY_SIZE(example);
	memcpy(cost->transitions, count ? given : example,
	       cost->transition_count * sizeof *cost->transitions);
}

int view_cost_load(struct catalog *catalog, const struct catalog_workspace *workspace,
		   const struct cost_prices *prices, const struct s3_transition *given,
		   size_t given_count, struct view_cost *ret_cost)
{
	struct loading loading = { ret_cost, "STANDARD" };
	struct catalog_storage storage;
	int err;

	*ret_cost = (struct view_cost){ .prices = prices };
	snprintf(ret_cost->workspace, sizeof ret_cost->workspace, "%s", workspace->name);
	if (catalog_storage_get(catalog, workspace->id, &storage) == 0 && storage.storage_class[0])
		loading.new_class = storage.storage_class;
	choose_rule(catalog, workspace->id, given, given_count, ret_cost);
	err = catalog_cost_each(catalog, workspace->id, COST_SMALL_BYTES, add_row, &loading);
	if (err == 0)
		finish(catalog, ret_cost);
	return err;
}

void view_cost_release(struct view_cost *cost)
{
	free(cost->campaigns);
}

/* ---- JSON ---- */

static json_t *amount_json(double month)
{
	return json_pack("{s:f, s:f}", "month", month, "year", month * 12);
}

static json_t *classes_json(const struct view_cost *cost)
{
	json_t *object = json_object();

	for (size_t i = 0; i < cost->class_count; i++) {
		const struct view_cost_class *c = &cost->classes[i];

		json_object_set_new(object, c->name,
				    json_pack("{s:I, s:I, s:o}", "recordings",
					      (json_int_t)c->recordings, "bytes",
					      (json_int_t)c->size_bytes, "cost",
					      c->is_unknown ? json_null() : amount_json(c->s3)));
	}
	return object;
}

static json_t *campaign_json(const struct view_cost_campaign *c)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "campaign",
			 view_name_json(c->name), "recordings", (json_int_t)c->recordings,
			 "twilio_minutes", (json_int_t)c->twilio_minutes, "bytes",
			 (json_int_t)c->size_bytes, "twilio", amount_json(c->twilio), "s3",
			 amount_json(c->s3), "all_in_s3", amount_json(c->all_in_s3),
			 "all_in_s3_with_lifecycle", amount_json(c->all_in_s3_ruled));
}

json_t *view_cost_json(const struct view_cost *cost)
{
	return json_pack(
		"{s:o, s:I, s:{s:I, s:I, s:I, s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:b, s:I, s:o}",
		"workspace", view_name_json(cost->workspace), "recordings",
		(json_int_t)cost->recordings, "twilio", "recordings",
		(json_int_t)cost->twilio_recordings, "minutes", (json_int_t)cost->twilio_minutes,
		"unknown_durations", (json_int_t)cost->unknown_minutes, "cost",
		amount_json(cost->twilio), "s3", "classes", classes_json(cost), "cost",
		amount_json(cost->s3), "all_in_s3", amount_json(cost->all_in_s3),
		"all_in_s3_with_lifecycle", amount_json(cost->all_in_s3_ruled), "lifecycle",
		view_transitions_json(cost->transitions, cost->transition_count),
		"lifecycle_is_set", (int)cost->is_rule_set, "unpriced", (json_int_t)cost->unpriced,
		"campaigns", view_array_json(cost->campaigns, cost->campaign_count, campaign_json));
}

json_t *view_prices_json(const struct cost_prices *p)
{
	json_t *classes = json_object();

	for (size_t i = 0; i < p->class_count; i++) {
		const struct cost_class *c = &p->classes[i];

		json_object_set_new(
			classes, c->name,
			json_pack("{s:f, s:f, s:I, s:I, s:I}", "per_gb_month", c->per_gb_month,
				  "per_1000_transitions", c->per_1000_transitions, "minimum_bytes",
				  (json_int_t)c->minimum_bytes, "overhead_bytes",
				  (json_int_t)c->overhead_bytes, "overhead_standard_bytes",
				  (json_int_t)c->overhead_standard_bytes));
	}
	return json_pack("{s:s, s:s, s:s, s:{s:f, s:I}, s:o}", "date", p->date, "currency",
			 p->currency, "region", p->region, "twilio", "per_minute",
			 p->twilio_per_minute, "free_minutes", (json_int_t)p->twilio_free_minutes,
			 "s3", classes);
}
