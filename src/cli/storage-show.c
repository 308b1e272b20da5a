/* storage show: a workspace's bucket, but no secret. */
#include <stdio.h>

#include "cli/commands.h"
#include "storage/storage.h"
#include "util/times.h"
#include "view/bucket.h"

static void print(const struct view_bucket *bucket)
{
	const struct catalog_storage *s = &bucket->settings;
	char tested[TIME_ISO8601_SIZE];

	if (s->provider[0])
		printf("provider       %s\n", s->provider);
	printf("bucket         %s\n", s->bucket);
	printf("region         %s\n", s->region);
	printf("endpoint       %s\n", s->endpoint[0] ? s->endpoint : "AWS's of the region");
	printf("path-style     %s\n", s->path_style ? "yes" : "no");
	printf("prefix         %s\n", s->prefix);
	if (s->credentials[0])
		printf("credentials    %s\n", s->credentials);
	else
		printf("access-key     %s\n", s->access_key);
	printf("encryption     %s%s%s%s\n", storage_encryption_name(s->encryption),
	       s->kms_key_id[0] ? ":" : "", s->kms_key_id,
	       s->require_encryption ? ", required" : "");
	printf("storage-class  %s\n", s->storage_class[0] ? s->storage_class : "the bucket's");
	if (s->ca_file[0])
		printf("ca-file        %s\n", s->ca_file);
	if (s->plain_http)
		printf("allow-http     yes\n");
	printf("origins        ");
	for (size_t i = 0; i < bucket->origin_count; i++)
		printf("%s%s", i ? " " : "", bucket->origins[i]);
	if (!bucket->origin_count)
		printf("none: CORS rules are left alone");
	time_format_iso8601(s->tested_secs, tested);
	printf("\ntested         %s\n", s->tested_secs > 1 ? tested
					: s->tested_secs   ? "in use already"
							   : "not yet");
	printf("enabled        %s\n", s->enabled ? "yes" : "no");
}

static int run_show(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_view_bucket struct view_bucket bucket = { .origin_count = 0 };
	struct catalog_storage settings;
	struct catalog_workspace w;
	int status = cli_storage_open(cli, argv[0], &w, &settings);

	if (status != CLI_DONE)
		return status;
	if (view_bucket_load(&w, &settings, &bucket) < 0)
		return cli_error("out of memory");
	if (cli->json)
		return cli_json_print(view_bucket_json(&bucket));
	print(&bucket);
	return CLI_DONE;
}

const struct cli_command command_storage_show = {
	.name = "storage show",
	.arguments = "WORKSPACE",
	.summary = "Shows a workspace's bucket, without secrets",
	.argument_count = { 1, 1 },
	.run = run_show,
};
