/* Reads of recordings through real requests to a server that behaves well or badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/breaker.h"
#include "audio/stats.h"
#include "audio/why.h"
#include "catalog/size.h"
#include "helper_audio.h"
#include "helper_queue.h"
#include "helper_server.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/times.h"

#define SIZE 320044
#define BIG (12 * 1024 * 1024)
#define READ_TIMEOUT_MSECS 3000

enum behaviour {
	GOOD,
	NO_RANGE,
	CHUNKED,
	CHUNKED_AND_MORE,
	RESET_IN_THE_MIDDLE, /* each answer ends after 100,000 bytes */
	ENDS_EARLY,          /* the same in good order */
	WRONG_TOTAL,
	WRONG_RANGE,
	HTML,
	NO_WAVE,
	NO_WAVE_AND_NO_RANGE, /* all of a file that is none */
	PAGE_OF_ANY_LENGTH,   /* S3's 200, and chunks of HTML */
	EMPTY,
	ABSURD_SIZE,
	STALLS, /* after 70,000 bytes */
	DEAD,   /* a reset, and no byte */
	SAYS_404,
	DENIES_WHAT_IS_MISSING, /* as S3 to whom may list under a prefix only; a list has nothing */
	DENIES_WHAT_IS_THERE,
	SAYS_401,
	SAYS_503,
	SAYS_429_FOR_A_SECOND,
	SAYS_429_FOR_AN_HOUR,
	MONO_ONLY,
};

struct world {
	struct queue_fixture *catalog;
	struct helper_server *server;
	struct http *http;
	struct audio *audio;
	char *content;
	int64_t size;
	_Atomic int twilio, s3; /* enum behaviour */
	_Atomic unsigned times; /* that it lasts; 0: it does not end */
	_Atomic int64_t sent;   /* bytes of media */
	struct catalog_recording recording;
};

/* ---- the server ---- */

static int64_t range_start(const struct helper_request *request)
{
	const char *range = helper_header(request, "Range");

	return range ? strtoll(range + strlen("bytes="), NULL, 10) : -1;
}

/* Behind the last byte that is asked for. */
static int64_t range_end(const struct helper_request *request, int64_t size)
{
	const char *range = helper_header(request, "Range");
	const char *dash = range ? strchr(range, '-') : NULL;

	return dash && dash[1] && strtoll(dash + 1, NULL, 10) < size
		       ? strtoll(dash + 1, NULL, 10) + 1
		       : size;
}

static bool send_media(struct world *w, int fd, int64_t from, int64_t to)
{
	while (from < to) {
		size_t part = to - from < 16384 ? (size_t)(to - from) : 16384;

		if (!helper_send(fd, w->content + from, part))
			return false;
		from += (int64_t)part;
		atomic_fetch_add(&w->sent, (int64_t)part);
	}
	return true;
}

static void send_head_to(struct world *w, int fd, int64_t start, int64_t shift, int64_t end,
			 int64_t total)
{
	char head[512];
	int n = start < 0 ? snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n")
			  : snprintf(head, sizeof head,
				     "HTTP/1.1 206 Partial Content\r\n"
				     "Content-Range: bytes %lld-%lld/%lld\r\n",
				     (long long)(start + shift), (long long)(end - 1),
				     (long long)total);

	snprintf(head + n, sizeof head - (size_t)n,
		 "Content-Type: audio/x-wav\r\nETag: \"etag\"\r\nContent-Length: %lld\r\n\r\n",
		 (long long)(end - (start < 0 ? 0 : start)));
	helper_send_str(fd, head);
}

static void send_head(struct world *w, int fd, int64_t start, int64_t shift, int64_t total)
{
	send_head_to(w, fd, start, shift, total, total);
}

static enum helper_then send_chunked(struct world *w, int fd, const char *more)
{
	char line[32];

	helper_send_str(fd, "HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n");
	for (int64_t at = 0; at < w->size; at += 50000) {
		int64_t end = at + 50000 < w->size ? at + 50000 : w->size;

		snprintf(line, sizeof line, "%llx\r\n", (long long)(end - at));
		helper_send_str(fd, line);
		send_media(w, fd, at, end);
		helper_send_str(fd, "\r\n");
	}
	if (*more) {
		snprintf(line, sizeof line, "%zx\r\n%s\r\n", strlen(more), more);
		helper_send_str(fd, line);
	}
	helper_send_str(fd, "0\r\n\r\n");
	return HELPER_KEEP;
}

static enum helper_then misbehave(struct world *w, int fd, enum behaviour behaviour, int64_t from)
{
	int64_t part = behaviour == STALLS ? 70000 : 100000;

	send_media(w, fd, from, from + part < w->size ? from + part : w->size);
	if (behaviour == STALLS)
		helper_server_sleep(w->server, 20000);
	return behaviour == RESET_IN_THE_MIDDLE ? HELPER_RESET : HELPER_CLOSE;
}

/* Whoever has it last is told all is well from then on. */
static enum behaviour behaviour_now(struct world *w, _Atomic int *of)
{
	enum behaviour behaviour = (enum behaviour)atomic_load(of);

	if (atomic_load(&w->times) && atomic_fetch_sub(&w->times, 1) == 1)
		atomic_store(of, GOOD);
	return behaviour;
}

