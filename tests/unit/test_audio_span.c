/* What S3 is asked for when a recording is read: how much at a time, how much side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/stats.h"
#include "catalog/size.h"
#include "catalog/storage.h"
#include "helper_audio.h"
#include "helper_queue.h"
#include "helper_server.h"

#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)

struct world {
	struct queue_fixture *catalog;
	struct helper_server *server;
	struct http *http;
	struct audio *audio;
	char *content;
	int64_t size;
	unsigned files;
	_Atomic int64_t sent;
	_Atomic bool knows_no_range;
	_Atomic unsigned under_way, most_under_way;
	_Atomic unsigned together; /* so many requests wait for each other, once */
};

/* ---- the server ---- */

static void send_part(struct world *w, int fd, int64_t from, int64_t to)
{
	while (from < to) {
		size_t n = to - from < 65536 ? (size_t)(to - from) : 65536;

		if (!helper_send(fd, w->content + from, n))
			return;
		from += (int64_t)n;
		atomic_fetch_add(&w->sent, (int64_t)n);
	}
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct world *w = arg;
	const char *range = helper_header(request, "Range");
	long long first = 0, last = w->size - 1;
	unsigned now = atomic_fetch_add(&w->under_way, 1) + 1,
		 most = atomic_load(&w->most_under_way);
	char head[256];

	while (now > most && !atomic_compare_exchange_weak(&w->most_under_way, &most, now))
		;
	for (int i = 0; i < 2500 && atomic_load(&w->most_under_way) < atomic_load(&w->together);
	     i++)
		helper_nap();
	if (range && !atomic_load(&w->knows_no_range)) {
		int fields = sscanf(range, "bytes=%lld-%lld", &first, &last);

		if (fields < 1 || last >= w->size)
			last = w->size - 1;
		snprintf(head, sizeof head,
			 "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %lld-%lld/%lld\r\n"
			 "Content-Length: %lld\r\nContent-Type: audio/x-wav\r\n\r\n",
			 first, last, (long long)w->size, last - first + 1);
	} else {
		snprintf(
			head, sizeof head,
			"HTTP/1.1 200 OK\r\nContent-Length: %lld\r\nContent-Type: audio/x-wav\r\n\r\n",
			(long long)w->size);
	}
	helper_send_str(fd, head);
	send_part(w, fd, first, last + 1);
	atomic_fetch_sub(&w->under_way, 1);
	return HELPER_KEEP;
}

/* ---- the world: recordings 1 to `files`, all of one size and content, in S3 ---- */

static void store(struct world *w, unsigned n)
{
	struct catalog_size size = { queue_get(w->catalog, n).id, w->size, 2, 2 };
	struct catalog_object object = queue_object(w->size);
	struct job job;
	int64_t queued;
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, size.recording_id };

	assert_int_equal(catalog_sizes_set(w->catalog->catalog, &size, 1), 0);
	assert_int_equal(catalog_migrate_queue(w->catalog->catalog, scope, &queued), 0);
	job = queue_claim(w->catalog, CATALOG_JOB_MIGRATE, "owner", 60000);
	snprintf(object.key, sizeof object.key, "key-%u", n);
	object.etag[0] = '\0';
	assert_int_equal(migrate_job_stored(w->catalog->catalog, &job, &object, 2), 0);
}

