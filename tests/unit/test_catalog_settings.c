/* Workspaces, campaigns, storage, settings, leases, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/campaign.h"
#include "catalog/name.h"
#include "catalog/storage.h"
#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "helper_name.h"
#include "jobs/lease.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/times.h"

struct fixture {
	char dir[64], path[128], message[CATALOG_MESSAGE_SIZE];
	struct db_key key;
	struct catalog *catalog;
	struct catalog_workspace workspace;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/catalog.db", f->dir);
	memset(f->key.bytes, 7, sizeof f->key.bytes);
	assert_int_equal(catalog_create(f->path, &f->key, f->message), 0);
	assert_int_equal(catalog_open(f->path, &f->key, &f->catalog, f->message), 0);
	f->workspace =
		(struct catalog_workspace){ .name = "acme", .poll_secs = 300, .delete_s3 = true };
	assert_int_equal(sid_parse("AC000102030405060708090a0b0c0d0e0f", "AC",
				   &f->workspace.account_sid),
			 0);
	assert_int_equal(catalog_workspace_add(f->catalog, &f->workspace, "token", &f->workspace.id,
					       f->message),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	catalog_close(f->catalog);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* What another process would see. */
static void open_again(struct fixture *f)
{
	catalog_close(f->catalog);
	assert_int_equal(catalog_open(f->path, &f->key, &f->catalog, f->message), 0);
}

/* ---- workspaces ---- */

static void test_catalog__a_workspace_is_read_back_as_it_was_added(void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w;

	open_again(f);
	assert_int_equal(catalog_workspace_find(f->catalog, "acme", &w), 0);
	assert_int_equal(w.id, f->workspace.id);
	assert_true(sid_equal(&w.account_sid, &f->workspace.account_sid));
	assert_true(w.delete_s3);
	assert_false(w.delete_twilio || w.migrate_new || w.keep_at_twilio || w.verify_readback ||
		     w.has_storage || w.removed);
	assert_int_equal(w.poll_secs, 300);
	assert_int_equal(catalog_workspace_find(f->catalog, "acm", &w), -ENOENT);
	assert_int_equal(catalog_workspace_get(f->catalog, 999, &w), -ENOENT);
}

static void
test_catalog__a_second_workspace_of_the_name_or_of_the_account_is_refused_and_said_which(
	void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w = f->workspace;
	int64_t id;

	w.account_sid.bytes[0] ^= 1;
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), -EEXIST);
	assert_non_null(strstr(f->message, "'acme'"));
	strcpy(w.name, "other");
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), 0);
	strcpy(w.name, "third");
	w.account_sid = f->workspace.account_sid;
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), -EEXIST);
	assert_non_null(strstr(f->message, "account"));
	assert_non_null(strstr(f->message, "'acme'"));
}

static void test_catalog__a_secret_is_replaced_only_where_one_is_given(void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w = f->workspace;

	w.delete_s3 = false;
	w.poll_secs = 60;
	assert_int_equal(catalog_workspace_update(f->catalog, &w, NULL), 0);
	{
		cleanup_secret char *secret = NULL;

		assert_int_equal(catalog_workspace_secret(f->catalog, w.id, &secret), 0);
		assert_string_equal(secret, "token");
	}
	assert_int_equal(catalog_workspace_update(f->catalog, &w, "rotated"), 0);
	open_again(f);
	{
		cleanup_secret char *secret = NULL;

		assert_int_equal(catalog_workspace_secret(f->catalog, w.id, &secret), 0);
		assert_string_equal(secret, "rotated");
	}
	assert_int_equal(catalog_workspace_get(f->catalog, w.id, &w), 0);
	assert_false(w.delete_s3);
	assert_int_equal(w.poll_secs, 60);
	w.id = 999;
	assert_int_equal(catalog_workspace_update(f->catalog, &w, NULL), -ENOENT);
}