static enum helper_then send_pages(struct world *w, int fd, const char *type, bool has_length)
{
	char head[200];

	if (has_length)
		snprintf(head, sizeof head,
			 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %lld\r\n\r\n",
			 type, (long long)w->size);
	else
		snprintf(head, sizeof head,
			 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n", type);
	helper_send_str(fd, head);
	for (int64_t at = 0; at < w->size; at += 4)
		if (!helper_send_str(fd, "<ht>"))
			break;
	return HELPER_CLOSE;
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct world *w = arg;
	bool is_list = strstr(request->head, "/bucket?") != NULL;
	bool is_s3 = is_list || strstr(request->head, "/bucket/") != NULL;
	enum behaviour behaviour = behaviour_now(w, is_s3 ? &w->s3 : &w->twilio);
	int64_t start = range_start(request), from = start < 0 ? 0 : start;

	switch (behaviour) {
	case DEAD:
		return HELPER_RESET;
	case SAYS_404:
		helper_answer(fd, 404, "Content-Type: application/xml\r\n",
			      strncmp(request->head, "HEAD", 4) == 0 ? ""
			      : is_s3 ? "<Error><Code>NoSuchKey</Code></Error>"
				      : "<TwilioResponse><RestException><Code>20404</Code>"
					"</RestException></TwilioResponse>");
		return HELPER_KEEP;
	case DENIES_WHAT_IS_MISSING:
	case DENIES_WHAT_IS_THERE:
		if (is_list)
			helper_answer(
				fd, 200, NULL,
				behaviour == DENIES_WHAT_IS_THERE
					? "<ListBucketResult><Contents><Key>a/key</Key><Size>1</Size>"
					  "</Contents></ListBucketResult>"
					: "<ListBucketResult></ListBucketResult>");
		else
			helper_answer(fd, 403, NULL, "<Error><Code>AccessDenied</Code></Error>");
		return HELPER_KEEP;
	case SAYS_401:
		helper_answer(fd, 401, "Content-Type: application/json\r\n", "{\"code\":20003}");
		return HELPER_KEEP;
	case SAYS_503:
		helper_answer(fd, 503, NULL, "no");
		return HELPER_KEEP;
	case SAYS_429_FOR_A_SECOND:
		helper_answer(fd, 429, "Retry-After: 1\r\n", "{\"code\":20429}");
		return HELPER_KEEP;
	case SAYS_429_FOR_AN_HOUR:
		helper_answer(fd, 429, "Retry-After: 3600\r\n", "{\"code\":20429}");
		return HELPER_KEEP;
	case EMPTY:
		helper_answer(fd, 200, "Content-Type: audio/x-wav\r\n", "");
		return HELPER_KEEP;
	case ABSURD_SIZE:
		send_head_to(w, fd, 0, 0, 4096, (int64_t)1 << 46);
		send_media(w, fd, 0, 4096);
		return HELPER_KEEP;
	case NO_WAVE_AND_NO_RANGE:
		return send_pages(w, fd, "audio/x-wav", true);
	case PAGE_OF_ANY_LENGTH:
		return send_pages(w, fd, "text/html; charset=utf-8", false);
	case MONO_ONLY:
		if (strstr(request->head, "RequestedChannels=2")) {
			helper_answer(fd, 400, "Content-Type: application/json\r\n",
				      "{\"code\":16113,\"status\":400}");
			return HELPER_KEEP;
		}
		break;
	case HTML:
		helper_answer(fd, 200, "Content-Type: text/html\r\n", "<html>hello</html>");
		return HELPER_KEEP;
	case NO_WAVE:
		send_head(w, fd, start, 0, w->size);
		for (int64_t at = from; at < w->size; at += 4)
			if (!helper_send_str(fd, "<ht>"))
				break;
		return HELPER_CLOSE;
	case WRONG_TOTAL:
		send_head(w, fd, start, 0, w->size + 2);
		send_media(w, fd, from, w->size);
		return HELPER_CLOSE;
	case WRONG_RANGE:
		if (start < 0)
			break;
		send_head(w, fd, start, 2, w->size);
		send_media(w, fd, from, w->size);
		return HELPER_CLOSE;
	case CHUNKED:
		return send_chunked(w, fd, "");
	case CHUNKED_AND_MORE:
		return send_chunked(w, fd, "more");
	case NO_RANGE:
		send_head(w, fd, -1, 0, w->size);
		return send_media(w, fd, 0, w->size) ? HELPER_KEEP : HELPER_CLOSE;
	case RESET_IN_THE_MIDDLE:
	case ENDS_EARLY:
	case STALLS:
		send_head(w, fd, start, 0, w->size);
		return misbehave(w, fd, behaviour, from);
	case GOOD:
		break;
	}
	send_head_to(w, fd, start, 0, range_end(request, w->size), w->size);
	if (strncmp(request->head, "HEAD", 4) == 0)
		return HELPER_KEEP;
	return send_media(w, fd, from, range_end(request, w->size)) ? HELPER_KEEP : HELPER_CLOSE;
}

/* ---- the world ---- */

static void set_size(struct world *w, int64_t size, int channels)
{
	struct catalog_size known = { w->recording.id, size, channels, channels };

	assert_int_equal(catalog_sizes_set(w->catalog->catalog, &known, 1), 0);
	w->size = size;
}

static void make_content(struct world *w, int64_t size)
{
	/* A WAV's head as far as a probe looks. */
	static const unsigned char head[44] =
		"RIFF\0\0\0\0WAVEfmt \20\0\0\0\1\0\2\0\100\37\0\0\0}\0\0"
		"\4\0\20\0data";

	w->content = malloc((size_t)size);
	assert_non_null(w->content);
	for (int64_t i = 0; i < size; i++)
		w->content[i] = (char)(i * 7 + i / 251);
	memcpy(w->content, head, sizeof head);
	for (int i = 0; i < 4; i++) {
		w->content[4 + i] = (char)((size - 8) >> 8 * i);
		w->content[40 + i] = (char)((size - 44) >> 8 * i);
	}
}

static void world_begin_patient(struct world *w, void **state, int64_t size, size_t budget_bytes,
				unsigned read_timeout_msecs)
{
	const struct http_settings http_settings = { .connect_timeout_msecs = 2000 };
	const struct audio_settings settings = { .budget_bytes = budget_bytes,
						 .read_timeout_msecs = read_timeout_msecs,
						 .size_timeout_msecs = 1500 };

	memset(w, 0, sizeof *w);
	w->catalog = *state;
	queue_add(w->catalog, w->catalog->workspace_id, 1, 1, QUEUE_NUMBER);
	w->recording = queue_get(w->catalog, 1);
	make_content(w, size);
	set_size(w, size, 2);
	w->server = helper_server_new(answer, w);
	queue_set_origins(w->catalog, helper_server_url(w->server, ""));
	assert_int_equal(http_new(&http_settings, &w->http), 0);
	assert_int_equal(audio_new(w->catalog->catalog, w->http, &settings, &w->audio), 0);
}

static void world_begin(struct world *w, void **state, int64_t size, size_t budget_bytes)
{
	world_begin_patient(w, state, size, budget_bytes, READ_TIMEOUT_MSECS);
}

static void world_end(struct world *w)
{
	audio_free(w->audio);
	http_free(w->http);
	helper_server_free(w->server);
	free(w->content);
}

/* ---- reading ---- */

struct result {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned calls; /* lock */
	int error;
	char *bytes;
	size_t n;
	int64_t size;
	struct audio_file *file;
	int64_t took_msecs;
};
#define RESULT_INIT \
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, NULL, 0, 0, NULL, 0 }

