/* storage show: a workspace's bucket, but no secret. */
#include <jansson.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/storage.h"
#include "storage/test.h"
#include "util/cleanup.h"
#include "util/times.h"

static json_t *origins_json(const char *const *origins, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(origins[i]));
	return array;
}

static int show_json(const struct catalog_workspace *w, const struct catalog_storage *s,
		     const char *const *origins, size_t origin_count)
{
	return cli_json_print(json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:b, s:o, "
		"s:b, s:o, s:s}",
		"workspace", cli_json_name(w->name), "provider", s->provider, "bucket", s->bucket,
		"region", s->region, "endpoint", s->endpoint, "path_style", (int)s->path_style,
		"prefix", s->prefix, "access_key", s->access_key, "credentials", s->credentials,
		"encryption", storage_encryption_name(s->encryption), "require_encryption",
		(int)s->require_encryption, "kms_key_id", s->kms_key_id, "storage_class",
		s->storage_class, "ca_file", s->ca_file, "allow_http", (int)s->plain_http,
		"origins", origins_json(origins, origin_count), "enabled", (int)s->enabled,
		"tested", cli_json_time(s->tested_secs), "tested_encryption",
		s->tested_encryption));
}

static void show_text(const struct catalog_storage *s, const char *const *origins,
		      size_t origin_count)
{
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
	for (size_t i = 0; i < origin_count; i++)
		printf("%s%s", i ? " " : "", origins[i]);
	if (!origin_count)
		printf("none: CORS rules are left alone");
	time_format_iso8601(s->tested_secs, tested);
	printf("\ntested         %s\n", s->tested_secs > 1 ? tested
					: s->tested_secs   ? "in use already"
							   : "not yet");
	printf("enabled        %s\n", s->enabled ? "yes" : "no");
}

static int run_show(struct cli *cli, const void *values, int argc, char **argv)
{
	cleanup_free char *memory = NULL;
	struct catalog_workspace w;
	struct catalog_storage s;
	const char **origins;
	size_t origin_count;
	int status = cli_storage_open(cli, argv[0], &w, &s);

	(void)values;
	(void)argc;
	if (status != CLI_DONE)
		return status;
	if (storage_origins(&s, &memory, &origins, &origin_count) < 0) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (cli->json)
		return show_json(&w, &s, origins, origin_count);
	show_text(&s, origins, origin_count);
	return CLI_DONE;
}

const struct cli_command command_storage_show = {
	.name = "storage show",
	.arguments = "WORKSPACE",
	.summary = "Shows a workspace's bucket, but no secret",
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_show,
};
