/* What folders are called: unlike each other in any case, for ever; and catalogs that are older than that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_name.h"
#include "helper_queue.h"

#include "catalog/calls-csv.h"
#include "catalog/campaign.h"
#include "catalog/catalog-private.h"
#include "catalog/name.h"
#include "catalog/tree.h"
#include "util/buf.h"
#include "util/cleanup.h"

static int64_t add(struct queue_fixture *f, const char *name)
{
	static unsigned last;
	char number[32], message[CATALOG_MESSAGE_SIZE];
	const char *numbers[] = { number };
	int64_t id;

	snprintf(number, sizeof number, "+1555100%04u", ++last);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace_id, name, numbers, 1, &id,
					      message),
			 0);
	return id;
}

/* The folder's name is that, in the tree too, leads back to the campaign's, and both find it. */
static void check_folder(struct queue_fixture *f, const char *name, const char *folder)
{
	char path[2 * CATALOG_NAME_SIZE], back[CATALOG_NAME_SIZE];
	struct catalog_campaign campaign, by_folder;
	struct catalog_node node, named;

	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace_id, name, &campaign), 0);
	assert_string_equal(campaign.name, name);
	assert_string_equal(campaign.folder, folder);
	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace_id, folder, &by_folder), 0);
	assert_int_equal(by_folder.id, campaign.id);
	assert_int_equal(catalog_name_decode(folder, back), 0);
	assert_string_equal(back, name);
	snprintf(path, sizeof path, "acme/%s", folder);
	assert_int_equal(catalog_node_resolve(f->catalog, path, &node), 0);
	assert_int_equal(node.folder_id, campaign.id);
	assert_string_equal(node.name, folder);
	snprintf(path, sizeof path, "acme/%s", name);
	assert_int_equal(catalog_node_resolve(f->catalog, path, &named), 0);
	assert_int_equal(named.folder_id, campaign.id);
}

static void test_tree_names__differ_by_more_than_case(void **state)
{
	static const struct {
		const char *name, *folder;
	} campaigns[] = {
		{ "Sales", "Sales" },
		{ "SALES", "%53ALES" },
		{ "sales", "%73ales" },
		{ "SaLes", "%53%61Les" },
		{ "\xc3\x84rzte", "\xc3\x84rzte" },
		{ "\xc3\xa4rzte", "%C3%A4rzte" },
		{ "\xd0\x9e\xd1\x82\xd0\xb4", "\xd0\x9e\xd1\x82\xd0\xb4" },
		{ "\xd0\xbe\xd1\x82\xd0\xb4", "%D0%BE\xd1\x82\xd0\xb4" },
		{ "Unassigned", "%55nassigned" },
		{ "CON", "%43ON" },
		{ "con", "%63on" },
		{ "Caf\xc3\xa9", "Caf\xc3\xa9" },
		{ "Cafe\xcc\x81", "Cafe%CC%81" },
		{ "Stra\xc3\x9f"
		  "e",
		  "Stra\xc3\x9f"
		  "e" },
		{ "STRASSE", "%53TRASSE" },
		{ "STRA\xe1\xba\x9e"
		  "E",
		  "%53%54RA\xe1\xba\x9e"
		  "E" },
		{ "a1", "a1" },
		{ "A1", "%411" },
	};
	struct queue_fixture *f = *state;
	struct catalog_removal removal;
	struct catalog_workspace w;
	int64_t first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(campaigns); i++) {
		int64_t id = add(f, campaigns[i].name);

		first = first ? first : id;
	}
	for (size_t i = 0; i < ARRAY_SIZE(campaigns); i++) {
		check_folder(f, campaigns[i].name, campaigns[i].folder);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(strcasecmp(campaigns[i].folder, campaigns[j].folder),
					     0);
	}
	/* What stands beside it goes: a folder stays what it was, and its name is free for the next. */
	assert_int_equal(catalog_remove_campaign(f->catalog, first, false, &removal), 0);
	check_folder(f, "SALES", "%53ALES");
	add(f, "SAlES");
	check_folder(f, "SAlES", "SAlES");
	queue_add_workspace(f, "ACME", 2);
	assert_int_equal(catalog_workspace_find(f->catalog, "ACME", &w), 0);
	assert_string_equal(w.folder, "%41CME");
	assert_int_equal(catalog_workspace_find(f->catalog, "acme", &w), 0);
	assert_int_equal(w.id, f->workspace_id);
}

