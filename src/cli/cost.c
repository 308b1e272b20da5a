/* cost: what recordings cost at Twilio and in S3, now and with a lifecycle, and the numbers behind
 * it. */
#include "storage/cost.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/cost.h"
#include "catalog/storage.h"
#include "cli/commands.h"
#include "cli/transitions.h"
#include "storage/lifecycle.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/files.h"

#define PRICES_LIMIT_BYTES (64 * 1024)
#define CLASSES_LIMIT 24

struct cost_values {
	const char *prices;
	bool show_prices;
	struct transition_values transitions;
};

struct class_sum {
	char name[32];
	int64_t recordings, size_bytes;
	double month;
	bool is_unknown;
};

struct campaign_sum {
	int64_t folder_id, recordings, twilio_minutes, size_bytes;
	double s3_now, s3_moved, s3_ruled_year;
};

struct sums { /* of one workspace */
	const struct cost_prices *prices;
	const char *new_class;
	struct cost_transition transitions[S3_TRANSITIONS_LIMIT];
	size_t transition_count;
	bool is_rule_set; /* by `storage lifecycle set`; else it is what it could be */
	int64_t recordings, unknown_minutes, unpriced;
	int64_t twilio_recordings, twilio_minutes;
	double twilio_month, s3_now, s3_moved, s3_ruled_year;
	struct class_sum classes[CLASSES_LIMIT];
	size_t class_count;
	struct campaign_sum *campaigns;
	size_t campaign_count;
};

/* ---- adding up ---- */

static struct class_sum *class_of(struct sums *sums, const char *name)
{
	for (size_t i = 0; i < sums->class_count; i++)
		if (strcmp(sums->classes[i].name, name) == 0)
			return &sums->classes[i];
	if (sums->class_count == CLASSES_LIMIT)
		return NULL;
	snprintf(sums->classes[sums->class_count].name, sizeof sums->classes[0].name, "%s", name);
	return &sums->classes[sums->class_count++];
}

/* Rows come folder by folder. */
static struct campaign_sum *campaign_of(struct sums *sums, int64_t folder_id)
{
	struct campaign_sum *sum;

	if (sums->campaign_count &&
	    sums->campaigns[sums->campaign_count - 1].folder_id == folder_id)
		return &sums->campaigns[sums->campaign_count - 1];
	sum = array_add(&sums->campaigns, &sums->campaign_count);
	if (sum)
		sum->folder_id = folder_id;
	return sum;
}

static int on_row(void *arg, const struct catalog_cost_row *row)
{
	struct sums *sums = arg;
	struct cost_group group = { row->at_twilio, row->in_s3,      "",
				    row->age_days,  row->recordings, row->minutes,
				    row->size_bytes };
	struct campaign_sum *campaign = campaign_of(sums, row->folder_id);
	struct class_sum *class = row->in_s3 ? class_of(sums, row->storage_class) : NULL;
	struct cost_s3 s3;

	if (!campaign)
		return -ENOMEM;
	snprintf(group.storage_class, sizeof group.storage_class, "%s", row->storage_class);
	cost_group_s3(sums->prices, &group, sums->new_class, sums->transitions,
		      sums->transition_count, &s3);
	sums->recordings += row->recordings;
	campaign->recordings += row->recordings;
	campaign->size_bytes += row->size_bytes;
	if (row->at_twilio) {
		sums->twilio_recordings += row->recordings;
		sums->twilio_minutes += row->minutes;
		sums->unknown_minutes += row->unknown_minutes;
		campaign->twilio_minutes += row->minutes;
	}
	if (class) {
		class->recordings += row->recordings;
		class->size_bytes += row->size_bytes;
		class->month += s3.month_now;
		class->is_unknown |= s3.is_unknown;
	}
	if (s3.is_unknown)
		sums->unpriced += row->recordings;
	sums->s3_now += s3.month_now;
	sums->s3_moved += s3.month_moved;
	sums->s3_ruled_year += s3.year_ruled;
	campaign->s3_now += s3.month_now;
	campaign->s3_moved += s3.month_moved;
	campaign->s3_ruled_year += s3.year_ruled;
	return 0;
}

/* The free minutes are the account's: a campaign has its share of the bill. */
static double twilio_share(const struct sums *sums, const struct campaign_sum *campaign)
{
	return sums->twilio_minutes ? sums->twilio_month * (double)campaign->twilio_minutes /
					      (double)sums->twilio_minutes
				    : 0;
}

