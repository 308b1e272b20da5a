/* Read-ahead across the files of a folder, through real requests to a server of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/why.h"
#include "catalog/archive.h"
#include "catalog/size.h"
#include "catalog/storage.h"
#include "catalog/sync.h"
#include "helper_audio.h"
#include "helper_queue.h"
#include "helper_server.h"
#include "util/buf.h"
#include "util/times.h"

#define FILES 40
#define LISTED 32 /* what who lists the folder gets at once */
#define SIZE 700044
#define HEAD_BYTES 44
#define PATIENCE_MSECS 10000

struct world {
	struct queue_fixture *catalog;
	struct helper_server *server;
	struct http *http;
	struct audio *audio;
	char *content; /* of every recording, but for its last byte: that is its number */
	_Atomic unsigned asked[FILES + 1];
	_Atomic unsigned busy_from; /* recordings from this number on are refused with 429; 0: none */
	_Atomic unsigned slow_from; /* those are answered when this is 0 again; 0: none */
};

static struct sid sid_of(unsigned n)
{
	return queue_sid(3, FILES + 1 - n);
}

static struct catalog_recording get(struct world *w, unsigned n)
{
	return queue_get(w->catalog, FILES + 1 - n);
}

/* ---- the server ---- */

static unsigned number_of(const struct helper_request *request)
{
	const char *at = strstr(request->head, "/Recordings/RE");

	for (unsigned n = 1; at && n <= FILES; n++) {
		struct sid sid = sid_of(n);
		char text[SID_SIZE];

		sid_format(&sid, "RE", text);
		if (strncmp(at + strlen("/Recordings/"), text, strlen(text)) == 0)
			return n;
	}
	return 0;
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct world *w = arg;
	unsigned n = number_of(request), busy_from = atomic_load(&w->busy_from);
	char head[256], last = (char)n;

	atomic_fetch_add(&w->asked[n], 1);
	if (!n || (busy_from && n >= busy_from)) {
		helper_answer(fd, 429, "Content-Type: application/json\r\n", "{\"code\":20429}");
		return HELPER_KEEP;
	}
	while (atomic_load(&w->slow_from) && n >= atomic_load(&w->slow_from))
		helper_nap();
	snprintf(head, sizeof head,
		 "HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\nContent-Length: %d\r\n\r\n",
		 SIZE);
	return helper_send_str(fd, head) && helper_send(fd, w->content, SIZE - 1) &&
			       helper_send(fd, &last, 1)
		       ? HELPER_KEEP
		       : HELPER_CLOSE;
}

/* ---- the world ---- */

/* Recordings 1 to FILES: their names are in the order of their numbers, their inodes in the other. */
static void add_recordings(struct world *w)
{
	struct catalog_apply_stats stats = { 0 };

	for (unsigned n = 1; n <= FILES; n++) {
		int64_t at = 1772360000 + n;
		struct sid sid = sid_of(n), call_sid = queue_sid(2, n);
		struct catalog_call_input call = {
			call_sid, "+15557654321", QUEUE_NUMBER, "inbound", "completed", at, at, 10,
			true
		};
		struct catalog_recording_input recording = { .sid = sid,
							     .call_sid = call_sid,
							     .is_completed = true,
							     .duration_secs = 10,
							     .date_created_secs = at,
							     .start_time_secs = at,
							     .channels = 2 };
		struct catalog_size size = { 0, SIZE, 2, 2 };

		assert_int_equal(catalog_calls_apply(w->catalog->catalog, w->catalog->workspace_id,
						     &call, 1, &stats),
				 0);
		assert_int_equal(catalog_recordings_apply(w->catalog->catalog,
							  w->catalog->workspace_id, &recording, 1,
							  &stats),
				 0);
		size.recording_id = get(w, n).id;
		assert_int_equal(catalog_sizes_set(w->catalog->catalog, &size, 1), 0);
	}
}

