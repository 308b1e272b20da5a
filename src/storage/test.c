/* The connection test: reporting, the checks up to the bucket's region, and the whole. */
#include "storage/test.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/credentials.h"
#include "storage/test-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

#define CLOCK_LIMIT_SECS (15 * 60) /* servers refuse signatures from here on */
#define CLOCK_WORTH_SAYING_SECS 60

static const char *const default_origins[] = { "http://localhost:*", "http://127.0.0.1:*" };

/* ---- reporting ---- */

void run_tell(struct run *run, const struct storage_check *check)
{
	if (check->result == STORAGE_FAILED)
		run->result->has_passed = false;
	run->test->fn(run->test->arg, check);
}

void run_say(struct run *run, const char *name, enum storage_result result, const char *format, ...)
{
	struct storage_check check = { .name = name, .result = result };
	va_list args;

	va_start(args, format);
	vsnprintf(check.text, sizeof check.text, format, args);
	va_end(args);
	run_tell(run, &check);
}

bool run_fail_text(struct run *run, const char *name, const char *text, const char *remedy)
{
	static const struct remote_error none = REMOTE_ERROR_INIT;
	struct storage_check check = { .name = name, .result = STORAGE_FAILED };

	snprintf(check.text, sizeof check.text, "%s", text);
	explain_fill(run, remedy, name, &none, "", check.remedy, sizeof check.remedy);
	run_tell(run, &check);
	return false;
}

static bool fail_there(struct run *run, const char *name, const struct remote_error *error,
		       const char *region)
{
	struct storage_check check;

	explain(run, name, error, region, &check);
	run_tell(run, &check);
	return false;
}

bool run_fail(struct run *run, const char *name, const struct remote_error *error)
{
	return fail_there(run, name, error, "");
}

/* ---- credentials, endpoint, clock, signature, bucket, region ---- */

/* False: the test ends here; also for the checks below. */
static bool test_endpoint(struct run *run, const struct s3_answer *answer)
{
	const char *scheme = s3_client_scheme(run->test->client),
		   *host = s3_client_host(run->test->client);

	if (!answer->status)
		return run_fail(run, "endpoint", &answer->error);
	if (answer->is_html)
		return run_fail_text(run, "endpoint",
				     "the server answers with a web page: it is not S3",
				     "is it a console's or a web server's address? tonicfs storage "
				     "set {workspace} --endpoint URL");
	if (strcmp(scheme, "https") == 0)
		run_pass(run, "endpoint", "https://%s answers, and its certificate is valid", host);
	else
		run_pass(run, "endpoint", "http://%s answers; nothing on the way is encrypted",
			 host);
	return true;
}

static bool test_clock(struct run *run, const struct s3_answer *answer)
{
	int64_t off = answer->date_secs ? time_now_secs() - answer->date_secs : 0,
		size = off < 0 ? -off : off;
	char text[200];

	if (!answer->date_secs) {
		run_note(run, "clock", "the server does not say what time it is");
		return true;
	}
	snprintf(text, sizeof text, "this machine's clock is %lld seconds %s the server's",
		 (long long)size, off < 0 ? "behind" : "ahead of");
	if (size >= CLOCK_LIMIT_SECS)
		return run_fail_text(run, "clock", text,
				     "set the clock (timedatectl set-ntp true)");
	if (size >= CLOCK_WORTH_SAYING_SECS)
		run_pass(run, "clock", "%s, which is tolerated", text);
	else
		run_pass(run, "clock", "agrees with the server's");
	return true;
}

/* Credentials from outside the catalog can be obtained. */
static bool test_credentials(struct run *run)
{
	cleanup_credentials struct aws_credentials credentials = { .access_key = NULL };
	struct remote_error error = REMOTE_ERROR_INIT;
	char expires[TIME_ISO8601_SIZE];

	if (s3_client_credentials(run->test->client, &credentials, &error))
		return run_fail_text(run, "credentials", error.message,
				     "look at where they come from, or give keys: tonicfs storage "
				     "set {workspace} --access-key KEY");
	snprintf(run->access_key, sizeof run->access_key, "%s", credentials.access_key);
	if (!run->test->storage->credentials[0])
		return true;
	time_format_iso8601(credentials.expires_secs, expires);
	run_pass(run, "credentials", "from %s%s%s", credentials.from,
		 credentials.expires_secs ? ", good until " : "",
		 credentials.expires_secs ? expires : "");
	return true;
}

