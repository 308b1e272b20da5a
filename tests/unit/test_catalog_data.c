/* What sync tells the catalog, and the tree that comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "catalog/calls-csv.h"
#include "catalog/campaign.h"
#include "catalog/removal.h"
#include "catalog/size.h"
#include "catalog/sync.h"
#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "util/buf.h"

struct fixture {
	char dir[64], path[128];
	struct db_key key;
	struct catalog *catalog;
	int64_t workspace, campaign;
};

#define START 1772360100 /* 2026-03-01T10:15:00Z */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct catalog_workspace w = { .name = "acme", .poll_secs = 300 };
	const char *number = "+15550001111";
	char message[CATALOG_MESSAGE_SIZE];

	strcpy(f->dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/catalog.db", f->dir);
	memset(f->key.bytes, 7, sizeof f->key.bytes);
	assert_int_equal(catalog_create(f->path, &f->key, message), 0);
	assert_int_equal(catalog_open(f->path, &f->key, &f->catalog, message), 0);
	assert_int_equal(sid_parse("AC000102030405060708090a0b0c0d0e0f", "AC", &w.account_sid), 0);
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "secret", &f->workspace, message),
			 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace, "spring", &number, 1,
					      &f->campaign, message),
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

static struct sid sid_of(unsigned n)
{
	struct sid sid = { { 0x40, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 9, 9, 9, 9, 9, 9,
			     (uint8_t)(n >> 8), (uint8_t)n } };

	return sid;
}

static struct catalog_call_input call_of(unsigned n, const char *from, const char *to)
{
	return (struct catalog_call_input){ .sid = sid_of(1000 + n),
					    .from = from,
					    .to = to,
					    .direction = "inbound",
					    .status = "completed",
					    .start_secs = START + n,
					    .date_created_secs = START + n,
					    .duration_secs = 5,
					    .is_finished = true };
}

static struct catalog_recording_input recording_of(unsigned n, unsigned call)
{
	return (struct catalog_recording_input){ .sid = sid_of(n),
						 .call_sid = sid_of(1000 + call),
						 .is_completed = true,
						 .duration_secs = 5,
						 .date_created_secs = START + n,
						 .start_time_secs = START + n,
						 .channels = 2 };
}

static void apply(struct fixture *f, struct catalog_call_input *call,
		  struct catalog_recording_input *recording)
{
	if (call)
		assert_int_equal(catalog_calls_apply(f->catalog, f->workspace, call, 1, NULL), 0);
	if (recording)
		assert_int_equal(
			catalog_recordings_apply(f->catalog, f->workspace, recording, 1, NULL), 0);
}

struct names {
	char names[64][CATALOG_NAME_SIZE];
	uint64_t cookies[64];
	size_t count;
};

static int collect(void *arg, const struct catalog_node *node)
{
	struct names *n = arg;

	strcpy(n->names[n->count], node->name);
	n->cookies[n->count++] = node->cookie;
	return 0;
}

static struct names list(struct fixture *f, const char *path)
{
	struct names n = { .count = 0 };
	struct catalog_node node;

	assert_int_equal(catalog_node_resolve(f->catalog, path, &node), 0);
	assert_int_equal(catalog_node_list(f->catalog, node.inode, 0, 64, CATALOG_NAMES_NUMBER,
					   collect, &n),
			 0);
	return n;
}

static void test_catalog_data__a_recording_is_a_file_once_its_call_is_known(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input recording = recording_of(1, 0);
	struct catalog_node node;
	struct names n;

	apply(f, NULL, &recording);
	assert_int_equal(list(f, "acme/spring").count, 1); /* calls.csv */
	apply(f, &call, NULL);
	n = list(f, "acme/spring");
	assert_int_equal(n.count, 2);
	assert_string_equal(
		n.names[0],
		"2026-03-01T10-15-00Z_+15551234567_RE40000000000000010909090909090001.wav");
	assert_string_equal(n.names[1], "calls.csv");
	assert_int_equal(
		catalog_node_resolve(f->catalog, "RE40000000000000010909090909090001", &node), 0);
	assert_int_equal(node.mtime_nsecs, (int64_t)START * 1000000000);
	assert_int_equal(node.size_bytes, -1);
	assert_int_equal(node.inode, 0x4000000000000001 >> 1);
}

static void test_catalog_data__applying_twice_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input recording = recording_of(1, 0);
	struct catalog_apply_stats stats = { 0 };
	struct catalog_node before, after;

	apply(f, &call, &recording);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &before), 0);
	assert_int_equal(catalog_calls_apply(f->catalog, f->workspace, &call, 1, &stats), 0);
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace, &recording, 1, &stats),
			 0);
	assert_int_equal(stats.calls_new + stats.calls_changed + stats.recordings_new +
				 stats.recordings_changed,
			 0);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &after), 0);
	assert_int_equal(before.mtime_nsecs, after.mtime_nsecs);
}