static void test_catalog__what_no_workspace_can_be_is_refused(void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w = f->workspace;
	int64_t id;

	w.account_sid.bytes[0] ^= 1;
	strcpy(w.name, "");
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), -EINVAL);
	memset(w.name, '?', 100); /* 300 bytes as a folder's name */
	w.name[100] = '\0';
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message),
			 -ENAMETOOLONG);
	strcpy(w.name, "fine");
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "", &id, f->message), -EINVAL);
	strcpy(w.api_key_sid, "SKnonsense");
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), -EINVAL);
	w.api_key_sid[0] = '\0';
	memset(&w.account_sid, 0, sizeof w.account_sid);
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), -EINVAL);
	assert_int_equal(catalog_workspace_find(f->catalog, "fine", &w), -ENOENT);
}

static int name_note(void *arg, const struct catalog_workspace *workspace)
{
	strcat(arg, workspace->name);
	strcat(arg, ";");
	return strcmp(workspace->name, "b") == 0 ? 7 : 0;
}

static void test_catalog__workspaces_are_listed_by_name_until_the_callback_has_enough(void **state)
{
	struct fixture *f = *state;
	const char *const names[] = { "c", "b", "Z" };
	char seen[64] = "";
	int64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct catalog_workspace w = f->workspace;

		snprintf(w.name, sizeof w.name, "%s", names[i]);
		w.account_sid.bytes[0] = (uint8_t)(i + 1);
		assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message),
				 0);
	}
	assert_int_equal(catalog_workspace_each(f->catalog, false, name_note, seen), 7);
	assert_string_equal(seen, "Z;acme;b;");
}

static int64_t mtime_of(struct fixture *f, uint64_t inode)
{
	struct catalog_node node;

	assert_int_equal(catalog_node_get(f->catalog, inode, CATALOG_NAMES_NUMBER, &node), 0);
	return node.mtime_nsecs;
}

static void
test_catalog__a_new_workspace_moves_the_roots_mtime_on_and_opening_does_not(void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w = f->workspace;
	int64_t before = mtime_of(f, CATALOG_ROOT_INODE), id;

	assert_true(before > 0);
	open_again(f);
	assert_int_equal(mtime_of(f, CATALOG_ROOT_INODE), before);
	strcpy(w.name, "other");
	w.account_sid.bytes[0] ^= 1;
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), 0);
	assert_true(mtime_of(f, CATALOG_ROOT_INODE) > before);
	/* Also where the clock stands behind what was noted. */
	assert_int_equal(catalog_setting_set(f->catalog, "root_mtime_nsecs", "4000000000000000000"),
			 0);
	strcpy(w.name, "third");
	w.account_sid.bytes[0] ^= 2;
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "token", &id, f->message), 0);
	assert_int_equal(mtime_of(f, CATALOG_ROOT_INODE), 4000000000000000001);
}

/* ---- campaigns ---- */

static int numbers_note(void *arg, const char *number)
{
	strcat(arg, number);
	strcat(arg, ";");
	return 0;
}

static void test_catalog__numbers_are_kept_in_one_form_and_once(void **state)
{
	struct fixture *f = *state;
	const char *const numbers[] = { "+1 (555) 123-4567", "+15551234567", "+49.30.901820" };
	char seen[128] = "";
	int64_t id;

	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "spring", numbers, 3,
					      &id, f->message),
			 0);
	assert_int_equal(catalog_campaign_numbers(f->catalog, id, numbers_note, seen), 0);
	assert_string_equal(seen, "+15551234567;+4930901820;");
}

static void test_catalog__what_is_no_number_is_refused_without_being_repeated(void **state)
{
	struct fixture *f = *state;
	const char *const bad[] = { "",
				    "7771234567",
				    "+",
				    "+1777",
				    "+1777123456789012",
				    "+1777123456x",
				    "1+7771234567",
				    "+0771234567" };
	int64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *const numbers[] = { "+15550000001", bad[i] };

		assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "spring",
						      numbers, 2, &id, f->message),
				 -EINVAL);
		assert_non_null(strstr(f->message, "number 2"));
		assert_null(strstr(f->message, "77"));
	}
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "spring", NULL, 0, &id,
					      f->message),
			 -EINVAL);
}

