/* storage set: sets the bucket of a workspace, and how to reach it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "aws/bucket.h"
#include "cli/commands.h"
#include "storage/provider.h"
#include "storage/storage.h"
#include "util/buf.h"
#include "util/secret.h"

struct set_values {
	const char *bucket, *region, *access_key, *credentials, *provider, *endpoint, *prefix,
		*encryption, *storage_class, *ca_file, *secret_file;
	int path_style, allow_http, require_encryption;
};

/* "none", "sse-s3", "sse-kms", "sse-kms:KEY-ID" */
static int set_encryption(struct catalog_storage *storage, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	for (int i = 0; i < STORAGE_ENCRYPTION_COUNT; i++) {
		const char *name = storage_encryption_name(i);

		if (strlen(name) != len || memcmp(name, text, len) != 0)
			continue;
		if (colon &&
		    (i != 2 || !colon[1] || strlen(colon + 1) >= sizeof storage->kms_key_id))
			return -EINVAL;
		storage->encryption = i;
		snprintf(storage->kms_key_id, sizeof storage->kms_key_id, "%s",
			 colon ? colon + 1 : "");
		return 0;
	}
	return -EINVAL;
}

/* Object keys are appended to the prefix: it must end with a slash, and must not begin with one. */
static int set_prefix(struct catalog_storage *storage, const char *text)
{
	size_t len;

	text += strspn(text, "/");
	len = strlen(text);
	if (len + 2 > sizeof storage->prefix)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return -EINVAL;
	snprintf(storage->prefix, sizeof storage->prefix, "%s%s", text,
		 len && text[len - 1] != '/' ? "/" : "");
	return 0;
}

static bool set_text(char *where, size_t size, const char *text)
{
	return !text || (size_t)snprintf(where, size, "%s", text) < size;
}

/* Fills in what is known of the provider, where no option says something else. */
static int apply_provider(const struct cli *cli, const struct set_values *v,
			  struct catalog_storage *s)
{
	const struct storage_provider *provider =
		storage_provider_find(v->provider ? v->provider : s->provider);
	char old[CATALOG_URL_SIZE] = "", names[128];
	bool is_followed;
	int err;

	if (!provider && v->provider) {
		storage_provider_names(names, sizeof names);
		return cli_usage(cli, "--provider is one of %s, not '%s'", names, v->provider);
	}
	if (!provider)
		return CLI_DONE;
	/* The provider's own endpoint follows the region; one that the user gave stays. */
	is_followed = v->provider ||
		      (storage_provider_endpoint(provider, s->region, old, sizeof old) == 0 &&
		       strcmp(old, s->endpoint) == 0);
	snprintf(s->provider, sizeof s->provider, "%s", provider->name);
	if (v->region && !set_text(s->region, sizeof s->region, v->region))
		return cli_usage(cli, "a value is too long");
	if (v->provider && !v->region && provider->region)
		snprintf(s->region, sizeof s->region, "%s", provider->region);
	if (!s->region[0] && !v->region)
		return cli_usage(cli, "%s: --region is missing, such as %s", provider->title,
				 provider->example);
	if (v->provider && v->path_style < 0)
		s->path_style = provider->path_style;
	if (v->endpoint || !is_followed)
		return CLI_DONE;
	err = storage_provider_endpoint(provider, s->region, s->endpoint, sizeof s->endpoint);
	if (err == -ENODATA && s->endpoint[0])
		return CLI_DONE;
	if (err == -ENODATA)
		return cli_usage(cli, "%s: --endpoint is missing, such as %s", provider->title,
				 provider->example);
	return err < 0 ? cli_usage(cli, "a value is too long") : CLI_DONE;
}

static int apply_credentials(const struct cli *cli, const struct set_values *v,
			     struct catalog_storage *s)
{
	if (v->credentials && (v->access_key || v->secret_file))
		return cli_usage(cli, "--credentials cannot be combined with --access-key or "
				      "--secret-file");
	if (!set_text(s->access_key, sizeof s->access_key, v->access_key))
		return cli_usage(cli, "a value is too long");
	if (v->access_key)
		s->credentials[0] = '\0';
	if (!v->credentials)
		return CLI_DONE;
	if (strcmp(v->credentials, "default") != 0 &&
	    (strncmp(v->credentials, "profile:", 8) != 0 || !v->credentials[8]))
		return cli_usage(cli, "--credentials is default or profile:NAME, not '%s'",
				 v->credentials);
	if (!set_text(s->credentials, sizeof s->credentials, v->credentials))
		return cli_usage(cli, "a value is too long");
	s->access_key[0] = '\0';
	return CLI_DONE;
}