static void test_catalog_data__names_of_one_second_are_listed_in_order(void **state)
{
	struct fixture *f = *state;
	unsigned order[] = { 5, 1, 9, 3, 7, 2, 8, 4, 6 };
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct names n;

	apply(f, &call, NULL);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct catalog_recording_input recording = recording_of(order[i], 0);

		apply(f, NULL, &recording);
	}
	n = list(f, "acme/spring");
	assert_int_equal(n.count, 10);
	for (size_t i = 1; i < n.count; i++) {
		assert_true(strcmp(n.names[i - 1], n.names[i]) < 0);
		assert_true(n.cookies[i - 1] < n.cookies[i]);
	}
}

static int64_t add_campaign(struct fixture *f, const char *name)
{
	static unsigned last;
	char number[16], message[CATALOG_MESSAGE_SIZE];
	const char *numbers[] = { number };
	int64_t id;

	snprintf(number, sizeof number, "+1555100%04u", ++last);
	assert_int_equal(
		catalog_campaign_add(f->catalog, f->workspace, name, numbers, 1, &id, message), 0);
	return id;
}

static void test_catalog_data__folders_are_listed_in_the_order_of_their_names(void **state)
{
	static const char *const wanted[] = { "%2Eb",   "Zoo",        "a%3Ab",  "a-b",
					      "spring", "unassigned", "winter", "\xc3\xa4" };
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+19990000000");
	struct names n;

	add_campaign(f, "winter");
	add_campaign(f, "\xc3\xa4");
	add_campaign(f, "a-b");
	add_campaign(f, "a:b");
	add_campaign(f, ".b");
	add_campaign(f, "Zoo");
	apply(f, &call, NULL);
	n = list(f, "acme");
	assert_int_equal(n.count, sizeof wanted / sizeof *wanted);
	for (size_t i = 0; i < n.count; i++)
		assert_string_equal(n.names[i], wanted[i]);
}

static void test_catalog_data__workspaces_are_listed_in_the_order_of_their_names(void **state)
{
	struct catalog_workspace w = { .name = "Zoo", .poll_secs = 300, .account_sid = { { 3 } } };
	char message[CATALOG_MESSAGE_SIZE];
	struct fixture *f = *state;
	struct names n;
	int64_t id;

	assert_int_equal(catalog_workspace_add(f->catalog, &w, "secret", &id, message), 0);
	n = list(f, "");
	assert_int_equal(n.count, 2);
	assert_string_equal(n.names[0], "Zoo");
	assert_string_equal(n.names[1], "acme");
}

/* As the kernel does: one buffer after the other, from the last cookie. */
static void
test_catalog_data__a_listing_of_folders_goes_on_where_it_was_whatever_comes_and_goes(void **state)
{
	struct catalog_removal removal;
	struct fixture *f = *state;
	struct catalog_node node;
	struct names n = { .count = 0 };
	int64_t b;

	add_campaign(f, "a");
	b = add_campaign(f, "b");
	add_campaign(f, "d");
	assert_int_equal(catalog_node_resolve(f->catalog, "acme", &node), 0);
	assert_int_equal(catalog_node_list(f->catalog, node.inode, 0, 2, CATALOG_NAMES_NUMBER,
					   collect, &n),
			 0);
	assert_int_equal(n.count, 2);
	/* The one that the cookie names goes, and comes again as another row. */
	assert_int_equal(catalog_remove_campaign(f->catalog, b, true, &removal), 0);
	add_campaign(f, "b");
	add_campaign(f, "aa");
	add_campaign(f, "c");
	while (n.count < 8) {
		size_t before = n.count;

		assert_int_equal(catalog_node_list(f->catalog, node.inode, n.cookies[before - 1], 1,
						   CATALOG_NAMES_NUMBER, collect, &n),
				 0);
		if (n.count == before)
			break;
	}
	assert_int_equal(n.count, 5);
	assert_string_equal(n.names[2], "c");
	assert_string_equal(n.names[3], "d");
	assert_string_equal(n.names[4], "spring");
}

static void test_catalog_data__recordings_with_one_inode_both_stand(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input a = recording_of(2, 0), b = recording_of(2, 0);
	struct catalog_recording found_a, found_b;

	b.sid.bytes[15] ^= 0xff;
	apply(f, &call, &a);
	apply(f, NULL, &b);
	assert_int_equal(catalog_recording_find(f->catalog, &a.sid, &found_a), 0);
	assert_int_equal(catalog_recording_find(f->catalog, &b.sid, &found_b), 0);
	assert_true(found_a.inode != found_b.inode);
	assert_int_equal(list(f, "acme/spring").count, 3);
}