static void
test_catalog__a_number_of_another_campaign_is_refused_and_nothing_is_left_of_the_attempt(
	void **state)
{
	struct fixture *f = *state;
	const char *const first[] = { "+15550000001" }, *const second[] = { "+15550000002",
									    "+15550000001" };
	struct catalog_campaign c;
	int64_t id;

	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "spring", first, 1, &id,
					      f->message),
			 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "summer", second, 2, &id,
					      f->message),
			 -EEXIST);
	assert_non_null(strstr(f->message, "'spring'"));
	assert_null(strstr(f->message, "5550000001"));
	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace.id, "summer", &c), -ENOENT);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "summer", second, 1, &id,
					      f->message),
			 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "summer", second, 1, &id,
					      f->message),
			 -EEXIST);
	assert_non_null(strstr(f->message, "'summer'"));
}

static int campaign_note(void *arg, const struct catalog_campaign *campaign)
{
	strcat(arg, campaign->name);
	strcat(arg, campaign->is_unassigned ? "!" : ";");
	return 0;
}

static void test_catalog__unassigned_is_always_there_last_and_its_name_is_taken(void **state)
{
	struct fixture *f = *state;
	const char *const a[] = { "+15550000001" }, *const z[] = { "+15550000002" };
	struct catalog_campaign c;
	char seen[128] = "";
	int64_t id;

	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace.id, CATALOG_UNASSIGNED, &c),
			 0);
	assert_true(c.is_unassigned);
	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace.id, "", &c), -ENOENT);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, CATALOG_UNASSIGNED, a, 1,
					      &id, f->message),
			 -EEXIST);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "zebra", z, 1, &id,
					      f->message),
			 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace.id, "apple", a, 1, &id,
					      f->message),
			 0);
	assert_int_equal(catalog_campaign_each(f->catalog, f->workspace.id, campaign_note, seen),
			 0);
	assert_string_equal(seen, "apple;zebra;unassigned!");
	assert_int_equal(catalog_campaign_add(f->catalog, 999, "apple", a, 1, &id, f->message),
			 -ENOENT);
}

/* ---- storage ---- */

static void test_catalog__storage_keeps_its_secret_until_another_is_given(void **state)
{
	struct fixture *f = *state;
	struct catalog_storage s = { .bucket = "b",
				     .region = "eu-central-1",
				     .access_key = "AK",
				     .enabled = true,
				     .encryption = 2,
				     .kms_key_id = "key",
				     .path_style = true,
				     .prefix = "p/" };
	struct catalog_storage read;
	struct catalog_workspace w;

	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), -ENOENT);
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, NULL), -EINVAL);
	assert_int_equal(catalog_storage_set(f->catalog, 999, &s, "secret"), -ENOENT);
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, "secret"), 0);
	strcpy(s.bucket, "c");
	s.enabled = false;
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, NULL), 0);
	open_again(f);
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), 0);
	assert_memory_equal(&read, &s, sizeof s);
	{
		cleanup_secret char *secret = NULL;

		assert_int_equal(catalog_storage_secret(f->catalog, f->workspace.id, &secret), 0);
		assert_string_equal(secret, "secret");
	}
	assert_int_equal(catalog_workspace_get(f->catalog, f->workspace.id, &w), 0);
	assert_true(w.has_storage);
	assert_false(w.storage_enabled);
}

static void test_catalog__a_test_counts_for_the_settings_that_it_was_made_with(void **state)
{
	struct fixture *f = *state;
	struct catalog_storage s = { .bucket = "b", .access_key = "AK" }, read;

	assert_int_equal(catalog_storage_enable(f->catalog, f->workspace.id, true), -ENOENT);
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "secret", true),
			 -ESTALE);
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, "secret"), 0);
	s.tested_secs = 5;
	strcpy(s.tested_encryption, "AES256");
	strcpy(s.origins, "https://a\nhttps://b");
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "another", true),
			 -ESTALE);
	strcpy(s.bucket, "c");
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "secret", true),
			 -ESTALE);
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), 0);
	assert_false(read.enabled || read.tested_secs);
	strcpy(s.bucket, "b");
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "secret", false),
			 0);
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), 0);
	assert_false(read.enabled);
	assert_string_equal(read.tested_encryption, "AES256");
	assert_string_equal(read.origins, "https://a\nhttps://b");
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "secret", true),
			 0);
	/* Enabled stays enabled when it is tested again without wanting to be. */
	assert_int_equal(catalog_storage_tested(f->catalog, f->workspace.id, &s, "secret", false),
			 0);
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), 0);
	assert_true(read.enabled);
	assert_int_equal(catalog_storage_enable(f->catalog, f->workspace.id, false), 0);
	open_again(f);
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace.id, &read), 0);
	assert_false(read.enabled);
	assert_int_equal(read.tested_secs, 5);
}

