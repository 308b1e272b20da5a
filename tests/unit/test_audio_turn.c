/* Many readers at once, little memory, and recordings whose origin does not go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "audio/block.h"
#include "audio/stats.h"
#include "audio/turn.h"
#include "catalog/size.h"
#include "helper_audio.h"
#include "helper_queue.h"
#include "helper_server.h"
#include "util/log.h"
#include "util/times.h"

#define MANY 1000
#define SIZE (300 * 1024)
#define BIG (256 * 1024 * 1024)
#define PART (128 * 1024)
#define BLOCK AUDIO_BLOCK_BYTES
#define TAG_AT 16 /* in each block: the recording's number */

struct world {
	struct queue_fixture *catalog;
	struct helper_server *server;
	struct http *http;
	struct audio *audio;
	_Atomic int64_t size, first_size; /* of recording 1 */
	_Atomic unsigned stuck_until;     /* recordings up to this number get a head, and no byte */
	_Atomic unsigned busy_until;      /* and for these the server is too busy */
	_Atomic unsigned stuck_now, most_stuck;
};

/* ---- what recordings are ---- */

static void content(unsigned n, int64_t offset, char *ret_bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int64_t at = offset + (int64_t)i, in_block = at % BLOCK - TAG_AT;

		ret_bytes[i] = (char)(at * 7 + at / 251);
		if (in_block >= 0 && in_block < 4)
			ret_bytes[i] = (char)(n >> 8 * in_block);
		if (at < 12)
			ret_bytes[i] = "RIFF\0\0\0\0WAVE"[at];
	}
}

/* ---- the server ---- */

static unsigned number_of(const struct helper_request *request)
{
	const char *at = strstr(request->head, "/Recordings/RE");
	char digits[9] = "";

	/* queue_sid: the number is in the third to the sixth byte. */
	if (at && strlen(at) > 30)
		memcpy(digits, at + strlen("/Recordings/RE") + 4, 8);
	return (unsigned)strtoul(digits, NULL, 16);
}

/* Until the peer has had enough. */
static enum helper_then stall(struct world *w, int fd)
{
	unsigned now = atomic_fetch_add(&w->stuck_now, 1) + 1;
	char byte;

	if (now > atomic_load(&w->most_stuck))
		atomic_store(&w->most_stuck, now);
	for (int i = 0; i < 3000 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0; i++)
		helper_server_sleep(w->server, 10);
	atomic_fetch_sub(&w->stuck_now, 1);
	return HELPER_CLOSE;
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct world *w = arg;
	unsigned n = number_of(request);
	const char *range = helper_header(request, "Range");
	int64_t size = atomic_load(n == 1 ? &w->first_size : &w->size);
	int64_t at = range ? strtoll(range + 6, NULL, 10) : 0;
	char head[256], part[16384];

	if (n <= atomic_load(&w->busy_until)) {
		helper_answer(fd, 429, "Retry-After: 0\r\n", "{\"code\":20429}");
		return HELPER_KEEP;
	}
	snprintf(head, sizeof head,
		 "HTTP/1.1 %s\r\nContent-Range: bytes %lld-%lld/%lld\r\n"
		 "Content-Length: %lld\r\nContent-Type: audio/x-wav\r\n\r\n",
		 range ? "206 Partial" : "200 OK", (long long)at, (long long)size - 1,
		 (long long)size, (long long)(size - at));
	if (!helper_send_str(fd, head))
		return HELPER_CLOSE;
	if (n <= atomic_load(&w->stuck_until))
		return stall(w, fd);
	while (at < size) {
		size_t len = size - at < (int64_t)sizeof part ? (size_t)(size - at) : sizeof part;

		content(n, at, part, len);
		if (!helper_send(fd, part, len))
			return HELPER_CLOSE;
		at += (int64_t)len;
	}
	return HELPER_KEEP;
}

/* ---- the world ---- */