static const char *campaign_name(struct cli *cli, int64_t folder_id,
				 char ret_shown[CATALOG_NAME_SIZE])
{
	struct catalog_campaign campaign;

	if (catalog_campaign_get(cli->catalog, folder_id, &campaign) < 0)
		return "?";
	return campaign.is_unassigned ? CATALOG_UNASSIGNED : cli_name(campaign.name, ret_shown);
}

/* ---- in words ---- */

static void print_classes(const struct sums *sums)
{
	const char *const head[] = { "CLASS",          "RECORDINGS", "GB",
				     "A GB AND MONTH", "A MONTH",    "A YEAR" };
	struct cli_table table = { 0 };

	if (!sums->class_count)
		return;
	cli_table_row(&table, ARRAY_SIZE(head), head);
	for (size_t i = 0; i < sums->class_count; i++) {
		const struct class_sum *c = &sums->classes[i];
		const struct cost_class *price = cost_class_find(sums->prices, c->name);
		char recordings[24], gb[32], each[32] = "not in the table", month[32] = "?",
					     year[32] = "?";

		snprintf(recordings, sizeof recordings, "%lld", (long long)c->recordings);
		snprintf(gb, sizeof gb, "%.3f", (double)c->size_bytes / (1 << 30));
		if (price) {
			snprintf(each, sizeof each, "%.5f", price->per_gb_month);
			snprintf(month, sizeof month, "%.4f", c->month);
			snprintf(year, sizeof year, "%.2f", c->month * 12);
		}
		cli_table_row(&table, ARRAY_SIZE(head),
			      (const char *const[]){ c->name, recordings, gb, each, month, year });
	}
	printf("\nIn S3 now\n");
	cli_table_print(&table, stdout);
}

static void total_row(struct cli_table *table, const char *what, double month)
{
	char per_month[32], per_year[32];

	snprintf(per_month, sizeof per_month, "%.4f", month);
	snprintf(per_year, sizeof per_year, "%.2f", month * 12);
	cli_table_row(table, 3, (const char *const[]){ what, per_month, per_year });
}

static void print_totals(const struct sums *sums)
{
	struct cli_table table = { 0 };

	cli_table_row(&table, 3, (const char *const[]){ "TOGETHER", "A MONTH", "A YEAR" });
	total_row(&table, "now: at Twilio", sums->twilio_month);
	total_row(&table, "now: in S3", sums->s3_now);
	total_row(&table, "all of it in S3", sums->s3_moved);
	total_row(&table,
		  sums->is_rule_set ? "all of it in S3, under the lifecycle"
				    : "all of it in S3, under such a lifecycle",
		  sums->s3_ruled_year / 12);
	printf("\n");
	cli_table_print(&table, stdout);
	printf("Lifecycle%s:", sums->is_rule_set ? "" : " (none is set; for example)");
	for (size_t i = 0; i < sums->transition_count; i++)
		printf("%s %s after %d days", i ? "," : "", sums->transitions[i].storage_class,
		       sums->transitions[i].days);
	printf("; the next twelve months, what it moves included.\n");
}

static void print_campaigns(struct cli *cli, const struct sums *sums)
{
	const char *const head[] = { "CAMPAIGN",       "RECORDINGS", "MINUTES AT TWILIO",
				     "TWILIO A MONTH", "S3 A MONTH", "IN S3, RULED" };
	struct cli_table table = { 0 };
	char shown[CATALOG_NAME_SIZE];

	if (!sums->campaign_count)
		return;
	cli_table_row(&table, ARRAY_SIZE(head), head);
	for (size_t i = 0; i < sums->campaign_count; i++) {
		const struct campaign_sum *c = &sums->campaigns[i];
		char recordings[24], minutes[24], twilio[32], s3[32], ruled[32];

		snprintf(recordings, sizeof recordings, "%lld", (long long)c->recordings);
		snprintf(minutes, sizeof minutes, "%lld", (long long)c->twilio_minutes);
		snprintf(twilio, sizeof twilio, "%.4f", twilio_share(sums, c));
		snprintf(s3, sizeof s3, "%.4f", c->s3_now);
		snprintf(ruled, sizeof ruled, "%.4f", c->s3_ruled_year / 12);
		cli_table_row(&table, ARRAY_SIZE(head),
			      (const char *const[]){ campaign_name(cli, c->folder_id, shown),
						     recordings, minutes, twilio, s3, ruled });
	}
	printf("\n");
	cli_table_print(&table, stdout);
}