static void test_catalog__keys_from_elsewhere_leave_no_secret_behind(void **state)
{
	struct fixture *f = *state;
	struct catalog_storage s = { .bucket = "b", .access_key = "AK" };
	cleanup_secret char *secret = NULL;

	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, "secret"), 0);
	s.access_key[0] = '\0';
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, NULL), -EINVAL);
	strcpy(s.credentials, "default");
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace.id, &s, NULL), 0);
	assert_int_equal(catalog_storage_secret(f->catalog, f->workspace.id, &secret), 0);
	assert_string_equal(secret, "");
}

/* ---- settings, leases ---- */

static void test_catalog__a_setting_is_read_back_changed_and_unset(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *value = NULL;

	assert_int_equal(catalog_setting_get(f->catalog, "colour", &value), -ENOENT);
	assert_int_equal(catalog_setting_get_int(f->catalog, "colour", 5), 5);
	assert_int_equal(catalog_setting_set(f->catalog, "colour", "12"), 0);
	assert_int_equal(catalog_setting_get_int(f->catalog, "colour", 5), 12);
	assert_int_equal(catalog_setting_set(f->catalog, "colour", "12x"), 0);
	assert_int_equal(catalog_setting_get_int(f->catalog, "colour", 5), 5);
	open_again(f);
	assert_int_equal(catalog_setting_get(f->catalog, "colour", &value), 0);
	assert_string_equal(value, "12x");
	assert_int_equal(catalog_setting_set(f->catalog, "colour", NULL), 0);
	assert_int_equal(catalog_setting_get_int(f->catalog, "colour", 5), 5);
}

static void test_catalog__a_lease_has_one_owner_until_it_ends_or_is_given_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(job_lease_take(f->catalog, "poll:1", "one", 60000), 0);
	assert_int_equal(job_lease_take(f->catalog, "poll:1", "one", 60000), 0);
	assert_int_equal(job_lease_take(f->catalog, "poll:1", "two", 60000), -EBUSY);
	assert_int_equal(job_lease_take(f->catalog, "poll:2", "two", 60000), 0);
	assert_int_equal(job_lease_give_back(f->catalog, "poll:1", "two"),
			 0); /* not its own: no effect */
	assert_int_equal(job_lease_take(f->catalog, "poll:1", "two", 60000), -EBUSY);
	assert_int_equal(job_lease_give_back(f->catalog, "poll:1", "one"), 0);
	assert_int_equal(job_lease_take(f->catalog, "poll:1", "two", 1), 0);
	usleep(20000);
	assert_int_equal(job_lease_take(f->catalog, "poll:1", "one", 60000), 0);
}

/* ---- names ---- */

static void check_name(const char *name, const char *encoded)
{
	char out[CATALOG_NAME_SIZE], back[CATALOG_NAME_SIZE];

	assert_int_equal(catalog_name_encode(name, out), 0);
	assert_string_equal(out, encoded);
	assert_int_equal(catalog_name_decode(out, back), 0);
	assert_string_equal(back, name);
}