static void set_sizes(struct world *w, unsigned count, int64_t size)
{
	struct catalog_size *sizes = calloc(count, sizeof *sizes);

	assert_non_null(sizes);
	for (unsigned i = 0; i < count; i++)
		sizes[i] = (struct catalog_size){ queue_get(w->catalog, i + 1).id, size, 2, 2 };
	assert_int_equal(catalog_sizes_set(w->catalog->catalog, sizes, count), 0);
	free(sizes);
}

static void world_begin(struct world *w, void **state, unsigned count, int64_t size, size_t budget)
{
	const struct http_settings http_settings = { .connect_timeout_msecs = 5000 };
	const struct audio_settings settings = { .budget_bytes = budget,
						 .read_timeout_msecs = 60000 };

	memset(w, 0, sizeof *w);
	w->catalog = *state;
	atomic_store(&w->size, size);
	atomic_store(&w->first_size, size);
	w->server = helper_server_new(answer, w);
	queue_set_twilio_url(w->catalog, helper_server_url(w->server, ""));
	queue_add(w->catalog, w->catalog->workspace_id, 1, count, QUEUE_NUMBER);
	set_sizes(w, count, size);
	assert_int_equal(http_new(&http_settings, &w->http), 0);
	assert_int_equal(audio_new(w->catalog->catalog, w->http, &settings, &w->audio), 0);
}

static void world_end(struct world *w)
{
	audio_free(w->audio);
	http_free(w->http);
	helper_server_free(w->server);
}

static struct audio_file *open_file(struct world *w, unsigned n)
{
	return helper_audio_open(w->audio, queue_get(w->catalog, n).id);
}

static uint64_t peak_bytes(struct world *w)
{
	struct audio_stats stats;

	audio_stats_get(w->audio, &stats);
	return stats.memory_peak_bytes;
}

static void read_begin(struct helper_read *read, struct audio_file *file, int64_t at)
{
	helper_read_begin(read, file, at, SIZE - at < PART ? (size_t)(SIZE - at) : PART);
}

static void read_end(struct helper_read *read, unsigned n, int64_t at)
{
	char *expected = malloc(PART);

	assert_non_null(expected);
	content(n, at, expected, read->wanted);
	helper_read_end(read, expected);
	free(expected);
}

/* ---- tests ---- */

static void test_audio_turn__a_thousand_readers_at_once_share_little_memory(void **state)
{
	const size_t budget = 8 << 20;
	struct helper_read *reads = calloc(MANY, sizeof *reads);
	struct audio_file **files = calloc(MANY, sizeof(struct audio_file *));
	struct audio_stats stats;
	struct world w;

	assert_non_null(reads);
	assert_non_null(files);
	world_begin(&w, state, MANY, SIZE, budget);
	for (unsigned i = 0; i < MANY; i++)
		files[i] = open_file(&w, i + 1);
	/* Nobody goes on before everybody has had his part. */
	for (int64_t at = 0; at < SIZE; at += PART) {
		for (unsigned i = 0; i < MANY; i++)
			read_begin(&reads[i], files[i], at);
		for (unsigned i = 0; i < MANY; i++)
			read_end(&reads[i], i + 1, at);
	}
	/* An answer that is being given keeps its blocks, though its turn is over; and a block. */
	assert_in_range(peak_bytes(&w), budget / 4, budget + PART + AUDIO_BLOCK_BYTES);
	for (unsigned i = 0; i < MANY; i++)
		audio_close(files[i]);
	audio_stats_get(w.audio, &stats);
	assert_int_equal(stats.reads_failed, 0);
	assert_int_equal(stats.reads_waiting, 0);
	assert_true(helper_server_most_open(w.server) <= 64);
	world_end(&w);
	free(reads);
	free(files);
}

