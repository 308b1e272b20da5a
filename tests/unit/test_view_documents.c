/* The documents of view, of a real catalog: what they say, and what they never say. */
#include "helper_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/job.h"
#include "view/bucket.h"
#include "view/cost.h"
#include "view/setting.h"
#include "view/status.h"
#include "view/workspace.h"

static struct catalog_scope workspace_scope(const struct queue_fixture *f)
{
	return (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, f->workspace_id };
}

static struct catalog_scope recording_scope(struct queue_fixture *f, unsigned number)
{
	return (struct catalog_scope){ CATALOG_SCOPE_RECORDING, queue_get(f, number).id };
}

static void queue_all(struct queue_fixture *f)
{
	int64_t count;

	assert_int_equal(catalog_migrate_queue(f->catalog, workspace_scope(f), &count), 0);
}

/* Claims the next migration and lets it fail: for good, or to be tried again. */
static void fail_one(struct queue_fixture *f, const char *reason, int64_t retry_after_msecs)
{
	struct job job = queue_claim(f, CATALOG_JOB_MIGRATE, "worker", 60000);

	assert_int_equal(job_fail(f->catalog, &job, reason, retry_after_msecs), 0);
}

static int64_t number_at(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *text_at(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

/* ---- names ---- */

static void test_view__a_name_is_shown_as_it_was_typed_but_for_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *name, *shown;
	} names[] = {
		{ "Q1: sales", "Q1: sales" },
		{ "a/b?*", "a/b?*" },
		{ "100%", "100%" },
		{ ".dot.", ".dot." },
		{ "%41", "%41" },
		{ "\x1b[31m", "%1B[31m" },
		{ "a\nb\x7f", "a%0Ab%7F" },
		{ "\xff", "%FF" },
		{ "Fr\xc3\xbchling", "Fr\xc3\xbchling" },
	};
	char shown[CATALOG_NAME_SIZE];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_string_equal(view_name(names[i].name, shown), names[i].shown);
}

static void test_view__a_scope_is_named_by_names_and_a_recording_by_its_sid(void **state)
{
	struct queue_fixture *f = *state;
	char name[VIEW_SCOPE_SIZE];

	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	assert_int_equal(view_scope_name(f->catalog, workspace_scope(f), name), 0);
	assert_string_equal(name, "acme");
	assert_int_equal(
		view_scope_name(f->catalog,
				(struct catalog_scope){ CATALOG_SCOPE_FOLDER, f->unassigned_id },
				name),
		0);
	assert_string_equal(name, "acme/unassigned");
	assert_int_equal(view_scope_name(f->catalog, recording_scope(f, 1), name), 0);
	assert_memory_equal(name, "RE", 2);
	assert_int_equal(strlen(name), SID_SIZE - 1);
}

/* ---- status ---- */

static void
test_view__the_status_groups_failures_by_reason_and_lists_them_up_to_the_limit(void **state)
{
	struct queue_fixture *f = *state;
	struct view_status s;
	json_t *json;

	queue_add(f, f->workspace_id, 1, 5, QUEUE_NUMBER);
	queue_all(f);
	fail_one(f, "too large", -1);
	fail_one(f, "too large", -1);
	fail_one(f, "too large", 3600 * 1000);
	assert_int_equal(view_status_load(f->catalog, workspace_scope(f), 2, &s), 0);
	assert_string_equal(s.path, "acme");
	assert_int_equal(s.counts.counts.failed, 2);
	assert_int_equal(s.reasons.count, 2); /* of one reason, but only one of them is final */
	assert_int_equal(s.problem_total, 3);
	assert_int_equal(s.problem_count, 2);
	json = view_status_json(&s);
	assert_int_equal(number_at(json, "problems_count"), 3);
	assert_int_equal(json_array_size(json_object_get(json, "problems")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "reasons")), 2);
	assert_int_equal(number_at(json_object_get(json, "migrate"), "failed"), 2);
	assert_int_equal(number_at(json_object_get(json, "states"), "twilio"), 5);
	json_decref(json);
	view_status_release(&s);
}

static void test_view__problems_are_not_walked_where_none_are_to_be_listed(void **state)
{
	struct queue_fixture *f = *state;
	struct view_status s;

	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	queue_all(f);
	fail_one(f, "no", -1);
	assert_int_equal(view_status_load(f->catalog, workspace_scope(f), -1, &s), 0);
	assert_int_equal(s.problem_total, 0);
	assert_int_equal(s.reasons.count, 1);
	view_status_release(&s);
}

