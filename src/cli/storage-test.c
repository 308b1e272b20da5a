/* storage test: tries a workspace's bucket, and enables it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "storage/storage.h"
#include "storage/test.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/times.h"

#define REQUEST_TIMEOUT_MSECS 20000

struct test_values {
	struct cli_texts origins;
	bool no_cors, dry_run;
};

static const char *result_mark(enum storage_result result)
{
	return result == STORAGE_PASSED ? "✓" : result == STORAGE_FAILED ? "✗" : "·";
}

static const char *result_word(enum storage_result result)
{
	return result == STORAGE_PASSED ? "passed" : result == STORAGE_FAILED ? "failed" : "noted";
}

static void print_check(void *arg, const struct storage_check *check)
{
	printf("%s %-30s %s\n", result_mark(check->result), check->name, check->text);
	if (check->remedy[0])
		printf("  %-30s → %s\n", "", check->remedy);
	fflush(stdout);
}

static void collect_check(void *arg, const struct storage_check *check)
{
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:s}", "check", check->name, "result",
					     result_word(check->result), "text", check->text,
					     "remedy", check->remedy));
}

/* Applies --origin and --no-cors to the settings. */
static int apply_origins(const struct cli *cli, const struct test_values *v,
			 struct catalog_storage *s)
{
	const struct cli_texts *given = &v->origins;
	size_t used = 0;

	if (v->no_cors && given->count)
		return cli_usage(cli, "--origin and --no-cors cannot be given together");
	if (v->no_cors)
		snprintf(s->origins, sizeof s->origins, STORAGE_NO_ORIGINS);
	for (size_t i = 0; i < given->count; i++) {
		int n;

		if (!storage_origin_is_valid(given->items[i]))
			return cli_usage(cli,
					 "--origin is like https://app.example.com or "
					 "http://localhost:*, not '%s'",
					 given->items[i]);
		n = snprintf(s->origins + used, sizeof s->origins - used, "%s%s", i ? "\n" : "",
			     given->items[i]);
		if (n < 0 || (size_t)n >= sizeof s->origins - used)
			return cli_usage(cli, "there are too many origins");
		used += (size_t)n;
	}
	return CLI_DONE;
}

/* Stores the result of a test that passed. *ret_enabled: the bucket is in use from now on. */
static int store_result(struct cli *cli, int64_t workspace_id, struct catalog_storage *s,
			const char *secret, const struct storage_test_result *result,
			bool *ret_enabled)
{
	/* A tested bucket that the user has disabled stays disabled. */
	bool enable = s->tested_secs == 0;
	int err;

	s->tested_secs = time_now_secs();
	snprintf(s->tested_encryption, sizeof s->tested_encryption, "%s", result->encryption);
	err = catalog_storage_tested(cli->catalog, workspace_id, s, secret, enable);
	*ret_enabled = s->enabled || enable;
	if (err == -ESTALE)
		return cli_error("the settings were changed during the test; run it again");
	return cli_catalog_error(cli, err, "the test's result was not stored");
}

static void print_end(const struct catalog_storage *s, const char *workspace, bool has_passed,
		      bool is_dry, bool is_enabled)
{
	if (!has_passed)
		printf("\nThe test failed%s.\n", s->enabled ? "; the bucket stays enabled"
							    : ": nothing is moved to the bucket");
	else if (is_dry)
		printf("\nThe test passed; nothing was changed (--dry-run).\n");
	else if (is_enabled)
		printf("\nThe test passed; the bucket is enabled.\n");
	else
		printf("\nThe test passed; the bucket is disabled ('tonicfs storage enable %s').\n",
		       workspace);
}