static void world_begin(struct world *w, void **state, size_t budget_bytes)
{
	const struct http_settings http_settings = { .connect_timeout_msecs = 2000 };
	const struct audio_settings settings = { .budget_bytes = budget_bytes,
						 .read_timeout_msecs = 5000 };

	memset(w, 0, sizeof *w);
	w->catalog = *state;
	add_recordings(w);
	w->content = calloc(1, SIZE);
	assert_non_null(w->content);
	memcpy(w->content, "RIFF\0\0\0\0WAVE", 12);
	w->server = helper_server_new(answer, w);
	queue_set_twilio_url(w->catalog, helper_server_url(w->server, ""));
	assert_int_equal(http_new(&http_settings, &w->http), 0);
	assert_int_equal(audio_new(w->catalog->catalog, w->http, &settings, &w->audio), 0);
}

static void world_end(struct world *w)
{
	audio_free(w->audio);
	http_free(w->http);
	helper_server_free(w->server);
	free(w->content);
}

static unsigned asked(struct world *w, unsigned n)
{
	return atomic_load(&w->asked[n]);
}

/* How many recordings have been asked for, from number `first` on. */
static unsigned asked_from(struct world *w, unsigned first)
{
	unsigned sum = 0;

	for (unsigned n = first; n <= FILES; n++)
		sum += asked(w, n) > 0;
	return sum;
}

static void wait_until_asked(struct world *w, unsigned n)
{
	int64_t end = time_mono_msecs() + PATIENCE_MSECS;

	while (!asked(w, n) && time_mono_msecs() < end)
		helper_nap();
	assert_true(asked(w, n) > 0);
}

/* What must not happen is given time to. */
static void a_while(void)
{
	nanosleep(&(const struct timespec){ 0, 100000000 }, NULL);
}

/* ---- reading ---- */

static struct audio_file *open_file(struct world *w, unsigned n)
{
	return helper_audio_open(w->audio, get(w, n).id);
}

static char read_part(struct audio_file *file, int64_t offset, size_t n)
{
	struct helper_read read;

	helper_read_begin(&read, file, offset, n);
	return helper_read_end(&read, NULL);
}

static void read_rest(struct audio_file *file, unsigned n)
{
	char last = 0;

	for (int64_t at = 0; at < SIZE; at += 131072)
		last = read_part(file, at, SIZE - at < 131072 ? (size_t)(SIZE - at) : 131072);
	assert_int_equal(last, (char)n);
}

static void read_file(struct world *w, unsigned n)
{
	struct audio_file *file = open_file(w, n);

	read_rest(file, n);
	audio_close(file);
}

static void read_head(struct world *w, unsigned n)
{
	struct audio_file *file = open_file(w, n);

	read_part(file, 0, HEAD_BYTES);
	audio_close(file);
}

/* ---- tests ---- */

static void test_audio_ahead__files_in_order_are_there_before_they_are_opened(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	for (unsigned n = 1; n <= FILES; n++) {
		read_file(&w, n);
		if (n == 1)
			a_while(); /* until it is known what follows */
		if (n >= 2 && n < FILES)
			wait_until_asked(&w, n + 1);
		if (n >= 2 && n + 4 <= FILES)
			wait_until_asked(&w, n + 4);
	}
	for (unsigned n = 1; n <= FILES; n++)
		assert_int_equal(asked(&w, n), 1);
	world_end(&w);
}

struct numbered {
	uint64_t inode;
	unsigned n;
};