static void set_result(struct result *r, int error)
{
	r->error = error;
	r->calls++;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
}

static void on_open(void *arg, int error, struct audio_file *file, int64_t size)
{
	struct result *r = arg;

	pthread_mutex_lock(&r->lock);
	r->file = file;
	r->size = size;
	set_result(r, error);
}

static void on_size(void *arg, int error, int64_t size)
{
	struct result *r = arg;

	pthread_mutex_lock(&r->lock);
	r->size = size;
	set_result(r, error);
}

static void on_read(void *arg, int error, const struct iovec *parts, unsigned count)
{
	struct result *r = arg;

	pthread_mutex_lock(&r->lock);
	r->bytes = helper_gather(parts, count, &r->n);
	set_result(r, error);
}

static int wait_result(struct result *r)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&r->lock);
	while (!r->calls)
		assert_int_equal(pthread_cond_timedwait(&r->cond, &r->lock, &until), 0);
	assert_int_equal(r->calls, 1);
	pthread_mutex_unlock(&r->lock);
	return r->error;
}

static struct audio_file *open_it(struct world *w)
{
	struct result r = RESULT_INIT;

	audio_open(w->audio, w->recording.id, on_open, &r);
	assert_int_equal(wait_result(&r), 0);
	assert_int_equal(r.size, w->size);
	return r.file;
}

/* 0 and the right bytes, or the error. */
static int read_it(struct world *w, struct audio_file *file, int64_t offset, size_t n)
{
	struct result r = RESULT_INIT;
	int err;

	audio_read(file, offset, n, on_read, &r);
	err = wait_result(&r);
	if (!err) {
		size_t left = offset < w->size ? (size_t)(w->size - offset) : 0;

		assert_int_equal(r.n, n < left ? n : left);
		assert_memory_equal(r.bytes, w->content + (left ? offset : 0), r.n);
	} else {
		assert_int_equal(r.n, 0);
	}
	free(r.bytes);
	return err;
}

static int read_all(struct world *w, struct audio_file *file)
{
	for (int64_t at = 0; at < w->size; at += 131072) {
		int err = read_it(w, file, at, 131072);

		if (err)
			return err;
	}
	return read_it(w, file, w->size, 10);
}

static unsigned requests(struct world *w)
{
	return helper_server_requests(w->server);
}

/* Opens, reads all, closes; the error that reading met. */
static int read_whole_file(struct world *w)
{
	struct audio_file *file = open_it(w);
	int err = read_all(w, file);

	audio_close(file);
	return err;
}

/* ---- tests ---- */

static void test_audio__one_request_serves_a_file_read_in_order(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 1);
	assert_non_null(strstr(helper_server_request(w.server, 0)->head, "RequestedChannels=2"));
	world_end(&w);
}