static void print_workspace(struct cli *cli, const struct catalog_workspace *w,
			    const struct sums *sums)
{
	const struct cost_prices *p = sums->prices;
	int64_t billed = sums->twilio_minutes > p->twilio_free_minutes
				 ? sums->twilio_minutes - p->twilio_free_minutes
				 : 0;
	char shown[CATALOG_NAME_SIZE];

	printf("%s: %lld recordings; %s, prices of %s (%s)\n", cli_name(w->name, shown),
	       (long long)sums->recordings, p->currency, p->date, p->region);
	printf("\nAt Twilio: %lld started minutes of %lld recordings, less %lld free ones: %lld at %g a month\n",
	       (long long)sums->twilio_minutes, (long long)sums->twilio_recordings,
	       (long long)p->twilio_free_minutes, (long long)billed, p->twilio_per_minute);
	if (sums->unknown_minutes)
		printf("(%lld recordings of unknown duration are not counted)\n",
		       (long long)sums->unknown_minutes);
	print_classes(sums);
	print_totals(sums);
	if (sums->unpriced)
		printf("%lld recordings are in classes that the price table does not have.\n",
		       (long long)sums->unpriced);
	print_campaigns(cli, sums);
}

/* ---- in JSON ---- */

static json_t *amount(double month)
{
	return json_pack("{s:f, s:f}", "month", month, "year", month * 12);
}

static json_t *workspace_json(struct cli *cli, const struct catalog_workspace *w,
			      const struct sums *sums)
{
	json_t *classes = json_object(), *campaigns = json_array(), *rule = json_array();

	for (size_t i = 0; i < sums->class_count; i++) {
		const struct class_sum *c = &sums->classes[i];

		json_object_set_new(classes, c->name,
				    json_pack("{s:I, s:I, s:o}", "recordings",
					      (json_int_t)c->recordings, "bytes",
					      (json_int_t)c->size_bytes, "cost",
					      c->is_unknown ? json_null() : amount(c->month)));
	}
	for (size_t i = 0; i < sums->campaign_count; i++) {
		const struct campaign_sum *c = &sums->campaigns[i];
		char shown[CATALOG_NAME_SIZE];

		json_array_append_new(
			campaigns,
			json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "campaign",
				  cli_json_name(campaign_name(cli, c->folder_id, shown)),
				  "recordings", (json_int_t)c->recordings, "twilio_minutes",
				  (json_int_t)c->twilio_minutes, "bytes", (json_int_t)c->size_bytes,
				  "twilio", amount(twilio_share(sums, c)), "s3", amount(c->s3_now),
				  "all_in_s3", amount(c->s3_moved), "all_in_s3_with_lifecycle",
				  amount(c->s3_ruled_year / 12)));
	}
	for (size_t i = 0; i < sums->transition_count; i++)
		json_array_append_new(rule, json_pack("{s:i, s:s}", "days",
						      sums->transitions[i].days, "storage_class",
						      sums->transitions[i].storage_class));
	return json_pack(
		"{s:o, s:I, s:{s:I, s:I, s:I, s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:b, s:I, s:o}",
		"workspace", cli_json_name(w->name), "recordings", (json_int_t)sums->recordings,
		"twilio", "recordings", (json_int_t)sums->twilio_recordings, "minutes",
		(json_int_t)sums->twilio_minutes, "unknown_durations",
		(json_int_t)sums->unknown_minutes, "cost", amount(sums->twilio_month), "s3",
		"classes", classes, "cost", amount(sums->s3_now), "all_in_s3",
		amount(sums->s3_moved), "all_in_s3_with_lifecycle",
		amount(sums->s3_ruled_year / 12), "lifecycle", rule, "lifecycle_is_set",
		(int)sums->is_rule_set, "unpriced", (json_int_t)sums->unpriced, "campaigns",
		campaigns);
}

static json_t *prices_json(const struct cost_prices *p)
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

/* ---- the command ---- */