static int by_inode(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* cp(1) takes a folder's files so. */
static void test_audio_ahead__the_order_of_inodes_is_one_too(void **state)
{
	struct numbered files[FILES];
	struct world w;

	world_begin(&w, state, 0);
	for (unsigned i = 0; i < FILES; i++)
		files[i] = (struct numbered){ get(&w, i + 1).inode, i + 1 };
	qsort(files, FILES, sizeof *files, by_inode);
	for (unsigned i = 0; i < FILES; i++) {
		read_file(&w, files[i].n);
		if (i == 0)
			a_while();
		if (i >= 1 && i + 4 < FILES)
			wait_until_asked(&w, files[i + 4].n);
	}
	for (unsigned n = 1; n <= FILES; n++)
		assert_int_equal(asked(&w, n), 1);
	world_end(&w);
}

static void test_audio_ahead__one_file_alone_is_no_order(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	read_file(&w, 3);
	a_while();
	assert_int_equal(asked_from(&w, 4), 0);
	world_end(&w);
}

static void test_audio_ahead__heads_alone_fetch_nothing_else(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	for (unsigned n = 1; n <= 8; n++) {
		read_head(&w, n);
		a_while();
		assert_int_equal(asked_from(&w, n + 1), 0);
	}
	world_end(&w);
}

static void test_audio_ahead__a_head_read_again_costs_no_request(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	for (int round = 0; round < 3; round++)
		for (unsigned n = 1; n <= 8; n++)
			read_head(&w, n);
	for (unsigned n = 1; n <= 8; n++)
		assert_int_equal(asked(&w, n), 1);
	/* The rest is fetched when somebody wants it. */
	read_file(&w, 4);
	assert_int_equal(asked(&w, 4), 2);
	read_head(&w, 4);
	assert_int_equal(asked(&w, 4), 3);
	world_end(&w);
}

static void test_audio_ahead__a_file_read_in_part_ends_it(void **state)
{
	struct world w;
	unsigned before;

	world_begin(&w, state, 0);
	read_file(&w, 1);
	a_while();
	read_file(&w, 2);
	for (unsigned n = 3; n <= 6; n++)
		wait_until_asked(&w, n);
	read_head(&w, 3);
	a_while();
	before = asked_from(&w, 1);
	read_head(&w, 4);
	read_head(&w, 5);
	a_while();
	assert_int_equal(asked_from(&w, 1), before);
	world_end(&w);
}

static void test_audio_ahead__another_order_costs_no_request(void **state)
{
	static const unsigned order[] = { 24, 3, 17, 9, 21, 1, 12, 6 };
	struct world w;

	world_begin(&w, state, 0);
	for (unsigned i = 0; i < sizeof order / sizeof *order; i++) {
		read_file(&w, order[i]);
		a_while();
		assert_int_equal(asked_from(&w, 1), i + 1);
	}
	world_end(&w);
}

/* By one who has listed the folder. */
static struct audio_file *open_listed(struct world *w, unsigned n)
{
	struct audio_file *file = open_file(w, n);

	audio_file_listed(file);
	return file;
}

static void test_audio_ahead__the_first_of_a_listed_folder_is_believed(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 0);
	file = open_listed(&w, 1);
	read_part(file, 0, HEAD_BYTES);
	for (unsigned n = 2; n <= 1 + LISTED; n++)
		wait_until_asked(&w, n);
	a_while();
	assert_int_equal(asked_from(&w, 2 + LISTED), 0); /* not all: it may be a head only */
	read_rest(file, 1);
	audio_close(file);
	for (unsigned n = 2; n <= FILES; n++)
		read_file(&w, n);
	for (unsigned n = 1; n <= FILES; n++)
		assert_int_equal(asked(&w, n), 1);
	world_end(&w);
}

/* Both orders are possible until the second file. */
static void test_audio_ahead__a_listed_folder_may_be_read_by_inodes(void **state)
{
	struct numbered files[FILES];
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 0);
	for (unsigned i = 0; i < FILES; i++)
		files[i] = (struct numbered){ get(&w, i + 1).inode, i + 1 };
	qsort(files, FILES, sizeof *files, by_inode);
	file = open_listed(&w, files[0].n);
	read_rest(file, files[0].n);
	audio_close(file);
	for (unsigned i = 1; i <= LISTED; i++)
		wait_until_asked(&w, files[i].n);
	world_end(&w);
}

static void test_audio_ahead__any_other_of_a_listed_folder_is_no_order(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 0);
	file = open_listed(&w, 5);
	read_rest(file, 5);
	audio_close(file);
	a_while();
	assert_int_equal(asked_from(&w, 1), 1);
	world_end(&w);
}