static int values_apply(const struct cli *cli, const struct set_values *v,
			struct catalog_storage *s)
{
	int status = apply_provider(cli, v, s);

	if (status == CLI_DONE)
		status = apply_credentials(cli, v, s);
	if (status != CLI_DONE)
		return status;
	if (!set_text(s->bucket, sizeof s->bucket, v->bucket) ||
	    !set_text(s->region, sizeof s->region, v->region) ||
	    !set_text(s->endpoint, sizeof s->endpoint, v->endpoint) ||
	    !set_text(s->storage_class, sizeof s->storage_class, v->storage_class) ||
	    !set_text(s->ca_file, sizeof s->ca_file, v->ca_file))
		return cli_usage(cli, "a value is too long");
	if (v->prefix && set_prefix(s, v->prefix) < 0)
		return cli_usage(cli, "--prefix: '%s' is too long, or has control characters",
				 v->prefix);
	if (v->encryption && set_encryption(s, v->encryption) < 0)
		return cli_usage(
			cli, "--encryption is none, sse-s3, sse-kms or sse-kms:KEY-ID, not '%s'",
			v->encryption);
	if (v->path_style >= 0)
		s->path_style = v->path_style;
	if (v->allow_http >= 0)
		s->plain_http = v->allow_http;
	if (v->require_encryption >= 0)
		s->require_encryption = v->require_encryption;
	if (s->endpoint[0])
		return cli_url_check("--endpoint", s->endpoint, s->plain_http);
	return CLI_DONE;
}

/* The origin that the secret key is used at. All regions of AWS count as one. */
static const char *endpoint_of(const struct catalog_storage *s)
{
	return s->endpoint[0]                      ? s->endpoint
	       : strncmp(s->region, "cn-", 3) == 0 ? "https://amazonaws.com.cn"
						   : "https://amazonaws.com";
}

/* Another access key needs its own secret. Where requests would go to another host, the secret must
 * be given again, as proof that its owner agrees: a signature is worth more than one request. */
static int read_secret(const struct set_values *v, const struct catalog_storage *storage,
		       const struct catalog_storage *old, char **ret_secret)
{
	bool is_same_key = strcmp(storage->access_key, old->access_key) == 0;
	char prompt[320];

	if (storage->credentials[0] ||
	    (!v->secret_file && is_same_key &&
	     http_url_same_origin(endpoint_of(storage), endpoint_of(old))))
		return CLI_DONE;
	if (!v->secret_file && is_same_key)
		fprintf(stderr,
			"the endpoint is on another host: its secret key must be given again\n");
	snprintf(prompt, sizeof prompt, "Secret key of access key %s: ", storage->access_key);
	return cli_secret_read("--secret-file", v->secret_file, prompt, ret_secret);
}

/* A test is valid only for the settings it was made with. */
static bool has_same_settings(const struct catalog_storage *a, const struct catalog_storage *b,
			      const char *secret, const char *old_secret)
{
	return strcmp(a->bucket, b->bucket) == 0 && strcmp(a->region, b->region) == 0 &&
	       strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->prefix, b->prefix) == 0 &&
	       strcmp(a->access_key, b->access_key) == 0 &&
	       strcmp(a->credentials, b->credentials) == 0 &&
	       strcmp(a->kms_key_id, b->kms_key_id) == 0 &&
	       strcmp(a->storage_class, b->storage_class) == 0 &&
	       strcmp(a->ca_file, b->ca_file) == 0 && a->path_style == b->path_style &&
	       a->plain_http == b->plain_http && a->encryption == b->encryption &&
	       a->require_encryption == b->require_encryption &&
	       (!secret || (old_secret && strcmp(secret, old_secret) == 0));
}