static void test_audio__files_one_after_the_other_share_a_connection(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 5);
	assert_int_equal(helper_server_connections(w.server), 1);
	world_end(&w);
}

static void test_audio__readers_of_one_file_share_its_bytes(void **state)
{
	struct audio_file *a, *b;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	a = open_it(&w);
	b = open_it(&w);
	assert_int_equal(read_it(&w, a, 0, 100000), 0);
	assert_int_equal(read_it(&w, b, 0, 100000), 0);
	assert_int_equal(read_it(&w, b, 100000, 100000), 0);
	assert_int_equal(read_it(&w, a, 200000, 200000), 0);
	assert_int_equal(requests(&w), 1);
	audio_close(a);
	assert_int_equal(read_it(&w, b, 300000, 100), 0);
	audio_close(b);
	world_end(&w);
}

static void test_audio__a_seek_far_away_is_a_range_of_its_own(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, BIG, 0);
	file = open_it(&w);
	assert_int_equal(read_it(&w, file, 0, 4096), 0);
	assert_int_equal(read_it(&w, file, BIG - 5000, 6000), 0);
	assert_int_equal(read_it(&w, file, 4096, 4096), 0);
	assert_int_equal(requests(&w), 2);
	/* Blocks fill from their start. */
	assert_string_equal(helper_header(helper_server_request(w.server, 1), "Range"),
			    "bytes=12517376-");
	audio_close(file);
	world_end(&w);
}

static void test_audio__a_stream_goes_no_further_than_its_window(void **state)
{
	const struct timespec nap = { 0, 300000000 };
	struct audio_file *file;
	struct world w;
	int64_t sent;

	world_begin(&w, state, BIG, 0);
	file = open_it(&w);
	assert_int_equal(read_it(&w, file, 0, 4096), 0);
	nanosleep(&nap, NULL);
	/* The window, and what sockets hold. */
	sent = atomic_load(&w.sent);
	assert_true(sent < BIG - 1024 * 1024);
	nanosleep(&nap, NULL);
	assert_int_equal(atomic_load(&w.sent), sent);
	/* And goes on when the reader does. */
	assert_int_equal(read_all(&w, file), 0);
	assert_int_equal(requests(&w), 1);
	audio_close(file);
	world_end(&w);
}

static void test_audio__a_budget_smaller_than_a_read_still_serves_it(void **state)
{
	struct world w;

	world_begin(&w, state, BIG, 1);
	assert_int_equal(read_whole_file(&w), 0);
	world_end(&w);
}

static void test_audio__ranges_are_not_needed(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, BIG, 0);
	atomic_store(&w.twilio, NO_RANGE);
	file = open_it(&w);
	assert_int_equal(read_it(&w, file, 3000000, 100000), 0);
	assert_int_equal(read_it(&w, file, 0, 100000), 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__a_length_is_not_needed(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, CHUNKED);
	assert_int_equal(read_whole_file(&w), 0);
	world_end(&w);
}

static void test_audio__more_bytes_than_were_recorded_are_an_error(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, CHUNKED_AND_MORE);
	assert_int_equal(read_whole_file(&w), -EIO);
	world_end(&w);
}

static void test_audio__a_reset_is_gone_on_from_at_the_byte_reached(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, RESET_IN_THE_MIDDLE);
	assert_int_equal(read_whole_file(&w), 0);
	assert_null(helper_header(helper_server_request(w.server, 0), "Range"));
	for (unsigned i = 1; i < requests(&w); i++)
		assert_true(range_start(helper_server_request(w.server, i)) >
			    (i > 1 ? range_start(helper_server_request(w.server, i - 1)) : 0));
	world_end(&w);
}

static void test_audio__an_answer_that_ends_early_is_no_end_of_file(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, ENDS_EARLY);
	assert_int_equal(read_whole_file(&w), 0);
	assert_true(requests(&w) >= 4);
	world_end(&w);
}

#define TRIES 4 /* of what may be over */

/* part "": whether there is a reason. */
static bool why_has(struct world *w, const char *part)
{
	struct catalog_recording recording;
	cleanup_buf struct buf why = BUF_INIT;

	assert_int_equal(catalog_recording_get(w->catalog->catalog, w->recording.id, &recording),
			 0);
	audio_why(w->audio, &recording, &why);
	return *part ? strstr(buf_str(&why), part) != NULL : why.len > 0;
}

/* Once, and then it is not noticed; for ever, and then it is the error, after so many requests (0: any
 * number). */
static void fails(void **state, enum behaviour behaviour, int error, unsigned tries)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	if (tries == TRIES) {
		atomic_store(&w.times, 1);
		atomic_store(&w.twilio, (int)behaviour);
		assert_int_equal(read_whole_file(&w), 0);
		assert_int_equal(requests(&w), 2);
		tries += 2;
	}
	atomic_store(&w.twilio, (int)behaviour);
	atomic_store(&w.s3, SAYS_404);
	assert_false(why_has(&w, ""));
	assert_int_equal(read_whole_file(&w), error);
	if (tries)
		assert_int_equal(requests(&w), tries);
	assert_true(why_has(&w, "Z: read from Twilio failed: "));
	assert_true(why_has(&w, strerror(-error)));
	/* And works as soon as the origin does. */
	atomic_store(&w.twilio, GOOD);
	assert_int_equal(read_whole_file(&w), 0);
	assert_false(why_has(&w, ""));
	world_end(&w);
}