static void test_audio_ahead__heads_of_a_listed_folder_are_seen_to_be_heads(void **state)
{
	struct audio_file *file;
	struct world w;
	unsigned before;

	world_begin(&w, state, 0);
	file = open_listed(&w, 1);
	read_part(file, 0, HEAD_BYTES);
	for (unsigned n = 2; n <= 1 + LISTED; n++)
		wait_until_asked(&w, n);
	audio_close(file);
	before = asked_from(&w, 1);
	for (unsigned n = 2 + LISTED; n <= FILES; n++) {
		file = open_listed(&w, n);
		read_part(file, 0, HEAD_BYTES);
		audio_close(file);
	}
	a_while();
	assert_int_equal(asked_from(&w, 1), before + FILES - 1 - LISTED);
	world_end(&w);
}

static void test_audio_ahead__readers_side_by_side_are_in_order(void **state)
{
	struct audio_file *files[FILES + 1];
	struct world w;

	world_begin(&w, state, 0);
	read_file(&w, 1);
	a_while();
	/* Two at a time, the second one begins first. */
	for (unsigned n = 2; n + 1 <= FILES; n += 2) {
		files[n] = open_file(&w, n);
		files[n + 1] = open_file(&w, n + 1);
		read_rest(files[n + 1], n + 1);
		read_rest(files[n], n);
		audio_close(files[n]);
		audio_close(files[n + 1]);
	}
	wait_until_asked(&w, FILES);
	for (unsigned n = 1; n <= FILES; n++)
		assert_int_equal(asked(&w, n), 1);
	world_end(&w);
}

static void test_audio_ahead__what_has_come_makes_way_for_the_next(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	atomic_store(&w.slow_from, 7);
	for (unsigned n = 1; n <= 6; n++) {
		read_file(&w, n);
		a_while();
	}
	/* So many are on their way to Twilio at a time, */
	for (unsigned n = 7; n <= 22; n++)
		wait_until_asked(&w, n);
	a_while();
	assert_int_equal(asked_from(&w, 23), 0);
	/* and more are held, though nobody reads on. */
	atomic_store(&w.slow_from, 0);
	for (unsigned n = 23; n <= FILES; n++)
		wait_until_asked(&w, n);
	world_end(&w);
}

static void test_audio_ahead__it_holds_no_more_than_half_of_the_memory(void **state)
{
	struct world w;

	world_begin(&w, state, 8 * SIZE);
	read_file(&w, 1);
	a_while();
	for (unsigned n = 2; n <= 8; n++) {
		read_file(&w, n);
		a_while();
		assert_true(asked_from(&w, n + 1) <= 4);
	}
	assert_true(asked(&w, 9) == 1);
	world_end(&w);
}

static void test_audio_ahead__a_busy_origin_is_asked_less(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	read_file(&w, 1);
	a_while();
	atomic_store(&w.busy_from, 3);
	read_file(&w, 2);
	for (unsigned n = 3; n <= 6; n++)
		wait_until_asked(&w, n);
	a_while();
	/* What was refused is not asked for again before somebody wants it. */
	for (unsigned n = 3; n <= 6; n++)
		assert_int_equal(asked(&w, n), 1);
	assert_int_equal(asked_from(&w, 7), 0);
	atomic_store(&w.busy_from, 0);
	read_file(&w, 3);
	assert_int_equal(asked(&w, 3), 2);
	world_end(&w);
}

