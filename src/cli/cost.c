/* cost: what recordings cost at Twilio and in S3, now and with a lifecycle. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/transitions.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "view/cost.h"

#define PRICES_LIMIT_BYTES (64 * 1024)

struct cost_values {
	const char *prices;
	bool show_prices;
	struct transition_values transitions;
};

/* ---- text ---- */

static void print_classes(const struct view_cost *cost)
{
	struct cli_table table = { 0 };

	if (!cost->class_count)
		return;
	cli_table_row(&table, "CLASS\tRECORDINGS\tGB\tA GB AND MONTH\tA MONTH\tA YEAR");
	for (size_t i = 0; i < cost->class_count; i++) {
		const struct view_cost_class *c = &cost->classes[i];
		const struct cost_class *price = cost_class_find(cost->prices, c->name);
		double gb = (double)c->size_bytes / (1 << 30);

		if (price)
			cli_table_row(&table, "%s\t%lld\t%.3f\t%.5f\t%.4f\t%.2f", c->name,
				      (long long)c->recordings, gb, price->per_gb_month, c->s3,
				      c->s3 * 12);
		else
			cli_table_row(&table, "%s\t%lld\t%.3f\tnot in the table\t?\t?", c->name,
				      (long long)c->recordings, gb);
	}
	printf("\nIn S3 now\n");
	cli_table_print(&table, stdout);
}

static void total_row(struct cli_table *table, const char *what, double month)
{
	cli_table_row(table, "%s\t%.4f\t%.2f", what, month, month * 12);
}

static void print_totals(const struct view_cost *cost)
{
	struct cli_table table = { 0 };

	cli_table_row(&table, "TOGETHER\tA MONTH\tA YEAR");
	total_row(&table, "now: at Twilio", cost->twilio);
	total_row(&table, "now: in S3", cost->s3);
	total_row(&table, "all of it in S3", cost->all_in_s3);
	total_row(&table,
		  cost->is_rule_set ? "all of it in S3, under the lifecycle"
				    : "all of it in S3, under such a lifecycle",
		  cost->all_in_s3_ruled);
	printf("\n");
	cli_table_print(&table, stdout);
	printf("Lifecycle%s:", cost->is_rule_set ? "" : " (none is set; for example)");
	for (size_t i = 0; i < cost->transition_count; i++)
		printf("%s %s after %d days", i ? "," : "", cost->transitions[i].storage_class,
		       cost->transitions[i].days);
	printf("; over the next twelve months, with the cost of its transitions.\n");
}

static void print_campaigns(const struct view_cost *cost)
{
	struct cli_table table = { 0 };

	if (!cost->campaign_count)
		return;
	cli_table_row(&table, "CAMPAIGN\tRECORDINGS\tMINUTES AT TWILIO\tTWILIO A MONTH\t"
			      "S3 A MONTH\tIN S3, RULED");
	for (size_t i = 0; i < cost->campaign_count; i++) {
		const struct view_cost_campaign *c = &cost->campaigns[i];

		cli_table_row(&table, "%s\t%lld\t%lld\t%.4f\t%.4f\t%.4f", c->name,
			      (long long)c->recordings, (long long)c->twilio_minutes, c->twilio,
			      c->s3, c->all_in_s3_ruled);
	}
	printf("\n");
	cli_table_print(&table, stdout);
}