static void test_catalog_data__any_number_of_sids_that_begin_alike_in_one_second_stand(void **state)
{
	enum { COUNT = 200 };
	struct fixture *f = *state;
	uint64_t inodes[COUNT];

	for (int i = 0; i < COUNT; i++) {
		struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
		struct catalog_recording_input r = recording_of(2, 0);

		r.start_time_secs = r.date_created_secs = START;
		r.sid.bytes[14] = 0;
		r.sid.bytes[15] = (uint8_t)i;
		apply(f, &call, &r);
	}
	for (int i = 0; i < COUNT; i++) {
		struct catalog_recording found;
		struct sid sid = sid_of(2);
		char name[CATALOG_FILE_NAME_SIZE];
		struct catalog_node folder, node;

		sid.bytes[14] = 0;
		sid.bytes[15] = (uint8_t)i;
		assert_int_equal(catalog_recording_find(f->catalog, &sid, &found), 0);
		assert_memory_equal(&found.sid, &sid, sizeof sid);
		inodes[i] = found.inode;
		for (int k = 0; k < i; k++)
			assert_true(inodes[k] != inodes[i]);
		catalog_recording_name(&found, CATALOG_NAMES_NUMBER, name);
		assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &folder), 0);
		assert_int_equal(catalog_node_lookup(f->catalog, folder.inode, name,
						     CATALOG_NAMES_NUMBER, &node),
				 0);
		assert_int_equal(node.inode, found.inode);
	}
	{
		struct catalog_recording found;
		struct sid unknown = sid_of(2);

		unknown.bytes[14] = 77;
		assert_int_equal(catalog_recording_find(f->catalog, &unknown, &found), -ENOENT);
	}
}

static void test_catalog_data__a_start_beyond_all_sort_keys_is_the_last_one(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input recording = recording_of(2, 0);
	struct catalog_recording found;

	call.start_secs = INT64_C(253402300799); /* 9999-12-31 */
	apply(f, &call, &recording);
	assert_int_equal(catalog_recording_find(f->catalog, &recording.sid, &found), 0);
	assert_true(found.is_listed);
	assert_true(found.start_secs > START);
}

static void
test_catalog_data__calls_of_no_campaign_are_unassigned_until_one_takes_them(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550002222");
	struct catalog_recording_input recording = recording_of(1, 0);
	struct catalog_node before, after;
	const char *number = "+1 (555) 000-2222";
	char message[CATALOG_MESSAGE_SIZE];
	int64_t id;

	assert_int_equal(list(f, "acme").count, 1);
	apply(f, &call, &recording);
	assert_int_equal(list(f, "acme").count, 2);
	assert_string_equal(list(f, "acme").names[1], "unassigned");
	assert_int_equal(list(f, "acme/unassigned").count, 2);
	assert_int_equal(
		catalog_node_resolve(f->catalog, "RE40000000000000010909090909090001", &before), 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace, "autumn", &number, 1, &id,
					      message),
			 0);
	assert_int_equal(list(f, "acme/autumn").count, 2);
	assert_int_equal(list(f, "acme").count, 2);
	assert_int_equal(
		catalog_node_resolve(f->catalog, "RE40000000000000010909090909090001", &after), 0);
	assert_int_equal(before.inode, after.inode);
	assert_string_equal(before.name, after.name);
}

static void test_catalog_data__a_caller_without_a_number_is_anonymous(void **state)
{
	struct fixture *f = *state;
	static const char *const from[] = { "anonymous", "+266696687", "", "Restricted" };
	struct names n;

	for (unsigned i = 0; i < 4; i++) {
		struct catalog_call_input call = call_of(i, from[i], "+15550001111");
		struct catalog_recording_input recording = recording_of(i + 1, i);

		apply(f, &call, &recording);
	}
	n = list(f, "acme/spring");
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(strstr(n.names[i], "_anonymous_RE"));
}