/* In us-east-1, AWS still has old buckets whose names are no longer allowed. */
static int check_bucket(const struct cli *cli, const struct catalog_storage *s)
{
	bool is_aws_now = !s->endpoint[0] && strcmp(s->region, "us-east-1") != 0;
	const char *problem = s3_bucket_name_problem(s->bucket, is_aws_now);

	if (!problem)
		return CLI_DONE;
	return cli_usage(cli, "--bucket: '%s' is not a valid bucket name: %s", s->bucket, problem);
}

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct set_values *v = values;
	struct catalog_storage storage = { 0 }, old = { 0 };
	cleanup_secret char *secret = NULL, *old_secret = NULL;
	cleanup_buf struct buf word = BUF_INIT;
	struct catalog_workspace w;
	int status = cli_workspace_open(cli, argv[0], &w), err;

	if (status != CLI_DONE)
		return status;
	err = catalog_storage_get(cli->catalog, w.id, &old);
	if (err == 0)
		err = catalog_storage_secret(cli->catalog, w.id, &old_secret);
	if (err < 0 && err != -ENOENT)
		return cli_catalog_error(cli, err, "the bucket's settings cannot be read");
	storage = old;
	status = values_apply(cli, v, &storage);
	if (status != CLI_DONE)
		return status;
	if (!storage.bucket[0])
		return cli_usage(cli, "--bucket is missing");
	if (!storage.access_key[0] && !storage.credentials[0])
		return cli_usage(cli, "--access-key is missing, or --credentials default");
	if (!storage.region[0])
		snprintf(storage.region, sizeof storage.region, "us-east-1");
	/* Only a new name is checked, so that other settings of an old bucket can be changed. */
	status = v->bucket ? check_bucket(cli, &storage) : CLI_DONE;
	if (status == CLI_DONE)
		status = read_secret(v, &storage, &old, &secret);
	if (status != CLI_DONE)
		return status;
	if (!has_same_settings(&storage, &old, secret, old_secret)) {
		storage.enabled = false;
		storage.tested_secs = 0;
		storage.tested_encryption[0] = '\0';
	}
	err = catalog_storage_set(cli->catalog, w.id, &storage, secret);
	if (err < 0)
		return cli_catalog_error(cli, err, "the bucket's settings were not changed");
	if (!storage.tested_secs && !cli->json)
		printf("Saved. Nothing is moved there yet: 'tonicfs storage test %s' tests the "
		       "bucket and enables it.\n",
		       cli_shell_word(argv[0], &word));
	return cli->json ? cli_json_print(json_pack("{s:b, s:b}", "enabled", (int)storage.enabled,
						    "tested", storage.tested_secs != 0))
			 : CLI_DONE;
}

#define VALUES struct set_values
static const struct cli_option set_options[] = {
	CLI_TEXT("bucket", bucket, "the bucket", "B"),
	CLI_TEXT("region", region, "its region (us-east-1)", "R"),
	CLI_TEXT("access-key", access_key, "the access key's id", "AK"),
	CLI_TEXT("secret-file", secret_file, "the file with the secret key", "FILE|-"),
	CLI_TEXT("credentials", credentials, "default or profile:NAME, instead of an access key",
		 "FROM"),
	CLI_TEXT(
		"provider", provider,
		"aws, digitalocean, minio, ceph, wasabi, b2, r2: fills in endpoint, region and path style",
		"NAME"),
	CLI_TEXT("endpoint", endpoint, "another server than AWS", "URL"),
	CLI_SWITCH("path-style", path_style,
		   "the bucket is in the URL's path, not in the host name"),
	CLI_TEXT("prefix", prefix, "the prefix of all object keys", "P"),
	CLI_TEXT("encryption", encryption, "none, sse-s3, sse-kms or sse-kms:KEY-ID", "HOW"),
	CLI_SWITCH("require-encryption", require_encryption,
		   "move recordings only to a server that encrypts"),
	CLI_TEXT("storage-class", storage_class,
		 "the storage class of new objects; empty: the bucket's default", "CLASS"),
	CLI_TEXT("ca-file", ca_file, "certificates to trust instead of the system's", "FILE"),
	CLI_SWITCH("allow-http", allow_http, "allow plain http to other machines"),
	{ 0 },
};

const struct cli_command command_storage_set = {
	.name = "storage set",
	.arguments = "WORKSPACE [--bucket B] [--region R] [--access-key AK] [--secret-file FILE|-] "
		     "[OPTIONS]",
	.summary = "Sets the S3 bucket that a workspace's recordings are moved to",
	.text = "The first time, --bucket and --access-key are required; the secret key is read\n"
		"from the first line of --secret-file ('-': standard input), or asked for on\n"
		"the terminal. Later, only the given options change. If the endpoint's host\n"
		"changes, the secret key must be given again. The bucket must exist, and must\n"
		"not be public. Recordings are moved to it after 'storage test' has passed;\n"
		"after a change of settings the test must pass again. Objects are named\n"
		"\n"
		"  PREFIX/recordings/ACCOUNT/YYYY/MM/DD/RECORDING.wav\n"
		"\n"
		"without any phone number.\n"
		"\n"
		"--credentials default uses AWS's default credential chain: environment, web\n"
		"identity, the profile in ~/.aws, container, instance metadata. --credentials\n"
		"profile:NAME uses that profile. Temporary credentials are renewed before they\n"
		"expire.\n",
	CLI_OPTIONS(set_options),
	.argument_count = { 1, 1 },
	.run = run_set,
};