static void world_begin_with(struct world *w, void **state, int64_t size, unsigned files,
			     size_t budget_bytes)
{
	const struct http_settings http_settings = { .connect_timeout_msecs = 2000 };
	const struct audio_settings settings = { .budget_bytes = budget_bytes,
						 .read_timeout_msecs = 20000 };
	struct catalog_storage storage = { .bucket = "bucket",
					   .region = "us-east-1",
					   .access_key = "key",
					   .path_style = true,
					   .enabled = true };

	memset(w, 0, sizeof *w);
	w->catalog = *state;
	w->size = size;
	w->files = files;
	w->content = malloc((size_t)size);
	assert_non_null(w->content);
	for (int64_t i = 0; i < size; i++)
		w->content[i] = (char)(i * 7 + i / 65536 + i / 251);
	memcpy(w->content, "RIFF\0\0\0\0WAVE", 12);
	w->server = helper_server_new(answer, w);
	snprintf(storage.endpoint, sizeof storage.endpoint, "%s", helper_server_url(w->server, ""));
	snprintf(storage.bucket, sizeof storage.bucket, "%s", queue_object(1).bucket);
	assert_int_equal(catalog_storage_set(w->catalog->catalog, w->catalog->workspace_id,
					     &storage, "secret"),
			 0);
	queue_add(w->catalog, w->catalog->workspace_id, 1, files, QUEUE_NUMBER);
	for (unsigned n = 1; n <= files; n++) {
		queue_set_duration(w->catalog, n, size / 32000);
		store(w, n);
	}
	assert_int_equal(http_new(&http_settings, &w->http), 0);
	assert_int_equal(audio_new(w->catalog->catalog, w->http, &settings, &w->audio), 0);
}

static void world_begin(struct world *w, void **state, int64_t size, unsigned files)
{
	world_begin_with(w, state, size, files, 0);
}

static void world_end(struct world *w)
{
	audio_free(w->audio);
	http_free(w->http);
	helper_server_free(w->server);
	free(w->content);
}

/* Neither side has a request that it has not done with. */
static bool is_quiet(struct world *w)
{
	struct audio_stats stats;
	uint64_t done = 0;

	audio_stats_get(w->audio, &stats);
	for (int i = 0; i < AUDIO_OUTCOME_COUNT; i++)
		done += stats.origins[AUDIO_FROM_S3].requests[i];
	return !atomic_load(&w->under_way) && done >= helper_server_requests(w->server);
}

static void wait_until_quiet(struct world *w)
{
	for (int i = 0; i < 5000 && !is_quiet(w); i++)
		helper_nap();
	assert_true(is_quiet(w));
}

static const char *range_of(struct world *w, unsigned request)
{
	return helper_header(helper_server_request(w->server, request), "Range");
}

/* ---- reading ---- */

static struct audio_file *open_file(struct world *w, unsigned n)
{
	return helper_audio_open(w->audio, queue_get(w->catalog, n).id);
}

static void read_at(struct world *w, struct audio_file *file, int64_t offset, int64_t n)
{
	struct helper_read read;

	helper_read_begin(&read, file, offset, (size_t)n);
	helper_read_end(&read, w->content + offset);
}

static void read_all(struct world *w, struct audio_file *file)
{
	for (int64_t at = 0; at < w->size; at += 128 * KIB)
		read_at(w, file, at, w->size - at < 128 * KIB ? w->size - at : 128 * KIB);
}

/* As the kernel asks for what a program reads at once: in pieces, side by side. */
static void read_pieces(struct world *w, struct audio_file *file, int64_t offset)
{
	struct helper_read pieces[8];

	for (int i = 0; i < 8; i++)
		helper_read_begin(&pieces[i], file, offset + i * 128 * KIB, 128 * KIB);
	for (int i = 0; i < 8; i++)
		helper_read_end(&pieces[i], w->content + offset + i * 128 * KIB);
}

/* ---- tests ---- */

static void test_audio_span__a_small_recording_is_one_request(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 3 * MIB, 1);
	file = open_file(&w, 1);
	read_all(&w, file);
	audio_close(file);
	assert_int_equal(helper_server_requests(w.server), 1);
	assert_null(range_of(&w, 0));
	world_end(&w);
}

static void
test_audio_span__a_large_one_is_several_side_by_side_and_no_byte_comes_twice(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 41 * MIB + 12345, 1);
	atomic_store(&w.together, 2);
	file = open_file(&w, 1);
	read_all(&w, file);
	audio_close(file);
	wait_until_quiet(&w);
	assert_int_equal(atomic_load(&w.sent), w.size);
	assert_int_equal(helper_server_requests(w.server), 16); /* 8 of 1 MiB, 8 of the rest */
	assert_true(atomic_load(&w.most_under_way) >= 2);
	world_end(&w);
}