static void test_audio_turn__readers_of_one_recording_share_little_memory_too(void **state)
{
	const size_t budget = 2 << 20;
	struct audio_file *files[100];
	struct helper_read reads[100];
	struct world w;

	world_begin(&w, state, 1, SIZE, budget);
	for (unsigned i = 0; i < 100; i++)
		files[i] = open_file(&w, 1);
	for (int64_t at = 0; at < SIZE; at += PART) {
		for (unsigned i = 0; i < 100; i++)
			read_begin(&reads[i], files[i], at);
		for (unsigned i = 0; i < 100; i++)
			read_end(&reads[i], 1, at);
	}
	assert_in_range(peak_bytes(&w), 1, budget + PART + AUDIO_BLOCK_BYTES);
	for (unsigned i = 0; i < 100; i++)
		audio_close(files[i]);
	world_end(&w);
}

static void test_audio_turn__a_stuck_recording_takes_half_of_the_connections_at_most(void **state)
{
	struct helper_read stuck[80], reads[60];
	struct audio_file *stuck_file, *files[60];
	struct world w;

	world_begin(&w, state, 61, SIZE, 0);
	queue_set_duration(w.catalog, 1, BIG / 32000);
	set_sizes(&w, 1, BIG);
	atomic_store(&w.first_size, BIG);
	atomic_store(&w.stuck_until, 1);
	stuck_file = open_file(&w, 1);
	for (unsigned i = 0; i < 80; i++)
		helper_read_begin(&stuck[i], stuck_file, (int64_t)i * 3 << 20, PART);
	for (unsigned i = 0; i < 60; i++)
		files[i] = open_file(&w, i + 2);
	for (unsigned i = 0; i < 60; i++)
		read_begin(&reads[i], files[i], 0);
	for (unsigned i = 0; i < 60; i++)
		read_end(&reads[i], i + 2, 0);
	assert_in_range(atomic_load(&w.most_stuck), 1, TURN_STREAMS / 2);
	/* Its reader is killed: all end at once. */
	audio_flush(stuck_file);
	for (unsigned i = 0; i < 80; i++) {
		assert_true(stuck[i].is_done);
		assert_int_equal(stuck[i].error, -EINTR);
		free(stuck[i].bytes);
	}
	audio_close(stuck_file);
	for (unsigned i = 0; i < 60; i++)
		audio_close(files[i]);
	world_end(&w);
}

/* 80 recordings of which nothing comes, and 20 others, which are served. */
static void give_way(void **state, bool is_busy)
{
	struct audio_file *waiting_files[80], *files[20];
	struct helper_read waiting[80], reads[20];
	struct world w;

	/* Neither memory nor connections are there for all. */
	world_begin(&w, state, 100, SIZE, 32 << 20);
	atomic_store(is_busy ? &w.busy_until : &w.stuck_until, 80);
	for (unsigned i = 0; i < 80; i++) {
		waiting_files[i] = open_file(&w, i + 1);
		read_begin(&waiting[i], waiting_files[i], 0);
	}
	for (unsigned i = 0; i < 20; i++) {
		files[i] = open_file(&w, i + 81);
		read_begin(&reads[i], files[i], 0);
	}
	for (unsigned i = 0; i < 20; i++)
		read_end(&reads[i], i + 81, 0);
	for (unsigned i = 0; i < 80; i++) {
		assert_false(waiting[i].is_done);
		audio_close(waiting_files[i]);
		assert_int_equal(waiting[i].error, -EINTR);
		free(waiting[i].bytes);
	}
	for (unsigned i = 0; i < 20; i++)
		audio_close(files[i]);
	world_end(&w);
}

static void test_audio_turn__many_stuck_recordings_give_way(void **state)
{
	give_way(state, false);
}

static void test_audio_turn__many_that_wait_for_a_busy_origin_give_way(void **state)
{
	give_way(state, true);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_audio_turn__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_thousand_readers_at_once_share_little_memory),
		TEST(readers_of_one_recording_share_little_memory_too),
		TEST(a_stuck_recording_takes_half_of_the_connections_at_most),
		TEST(many_stuck_recordings_give_way),
		TEST(many_that_wait_for_a_busy_origin_give_way),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("audio_turn", tests, NULL, NULL);
}