static void test_view__reasons_can_be_those_of_final_failures_of_a_kind(void **state)
{
	cleanup_view_problems struct view_problems problems = { NULL, 0 };
	struct queue_fixture *f = *state;

	queue_add(f, f->workspace_id, 1, 2, QUEUE_NUMBER);
	queue_all(f);
	fail_one(f, "for good", -1);
	fail_one(f, "for now", 3600 * 1000);
	assert_int_equal(view_problems_load(f->catalog, workspace_scope(f), CATALOG_JOB_DELETE_S3,
					    false, &problems),
			 0);
	assert_int_equal(problems.count, 0);
	assert_int_equal(view_problems_load(f->catalog, workspace_scope(f), CATALOG_JOB_MIGRATE,
					    true, &problems),
			 0);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.items[0].reason, "for good");
	/* A second scope adds to the same group. */
	assert_int_equal(view_problems_load(f->catalog, workspace_scope(f), CATALOG_JOB_MIGRATE,
					    true, &problems),
			 0);
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.items[0].count, 2);
}

static void test_view__a_recordings_status_has_its_sid_and_no_number(void **state)
{
	struct queue_fixture *f = *state;
	struct view_status s;
	char *dump;
	json_t *json;

	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	queue_store(f, 1);
	assert_int_equal(view_status_load(f->catalog, recording_scope(f, 1), -1, &s), 0);
	assert_memory_equal(s.path, "acme/spring/RE", 14);
	assert_string_equal(s.storage_class, "STANDARD");
	json = view_status_json(&s);
	assert_string_equal(text_at(json, "state"), "stored");
	assert_true(json_is_null(json_object_get(json, "why")));
	dump = json_dumps(json, 0);
	assert_null(strstr(dump, "1555"));
	free(dump);
	json_decref(json);
	view_status_release(&s);
}

static void test_view__a_recording_that_was_removed_says_so(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_removal removal = { 0 };
	struct view_status s;
	int64_t id;

	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	id = queue_get(f, 1).id;
	assert_int_equal(catalog_remove_recording(f->catalog, id, &removal), 0);
	assert_int_equal(view_status_load(f->catalog,
					  (struct catalog_scope){ CATALOG_SCOPE_RECORDING, id }, -1,
					  &s),
			 0);
	assert_non_null(strstr(buf_str(&s.why), "removed"));
	view_status_release(&s);
}

static void test_view__what_is_not_there_has_no_status(void **state)
{
	struct queue_fixture *f = *state;
	struct view_status s;

	for (int kind = CATALOG_SCOPE_WORKSPACE; kind <= CATALOG_SCOPE_RECORDING; kind++) {
		assert_int_not_equal(view_status_load(f->catalog,
						      (struct catalog_scope){ kind, 4711 }, -1, &s),
				     0);
		view_status_release(&s);
	}
}

/* ---- listings ---- */

static void test_view__listings_have_their_counts_and_numbers(void **state)
{
	cleanup_view_workspaces struct view_workspaces workspaces;
	cleanup_view_campaigns struct view_campaigns campaigns;
	struct queue_fixture *f = *state;
	json_t *json;

	queue_add_workspace(f, "zenith", 2);
	queue_add(f, f->workspace_id, 1, 3, QUEUE_NUMBER);
	assert_int_equal(view_workspaces_load(f->catalog, &workspaces), 0);
	assert_int_equal(workspaces.count, 2);
	assert_int_equal(workspaces.items[0].recordings, 3);
	assert_string_equal(view_storage_state(&workspaces.items[1].row), "none");
	json = view_workspaces_json(&workspaces);
	assert_string_equal(text_at(json_array_get(json, 0), "storage"), "enabled");
	assert_int_equal(number_at(json_array_get(json, 0), "calls"), 3);
	json_decref(json);

	assert_int_equal(view_campaigns_load(f->catalog, f->workspace_id, &campaigns), 0);
	assert_int_equal(campaigns.count, 2);
	assert_string_equal(campaigns.items[0].numbers[0], QUEUE_NUMBER);
	assert_true(campaigns.items[1].row.is_unassigned);
	json = view_campaigns_json(&campaigns);
	assert_int_equal(number_at(json_array_get(json, 0), "recordings"), 3);
	assert_int_equal(json_array_size(json_object_get(json_array_get(json, 1), "numbers")), 0);
	json_decref(json);
}

static void test_view__a_bucket_is_shown_without_its_secret(void **state)
{
	cleanup_view_bucket struct view_bucket bucket;
	struct queue_fixture *f = *state;
	struct catalog_workspace workspace = queue_workspace(f);
	struct catalog_storage settings;
	json_t *json;
	char *dump;

	assert_int_equal(catalog_storage_get(f->catalog, f->workspace_id, &settings), 0);
	assert_int_equal(view_bucket_load(&workspace, &settings, &bucket), 0);
	json = view_bucket_json(&bucket);
	assert_string_equal(text_at(json, "bucket"), "bucket");
	assert_string_equal(text_at(json, "encryption"), "none");
	assert_true(json_array_size(json_object_get(json, "origins")) > 0);
	dump = json_dumps(json, 0);
	assert_null(strstr(dump, "another secret"));
	free(dump);
	json_decref(json);
}

/* ---- settings ---- */

