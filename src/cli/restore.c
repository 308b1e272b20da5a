/* restore: asks S3 to make archived recordings readable. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/archive.h"
#include "cli/commands.h"
#include "storage/restore.h"
#include "util/cleanup.h"

struct restore_values {
	const char *days, *tier;
};

static int values_check(const struct cli *cli, const struct restore_values *v, unsigned *ret_days,
			const char **ret_tier)
{
	char *end;
	unsigned long days = v->days ? strtoul(v->days, &end, 10) : RESTORE_DAYS_DEFAULT;

	if (v->days &&
	    (*v->days < '0' || *v->days > '9' || *end || days < 1 || days > RESTORE_DAYS_LIMIT))
		return cli_usage(cli, "--days is a number from 1 to %d, not '%s'",
				 RESTORE_DAYS_LIMIT, v->days);
	*ret_days = (unsigned)days;
	*ret_tier = storage_restore_tier(v->tier ? v->tier : "bulk");
	if (!*ret_tier)
		return cli_usage(cli, "--tier is bulk, standard or expedited, not '%s'", v->tier);
	return CLI_DONE;
}

static int want_all(struct cli *cli, const struct cli_scopes *scopes, unsigned days,
		    const char *tier, struct catalog_restore_counts *ret_sum)
{
	*ret_sum = (struct catalog_restore_counts){ 0 };
	for (size_t i = 0; i < scopes->count; i++) {
		struct catalog_restore_counts counts;
		int err = catalog_restore_want(cli->catalog, scopes->items[i], days, tier, &counts);

		if (err < 0)
			return cli_catalog_error(cli, err, "the restore was not noted");
		ret_sum->wanted += counts.wanted;
		ret_sum->under_way += counts.under_way;
		ret_sum->restored += counts.restored;
		ret_sum->not_archived += counts.not_archived;
	}
	return CLI_DONE;
}

/* A restore of a single recording is checked at once, not when the next check is due. */
static void look_at_one(struct cli *cli, const struct catalog_scope *scope)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	struct catalog_archive archive;

	if (scope->kind == CATALOG_SCOPE_RECORDING &&
	    catalog_archive_get(cli->catalog, scope->id, &archive) == 0 &&
	    archive.restore == CATALOG_RESTORE_ONGOING)
		storage_object_refresh(cli->catalog, cli->http, scope->id, NULL, &error);
}

static int ask_all(struct cli *cli, struct storage_restore_stats *stats)
{
	struct cli_progress progress;
	bool left = true;
	int err = 0;

	cli_catch_signals();
	cli_progress_init(&progress, cli);
	while (err == 0 && left && !cancel_is_set(&cli_cancel)) {
		err = storage_restore_step(cli->catalog, cli->http, 0, &cli_cancel, stats, &left);
		cli_progress_show(&progress, "%lld asked for, %lld refused",
				  (long long)stats->asked, (long long)stats->refused);
	}
	cli_progress_clear(&progress);
	return cli_catalog_error(cli, err,
				 "the restores were noted, and not all of them were sent");
}

static void line(const char *what, int64_t n)
{
	if (n)
		printf("%-34s %lld\n", what, (long long)n);
}

static int finish(const struct cli *cli, const struct catalog_restore_counts *counts,
		  const struct catalog_restore_status *now,
		  const struct storage_restore_stats *stats)
{
	int status = stats->refused || stats->postponed ? stats->asked ? CLI_PART : CLI_FAILED
							: CLI_DONE;

	if (cli->json) {
		int printed = cli_json_print(json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I}", "asked", (json_int_t)stats->asked,
			"restoring", (json_int_t)now->under_way, "restored",
			(json_int_t)now->restored, "not_archived",
			(json_int_t)(counts->not_archived + stats->readable_at_once), "refused",
			(json_int_t)stats->refused, "postponed", (json_int_t)stats->postponed));

		return printed == CLI_DONE ? status : printed;
	}
	line("restores asked for", stats->asked);
	line("being restored", now->under_way);
	line("restored", now->restored);
	line("readable without a restore", counts->not_archived + stats->readable_at_once);
	if (stats->refused)
		cli_error("%lld refused: %s%s", (long long)stats->refused,
			  stats->last_error.message,
			  stats->last_error.error == -EACCES
				  ? "; 'tonicfs storage policy --restore' prints what the bucket's "
				    "user must be allowed"
				  : "");
	if (stats->postponed)
		cli_error("%lld to be asked for again by the next mount: %s",
			  (long long)stats->postponed, stats->last_error.message);
	return status;
}

static int run_restore(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_scopes struct cli_scopes scopes = { NULL, 0 };
	struct catalog_restore_status now = { 0 };
	struct storage_restore_stats stats = { 0 };
	struct catalog_restore_counts counts;
	const char *tier = NULL;
	unsigned days = 0;
	int status = values_check(cli, values, &days, &tier);

	if (status == CLI_DONE)
		status = cli_path_scopes(cli, argc, argv, &scopes);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status != CLI_DONE)
		return status;
	for (size_t i = 0; i < scopes.count; i++)
		look_at_one(cli, &scopes.items[i]);
	status = want_all(cli, &scopes, days, tier, &counts);
	if (status == CLI_DONE && (counts.wanted || counts.under_way))
		status = ask_all(cli, &stats);
	for (size_t i = 0; i < scopes.count && status == CLI_DONE; i++) {
		struct catalog_restore_status one;
		int err = catalog_restore_status(cli->catalog, scopes.items[i], &one);

		if (err < 0)
			return cli_catalog_error(cli, err, "the restores cannot be read");
		now.under_way += one.under_way;
		now.restored += one.restored;
	}
	return status == CLI_DONE ? finish(cli, &counts, &now, &stats) : status;
}

#define VALUES struct restore_values
static const struct cli_option restore_options[] = {
	CLI_TEXT("days", days, "how long they stay readable (7)", "N"),
	CLI_TEXT("tier", tier, "bulk (the cheapest), standard or expedited", "TIER"),
	{ 0 },
};

const struct cli_command command_restore = {
	.name = "restore",
	.arguments = "PATH… [--days N] [--tier TIER]",
	.summary = "Restores recordings from archived storage classes",
	.text = "A recording in GLACIER or DEEP_ARCHIVE cannot be read (EREMOTE) until S3 has\n"
		"made a temporary copy, which takes minutes to days, and costs money by tier\n"
		"and size. This command asks S3 for the copies. Restored recordings are read\n"
		"like any other until their days are over. The same command again shows the\n"
		"progress. In a mount:\n"
		"\n"
		"  setfattr -n user.tonicfs.restore -v '7 bulk' PATH\n"
		"  getfattr -n user.tonicfs.restore --only-values PATH\n"
		"\n"
		"PATH is WORKSPACE[/CAMPAIGN[/FILE]], a recording's SID, or a path inside a\n"
		"mount.\n",
	CLI_OPTIONS(restore_options),
	.argument_count = { 1, 1000000 },
	.run = run_restore,
};