/* A catalog as the first five steps of the schema left it. */
static int fill_old(struct db_conn *conn, void *arg)
{
	assert_int_equal(catalog_schema_apply(conn, 0, 5), 0);
	assert_int_equal(
		db_exec(conn,
			"INSERT INTO workspace (id, name, inode, account_sid, secret, mtime_nsecs) VALUES (1, 'acme', 100, x'aa', 's', 1);"
			"INSERT INTO folder (id, workspace_id, name, inode, mtime_nsecs, csv_mtime_nsecs) VALUES (1, 1, NULL, 101, 1, 1),"
			" (2, 1, 'Sales', 102, 1, 1), (3, 1, 'SALES', 103, 1, 1), (4, 1, '-rf', 104, 1, 1), (5, 1, 'nul', 105, 1, 1),"
			" (6, 1, 'Cafe' || char(769), 106, 1, 1), (7, 1, 'a:b', 107, 1, 1);"
			"INSERT INTO call (id, sid, workspace_id, folder_id, known, finished, from_number, to_number, direction, status,"
			" start_secs, duration_secs) VALUES (1, x'000102030405060708090a0b0c0d0e0f', 1, 2, 1, 1, '+15557654321', '+1555',"
			" 'inbound', 'completed', 1772360000, 5), (2, x'010102030405060708090a0b0c0d0e0f', 1, 2, 1, 1, 'a;=1', '+1555',"
			" 'inbound', 'completed', 1772360001, 5);"
			"UPDATE call SET csv_len = 77;"
			"INSERT INTO recording (id, inode, sid, workspace_id, folder_id, call_id, state, listed, completed, duration_secs,"
			" sort_key, date_created_secs, start_secs, party) VALUES (1, 200, x'020102030405060708090a0b0c0d0e0f', 1, 2, 1, 4, 1, 1,"
			" 5, 1772360000 << 30, 1772360000, 1772360000, '+15557654321')"),
		0);
	return 0;
}

static void make_old(struct queue_fixture *f)
{
	catalog_close(f->catalog);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(db_create(f->path, &f->key, fill_old, NULL), 0);
}

static void
test_tree_names__an_older_catalog_keeps_what_was_safe_and_measures_its_call_logs(void **state)
{
	struct queue_fixture *f = *state;
	cleanup_buf struct buf csv = BUF_INIT;
	char message[CATALOG_MESSAGE_SIZE];
	struct catalog_node node;

	make_old(f);
	f->workspace_id = 1;
	for (int opened = 0; opened < 2; opened++) {
		assert_int_equal(catalog_open(f->path, &f->key, &f->catalog, message), 0);
		check_folder(f, "Sales", "Sales");
		check_folder(f, "SALES", "%53ALES");
		check_folder(f, "-rf", "%2Drf");
		check_folder(f, "nul", "%6Eul");
		check_folder(f, "Cafe\xcc\x81", "Cafe\xcc\x81");
		check_folder(f, "a:b", "a%3Ab");
		assert_int_equal(catalog_node_resolve(f->catalog, "acme/unassigned", &node), 0);
		for (int names = CATALOG_NAMES_NUMBER; names <= CATALOG_NAMES_SID; names++) {
			assert_int_equal(
				catalog_node_resolve(f->catalog, "acme/Sales/calls.csv", &node), 0);
			assert_int_equal(catalog_node_get(f->catalog, node.inode,
							  (enum catalog_names)names, &node),
					 0);
			buf_reset(&csv);
			assert_int_equal(catalog_calls_render(f->catalog, 2,
							      (enum catalog_names)names, &csv),
					 0);
			assert_int_equal(node.size_bytes, csv.len);
			assert_true(node.mtime_nsecs > 1);
		}
		assert_non_null(strstr(csv.data, ",5,recording,available\r\n"));
		if (opened == 0)
			catalog_close(f->catalog);
	}
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_tree_names__##name, queue_fixture_setup, \
					queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(differ_by_more_than_case),
		TEST(an_older_catalog_keeps_what_was_safe_and_measures_its_call_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