static void test_audio__another_size_than_known_is_eio(void **state)
{
	fails(state, WRONG_TOTAL, -EIO, TRIES);
}

static void test_audio__an_error_page_with_status_200_is_eio(void **state)
{
	fails(state, HTML, -EIO, TRIES);
}

static void test_audio__what_is_no_wave_file_is_eio(void **state)
{
	fails(state, NO_WAVE, -EIO, TRIES);
}

static void test_audio__a_complete_answer_without_a_byte_is_eio(void **state)
{
	fails(state, EMPTY, -EIO, TRIES);
}

static void test_audio__a_page_for_as_often_as_a_reset_is_not_noticed(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.times, TRIES - 1);
	atomic_store(&w.twilio, HTML);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), TRIES);
	world_end(&w);
}

static void test_audio__a_busy_origin_is_asked_again_until_the_deadline(void **state)
{
	struct world w;

	world_begin_patient(&w, state, SIZE, 0, 60000);
	atomic_store(&w.times, TRIES);
	atomic_store(&w.twilio, SAYS_503);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), TRIES + 1);
	world_end(&w);
}

static void test_audio__a_busy_origin_is_given_the_time_that_it_wants(void **state)
{
	int64_t began = time_mono_msecs();
	struct world w;

	world_begin_patient(&w, state, SIZE, 0, 60000);
	atomic_store(&w.times, 1);
	atomic_store(&w.twilio, SAYS_429_FOR_A_SECOND);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 2);
	assert_true(time_mono_msecs() - began >= 1000);
	/* More than the deadline leaves: it is known at once. */
	atomic_store(&w.twilio, SAYS_429_FOR_AN_HOUR);
	assert_int_equal(read_whole_file(&w), -EBUSY);
	assert_int_equal(requests(&w), 3);
	world_end(&w);
}

static void test_audio__rejected_credentials_are_eacces(void **state)
{
	fails(state, SAYS_401, -EACCES, 1);
}

static void test_audio__a_busy_origin_is_ebusy_in_the_end(void **state)
{
	int64_t began = time_mono_msecs();

	fails(state, SAYS_503, -EBUSY, 0);
	assert_in_range(time_mono_msecs() - began, READ_TIMEOUT_MSECS / 2, 20000);
}

static void test_audio__a_404_that_stays_is_eio(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, SAYS_404);
	atomic_store(&w.s3, SAYS_404);
	assert_int_equal(read_whole_file(&w), -EIO);
	assert_true(why_has(&w, "another bucket or prefix"));
	atomic_store(&w.twilio, GOOD);
	assert_int_equal(read_whole_file(&w), 0);
	assert_false(why_has(&w, ""));
	world_end(&w);
}

static void test_audio__an_origin_that_never_answers_is_left_alone_for_a_while(void **state)
{
	int64_t end = time_mono_msecs() + 20000;
	struct audio_file *file;
	struct world w;
	unsigned before;
	int err;

	world_begin(&w, state, BIG, 0);
	file = open_it(&w);
	atomic_store(&w.twilio, DEAD);
	/* At places of their own, for a handle remembers which one failed; until one costs no request. */
	for (int64_t at = 0; time_mono_msecs() < end; at += 1024 * 1024) {
		before = requests(&w);
		assert_int_equal(read_it(&w, file, at, 4096), -EIO);
		if (requests(&w) == before)
			break;
	}
	assert_int_equal(requests(&w), before);
	assert_true(before >= BREAKER_FAILURES);
	atomic_store(&w.twilio, GOOD);
	do {
		audio_close(file);
		file = open_it(&w);
		err = read_it(&w, file, 0, 4096);
	} while (err && time_mono_msecs() < end);
	assert_int_equal(err, 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__another_range_than_asked_for_is_eio(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, BIG, 0);
	atomic_store(&w.twilio, WRONG_RANGE);
	file = open_it(&w);
	assert_int_equal(read_it(&w, file, 5000000, 100), -EIO);
	assert_int_equal(requests(&w), TRIES);
	atomic_store(&w.times, 1);
	assert_int_equal(read_it(&w, file, 9000000, 100), 0);
	assert_int_equal(requests(&w), TRIES + 2);
	audio_close(file);
	world_end(&w);
}

static void test_audio__a_read_gives_up_at_its_deadline(void **state)
{
	struct audio_file *file;
	struct world w;
	int64_t began;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, STALLS);
	file = open_it(&w);
	began = time_mono_msecs();
	assert_int_equal(read_it(&w, file, 0, 65536), 0);
	assert_int_equal(read_it(&w, file, 0, 131072), -ETIMEDOUT);
	assert_in_range(time_mono_msecs() - began, READ_TIMEOUT_MSECS - 10,
			READ_TIMEOUT_MSECS + 3000);
	/* The kernel's second try has its answer at once, and asks nobody. */
	began = time_mono_msecs();
	assert_int_equal(read_it(&w, file, 126976, 4096), -ETIMEDOUT);
	assert_in_range(time_mono_msecs() - began, 0, 500);
	assert_int_equal(requests(&w), 1);
	/* What had come is still there. */
	assert_int_equal(read_it(&w, file, 0, 65536), 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__flush_ends_what_waits_and_its_request(void **state)
{
	struct result r = RESULT_INIT;
	struct audio_file *file;
	struct world w;
	uint64_t id;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, STALLS);
	file = open_it(&w);
	id = audio_read(file, 0, 131072, on_read, &r);
	assert_int_not_equal(id, 0);
	audio_flush(file);
	assert_int_equal(wait_result(&r), -EINTR);
	free(r.bytes);
	/* That was the reader's doing, not the file's: asked again it works. */
	atomic_store(&w.twilio, GOOD);
	assert_int_equal(read_all(&w, file), 0);
	audio_close(file);
	world_end(&w);
}

static void on_read_and_close(void *arg, int error, const struct iovec *parts, unsigned count)
{
	struct result *r = arg;

	audio_close(r->file);
	on_read(arg, error, parts, count);
}

static void test_audio__an_answer_is_good_though_its_file_is_closed(void **state)
{
	struct result r = RESULT_INIT;
	struct audio_stats stats;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	r.file = open_it(&w);
	audio_read(r.file, 100, 131072, on_read_and_close, &r);
	assert_int_equal(wait_result(&r), 0);
	assert_int_equal(r.n, 131072);
	assert_memory_equal(r.bytes, w.content + 100, r.n);
	free(r.bytes);
	/* And then what it was made of goes too. */
	for (int i = 0; i < 5000; i++) {
		audio_stats_get(w.audio, &stats);
		if (!stats.memory_bytes)
			break;
		helper_nap();
	}
	assert_int_equal(stats.memory_bytes, 0);
	world_end(&w);
}

static void test_audio__cancel_ends_the_one_read(void **state)
{
	struct result a = RESULT_INIT, b = RESULT_INIT;
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, STALLS);
	file = open_it(&w);
	audio_cancel(file, audio_read(file, 0, 131072, on_read, &a));
	audio_read(file, 0, 60000, on_read, &b);
	assert_int_equal(wait_result(&a), -EINTR);
	assert_int_equal(wait_result(&b), 0);
	free(a.bytes);
	free(b.bytes);
	audio_close(file);
	world_end(&w);
}

