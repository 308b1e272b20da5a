/* storage set, show: a workspace's bucket. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "util/cleanup.h"
#include "util/secret.h"

static const char *const encryption_names[] = { "none", "sse-s3", "sse-kms" };

/* ---- set ---- */

struct set_values {
	const char *bucket, *region, *access_key, *endpoint, *prefix, *encryption, *storage_class, *ca_file, *secret_file;
	int path_style, allow_http;
};

/* "none", "sse-s3", "sse-kms", "sse-kms:KEY-ID" */
static int set_encryption(struct catalog_storage *storage, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	for (int i = 0; i < (int)ARRAY_SIZE(encryption_names); i++) {
		if (strlen(encryption_names[i]) != len || memcmp(encryption_names[i], text, len) != 0)
			continue;
		if (colon && (i != 2 || !colon[1] || strlen(colon + 1) >= sizeof storage->kms_key_id))
			return -EINVAL;
		storage->encryption = i;
		snprintf(storage->kms_key_id, sizeof storage->kms_key_id, "%s", colon ? colon + 1 : "");
		return 0;
	}
	return -EINVAL;
}

/* Object keys are put behind it as they are, so that it ends with a slash and begins without one. */
static int set_prefix(struct catalog_storage *storage, const char *text)
{
	size_t len;

	text += strspn(text, "/");
	len = strlen(text);
	if (len + 2 > sizeof storage->prefix)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return -EINVAL;
	}
	snprintf(storage->prefix, sizeof storage->prefix, "%s%s", text, len && text[len - 1] != '/' ? "/" : "");
	return 0;
}

static bool set_text(char *where, size_t size, const char *text)
{
	if (!text)
		return true;
	return (size_t)snprintf(where, size, "%s", text) < size;
}

static int values_apply(const struct cli *cli, const struct set_values *v, struct catalog_storage *s)
{
	if (!set_text(s->bucket, sizeof s->bucket, v->bucket) || !set_text(s->region, sizeof s->region, v->region) ||
	    !set_text(s->access_key, sizeof s->access_key, v->access_key) ||
	    !set_text(s->endpoint, sizeof s->endpoint, v->endpoint) ||
	    !set_text(s->storage_class, sizeof s->storage_class, v->storage_class) ||
	    !set_text(s->ca_file, sizeof s->ca_file, v->ca_file))
		return cli_usage(cli, "a value is too long");
	if (v->prefix && set_prefix(s, v->prefix) < 0)
		return cli_usage(cli, "--prefix: '%s' is too long, or has control characters", v->prefix);
	if (v->encryption && set_encryption(s, v->encryption) < 0)
		return cli_usage(cli, "--encryption is none, sse-s3, sse-kms or sse-kms:KEY-ID, not '%s'", v->encryption);
	if (v->path_style >= 0)
		s->path_style = v->path_style;
	if (v->allow_http >= 0)
		s->plain_http = v->allow_http;
	if (s->endpoint[0])
		return cli_url_check("--endpoint", s->endpoint, s->plain_http);
	return CLI_DONE;
}

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct set_values *v = values;
	struct catalog_storage storage = { 0 }, old = { 0 };
	cleanup_secret char *secret = NULL;
	struct catalog_workspace w;
	bool is_new;
	int status, err;

	(void)argc;
	status = values_apply(cli, v, &storage); /* wrong values are wrong usage, whatever the catalog says */
	if (status != CLI_DONE)
		return status;
	status = cli_workspace_open(cli, argv[0], &w);
	if (status != CLI_DONE)
		return status;
	err = catalog_storage_get(cli->catalog, w.id, &old);
	if (err < 0 && err != -ENOENT)
		return cli_catalog_error(cli, err, "the bucket's settings cannot be read");
	is_new = err == -ENOENT;
	storage = old;
	status = values_apply(cli, v, &storage);
	if (status != CLI_DONE)
		return status;
	if (!storage.bucket[0])
		return cli_usage(cli, "--bucket is missing");
	if (!storage.access_key[0])
		return cli_usage(cli, "--access-key is missing");
	if (!storage.region[0])
		snprintf(storage.region, sizeof storage.region, "us-east-1");
	/* Another access key has another secret. */
	if (v->secret_file || is_new || strcmp(storage.access_key, old.access_key) != 0) {
		char prompt[320];

		snprintf(prompt, sizeof prompt, "Secret key of access key %s: ", storage.access_key);
		status = cli_secret_read(v->secret_file, prompt, &secret);
		if (status != CLI_DONE)
			return status;
	}
	storage.enabled = true;
	err = catalog_storage_set(cli->catalog, w.id, &storage, secret);
	return err < 0 ? cli_catalog_error(cli, err, "the bucket's settings were not changed") : CLI_DONE;
}