static void test_catalog_data__calls_csv_has_the_length_that_its_node_says(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input a = call_of(0, "+15551234567", "+15550001111");
	struct catalog_call_input b = call_of(1, "=HYPERLINK(\"x\",1)", "+15550001111");
	struct catalog_recording_input recording = recording_of(1, 0);
	cleanup_buf struct buf csv = BUF_INIT;
	struct catalog_node node, campaign;

	apply(f, &a, &recording);
	apply(f, &b, NULL);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring", &campaign), 0);
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring/calls.csv", &node), 0);
	assert_int_equal(catalog_calls_render(f->catalog, f->campaign, CATALOG_NAMES_NUMBER, &csv),
			 0);
	assert_int_equal(csv.len, node.size_bytes);
	assert_string_equal(
		csv.data,
		"call_sid,started_utc,duration,direction,from,to,status,recording_sids,files,"
		"recording_durations,recording_kinds,recording_states\r\n"
		"CA40000000000003e809090909090903e8,2026-03-01 10:15:00,5,inbound,+15551234567,+15550001111,completed,"
		"RE40000000000000010909090909090001,"
		"2026-03-01T10-15-00Z_+15551234567_RE40000000000000010909090909090001.wav,5,recording,available\r\n"
		"CA40000000000003e909090909090903e9,2026-03-01 10:15:01,5,inbound,\"'=HYPERLINK(\"\"x\"\",1)\",+15550001111,"
		"completed,,,,,\r\n");
}

static void test_catalog_data__gone_at_twilio_leaves_the_tree_and_stays_in_the_log(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input recording = recording_of(1, 0);
	cleanup_buf struct buf csv = BUF_INIT;
	struct catalog_recording r;
	struct catalog_node node;

	apply(f, &call, &recording);
	assert_int_equal(catalog_recording_find(f->catalog, &recording.sid, &r), 0);
	assert_int_equal(catalog_recording_gone(f->catalog, r.id), 0);
	assert_int_equal(catalog_recording_gone(f->catalog, r.id), -ESTALE);
	assert_int_equal(list(f, "acme/spring").count, 1);
	assert_int_equal(catalog_calls_render(f->catalog, f->campaign, CATALOG_NAMES_NUMBER, &csv),
			 0);
	assert_non_null(
		strstr(csv.data, "RE40000000000000010909090909090001,,5,recording,missing\r\n"));
	assert_int_equal(catalog_node_resolve(f->catalog, "acme/spring/calls.csv", &node), 0);
	assert_int_equal(csv.len, node.size_bytes);
	/* A listing that shows it again brings it back under the same name. */
	apply(f, NULL, &recording);
	assert_int_equal(list(f, "acme/spring").count, 2);
}

static void test_catalog_data__wrong_key_newer_version_and_damage_are_told_apart(void **state)
{
	struct fixture *f = *state;
	char message[CATALOG_MESSAGE_SIZE];
	struct db_key wrong = f->key;
	struct catalog *catalog;
	FILE *file;

	wrong.bytes[3] ^= 1;
	assert_int_equal(catalog_open(f->path, &wrong, &catalog, message), -EKEYREJECTED);
	assert_non_null(strstr(message, "key"));
	catalog_close(f->catalog);
	f->catalog = NULL;
	file = fopen(f->path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, 100, SEEK_SET), 0);
	assert_true(fputs("damage", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(catalog_open(f->path, &f->key, &catalog, message), -EUCLEAN);
	assert_non_null(strstr(message, "damaged"));
}

static void test_catalog_data__sizes_are_kept_and_asked_for_folder_first(void **state)
{
	struct fixture *f = *state;
	struct catalog_call_input call = call_of(0, "+15551234567", "+15550001111");
	struct catalog_recording_input recording = recording_of(1, 0);
	struct catalog_size size = { .size_bytes = 160044,
				     .channels_requested = 2,
				     .channels_stored = 2 };
	struct catalog_recording r;

	apply(f, &call, &recording);
	assert_int_equal(catalog_recording_find(f->catalog, &recording.sid, &r), 0);
	size.recording_id = r.id;
	assert_int_equal(catalog_sizes_set(f->catalog, &size, 1), 0);
	assert_int_equal(catalog_recording_get(f->catalog, r.id, &r), 0);
	assert_int_equal(r.size_bytes, 160044);
	assert_int_equal(r.channels_stored, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_catalog_data__##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_recording_is_a_file_once_its_call_is_known),
		TEST(applying_twice_changes_nothing),
		TEST(names_of_one_second_are_listed_in_order),
		TEST(folders_are_listed_in_the_order_of_their_names),
		TEST(workspaces_are_listed_in_the_order_of_their_names),
		TEST(a_listing_of_folders_goes_on_where_it_was_whatever_comes_and_goes),
		TEST(recordings_with_one_inode_both_stand),
		TEST(any_number_of_sids_that_begin_alike_in_one_second_stand),
		TEST(a_start_beyond_all_sort_keys_is_the_last_one),
		TEST(calls_of_no_campaign_are_unassigned_until_one_takes_them),
		TEST(a_caller_without_a_number_is_anonymous),
		TEST(calls_csv_has_the_length_that_its_node_says),
		TEST(gone_at_twilio_leaves_the_tree_and_stays_in_the_log),
		TEST(wrong_key_newer_version_and_damage_are_told_apart),
		TEST(sizes_are_kept_and_asked_for_folder_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