static void test_audio_span__a_look_into_the_middle_costs_what_was_read(void **state)
{
	static const int64_t places[] = { 21, 3, 17, 30, 9, 26, 13 };
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 32 * MIB, 1);
	file = open_file(&w, 1);
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		read_pieces(&w, file, places[i] * MIB);
		wait_until_quiet(&w);
		assert_int_equal(helper_server_requests(w.server), i + 1);
	}
	assert_int_equal(atomic_load(&w.sent),
			 (int64_t)(sizeof places / sizeof *places) * (MIB + 128 * KIB));
	audio_close(file);
	/* And each kept its connection. */
	assert_int_equal(helper_server_connections(w.server), 1);
	world_end(&w);
}

/* Each reads 1 MB from a place that is no block's, and what the kernel reads ahead of it. */
static void test_audio_span__many_readers_of_one_have_a_request_each(void **state)
{
	struct audio_file *files[30];
	struct world w;

	world_begin(&w, state, 64 * MIB, 1);
	for (unsigned i = 0; i < 30; i++)
		files[i] = open_file(&w, 1);
	for (unsigned piece = 0; piece < 17; piece++)
		for (unsigned i = 0; i < 30; i++)
			read_at(&w, files[i],
				(int64_t)(2 * i + 1) * MIB + 4096 * i + piece * 64 * KIB, 64 * KIB);
	for (unsigned i = 0; i < 30; i++)
		audio_close(files[i]);
	assert_int_equal(helper_server_requests(w.server), 30);
	world_end(&w);
}

static void test_audio_span__who_looks_at_heads_is_sent_heads(void **state)
{
	struct world w;

	world_begin(&w, state, 3 * MIB, 6);
	for (unsigned n = 1; n <= 6; n++) {
		struct audio_file *file = open_file(&w, n);

		read_at(&w, file, 0, 64 * KIB);
		audio_close(file);
		wait_until_quiet(&w);
	}
	assert_int_equal(helper_server_requests(w.server), 6);
	assert_null(range_of(&w, 0));
	for (unsigned i = 2; i < 6; i++)
		assert_string_equal(range_of(&w, i), "bytes=0-262143");
	/* The first answers were given up with their connections; the others' served one after the other. */
	assert_true(helper_server_connections(w.server) <= 4);
	world_end(&w);
}

static void test_audio_span__after_heads_a_whole_one_is_whole(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 3 * MIB, 4);
	for (unsigned n = 1; n <= 2; n++) {
		file = open_file(&w, n);
		read_at(&w, file, 0, 64 * KIB);
		audio_close(file);
	}
	file = open_file(&w, 3);
	read_all(&w, file);
	audio_close(file);
	assert_int_equal(helper_server_requests(w.server), 4);
	assert_string_equal(range_of(&w, 3), "bytes=262144-");
	file = open_file(&w, 4);
	read_all(&w, file);
	audio_close(file);
	assert_int_equal(helper_server_requests(w.server), 5);
	world_end(&w);
}

static void test_audio_span__a_server_without_ranges_is_read_all_the_same(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 12 * MIB, 1);
	atomic_store(&w.knows_no_range, true);
	file = open_file(&w, 1);
	read_all(&w, file);
	audio_close(file);
	/* It was asked for its first pieces side by side, and gave all of it each time. */
	assert_true(helper_server_requests(w.server) <= 8);
	world_end(&w);
}

static void test_audio_span__a_server_without_ranges_is_asked_once_when_that_is_known(void **state)
{
	struct audio_stats stats;
	struct audio_file *file;
	unsigned before;
	int64_t sent;
	struct world w;

	world_begin(&w, state, 12 * MIB, 3);
	atomic_store(&w.knows_no_range, true);
	file = open_file(&w, 1);
	read_all(&w, file);
	audio_close(file);
	wait_until_quiet(&w); /* those that were given up */
	before = helper_server_requests(w.server);
	sent = atomic_load(&w.sent);
	for (unsigned n = 2; n <= 3; n++) {
		file = open_file(&w, n);
		read_all(&w, file);
		audio_close(file);
	}
	wait_until_quiet(&w);
	assert_int_equal(helper_server_requests(w.server), before + 2);
	assert_int_equal(atomic_load(&w.sent), sent + 2 * w.size);
	audio_stats_get(w.audio, &stats);
	assert_int_equal(stats.reads_failed, 0);
	world_end(&w);
}

