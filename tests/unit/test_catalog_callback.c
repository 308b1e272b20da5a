/* What callbacks leave in the catalog, and the token that they are checked with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/callback.h"
#include "helper_queue.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/times.h"

#define LEASE_MSECS 60000

static void add(struct queue_fixture *f, unsigned number)
{
	struct sid sid = queue_sid(2, number);

	assert_int_equal(catalog_callback_add(f->catalog, f->workspace_id, &sid), 0);
}

/* Nothing is due now, nor later. */
static bool is_empty(struct queue_fixture *f)
{
	struct catalog_callback_batch batch;
	int64_t next;

	return catalog_callback_claim(f->catalog, "look", LEASE_MSECS, &batch, &next) == -ENOENT &&
	       next == INT64_MAX;
}

static int claim(struct catalog *catalog, const char *owner, int64_t lease_msecs,
		 struct catalog_callback_batch *ret_batch)
{
	int64_t next;

	return catalog_callback_claim(catalog, owner, lease_msecs, ret_batch, &next);
}

static void test_catalog_callback__one_that_is_named_often_is_asked_for_once(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;

	for (int i = 0; i < 3; i++)
		add(f, 1);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.workspace_id, f->workspace_id);
	assert_int_equal(batch.items[0].attempts, 1);
	assert_int_equal(claim(f->catalog, "b", LEASE_MSECS, &batch), -ENOENT);
	assert_int_equal(batch.count, 0);
}

static void test_catalog_callback__what_was_asked_for_is_gone_and_only_by_its_owner(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;
	struct sid sid = queue_sid(2, 1);

	add(f, 1);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(catalog_callback_done(f->catalog, "b", &sid), 0);
	assert_false(is_empty(f));
	assert_int_equal(catalog_callback_done(f->catalog, "a", &sid), 0);
	assert_true(is_empty(f));
}

static void
test_catalog_callback__one_that_is_named_while_it_is_asked_for_is_asked_for_again(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;
	struct sid sid = queue_sid(2, 1);

	add(f, 1);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	add(f, 1);
	assert_int_equal(catalog_callback_done(f->catalog, "a", &sid), 0);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.items[0].attempts, 1);
}

static void test_catalog_callback__a_dead_owners_are_taken_over_in_another_process(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;
	struct catalog *other = queue_open_again(f);

	add(f, 1);
	assert_int_equal(claim(f->catalog, "dead", 0, &batch), 0);
	assert_int_equal(claim(other, "alive", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.items[0].attempts, 2);
	catalog_close(other);
}

static void test_catalog_callback__later_is_not_before_its_pause(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;
	struct sid sid = queue_sid(2, 1);
	int64_t next, now = time_now_msecs();

	add(f, 1);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(catalog_callback_later(f->catalog, "a", &sid, 3600000), 0);
	assert_int_equal(catalog_callback_claim(f->catalog, "a", LEASE_MSECS, &batch, &next),
			 -ENOENT);
	assert_in_range(next, now + 3600000, now + 3600000 + 60000);
	add(f, 1); /* named again: at once */
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
}

static void test_catalog_callback__a_batch_is_of_one_workspace_and_bounded(void **state)
{
	struct catalog_callback_batch batch;
	struct queue_fixture *f = *state;
	int64_t other = queue_add_workspace(f, "globex", 2), next;
	struct sid sid = queue_sid(2, 1000);

	for (unsigned i = 0; i < CATALOG_CALLBACK_BATCH + 2; i++)
		add(f, i);
	assert_int_equal(catalog_callback_add(f->catalog, other, &sid), 0);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.count, CATALOG_CALLBACK_BATCH);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.count, 2);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), 0);
	assert_int_equal(batch.workspace_id, other);
	assert_int_equal(batch.count, 1);
	assert_int_equal(catalog_callback_claim(f->catalog, "a", LEASE_MSECS, &batch, &next),
			 -ENOENT);
	assert_true(next > time_now_msecs() && next < INT64_MAX);
}

static void
test_catalog_callback__a_removed_workspace_asks_for_nothing_and_forgets_its_token(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_workspace workspace = queue_workspace(f), found;
	struct catalog_callback_batch batch;
	struct catalog_removal removal;
	char *token;

	add(f, 1);
	assert_int_equal(
		catalog_callback_account(f->catalog, &workspace.account_sid, &found, &token), 0);
	secret_free(token);
	assert_int_equal(catalog_remove_workspace(f->catalog, f->workspace_id, false, &removal), 0);
	assert_int_equal(claim(f->catalog, "a", LEASE_MSECS, &batch), -ENOENT);
	assert_true(is_empty(f));
	assert_int_equal(catalog_callback_account(f->catalog, &workspace.account_sid, &found,
						  &token),
			 -ENOENT);
	assert_null(token);
	assert_int_equal(catalog_callback_token_set(f->catalog, workspace.id, "x"), -ENOENT);
}

static void check_token(struct queue_fixture *f, const struct sid *account, const char *expected)
{
	struct catalog_workspace found;
	char *token;
	int rc = catalog_callback_account(f->catalog, account, &found, &token);

	assert_int_equal(rc, expected ? 0 : -ENOKEY);
	assert_int_equal(found.id, f->workspace_id);
	if (expected)
		assert_string_equal(token, expected);
	else
		assert_null(token);
	secret_free(token);
}

static void test_catalog_callback__an_api_keys_secret_is_no_token(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_workspace w = queue_workspace(f);

	check_token(f, &w.account_sid, "a secret");
	snprintf(w.api_key_sid, sizeof w.api_key_sid, "SK0123456789abcdef0123456789abcdef");
	assert_int_equal(catalog_workspace_update(f->catalog, &w, "the key's"), 0);
	check_token(f, &w.account_sid, NULL);
	assert_int_equal(catalog_callback_token_set(f->catalog, w.id, "the token"), 0);
	check_token(f, &w.account_sid, "the token");
	w.api_key_sid[0] = '\0';
	assert_int_equal(catalog_workspace_update(f->catalog, &w, "another token"), 0);
	check_token(f, &w.account_sid, "another token");
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, queue_fixture_setup, queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_catalog_callback__one_that_is_named_often_is_asked_for_once),
		TEST(test_catalog_callback__what_was_asked_for_is_gone_and_only_by_its_owner),
		TEST(test_catalog_callback__one_that_is_named_while_it_is_asked_for_is_asked_for_again),
		TEST(test_catalog_callback__a_dead_owners_are_taken_over_in_another_process),
		TEST(test_catalog_callback__later_is_not_before_its_pause),
		TEST(test_catalog_callback__a_batch_is_of_one_workspace_and_bounded),
		TEST(test_catalog_callback__a_removed_workspace_asks_for_nothing_and_forgets_its_token),
		TEST(test_catalog_callback__an_api_keys_secret_is_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
