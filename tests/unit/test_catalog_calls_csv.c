/* calls.csv: what its cells are, and that its length and its time follow whatever changes its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/belief.h"
#include "catalog/calls-csv.h"
#include "catalog/campaign.h"
#include "catalog/sync.h"
#include "catalog/tree.h"
#include "helper_queue.h"

#include "util/buf.h"

static void check_cell(const char *text, const char *wanted)
{
	cleanup_buf struct buf out = BUF_INIT;

	catalog_csv_cell(&out, text);
	assert_string_equal(buf_str(&out), wanted);
}

static void test_calls_csv__no_cell_is_computed_by_a_spreadsheet(void **state)
{
	check_cell("", "");
	check_cell("+15551234567", "+15551234567");
	check_cell("-5", "-5");
	check_cell("sip:bob@example.com;transport=udp", "\"sip:bob@example.com;transport=udp\"");
	check_cell("M\xc3\xbcller, \"Bob\"", "\"M\xc3\xbcller, \"\"Bob\"\"\"");
	check_cell("=1+1", "'=1+1");
	check_cell("-", "'-");
	check_cell("+", "'+");
	check_cell("@SUM(A1)", "'@SUM(A1)");
	check_cell("  =1+1", "'  =1+1");
	check_cell("\xc2\xa0=1+1", "'\xc2\xa0=1+1");
	check_cell("\xe3\x80\x80=1+1", "'\xe3\x80\x80=1+1");
	check_cell("\"=1+1", "\"'\"\"=1+1\"");
	check_cell("\n=1+1", "?=1+1");
	check_cell("\t=1+1", "?=1+1");
	check_cell("\r\n=1+1\xc2\x9b", "?"
				       "?=1+1?");
	check_cell("a;=1+1", "\"a;'=1+1\"");
	check_cell("a; =1+1;;-2", "\"a;' =1+1;;'-2\"");
	check_cell("a;\"=1", "\"a;'\"\"=1\"");
	check_cell("\xef\xbc\x9d"
		   "1",
		   "'\xef\xbc\x9d"
		   "1"); /* full-width = + - @ */
	check_cell("\xef\xbc\x8b"
		   "1",
		   "'\xef\xbc\x8b"
		   "1");
	check_cell("\xef\xbc\x8d"
		   "1",
		   "'\xef\xbc\x8d"
		   "1");
	check_cell("\xef\xbc\xa0"
		   "1",
		   "'\xef\xbc\xa0"
		   "1");
	check_cell("\xef\xb9\xa6"
		   "1",
		   "'\xef\xb9\xa6"
		   "1"); /* small = */
	check_cell("a=b", "a=b");
}

/* Renders it as a mount with these names does; fails where its length is not the node's. */
static void render(struct queue_fixture *f, const char *path, enum catalog_names names,
		   struct buf *csv, struct catalog_node *ret_node)
{
	assert_int_equal(catalog_node_resolve(f->catalog, path, ret_node), 0);
	assert_int_equal(catalog_node_get(f->catalog, ret_node->inode, names, ret_node), 0);
	buf_reset(csv);
	assert_int_equal(catalog_calls_render(f->catalog, ret_node->folder_id, names, csv), 0);
	assert_int_equal(csv->len, ret_node->size_bytes);
}

/* Both forms have the length that their nodes say, and the first row ends like this; later than what was seen before. */
static void check_states(struct queue_fixture *f, const char *path, const char *end,
			 int64_t *mtime_nsecs)
{
	cleanup_buf struct buf csv = BUF_INIT;
	struct catalog_node node;
	const char *row;

	render(f, path, CATALOG_NAMES_SID, &csv, &node);
	render(f, path, CATALOG_NAMES_NUMBER, &csv, &node);
	row = strchr(strstr(csv.data, "\r\n") + 2, '\r');
	if (*end) {
		assert_non_null(row);
		assert_memory_equal(row - strlen(end), end, strlen(end));
	} else {
		assert_null(row); /* no row, and no byte of one */
	}
	assert_true(node.mtime_nsecs > *mtime_nsecs);
	*mtime_nsecs = node.mtime_nsecs;
}