static void test_audio_span__without_ranges_a_look_further_back_waits_for_it(void **state)
{
	static const int64_t places[] = { 1, 5, 9, 10 };
	struct audio_stats stats;
	struct audio_file *file;
	unsigned before;
	struct world w;

	world_begin_with(&w, state, 12 * MIB, 2, 4 * MIB);
	atomic_store(&w.knows_no_range, true);
	file = open_file(&w, 1);
	read_at(&w, file, 3 * MIB, 100); /* a range: now it is known */
	audio_close(file);
	before = helper_server_requests(w.server);
	file = open_file(&w, 2);
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		read_pieces(&w, file, places[i] * MIB);
	assert_int_equal(helper_server_requests(w.server), before + 1);
	audio_stats_get(w.audio, &stats);
	assert_true(stats.memory_peak_bytes <= stats.memory_budget_bytes);
	/* Back to the start: from the start again. */
	read_at(&w, file, 0, 100);
	audio_close(file);
	world_end(&w);
}

/* Opened at Twilio, moved, and then read. */
static void test_audio_span__without_ranges_what_was_moved_meanwhile_is_asked_for_once(void **state)
{
	struct helper_read near, far;
	struct catalog_size size;
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 12 * MIB, 1);
	atomic_store(&w.knows_no_range, true);
	queue_add(w.catalog, w.catalog->workspace_id, 2, 1, QUEUE_NUMBER);
	size = (struct catalog_size){ queue_get(w.catalog, 2).id, w.size, 2, 2 };
	assert_int_equal(catalog_sizes_set(w.catalog->catalog, &size, 1), 0);
	file = open_file(&w, 2);
	store(&w, 2);
	helper_read_begin(&near, file, 3 * MIB, 100);
	helper_read_begin(&far, file, 9 * MIB, 100);
	helper_read_end(&near, w.content + 3 * MIB);
	helper_read_end(&far, w.content + 9 * MIB);
	assert_true(helper_server_requests(w.server) <= 2);
	audio_close(file);
	world_end(&w);
}

static void test_audio_span__a_server_that_learns_ranges_is_asked_for_them_again(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, 12 * MIB, 2);
	atomic_store(&w.knows_no_range, true);
	file = open_file(&w, 1);
	read_at(&w, file, 3 * MIB, 100);
	audio_close(file);
	atomic_store(&w.knows_no_range, false);
	file = open_file(&w, 2);
	read_at(&w, file, 3 * MIB, 100); /* from there to the end */
	read_at(&w, file, 9 * MIB, 100);
	audio_close(file);
	assert_string_equal(range_of(&w, helper_server_requests(w.server) - 1),
			    "bytes=9437184-10616831");
	world_end(&w);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_audio_span__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_recording_is_one_request),
		TEST(a_large_one_is_several_side_by_side_and_no_byte_comes_twice),
		TEST(a_look_into_the_middle_costs_what_was_read),
		TEST(many_readers_of_one_have_a_request_each),
		TEST(who_looks_at_heads_is_sent_heads),
		TEST(after_heads_a_whole_one_is_whole),
		TEST(a_server_without_ranges_is_read_all_the_same),
		TEST(a_server_without_ranges_is_asked_once_when_that_is_known),
		TEST(without_ranges_a_look_further_back_waits_for_it),
		TEST(without_ranges_what_was_moved_meanwhile_is_asked_for_once),
		TEST(a_server_that_learns_ranges_is_asked_for_them_again),
	};

	return cmocka_run_group_tests_name("audio_span", tests, NULL, NULL);
}