static void test_catalog__names_become_safe_folder_names_and_come_back(void **state)
{
	check_name("spring", "spring");
	check_name("Q1: 50% off?", "Q1%3A 50%25 off%3F");
	check_name("a/b\\c*\"<>|", "a%2Fb%5Cc%2A%22%3C%3E%7C");
	check_name(".", "%2E");
	check_name("..", "%2E%2E");
	check_name(".hidden.", "%2Ehidden%2E");
	check_name("a.b", "a.b");
	check_name(" end ", " end%20");
	check_name("tab\tline\nbell\a", "tab%09line%0Abell%07");
	check_name("M\xc3\xbcnchen \xe6\x9d\xb1 \xf0\x9f\x8e\xa7",
		   "M\xc3\xbcnchen \xe6\x9d\xb1 \xf0\x9f\x8e\xa7");
	check_name("latin\xfc", "latin%FC");
	check_name("\xc3", "%C3");               /* cut off */
	check_name("\xc0\xaf", "%C0%AF");        /* overlong slash */
	check_name("\xed\xa0\x80", "%ED%A0%80"); /* surrogate */
	check_name("a\xe2\x80\xae"
		   "b",
		   "a%E2%80%AEb");        /* right-to-left override */
	check_name("\xc2\x85", "%C2%85"); /* a control of the second block */
	check_name("\x7f", "%7F");
	check_name("-rf", "%2Drf");
	check_name("a-b", "a-b");
	check_name("CON", "%43ON");
	check_name("nul.txt", "%6Eul.txt");
	check_name("Aux .a.b", "%41ux .a.b");
	check_name("com1", "%63om1");
	check_name("LPT\xc2\xb2", "%4CPT\xc2\xb2");
	check_name("CONIN$", "%43ONIN$");
	check_name("COM", "COM");
	check_name("COM10", "COM10");
	check_name("console", "console");
	check_name("con-1", "con-1");
	check_name("e\xcc\x81t\xc3\xa9",
		   "e%CC%81t\xc3\xa9");          /* a decomposed letter, and one that is not */
	check_name("\xe2\x84\xaa", "%E2%84%AA"); /* the sign for kelvin is a K in NFC */
}

static void test_catalog__every_byte_survives_as_a_name(void **state)
{
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			char name[4] = { (char)first, (char)second, 'x', 0 },
			     out[CATALOG_NAME_SIZE], back[CATALOG_NAME_SIZE];

			assert_int_equal(catalog_name_encode(name, out), 0);
			assert_null(strpbrk(out, "/\\:*?\"<>|"));
			assert_int_equal(catalog_name_decode(out, back), 0);
			assert_string_equal(back, name);
		}
	}
}

static void test_catalog__what_has_no_name_behind_it_is_no_folders_name(void **state)
{
	const char *const bad[] = { "", "%", "%4", "%2e", "%00", "%G0" };
	char back[CATALOG_NAME_SIZE], longest[CATALOG_NAME_SIZE + 1];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(catalog_name_decode(bad[i], back), -EINVAL);
	memset(longest, 'a', sizeof longest);
	longest[CATALOG_NAME_SIZE] = '\0';
	assert_int_equal(catalog_name_encode(longest, back), -ENAMETOOLONG);
	assert_int_equal(catalog_name_decode(longest, back), -EINVAL);
	longest[CATALOG_NAME_SIZE - 1] = '\0';
	assert_int_equal(catalog_name_encode(longest, back), 0);
	assert_int_equal(catalog_name_encode("", back), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_catalog__a_workspace_is_read_back_as_it_was_added),
		TEST(test_catalog__a_second_workspace_of_the_name_or_of_the_account_is_refused_and_said_which),
		TEST(test_catalog__a_secret_is_replaced_only_where_one_is_given),
		TEST(test_catalog__what_no_workspace_can_be_is_refused),
		TEST(test_catalog__workspaces_are_listed_by_name_until_the_callback_has_enough),
		TEST(test_catalog__a_new_workspace_moves_the_roots_mtime_on_and_opening_does_not),
		TEST(test_catalog__numbers_are_kept_in_one_form_and_once),
		TEST(test_catalog__what_is_no_number_is_refused_without_being_repeated),
		TEST(test_catalog__a_number_of_another_campaign_is_refused_and_nothing_is_left_of_the_attempt),
		TEST(test_catalog__unassigned_is_always_there_last_and_its_name_is_taken),
		TEST(test_catalog__storage_keeps_its_secret_until_another_is_given),
		TEST(test_catalog__a_test_counts_for_the_settings_that_it_was_made_with),
		TEST(test_catalog__keys_from_elsewhere_leave_no_secret_behind),
		TEST(test_catalog__a_setting_is_read_back_changed_and_unset),
		TEST(test_catalog__a_lease_has_one_owner_until_it_ends_or_is_given_back),
		cmocka_unit_test(test_catalog__names_become_safe_folder_names_and_come_back),
		cmocka_unit_test(test_catalog__every_byte_survives_as_a_name),
		cmocka_unit_test(test_catalog__what_has_no_name_behind_it_is_no_folders_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