#define SET(field) offsetof(struct set_values, field)
const struct cli_command command_storage_set = {
	.name = "storage set",
	.arguments = "WORKSPACE [--bucket B] [--region R] [--access-key AK] [--secret-file FILE|-] [OPTIONS]",
	.summary = "Says which S3 bucket a workspace's recordings are moved to",
	.text =
"The first time, --bucket and --access-key must be given; the secret key is\n"
"read from the first line of --secret-file ('-': standard input), else asked\n"
"for on the terminal. Later only what is given changes. The bucket is not made,\n"
"and must not be public. Objects are named\n"
"\n"
"  PREFIX/recordings/ACCOUNT/YYYY/MM/DD/RECORDING.wav\n"
"\n"
"with no phone number in them.\n",
	.options = (const struct cli_option[]){
		{ 0, "bucket", CLI_TEXT, "B", "the bucket", SET(bucket) },
		{ 0, "region", CLI_TEXT, "R", "its region (us-east-1)", SET(region) },
		{ 0, "access-key", CLI_TEXT, "AK", "the access key's id", SET(access_key) },
		{ 0, "secret-file", CLI_TEXT, "FILE|-", "where the secret key is", SET(secret_file) },
		{ 0, "endpoint", CLI_TEXT, "URL", "a server that is not AWS", SET(endpoint) },
		{ 0, "path-style", CLI_SWITCH, NULL, "the bucket stands in the path, not in the host's name", SET(path_style) },
		{ 0, "prefix", CLI_TEXT, "P", "what every object key begins with", SET(prefix) },
		{ 0, "encryption", CLI_TEXT, "HOW", "none, sse-s3, sse-kms or sse-kms:KEY-ID", SET(encryption) },
		{ 0, "storage-class", CLI_TEXT, "CLASS", "of new objects; empty: the bucket's", SET(storage_class) },
		{ 0, "ca-file", CLI_TEXT, "FILE", "certificates to trust instead of the system's", SET(ca_file) },
		{ 0, "allow-http", CLI_SWITCH, NULL, "take plain http to another machine than this one", SET(allow_http) },
		{ 0 },
	},
	.values_size = sizeof(struct set_values),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_set,
};

/* ---- show ---- */

static int run_show(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_storage s;
	struct catalog_workspace w;
	char shown[CATALOG_NAME_SIZE];
	int status = cli_workspace_open(cli, argv[0], &w);
	int err;

	(void)values;
	(void)argc;
	if (status != CLI_DONE)
		return status;
	err = catalog_storage_get(cli->catalog, w.id, &s);
	if (err == -ENOENT) {
		cli_error("workspace '%s' has no bucket; 'tonicfs storage set' names one", cli_name(w.name, shown));
		return CLI_FAILED;
	}
	if (err < 0)
		return cli_catalog_error(cli, err, "the bucket's settings cannot be read");
	if (s.encryption < 0 || s.encryption >= (int)ARRAY_SIZE(encryption_names))
		s.encryption = 0;
	if (cli->json)
		return cli_json_print(json_pack(
			"{s:o, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "workspace", cli_json_name(w.name),
			"bucket", s.bucket, "region", s.region, "endpoint", s.endpoint, "path_style", (int)s.path_style,
			"prefix", s.prefix, "access_key", s.access_key, "encryption", encryption_names[s.encryption],
			"kms_key_id", s.kms_key_id, "storage_class", s.storage_class, "ca_file", s.ca_file, "allow_http",
			(int)s.plain_http, "enabled", (int)s.enabled));
	printf("bucket         %s\n", s.bucket);
	printf("region         %s\n", s.region);
	printf("endpoint       %s\n", s.endpoint[0] ? s.endpoint : "AWS's of the region");
	printf("path-style     %s\n", s.path_style ? "yes" : "no");
	printf("prefix         %s\n", s.prefix);
	printf("access-key     %s\n", s.access_key);
	printf("encryption     %s%s%s\n", encryption_names[s.encryption], s.kms_key_id[0] ? ":" : "", s.kms_key_id);
	printf("storage-class  %s\n", s.storage_class[0] ? s.storage_class : "the bucket's");
	if (s.ca_file[0])
		printf("ca-file        %s\n", s.ca_file);
	if (s.plain_http)
		printf("allow-http     yes\n");
	printf("enabled        %s\n", s.enabled ? "yes" : "no");
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