static void test_audio__close_ends_what_waits(void **state)
{
	struct result r = RESULT_INIT;
	struct world w;
	struct audio_file *file;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, STALLS);
	file = open_it(&w);
	audio_read(file, 0, 131072, on_read, &r);
	audio_close(file);
	assert_int_equal(wait_result(&r), -EINTR);
	free(r.bytes);
	world_end(&w);
}

static void test_audio__a_mono_recording_is_asked_for_without_channels(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	set_size(&w, SIZE, 0);
	atomic_store(&w.twilio, MONO_ONLY);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 2);
	world_end(&w);
}

/* ---- two origins ---- */

static void store_in_s3(struct world *w)
{
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, w->recording.id };
	struct catalog_object object = queue_object(w->size);
	struct job job;
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(w->catalog->catalog, scope, &queued), 0);
	job = queue_claim(w->catalog, CATALOG_JOB_MIGRATE, "storer", 10000);
	assert_int_equal(migrate_job_stored(w->catalog->catalog, &job, &object, 2), 0);
}

static void finish_cleanup(struct world *w)
{
	struct job job = queue_claim(w->catalog, CATALOG_JOB_CLEANUP_TWILIO, "storer", 10000);

	assert_int_equal(job_done(w->catalog->catalog, &job, NULL), 0);
}

static void test_audio__a_stored_recording_is_read_from_s3_with_if_match(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, SAYS_404);
	store_in_s3(&w);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 1);
	assert_string_equal(helper_header(helper_server_request(w.server, 0), "If-Match"),
			    "\"etag\"");
	world_end(&w);
}

static void test_audio__reading_goes_on_from_s3_when_the_recording_has_moved(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, BIG, 0);
	file = open_it(&w);
	atomic_store(&w.twilio, RESET_IN_THE_MIDDLE);
	assert_int_equal(read_it(&w, file, 0, 65536), 0);
	/* The state in the catalog comes first, then Twilio's copy goes. */
	store_in_s3(&w);
	finish_cleanup(&w);
	atomic_store(&w.twilio, SAYS_404);
	assert_int_equal(read_all(&w, file), 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__a_404_at_twilio_asks_the_catalog_again(void **state)
{
	struct result r = RESULT_INIT;
	const struct timespec nap = { 0, 300000000 };
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	atomic_store(&w.twilio, SAYS_404);
	atomic_store(&w.s3, SAYS_404);
	file = open_it(&w);
	audio_read(file, 0, 4096, on_read, &r);
	nanosleep(&nap, NULL);
	store_in_s3(&w);
	atomic_store(&w.s3, GOOD);
	assert_int_equal(wait_result(&r), 0);
	assert_memory_equal(r.bytes, w.content, 4096);
	free(r.bytes);
	audio_close(file);
	world_end(&w);
}

static void test_audio__while_twilio_has_it_too_a_404_in_s3_is_made_good(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	store_in_s3(&w);
	atomic_store(&w.s3, SAYS_404);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 2);
	world_end(&w);
}

