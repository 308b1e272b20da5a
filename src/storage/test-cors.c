/* The check of browser playback: the bucket's CORS rules, and the rule that tonicfs sets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/test-private.h"
#include "util/buf.h"

#define NAME "browser playback"
#define RULE_ID "tonicfs"

static void add_origins(struct buf *out, const struct run *run)
{
	for (size_t i = 0; i < run->test->origin_count; i++)
		buf_addf(out, "%s%s", i ? ", " : "", run->test->origins[i]);
}

static bool lets_all_read(const struct run *run, const struct s3_cors *cors)
{
	for (size_t i = 0; i < run->test->origin_count; i++)
		if (!s3_cors_lets_read(cors, run->test->origins[i]))
			return false;
	return true;
}

/* An origin that matches the pattern: a port or a label replaces the star. */
static void example_of(const char *pattern, char ret_origin[256])
{
	const char *star = strchr(pattern, '*');

	if (strcmp(pattern, "*") == 0)
		snprintf(ret_origin, 256, "https://www.example.com");
	else if (star)
		snprintf(ret_origin, 256, "%.*s%s%s", (int)(star - pattern), pattern,
			 star > pattern && star[-1] == ':' ? "8080" : "www", star + 1);
	else
		snprintf(ret_origin, 256, "%s", pattern);
}

static bool preflight_passes(const struct run *run)
{
	for (size_t i = 0; i < run->test->origin_count; i++) {
		struct s3_answer answer;
		char origin[256];

		example_of(run->test->origins[i], origin);
		if (s3_ask_preflight(run->test->client, run->key, origin, &answer) ||
		    answer.status / 100 != 2 ||
		    (strcmp(answer.allow_origin, "*") != 0 &&
		     strcmp(answer.allow_origin, origin) != 0))
			return false;
	}
	return true;
}

/* A server without a CORS setting may let every page read. */
static void without_a_setting(struct run *run, const struct buf *origins)
{
	if (preflight_passes(run))
		run_pass(run, NAME, "the server lets %s read, without a CORS setting",
			 buf_str(origins));
	else
		run_note(run, NAME,
			 "not possible: the server has no CORS setting, and does not let %s read",
			 buf_str(origins));
}

static void change(struct run *run, struct s3_cors *cors, const struct buf *origins)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	cleanup_cors struct s3_cors after = { NULL, 0 };
	size_t others = 0;

	for (size_t i = 0; i < cors->count; i++)
		others += !cors->rules[i].id || strcmp(cors->rules[i].id, RULE_ID) != 0;
	if (s3_cors_set_reading(cors, RULE_ID, run->test->origins, run->test->origin_count)) {
		run_fail_text(run, NAME, "out of memory", "");
		return;
	}
	run->result->cors_changed = true;
	if (run->test->dry_run) {
		run_note(run, NAME,
			 "would set the rule '" RULE_ID
			 "': GET, HEAD from %s; %zu rules of others stay as they are",
			 buf_str(origins), others);
		return;
	}
	if (s3_put_cors(run->test->client, cors, &error)) {
		run->result->cors_changed = false;
		if (error.error == -EOPNOTSUPP)
			without_a_setting(run, origins);
		else
			run_fail(run, "s3:PutBucketCors", &error);
	} else if (s3_get_cors(run->test->client, &after, &error) || !lets_all_read(run, &after)) {
		run_fail_text(run, NAME, "the server accepted the CORS rule, but does not show it",
			      "");
	} else {
		run_pass(run, NAME,
			 "set the rule '" RULE_ID
			 "': GET, HEAD from %s; %zu rules of others stay as they are",
			 buf_str(origins), others);
	}
}

void test_cors(struct run *run)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	cleanup_cors struct s3_cors cors = { NULL, 0 };
	cleanup_buf struct buf origins = BUF_INIT;

	if (!run->test->origin_count) {
		run_note(run, NAME, "the bucket's CORS rules are left alone, and not checked");
		return;
	}
	add_origins(&origins, run);
	if (s3_get_cors(run->test->client, &cors, &error)) {
		if (error.error == -EOPNOTSUPP || error.status == 501 || error.status == 405)
			without_a_setting(run, &origins);
		else if (error.error == -ENOTSUP)
			run_fail_text(run, NAME,
				      "the bucket's CORS rules have elements that tonicfs does "
				      "not know and would lose",
				      "add GET and HEAD for these origins by hand");
		else
			run_fail(run, "s3:GetBucketCors", &error);
		return;
	}
	if (lets_all_read(run, &cors))
		run_pass(run, NAME, "pages of %s may read", buf_str(&origins));
	else
		change(run, &cors, &origins);
}
