/* Explains errors of the storage to the user who sets it up, with remedies. */
#include <stdio.h>
#include <string.h>

#include "storage/test-private.h"
#include "util/cleanup.h"

/* Variables in texts and remedies:
 *   {action}    the check's name             {key}     the access key's id
 *   {bucket}, {class}, {endpoint}, {kms}, {region}, {workspace}: the settings
 *   {said}      the server's message         {there}   the region that the server names */
static const struct {
	const char *code, *text, *remedy;
} meanings[] = {
	{ "InvalidAccessKeyId", "the server does not know the access key {key}",
	  "name another: tonicfs storage set {workspace} --access-key KEY" },
	{ "SignatureDoesNotMatch", "the secret key does not belong to the access key {key}",
	  "give it again: tonicfs storage set {workspace} --secret-file FILE" },
	{ "ExpiredToken", "the credentials' session has expired",
	  "log in again, or renew them where they come from" },
	{ "TokenRefreshRequired", "the credentials' session has expired",
	  "log in again, or renew them where they come from" },
	{ "InvalidToken", "the session token is not valid",
	  "log in again, or renew the credentials where they come from" },
	{ "NoSuchBucket", "there is no bucket '{bucket}'",
	  "make it with the storage's own tools, or name another: tonicfs storage set {workspace} "
	  "--bucket BUCKET" },
	{ "RequestTimeTooSkewed", "this machine's clock differs too much from the server's",
	  "set the clock (timedatectl set-ntp true)" },
	{ "InvalidStorageClass", "the server has no storage class {class}",
	  "tonicfs storage set {workspace} --storage-class CLASS, or '' for the bucket's" },
	{ "NotImplemented", "the server does not know this: {said}", "" },
	{ "resolve", "there is no such host: {endpoint}",
	  "look at the endpoint and the region, and at this machine's network: tonicfs storage "
	  "show {workspace}" },
	{ "connect", "no connection to {endpoint}",
	  "look at the endpoint's name and port, and at firewalls on the way" },
	{ "timeout", "no answer in time from {endpoint}",
	  "look at the endpoint's name and port, and at firewalls on the way" },
	{ "certificate", "{endpoint}: its certificate is not trusted ({said})",
	  "for a certificate of your own: tonicfs storage set {workspace} --ca-file FILE" },
	{ "ca-file", "the file of trusted certificates cannot be read",
	  "tonicfs storage set {workspace} --ca-file FILE" },
	{ "tls", "{endpoint}: no TLS ({said})", "an endpoint without TLS begins with http://" },
};

static const char *value_of(const struct run *run, const char *name, size_t len, const char *action,
			    const struct remote_error *error, const char *there, char endpoint[512])
{
	const struct catalog_storage *s = run->test->storage;
	const struct {
		const char *name, *value;
	} values[] = {
		{ "bucket", s->bucket },
		{ "region", s->region },
		{ "there", there },
		{ "key", run->access_key },
		{ "action", action },
		{ "endpoint", endpoint },
		{ "workspace", run->test->workspace },
		{ "class", s->storage_class },
		{ "said", error->message },
		{ "kms", *s->kms_key_id ? s->kms_key_id : "of the account" },
	};

	snprintf(endpoint, 512, "%s://%s", s3_client_scheme(run->test->client),
		 s3_client_host(run->test->client));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
			return values[i].value;
	return NULL;
}

void explain_fill(const struct run *run, const char *format, const char *action,
		  const struct remote_error *error, const char *there, char *ret_text, size_t size)
{
	char endpoint[512];
	size_t used = 0;

	for (*ret_text = '\0'; *format && used + 1 < size;) {
		const char *close = *format == '{' ? strchr(format, '}') : NULL;
		const char *value = close ? value_of(run, format + 1, (size_t)(close - format) - 1,
						     action, error, there, endpoint)
					  : NULL;

		if (value) {
			snprintf(ret_text + used, size - used, "%s", value);
			used += strlen(ret_text + used);
			format = close + 1;
		} else {
			ret_text[used++] = *format++;
			ret_text[used] = '\0';
		}
	}
}

static bool is_about_kms(const struct run *run, const struct remote_error *error)
{
	if (strncmp(error->code, "KMS.", 4) == 0 || strstr(error->message, "kms:") ||
	    strstr(error->message, "KMS"))
		return true;
	/* RGW gives no cause: an unusable key is a bad request, or denied. */
	return run->test->storage->encryption == 2 && !run->is_put && error->status == 400;
}

static void choose(const struct run *run, const char *name, const struct remote_error *error,
		   const char *region, const char **ret_text, const char **ret_remedy)
{
	const bool is_action = strncmp(name, "s3:", 3) == 0;

	*ret_text = *error->message ? "{said}" : "it failed";
	*ret_remedy = "";
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (strcmp(meanings[i].code, error->code) == 0) {
			*ret_text = meanings[i].text;
			*ret_remedy = meanings[i].remedy;
		}
	if (*region && strcmp(region, run->test->storage->region) != 0 &&
	    (error->status / 100 == 3 || error->status == 400)) {
		*ret_text = "the bucket is in the region {there}, not in {region}";
		*ret_remedy = "tonicfs storage set {workspace} --region {there}";
	} else if (strcmp(error->code, "NotImplemented") == 0 && run->test->storage->encryption &&
		   !run->is_put) {
		*ret_text = "the server cannot encrypt as it was asked to: {said}";
		*ret_remedy = "tonicfs storage set {workspace} --encryption none, or set up a KMS "
			      "at the server";
	} else if (is_about_kms(run, error)) {
		*ret_text = "the KMS key may not be used: {said}";
		*ret_remedy = "allow kms:GenerateDataKey and kms:Decrypt on the key to this user "
			      "(tonicfs storage policy {workspace} prints it), or name another: "
			      "--encryption sse-kms:KEY-ID";
	} else if (strcmp(name, "s3:PutObject") == 0 && run->test->storage->encryption == 2 &&
		   error->status == 403) {
		/* The server does not say which of the two. */
		*ret_text =
			"the permission {action} is missing, or the KMS key {kms} may not be used";
		*ret_remedy = "give both to the user (tonicfs storage policy {workspace} prints "
			      "them), or name another key: --encryption sse-kms:KEY-ID";
	} else if (strstr(name, "BucketCors") && error->status == 403) {
		*ret_text = "the permission {action} is missing";
		*ret_remedy = "give it to the user; tonicfs storage policy {workspace} prints the "
			      "whole policy. Or leave CORS rules alone: tonicfs storage test "
			      "{workspace} --no-cors";
	} else if (is_action && (error->status == 403 || error->status == 401)) {
		*ret_text = "the permission {action} is missing";
		*ret_remedy = "give it to the user; tonicfs storage policy {workspace} prints the "
			      "whole policy";
	}
}

void explain(const struct run *run, const char *name, const struct remote_error *error,
	     const char *region, struct storage_check *ret_check)
{
	const char *text, *remedy;

	choose(run, name, error, region, &text, &remedy);
	*ret_check = (struct storage_check){ .name = name, .result = STORAGE_FAILED };
	explain_fill(run, text, name, error, region, ret_check->text, sizeof ret_check->text);
	explain_fill(run, remedy, name, error, region, ret_check->remedy, sizeof ret_check->remedy);
}