static void test_audio__gone_from_s3_after_the_cleanup_is_eio(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	store_in_s3(&w);
	finish_cleanup(&w);
	atomic_store(&w.s3, SAYS_404);
	assert_int_equal(read_whole_file(&w), -EIO);
	world_end(&w);
}

static void test_audio__what_is_denied_and_not_listed_is_read_from_twilio(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	store_in_s3(&w);
	atomic_store(&w.s3, DENIES_WHAT_IS_MISSING);
	assert_int_equal(read_whole_file(&w), 0);
	assert_int_equal(requests(&w), 3);
	world_end(&w);
}

static void test_audio__a_denial_is_believed_where_a_list_has_the_object(void **state)
{
	struct world w;

	world_begin(&w, state, SIZE, 0);
	store_in_s3(&w);
	finish_cleanup(&w);
	atomic_store(&w.s3, DENIES_WHAT_IS_MISSING);
	assert_int_equal(read_whole_file(&w), -EIO);
	atomic_store(&w.s3, DENIES_WHAT_IS_THERE);
	assert_int_equal(read_whole_file(&w), -EACCES);
	assert_int_equal(requests(&w), 4);
	world_end(&w);
}

/* No byte of it, wherever it is read. */
static void gives_no_byte(void **state, enum behaviour behaviour)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, BIG, 0);
	store_in_s3(&w);
	atomic_store(&w.s3, (int)behaviour);
	file = open_it(&w);
	assert_int_equal(read_it(&w, file, 5000000, 100), -EIO);
	atomic_store(&w.s3, GOOD);
	assert_int_equal(read_it(&w, file, 9000000, 100), 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__all_of_something_else_gives_no_byte(void **state)
{
	gives_no_byte(state, NO_WAVE_AND_NO_RANGE);
}

static void test_audio__a_page_of_any_length_gives_no_byte(void **state)
{
	gives_no_byte(state, PAGE_OF_ANY_LENGTH);
}

/* ---- sizes ---- */

static int ask_size(struct world *w, int64_t *ret_size)
{
	struct result r = RESULT_INIT;
	int err;

	audio_size(w->audio, w->recording.id, on_size, &r);
	err = wait_result(&r);
	*ret_size = r.size;
	return err;
}

static void test_audio__a_size_is_learned_once_for_all_who_ask(void **state)
{
	struct result a = RESULT_INIT, b = RESULT_INIT;
	struct world w;
	int64_t size;

	world_begin(&w, state, SIZE, 0);
	set_size(&w, -1, 0);
	w.size = SIZE;
	audio_size(w.audio, w.recording.id, on_size, &a);
	audio_size(w.audio, w.recording.id, on_size, &b);
	assert_int_equal(wait_result(&a), 0);
	assert_int_equal(wait_result(&b), 0);
	assert_int_equal(a.size, SIZE);
	assert_int_equal(b.size, SIZE);
	assert_int_equal(requests(&w), 1);
	assert_int_equal(queue_get(w.catalog, 1).size_bytes, SIZE);
	assert_int_equal(queue_get(w.catalog, 1).channels_stored, 2);
	assert_int_equal(ask_size(&w, &size), 0);
	assert_int_equal(requests(&w), 1);
	world_end(&w);
}

static int open_fails(struct world *w)
{
	struct result r = RESULT_INIT;
	int err;

	audio_open(w->audio, w->recording.id, on_open, &r);
	err = wait_result(&r);
	assert_null(r.file);
	return err;
}

/* 64 TiB for ten seconds of sound. */
static void test_audio__a_size_that_cannot_be_is_eio_and_costs_nothing(void **state)
{
	struct audio_stats stats;
	struct audio_file *file;
	struct world w;
	int64_t size;

	world_begin(&w, state, SIZE, 0);
	set_size(&w, -1, 0);
	atomic_store(&w.twilio, ABSURD_SIZE);
	assert_int_equal(ask_size(&w, &size), -EIO);
	assert_int_equal(size, -1);
	assert_true(why_has(&w, "size not learned: "));
	assert_int_equal(queue_get(w.catalog, 1).size_bytes, -1);
	assert_int_equal(open_fails(&w), -EIO);
	/* What an older version has believed is asked for again. */
	set_size(&w, (int64_t)1 << 46, 2);
	assert_int_equal(open_fails(&w), -EIO);
	atomic_store(&w.twilio, GOOD);
	w.size = SIZE;
	file = open_it(&w);
	assert_int_equal(read_all(&w, file), 0);
	assert_int_equal(queue_get(w.catalog, 1).size_bytes, SIZE);
	audio_close(file);
	/* An object that cannot be. */
	set_size(&w, (int64_t)1 << 46, 2);
	store_in_s3(&w);
	assert_int_equal(open_fails(&w), -EIO);
	audio_stats_get(w.audio, &stats);
	assert_int_equal(stats.files_open, 0);
	assert_in_range(stats.memory_peak_bytes, 1, 1024 * 1024);
	world_end(&w);
}

static void test_audio__an_origin_that_does_not_answer_is_not_asked_at_every_turn(void **state)
{
	int64_t size, began;
	struct world w;
	unsigned asked;

	world_begin(&w, state, SIZE, 0);
	queue_add(w.catalog, w.catalog->workspace_id, 2, 1, QUEUE_NUMBER);
	set_size(&w, -1, 0);
	w.size = SIZE;
	atomic_store(&w.twilio, SAYS_503);
	assert_true(ask_size(&w, &size) < 0);
	assert_int_equal(size, -1);
	asked = requests(&w);
	began = time_mono_msecs();
	assert_true(ask_size(&w, &size) < 0);
	assert_in_range(time_mono_msecs() - began, 0, 500);
	assert_int_equal(requests(&w), asked);
	assert_true(why_has(&w, "size not learned: "));
	assert_false(why_has(&w, "another recording")); /* what it has met itself */
	w.recording = queue_get(w.catalog, 2);
	set_size(&w, -1, 0);
	assert_true(ask_size(&w, &size) < 0);
	assert_int_equal(requests(&w), asked);
	assert_true(why_has(&w, "another recording"));
	world_end(&w);
}

static void test_audio__an_open_waits_for_the_size(void **state)
{
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	set_size(&w, -1, 0);
	w.size = SIZE;
	file = open_it(&w);
	assert_int_equal(read_all(&w, file), 0);
	audio_close(file);
	world_end(&w);
}

static void test_audio__interrupt_ends_all_who_wait(void **state)
{
	struct result a = RESULT_INIT, b = RESULT_INIT;
	struct audio_file *file;
	struct world w;

	world_begin(&w, state, SIZE, 0);
	file = open_it(&w);
	set_size(&w, -1, 0);
	w.size = SIZE;
	atomic_store(&w.twilio, STALLS);
	audio_read(file, 0, 131072, on_read, &a);
	audio_interrupt(w.audio);
	assert_int_equal(wait_result(&a), -EINTR);
	audio_read(file, 0, 131072, on_read, &b);
	assert_int_equal(wait_result(&b), -EINTR);
	free(a.bytes);
	free(b.bytes);
	audio_close(file);
	world_end(&w);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, queue_fixture_setup, queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_audio__one_request_serves_a_file_read_in_order),
		TEST(test_audio__files_one_after_the_other_share_a_connection),
		TEST(test_audio__readers_of_one_file_share_its_bytes),
		TEST(test_audio__a_seek_far_away_is_a_range_of_its_own),
		TEST(test_audio__a_stream_goes_no_further_than_its_window),
		TEST(test_audio__a_budget_smaller_than_a_read_still_serves_it),
		TEST(test_audio__ranges_are_not_needed),
		TEST(test_audio__a_length_is_not_needed),
		TEST(test_audio__more_bytes_than_were_recorded_are_an_error),
		TEST(test_audio__a_reset_is_gone_on_from_at_the_byte_reached),
		TEST(test_audio__an_answer_that_ends_early_is_no_end_of_file),
		TEST(test_audio__another_size_than_known_is_eio),
		TEST(test_audio__an_error_page_with_status_200_is_eio),
		TEST(test_audio__what_is_no_wave_file_is_eio),
		TEST(test_audio__a_complete_answer_without_a_byte_is_eio),
		TEST(test_audio__a_page_for_as_often_as_a_reset_is_not_noticed),
		TEST(test_audio__a_busy_origin_is_asked_again_until_the_deadline),
		TEST(test_audio__a_busy_origin_is_given_the_time_that_it_wants),
		TEST(test_audio__rejected_credentials_are_eacces),
		TEST(test_audio__a_busy_origin_is_ebusy_in_the_end),
		TEST(test_audio__a_404_that_stays_is_eio),
		TEST(test_audio__an_origin_that_never_answers_is_left_alone_for_a_while),
		TEST(test_audio__another_range_than_asked_for_is_eio),
		TEST(test_audio__a_read_gives_up_at_its_deadline),
		TEST(test_audio__flush_ends_what_waits_and_its_request),
		TEST(test_audio__an_answer_is_good_though_its_file_is_closed),
		TEST(test_audio__cancel_ends_the_one_read),
		TEST(test_audio__close_ends_what_waits),
		TEST(test_audio__a_mono_recording_is_asked_for_without_channels),
		TEST(test_audio__a_stored_recording_is_read_from_s3_with_if_match),
		TEST(test_audio__reading_goes_on_from_s3_when_the_recording_has_moved),
		TEST(test_audio__a_404_at_twilio_asks_the_catalog_again),
		TEST(test_audio__while_twilio_has_it_too_a_404_in_s3_is_made_good),
		TEST(test_audio__gone_from_s3_after_the_cleanup_is_eio),
		TEST(test_audio__what_is_denied_and_not_listed_is_read_from_twilio),
		TEST(test_audio__a_denial_is_believed_where_a_list_has_the_object),
		TEST(test_audio__all_of_something_else_gives_no_byte),
		TEST(test_audio__a_page_of_any_length_gives_no_byte),
		TEST(test_audio__a_size_is_learned_once_for_all_who_ask),
		TEST(test_audio__a_size_that_cannot_be_is_eio_and_costs_nothing),
		TEST(test_audio__an_origin_that_does_not_answer_is_not_asked_at_every_turn),
		TEST(test_audio__an_open_waits_for_the_size),
		TEST(test_audio__interrupt_ends_all_who_wait),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