/* The server accepts the signature. */
static bool test_signature(struct run *run, const struct s3_answer *answer)
{
	static const char *const refusals[] = { "InvalidAccessKeyId",   "SignatureDoesNotMatch",
						"ExpiredToken",         "InvalidToken",
						"TokenRefreshRequired", "RequestTimeTooSkewed",
						"AccountProblem",       "InvalidSecurity" };
	const struct remote_error *error = &answer->error;
	bool is_refused = answer->status == 401;

	if (!answer->status || answer->is_html)
		return run_fail(run, "endpoint", error);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		is_refused |= strcmp(error->code, refusals[i]) == 0;
	if (is_refused)
		return run_fail(run, "signature", error);
	run_pass(run, "signature", "accepted for the access key %s", run->access_key);
	return true;
}

static bool test_place(struct run *run, const struct s3_answer *answer)
{
	const struct catalog_storage *s = run->test->storage;
	const struct remote_error *error = &answer->error;
	const char *there = answer->region;

	if (strcmp(error->code, "NoSuchBucket") == 0 || (error->status == 404 && !*error->code))
		return run_fail(run, "bucket", error);
	if (error->status / 100 == 3 || strcmp(error->code, "AuthorizationHeaderMalformed") == 0 ||
	    strcmp(error->code, "IllegalLocationConstraintException") == 0)
		return fail_there(run, "region", error, there);
	/* A denial shows that the bucket exists; later checks find the missing permission. */
	if (error->kind != REMOTE_OK && error->status != 403)
		return run_fail(run, "bucket", error);
	run_pass(run, "bucket", "'%s' exists", s->bucket);
	if (*there && strcmp(there, s->region) != 0) {
		const struct remote_error elsewhere = { .status = 301 };

		return fail_there(run, "region", &elsewhere, there);
	}
	run_pass(run, "region", *there ? "%s, as the server says" : "%s is accepted", s->region);
	return true;
}

static bool test_way(struct run *run)
{
	struct s3_client *client = run->test->client;
	char prefix[CATALOG_NAME_SIZE + 32];
	struct s3_answer answer;

	snprintf(prefix, sizeof prefix, "%stonicfs/test/", run->test->storage->prefix);
	if (!test_credentials(run))
		return false;
	s3_ask_bucket(client, true, prefix, &answer);
	if (!test_endpoint(run, &answer) || !test_clock(run, &answer))
		return false;
	run->is_list_public = answer.status == 200;
	s3_ask_bucket(client, false, prefix, &answer);
	return test_signature(run, &answer) && test_place(run, &answer);
}

/* ---- the whole ---- */

static int make_key(struct run *run)
{
	uint8_t random[16];
	char hex[CRYPTO_HEX_SIZE(sizeof random)];
	int err = crypto_random(random, sizeof random);

	if (err)
		return err;
	crypto_hex(random, sizeof random, hex);
	snprintf(run->key, sizeof run->key, "%stonicfs/test/%s", run->test->storage->prefix, hex);
	return 0;
}

void storage_test_run(const struct storage_test *test, struct storage_test_result *ret_result)
{
	struct run run = { .test = test, .result = ret_result };

	*ret_result = (struct storage_test_result){ .has_passed = true };
	if (make_key(&run)) {
		run_fail_text(&run, "endpoint", "this machine has no random numbers", "");
	} else if (test_way(&run)) {
		test_object(&run);
		test_cors(&run);
	}
}

/* ---- origins ---- */

bool storage_origin_is_valid(const char *origin)
{
	const char *host = strstr(origin, "://"), *star = strchr(origin, '*');

	if (strlen(origin) > 200 || (star && strchr(star + 1, '*')))
		return false;
	if (strcmp(origin, "*") == 0)
		return true;
	if (strncmp(origin, "http://", 7) != 0 && strncmp(origin, "https://", 8) != 0)
		return false;
	host += 3;
	return *host && !host[strcspn(host, "/?#@ \t\r\n\"'<>&\\")];
}

int storage_origins(const struct catalog_storage *storage, char **ret_memory,
		    const char ***ret_origins, size_t *ret_count)
{
	size_t limit = ARRAY_SIZE(default_origins) + sizeof storage->origins / 2, n = 0;
	const char **origins = calloc(1, limit * sizeof *origins + sizeof storage->origins);
	char *text, *rest;

	if (!origins)
		return -ENOMEM;
	*ret_memory = (char *)origins;
	*ret_origins = origins;
	*ret_count = 0;
	if (strcmp(storage->origins, STORAGE_NO_ORIGINS) == 0)
		return 0;
	text = (char *)(origins + limit);
	snprintf(text, sizeof storage->origins, "%s", storage->origins);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		origins[n++] = line;
	if (n == 0)
		for (size_t i = 0; i < ARRAY_SIZE(default_origins); i++)
			origins[n++] = default_origins[i];
	*ret_count = n;
	return 0;
}