static void print_workspace(const struct view_cost *cost)
{
	const struct cost_prices *p = cost->prices;
	int64_t billed = cost->twilio_minutes > p->twilio_free_minutes
				 ? cost->twilio_minutes - p->twilio_free_minutes
				 : 0;

	printf("%s: %lld recordings; %s, prices of %s (%s)\n", view_shown(cost->workspace),
	       (long long)cost->recordings, p->currency, p->date, p->region);
	printf("\nAt Twilio: %lld started minutes of %lld recordings, minus %lld free ones: %lld at %g a month\n",
	       (long long)cost->twilio_minutes, (long long)cost->twilio_recordings,
	       (long long)p->twilio_free_minutes, (long long)billed, p->twilio_per_minute);
	if (cost->unknown_minutes)
		printf("(%lld recordings of unknown duration are not counted)\n",
		       (long long)cost->unknown_minutes);
	print_classes(cost);
	print_totals(cost);
	if (cost->unpriced)
		printf("%lld recordings are in classes that the price table does not have.\n",
		       (long long)cost->unpriced);
	print_campaigns(cost);
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
	if (err < 0)
		return cli_error("--prices %s: %s", path, strerror(-err));
	if (cost_prices_parse(text, len, ret_prices, message) < 0)
		return cli_error("--prices %s: %s", path, message);
	return CLI_DONE;
}

static int show_one(struct cli *cli, const struct catalog_workspace *w,
		    const struct cost_prices *prices, const struct s3_transition *given,
		    size_t given_count, json_t *array)
{
	cleanup_view_cost struct view_cost cost = { .campaigns = NULL };
	int err = view_cost_load(cli->catalog, w, prices, given, given_count, &cost);

	if (err < 0)
		return cli_catalog_error(cli, err, "the recordings cannot be counted");
	if (array)
		json_array_append_new(array, view_cost_json(&cost));
	else
		print_workspace(&cost);
	return CLI_DONE;
}

static int run_cost(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct cost_values *v = values;
	cleanup_workspaces struct cli_workspaces list = { NULL, 0 };
	struct s3_transition transitions[S3_TRANSITIONS_LIMIT];
	struct cost_prices prices;
	json_t *array = NULL;
	size_t transition_count;
	int status = transitions_parse(cli, &v->transitions, transitions, &transition_count);

	if (status == CLI_DONE)
		status = prices_load(v->prices, &prices);
	if (status == CLI_DONE && v->show_prices)
		return cli_json_print(view_prices_json(&prices));
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status == CLI_DONE)
		status = cli_workspaces_find(cli, argv[0], false, &list);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		array = json_array();
	for (size_t i = 0; i < list.count && status == CLI_DONE; i++) {
		if (i && !array)
			printf("\n");
		status = show_one(cli, &list.items[i], &prices, transitions, transition_count,
				  array);
	}
	if (status == CLI_DONE && array)
		return cli_json_print(json_pack("{s:o, s:b, s:o}", "prices",
						view_prices_json(&prices), "prices_are_built_in",
						!v->prices, "workspaces", array));
	if (status == CLI_DONE && !v->prices)
		printf("\nThe prices are built in, as they were known on %s: nobody has looked them up "
		       "since.\nCompare them with Twilio's and AWS's price pages; --prices FILE takes "
		       "others.\n",
		       prices.date);
	json_decref(array);
	return status;
}

#define VALUES struct cost_values
static const struct cli_option cost_options[] = {
	CLI_TEXT("prices", prices, "a price table in JSON", "FILE"),
	CLI_FLAG("show-prices", show_prices, "print the price table, and exit"),
	TRANSITION_OPTIONS(transitions),
	{ 0 },
};

const struct cli_command command_cost = {
	.name = "cost",
	.arguments = "[WORKSPACE] [--prices FILE] [OPTIONS]",
	.summary = "Estimates what recordings cost at Twilio and in S3, with a lifecycle, too",
	.text = "Computed from the catalog; neither Twilio nor S3 is asked. Twilio bills the\n"
		"started minutes of each recording, above the account's free ones; S3 bills by\n"
		"gigabyte and class. Requests, restores, transfer and taxes are not included.\n"
		"The lifecycle is the one of 'tonicfs storage lifecycle set', or the one given\n"
		"here.\n"
		"\n"
		"The built-in prices are not updated: --show-prices prints them with their\n"
		"date, and --prices FILE reads a table of your own in the same form.\n",
	CLI_OPTIONS(cost_options),
	.argument_count = { 0, 1 },
	.run = run_cost,
};