/* Tells the change to the bucket's CORS rules before it is made. */
static void print_cors_notice(const struct storage_test *test, FILE *out)
{
	if (!test->origin_count)
		return;
	fprintf(out, "The bucket's CORS rules will let pages of ");
	for (size_t i = 0; i < test->origin_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", test->origins[i]);
	fprintf(out, " read\nrecordings; --no-cors leaves the rules alone.\n\n");
	fflush(out);
}

static int run_client_error(int err)
{
	if (err == -EINVAL)
		return cli_error("the bucket's name, the region or the endpoint is malformed");
	return cli_error("the bucket cannot be used: %s", strerror(-err));
}

static int report(struct cli *cli, const struct test_values *v, const char *workspace,
		  const struct catalog_storage *s, const struct storage_test_result *result,
		  bool is_enabled, json_t *checks)
{
	int status = CLI_DONE;

	if (cli->json)
		status = cli_json_print(
			json_pack("{s:o, s:b, s:b, s:b, s:b, s:s, s:O}", "workspace",
				  view_name_json(workspace), "passed", (int)result->has_passed,
				  "enabled", (int)is_enabled, "dry_run", (int)v->dry_run,
				  "cors_changed", (int)result->cors_changed, "encryption",
				  result->encryption, "checks", checks));
	else
		print_end(s, workspace, result->has_passed, v->dry_run, is_enabled);
	return status == CLI_DONE && !result->has_passed ? CLI_FAILED : status;
}

static int run_test(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct test_values *v = values;
	json_auto_t *checks = json_array();
	cleanup_secret char *secret = NULL;
	cleanup_free char *memory = NULL;
	struct catalog_workspace w;
	struct catalog_storage s = { 0 };
	const char **origins = NULL;
	struct storage_test_result result = { .has_passed = false };
	struct storage_test test = { .storage = &s, .dry_run = v->dry_run, .arg = checks };
	bool is_enabled;
	int status = apply_origins(cli, v, &s), err;

	if (status == CLI_DONE)
		status = cli_storage_open(cli, argv[0], &w, &s);
	if (status == CLI_DONE)
		status = apply_origins(cli, v, &s);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status != CLI_DONE)
		return status;
	cli_catch_signals();
	err = catalog_storage_secret(cli->catalog, w.id, &secret);
	if (err < 0)
		return cli_catalog_error(cli, err, "the bucket's settings cannot be read");
	err = storage_client_of(&s, secret, cli->http, REQUEST_TIMEOUT_MSECS, &cli_cancel,
				&test.client);
	if (err == 0)
		err = storage_origins(&s, &memory, &origins, &test.origin_count);
	if (err == 0) {
		test.workspace = argv[0];
		test.origins = origins;
		test.fn = cli->json ? collect_check : print_check;
		if (!v->dry_run)
			print_cors_notice(&test, cli->json ? stderr : stdout);
		storage_test_run(&test, &result);
	}
	s3_client_free(test.client);
	if (err < 0)
		return run_client_error(err);
	is_enabled = s.enabled;
	if (result.has_passed && !v->dry_run)
		status = store_result(cli, w.id, &s, secret, &result, &is_enabled);
	return status == CLI_DONE ? report(cli, v, argv[0], &s, &result, is_enabled, checks)
				  : status;
}

#define VALUES struct test_values
static const struct cli_option test_options[] = {
	CLI_TEXTS("origin", origins, "pages that may play recordings; may be repeated", "ORIGIN"),
	CLI_FLAG("no-cors", no_cors, "leave the bucket's CORS rules alone"),
	CLI_FLAG("dry-run", dry_run, "change neither CORS rules nor settings"),
	{ 0 },
};

const struct cli_command command_storage_test = {
	.name = "storage test",
	.arguments = "WORKSPACE [--origin ORIGIN … | --no-cors] [--dry-run]",
	.summary = "Tests everything that is done with the bucket, and enables it",
	.text = "Writes, reads, lists and deletes an object of its own below\n"
		"PREFIX/tonicfs/test. For each step it prints whether it passed (✓), or what to\n"
		"do (✗). If the test passes, the bucket is enabled, unless an earlier test had\n"
		"passed and the bucket was disabled since.\n"
		"\n"
		"For playback in a browser, the test adds a rule to the bucket's CORS rules;\n"
		"other rules stay as they are. ORIGIN is the origin of the page, such as\n"
		"https://app.example.com; the default is pages of this machine,\n"
		"http://localhost:* and http://127.0.0.1:*. With --no-cors the CORS rules are\n"
		"neither read nor changed. --origin and --no-cors are stored as a setting.\n"
		"\n"
		"Exit status: 0 if the test passed, else 1.\n",
	CLI_OPTIONS(test_options),
	.argument_count = { 1, 1 },
	.run = run_test,
};