static int prices_load(const char *path, struct cost_prices *ret_prices)
{
	cleanup_free char *text = NULL;
	char message[200];
	size_t len;
	int err;

	*ret_prices = *cost_prices_default();
	if (!path)
		return CLI_DONE;
	err = files_read(path, PRICES_LIMIT_BYTES, &text, &len);
	if (err < 0) {
		cli_error("--prices %s: %s", path, strerror(-err));
		return CLI_FAILED;
	}
	if (cost_prices_parse(text, len, ret_prices, message) < 0) {
		cli_error("--prices %s: %s", path, message);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static void rule_choose(struct cli *cli, int64_t workspace_id, const struct s3_transition *given,
			size_t count, struct sums *sums)
{
	static const struct s3_transition example[] = { { 90, "GLACIER_IR" },
							{ 365, "DEEP_ARCHIVE" } };
	struct s3_transition noted[S3_TRANSITIONS_LIMIT];

	if (!count && storage_lifecycle_noted(cli->catalog, workspace_id, noted, &count) == 0) {
		given = noted;
		sums->is_rule_set = true;
	} else if (!count) {
		given = example;
		count = ARRAY_SIZE(example);
	}
	for (size_t i = 0; i < count; i++) {
		sums->transitions[i].days = given[i].days;
		memcpy(sums->transitions[i].storage_class, given[i].storage_class,
		       sizeof given[i].storage_class);
	}
	sums->transition_count = count;
}

static int show_one(struct cli *cli, const struct catalog_workspace *w,
		    const struct cost_prices *prices, const struct s3_transition *given,
		    size_t given_count, json_t *array)
{
	struct sums sums = { .prices = prices, .new_class = "STANDARD" };
	struct catalog_storage storage;
	int err;

	if (catalog_storage_get(cli->catalog, w->id, &storage) == 0 && storage.storage_class[0])
		sums.new_class = storage.storage_class;
	rule_choose(cli, w->id, given, given_count, &sums);
	err = catalog_cost_each(cli->catalog, w->id, COST_SMALL_BYTES, on_row, &sums);
	if (err == 0) {
		sums.twilio_month = cost_twilio_month(prices, sums.twilio_minutes);
		if (array)
			json_array_append_new(array, workspace_json(cli, w, &sums));
		else
			print_workspace(cli, w, &sums);
	}
	free(sums.campaigns);
	return err < 0 ? cli_catalog_error(cli, err, "the recordings cannot be counted") : CLI_DONE;
}

static int run_cost(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct cost_values *v = values;
	cleanup_free struct catalog_workspace *list = NULL;
	struct s3_transition transitions[S3_TRANSITIONS_LIMIT];
	struct cost_prices prices;
	json_t *array = NULL;
	size_t count = 0, transition_count;
	int status = transitions_parse(cli, &v->transitions, transitions, &transition_count);

	if (status == CLI_DONE)
		status = prices_load(v->prices, &prices);
	if (status == CLI_DONE && v->show_prices)
		return cli_json_print(prices_json(&prices));
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status == CLI_DONE && argc) {
		list = calloc(1, sizeof *list);
		count = 1;
		status = list ? cli_workspace_find(cli, argv[0], list) : CLI_FAILED;
	} else if (status == CLI_DONE) {
		status = cli_workspaces(cli, false, &list, &count);
	}
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		array = json_array();
	for (size_t i = 0; i < count && status == CLI_DONE; i++) {
		if (i && !array)
			printf("\n");
		status = show_one(cli, &list[i], &prices, transitions, transition_count, array);
	}
	if (status == CLI_DONE && array)
		return cli_json_print(json_pack("{s:o, s:b, s:o}", "prices", prices_json(&prices),
						"prices_are_built_in", !v->prices, "workspaces",
						array));
	if (status == CLI_DONE && !v->prices)
		printf("\nThe prices are built in, as they were known on %s: nobody has looked them up "
		       "since.\nCompare them with Twilio's and AWS's price pages; --prices FILE takes "
		       "others.\n",
		       prices.date);
	json_decref(array);
	return status;
}

const struct cli_command command_cost = {
	.name = "cost",
	.arguments = "[WORKSPACE] [--prices FILE] [OPTIONS]",
	.summary = "Says what recordings cost at Twilio and in S3, now and with a lifecycle",
	.text = "By the catalog, nothing is asked of Twilio or S3. Twilio bills each recording's\n"
		"started minutes, above free ones of the account; S3 bills by gigabyte and class.\n"
		"Requests, restores, transfer and taxes are not in it. The lifecycle is the one\n"
		"that 'tonicfs storage lifecycle set' has set, or the one given here.\n"
		"\n"
		"Prices change, and those that are built in are not looked up: --show-prices\n"
		"prints them with their date, and --prices FILE takes a table of your own in the\n"
		"same form.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "prices", CLI_TEXT, "FILE", "a price table in JSON",
			  offsetof(struct cost_values, prices) },
			{ 0, "show-prices", CLI_FLAG, NULL, "prints the price table, and ends",
			  offsetof(struct cost_values, show_prices) },
			TRANSITION_OPTIONS(struct cost_values, transitions),
			{ 0 },
		},
	.values_size = sizeof(struct cost_values),
	.arguments_max = 1,
	.run = run_cost,
};