static void test_calls_csv__its_length_and_time_follow_a_recording_that_is_missing(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_object object = queue_object(320044);
	struct catalog_scope scope;
	struct job job;
	int64_t id, queued, before, mtime_nsecs = 0;

	queue_add(f, f->workspace_id, 1, 2, QUEUE_NUMBER);
	id = queue_get(f, 1).id;
	scope = (struct catalog_scope){ CATALOG_SCOPE_RECORDING, id };
	check_states(f, "acme/spring/calls.csv", ",10,recording,available", &mtime_nsecs);
	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	job = queue_claim(f, CATALOG_JOB_MIGRATE, "one", 10000);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), 0);
	job = queue_claim(f, CATALOG_JOB_CLEANUP_TWILIO, "one", 10000);
	assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	before = mtime_nsecs--;
	check_states(f, "acme/spring/calls.csv", ",10,recording,available", &mtime_nsecs);
	assert_int_equal(mtime_nsecs, before); /* a migration changes nothing in it */
	assert_int_equal(catalog_recording_lost_in_s3(f->catalog, id), 0);
	check_states(f, "acme/spring/calls.csv", ",10,recording,missing", &mtime_nsecs);
	assert_int_equal(catalog_recording_found_in_s3(f->catalog, id, &object), 0);
	check_states(f, "acme/spring/calls.csv", ",10,recording,available", &mtime_nsecs);
}

static void
test_calls_csv__it_moves_with_its_calls_and_lists_each_of_several_recordings(void **state)
{
	struct queue_fixture *f = *state;
	struct catalog_recording_input more = { .sid = queue_sid(3, 9),
						.call_sid = queue_sid(2, 1),
						.is_completed = true,
						.duration_secs = -1,
						.date_created_secs = 1772360009,
						.start_time_secs = 1772360009,
						.kind = CATALOG_KIND_VOICEMAIL };
	const char *number = "+15550009999";
	char message[CATALOG_MESSAGE_SIZE];
	struct catalog_removal removal;
	int64_t id, mtime_nsecs = 0;

	queue_add(f, f->workspace_id, 1, 1, number);
	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &more, 1, NULL), 0);
	check_states(f, "acme/unassigned/calls.csv",
		     ",10 unknown,recording voicemail,available available", &mtime_nsecs);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace_id, "autumn", &number, 1,
					      &id, message),
			 0);
	mtime_nsecs = 0;
	check_states(f, "acme/autumn/calls.csv",
		     ",10 unknown,recording voicemail,available available", &mtime_nsecs);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 1).id, &removal), 0);
	check_states(f, "acme/autumn/calls.csv", ",unknown,voicemail,available", &mtime_nsecs);
	assert_int_equal(catalog_remove_recording(f->catalog, queue_get(f, 9).id, &removal), 0);
	check_states(f, "acme/autumn/calls.csv", "", &mtime_nsecs);
}

static void test_calls_csv__without_numbers_it_names_the_files_of_such_a_mount(void **state)
{
	struct queue_fixture *f = *state;
	cleanup_buf struct buf csv = BUF_INIT;
	struct catalog_node node, file;
	char name[CATALOG_FILE_NAME_SIZE] = "";
	const char *files;

	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	render(f, "acme/spring/calls.csv", CATALOG_NAMES_SID, &csv, &node);
	assert_null(strchr(csv.data, '+'));
	assert_null(strstr(csv.data, "5557654321"));
	assert_non_null(strstr(csv.data, ",inbound,,,completed,RE"));
	files = strstr(csv.data, "2026-03-01T");
	assert_non_null(files);
	memcpy(name, files, strcspn(files, ","));
	assert_int_equal(
		catalog_node_lookup(f->catalog, node.parent, name, CATALOG_NAMES_SID, &file), 0);
	assert_int_equal(file.recording_id, queue_get(f, 1).id);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_calls_csv__##name, queue_fixture_setup, \
					queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_cell_is_computed_by_a_spreadsheet),
		TEST(its_length_and_time_follow_a_recording_that_is_missing),
		TEST(it_moves_with_its_calls_and_lists_each_of_several_recordings),
		TEST(without_numbers_it_names_the_files_of_such_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
