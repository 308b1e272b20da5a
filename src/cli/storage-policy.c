/* storage policy: the IAM policy for the bucket's user, and the steps to create that user. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "storage/policy.h"
#include "storage/test.h"

struct policy_values {
	bool lifecycle, restore, lock, no_cors;
};

static bool is_archive_class(const char *storage_class)
{
	return strcmp(storage_class, "GLACIER") == 0 || strcmp(storage_class, "DEEP_ARCHIVE") == 0;
}

/* The document goes to standard output, so that it can be redirected to a file, and the steps to
 * standard error. The user is named after the bucket, whose name is safe in a shell. */
static int print_policy(json_t *policy, const char *workspace, const char *bucket)
{
	static const char steps[] =
		"\nSave the document above (tonicfs storage policy %s >policy.json). With AWS's own\n"
		"tool, for a user who has nothing else:\n\n"
		"  aws iam create-user --user-name tonicfs-%s\n"
		"  aws iam put-user-policy --user-name tonicfs-%s \\\n"
		"      --policy-name tonicfs --policy-document file://policy.json\n"
		"  aws iam create-access-key --user-name tonicfs-%s\n\n"
		"In the console: IAM, Users, Create user; Add permissions, Create inline policy,\n"
		"JSON, paste; Security credentials, Create access key. Other storages: make a\n"
		"user or a key, and attach the document to it, or to the bucket with that user as\n"
		"its Principal. Then:\n\n"
		"  tonicfs storage set %s --access-key KEY\n"
		"  tonicfs storage test %s\n";
	int status = cli_json_print(policy);

	if (status != CLI_DONE)
		return status;
	fflush(stdout);
	fprintf(stderr, steps, workspace, bucket, bucket, bucket, workspace, workspace);
	return CLI_DONE;
}

static int run_policy(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct policy_values *v = values;
	struct catalog_workspace w;
	struct catalog_storage s;
	struct storage_policy_use use;
	json_t *policy;
	int status = cli_storage_open(cli, argv[0], &w, &s);

	if (status != CLI_DONE)
		return status;
	use = (struct storage_policy_use){
		.delete = w.delete_s3,
		.cors = !v->no_cors && strcmp(s.origins, STORAGE_NO_ORIGINS) != 0,
		.lifecycle = v->lifecycle,
		.lock = v->lock,
		.restore = v->restore || v->lifecycle || is_archive_class(s.storage_class),
	};
	policy = storage_policy(&s, &use);
	if (!policy)
		return cli_error("out of memory");
	return cli->json ? cli_json_print(policy) : print_policy(policy, argv[0], s.bucket);
}

#define VALUES struct policy_values
static const struct cli_option policy_options[] = {
	CLI_FLAG("lifecycle", lifecycle, "also the permissions for lifecycle rules and restores"),
	CLI_FLAG("restore", restore, "also the permissions for restores"),
	CLI_FLAG("object-lock", lock, "also the permissions to show retentions and legal holds"),
	CLI_FLAG("no-cors", no_cors, "without the CORS rules, for storage test --no-cors"),
	{ 0 },
};

const struct cli_command command_storage_policy = {
	.name = "storage policy",
	.arguments = "WORKSPACE [--lifecycle] [--restore] [--object-lock] [--no-cors]",
	.summary = "Prints the IAM policy for the bucket's user",
	.text = "The policy allows what tonicfs does with this bucket and these settings, and\n"
		"nothing else. The JSON document goes to standard output, the steps to create\n"
		"the user to standard error. delete_s3=on adds the permissions to delete\n"
		"recordings and their versions, sse-kms those for the key (by its ARN with\n"
		"--encryption sse-kms:ARN), and an archive class those to restore. Print the\n"
		"policy again after such a setting has changed.\n",
	CLI_OPTIONS(policy_options),
	.argument_count = { 1, 1 },
	.run = run_policy,
};