/* Its copy at Twilio is gone. */
static void store_in_s3(struct world *w, unsigned n)
{
	struct catalog_storage storage = { .bucket = "bucket",
					   .region = "us-east-1",
					   .access_key = "key",
					   .path_style = true,
					   .enabled = true };
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, get(w, n).id };
	struct catalog_object object = queue_object(SIZE);
	struct job job;
	int64_t queued;

	snprintf(storage.endpoint, sizeof storage.endpoint, "%s", helper_server_url(w->server, ""));
	assert_int_equal(catalog_storage_set(w->catalog->catalog, w->catalog->workspace_id,
					     &storage, "secret"),
			 0);
	assert_int_equal(catalog_migrate_queue(w->catalog->catalog, scope, &queued), 0);
	job = queue_claim(w->catalog, CATALOG_JOB_MIGRATE, "owner", 60000);
	assert_int_equal(migrate_job_stored(w->catalog->catalog, &job, &object, 2), 0);
	job = queue_claim(w->catalog, CATALOG_JOB_CLEANUP_TWILIO, "owner", 60000);
	assert_int_equal(job_done(w->catalog->catalog, &job, NULL), 0);
}

static void see_class(struct world *w, unsigned n, const char *storage_class)
{
	struct catalog_class_seen seen = { .recording_sid = sid_of(n) };

	snprintf(seen.storage_class, sizeof seen.storage_class, "%s", storage_class);
	assert_int_equal(catalog_classes_seen(w->catalog->catalog, w->catalog->workspace_id, &seen,
					      1, NULL),
			 0);
}

static bool is_called_archived(struct world *w, unsigned n)
{
	struct catalog_recording recording = get(w, n);
	cleanup_buf struct buf why = BUF_INIT;

	audio_why(w->audio, &recording, &why);
	return strncmp(buf_str(&why), "archived in S3 (DEEP_ARCHIVE): 'tonicfs restore RE", 50) ==
	       0;
}

static void test_audio_ahead__what_is_archived_is_not_asked_for(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	store_in_s3(&w, 3);
	store_in_s3(&w, 5);
	see_class(&w, 3, "DEEP_ARCHIVE");
	see_class(&w, 5, "GLACIER");
	assert_true(is_called_archived(&w, 3));
	assert_false(is_called_archived(&w, 1));
	read_file(&w, 1);
	a_while();
	read_file(&w, 2);
	wait_until_asked(&w, 4);
	for (unsigned n = 6; n <= 8; n++)
		wait_until_asked(&w, n);
	assert_int_equal(asked(&w, 0), 0); /* all but Twilio's */
	world_end(&w);
}

static void test_audio_ahead__a_class_that_is_read_at_once_is_fetched_like_others(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	store_in_s3(&w, 3);
	see_class(&w, 3, "GLACIER_IR");
	read_file(&w, 1);
	a_while();
	read_file(&w, 2);
	wait_until_asked(&w, 0);
	world_end(&w);
}

static void test_audio_ahead__the_end_may_come_at_any_time(void **state)
{
	struct world w;

	world_begin(&w, state, 0);
	read_file(&w, 1);
	a_while();
	read_file(&w, 2);
	wait_until_asked(&w, 3);
	world_end(&w);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_audio_ahead__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_in_order_are_there_before_they_are_opened),
		TEST(the_order_of_inodes_is_one_too),
		TEST(one_file_alone_is_no_order),
		TEST(heads_alone_fetch_nothing_else),
		TEST(a_head_read_again_costs_no_request),
		TEST(a_file_read_in_part_ends_it),
		TEST(another_order_costs_no_request),
		TEST(the_first_of_a_listed_folder_is_believed),
		TEST(a_listed_folder_may_be_read_by_inodes),
		TEST(any_other_of_a_listed_folder_is_no_order),
		TEST(heads_of_a_listed_folder_are_seen_to_be_heads),
		TEST(readers_side_by_side_are_in_order),
		TEST(it_holds_no_more_than_half_of_the_memory),
		TEST(what_has_come_makes_way_for_the_next),
		TEST(a_busy_origin_is_asked_less),
		TEST(what_is_archived_is_not_asked_for),
		TEST(a_class_that_is_read_at_once_is_fetched_like_others),
		TEST(the_end_may_come_at_any_time),
	};

	return cmocka_run_group_tests_name("audio_ahead", tests, NULL, NULL);
}