static void
test_view__a_setting_has_its_default_until_it_is_set_and_stays_in_its_limits(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog *c = f->catalog;

	assert_int_equal(catalog_setting_number(c, SETTING_MIGRATE_WORKERS), 64);
	assert_int_equal(catalog_setting_set(c, "migrate_workers", "7"), 0);
	assert_int_equal(catalog_setting_number(c, SETTING_MIGRATE_WORKERS), 7);
	assert_int_equal(catalog_setting_set(c, "migrate_workers", "100000"), 0);
	assert_int_equal(catalog_setting_number(c, SETTING_MIGRATE_WORKERS), 256);
	assert_int_equal(catalog_setting_set(c, "migrate_workers", "-1"), 0);
	assert_int_equal(catalog_setting_number(c, SETTING_MIGRATE_WORKERS), 1);
	assert_int_equal(catalog_setting_set(c, "migrate_workers", "many"), 0);
	assert_int_equal(catalog_setting_number(c, SETTING_MIGRATE_WORKERS), 64);
}

static void test_view__every_setting_of_the_table_is_whole(void **state)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct catalog_setting *s = &catalog_settings[i];

		assert_non_null(s->name);
		assert_non_null(s->meaning);
		assert_ptr_equal(catalog_setting_find(s->name), s);
		assert_true(s->text_form || (s->least <= s->otherwise && s->otherwise <= s->most));
	}
	assert_null(catalog_setting_find("colour"));
}

static void test_view__settings_are_numbers_and_a_text_that_may_be_missing(void **state)
{
	cleanup_view_settings struct view_settings settings;
	struct queue_fixture *f = *state;
	json_t *json;

	assert_int_equal(view_settings_load(f->catalog, &settings), 0);
	json = view_settings_json(&settings);
	assert_int_equal(json_object_size(json), SETTING_COUNT);
	assert_int_equal(number_at(json, "url_expires_secs"), 3600);
	assert_true(json_is_null(json_object_get(json, "callback_url")));
	json_decref(json);
	view_settings_release(&settings);

	assert_int_equal(catalog_setting_set(f->catalog, "callback_url", "https://x.example"), 0);
	assert_int_equal(view_settings_load(f->catalog, &settings), 0);
	json = view_settings_json(&settings);
	assert_string_equal(text_at(json, "callback_url"), "https://x.example");
	json_decref(json);
}

/* ---- cost ---- */

static void test_view__costs_of_campaigns_add_up_to_the_workspaces(void **state)
{
	static const struct s3_transition given[] = { { 30, "GLACIER_IR" } };
	cleanup_view_cost struct view_cost cost;
	struct queue_fixture *f = *state;
	struct catalog_workspace workspace = queue_workspace(f);
	struct cost_prices prices = *cost_prices_default();
	json_t *json;

	prices.twilio_free_minutes = 0;
	queue_add(f, f->workspace_id, 1, 3, QUEUE_NUMBER);
	queue_add(f, f->workspace_id, 4, 1, "+15559999999"); /* of no campaign */
	queue_store(f, 1);
	assert_int_equal(view_cost_load(f->catalog, &workspace, &prices, given, 1, &cost), 0);
	assert_false(cost.is_rule_set);
	assert_int_equal(cost.recordings, 4);
	assert_int_equal(cost.campaign_count, 2);
	assert_int_equal(cost.campaigns[0].recordings + cost.campaigns[1].recordings, 4);
	assert_float_equal(cost.campaigns[0].twilio + cost.campaigns[1].twilio, cost.twilio, 1e-9);
	assert_float_equal(cost.campaigns[0].all_in_s3 + cost.campaigns[1].all_in_s3,
			   cost.all_in_s3, 1e-9);
	json = view_cost_json(&cost);
	assert_int_equal(number_at(json_object_get(json, "twilio"), "minutes"),
			 cost.twilio_minutes);
	assert_int_equal(json_array_size(json_object_get(json, "lifecycle")), 1);
	json_decref(json);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, queue_fixture_setup, queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_view__a_name_is_shown_as_it_was_typed_but_for_what_drives_a_terminal),
		TEST(test_view__a_scope_is_named_by_names_and_a_recording_by_its_sid),
		TEST(test_view__the_status_groups_failures_by_reason_and_lists_them_up_to_the_limit),
		TEST(test_view__problems_are_not_walked_where_none_are_to_be_listed),
		TEST(test_view__reasons_can_be_those_of_final_failures_of_a_kind),
		TEST(test_view__a_recordings_status_has_its_sid_and_no_number),
		TEST(test_view__a_recording_that_was_removed_says_so),
		TEST(test_view__what_is_not_there_has_no_status),
		TEST(test_view__listings_have_their_counts_and_numbers),
		TEST(test_view__a_bucket_is_shown_without_its_secret),
		TEST(test_view__a_setting_has_its_default_until_it_is_set_and_stays_in_its_limits),
		cmocka_unit_test(test_view__every_setting_of_the_table_is_whole),
		TEST(test_view__settings_are_numbers_and_a_text_that_may_be_missing),
		TEST(test_view__costs_of_campaigns_add_up_to_the_workspaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
