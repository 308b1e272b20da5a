/* Pausing, resuming, cancelling, and the end of an engine, from several threads. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_http.h"
#include "helper_server.h"
#include "net/http-private.h"
#include "net/http.h"
#include "util/times.h"

#define LARGE (1024 * 1024 + 321)

static unsigned char large_byte(size_t i)
{
	return (unsigned char)((i * 2654435761u) >> 13);
}

/* "/large", "/chunked", "/small", "/silent" */
static enum helper_then answer_by_path(struct helper_server *server, int fd,
				       const struct helper_request *request, void *arg)
{
	char head[128], *bytes;

	if (strstr(request->head, " /silent")) {
		helper_server_sleep(server, 20000);
		return HELPER_CLOSE;
	}
	if (strstr(request->head, " /small")) {
		helper_answer(fd, 200, NULL, "small");
		return HELPER_KEEP;
	}
	bytes = malloc(LARGE);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)large_byte(i);
	if (strstr(request->head, " /chunked"))
		snprintf(head, sizeof head,
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", LARGE);
	else
		snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE);
	helper_send_str(fd, head);
	helper_send(fd, bytes, LARGE);
	if (strstr(request->head, " /chunked"))
		helper_send_str(fd, "\r\n0\r\n\r\n");
	free(bytes);
	return HELPER_KEEP;
}

static void check_large(const struct helper_transfer *t)
{
	assert_int_equal(t->error.kind, REMOTE_OK);
	assert_int_equal(t->body.len, LARGE);
	for (size_t i = 0; i < LARGE; i++)
		if ((unsigned char)t->body.data[i] != large_byte(i))
			fail_msg("byte %zu differs", i);
}

static void test_net__a_paused_transfer_loses_no_byte(void **state)
{
	static const char *const paths[] = { "/large", "/chunked", "/small" };
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 3; i++) {
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, paths[i]) };
		struct helper_transfer t;

		helper_transfer_start_paused(&t, http, &request, 3);
		for (unsigned n = 0; n < 3; n++) {
			helper_transfer_wait_paused(&t);
			assert_int_equal(t.done, 0);
			http_transfer_resume(t.transfer);
		}
		helper_transfer_wait(&t);
		assert_int_equal(t.heads, 1);
		assert_int_equal(t.done, 1);
		if (i == 2)
			assert_string_equal(buf_str(&t.body), "small");
		else
			check_large(&t);
		helper_transfer_release(&t);
	}
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_pause_is_no_stall(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .stall_timeout_msecs = 200 });
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/large"),
					.total_timeout_msecs = UINT_MAX };
	struct helper_transfer t;

	helper_transfer_start_paused(&t, http, &request, 1);
	helper_transfer_wait_paused(&t);
	usleep(700 * 1000);
	assert_int_equal(t.done, 0);
	http_transfer_resume(t.transfer);
	helper_transfer_wait(&t);
	check_large(&t);
	helper_transfer_release(&t);
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_pause_counts_against_the_total_time(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/large"),
					.total_timeout_msecs = 300 };
	struct helper_transfer t;

	helper_transfer_start_paused(&t, http, &request, 1);
	helper_transfer_wait(&t);
	assert_int_equal(t.error.error, -ETIMEDOUT);
	helper_transfer_release(&t);
	http_free(http);
	helper_server_free(server);
}

static void *resume_soon(void *arg)
{
	struct helper_transfer *t = arg;

	for (unsigned i = 0; i < 200; i++) {
		http_transfer_resume(t->transfer);
		usleep(500);
	}
	return NULL;
}

static void test_net__resuming_what_is_not_paused_does_nothing(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/large") };
	struct helper_transfer t;
	pthread_t thread;

	helper_transfer_start_paused(&t, http, &request, 5);
	assert_int_equal(pthread_create(&thread, NULL, resume_soon, &t), 0);
	helper_transfer_wait(&t);
	check_large(&t);
	pthread_join(thread, NULL);
	helper_transfer_release(&t);
	http_free(http);
	helper_server_free(server);
}

static void *cancel_soon(void *arg)
{
	usleep(50 * 1000);
	http_transfer_cancel(((struct helper_transfer *)arg)->transfer);
	return NULL;
}

static void test_net__another_thread_cancels(void **state)
{
	static const char *const paths[] = { "/silent", "/large" };
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 2; i++) {
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, paths[i]) };
		int64_t start = time_mono_msecs();
		struct helper_transfer t;
		pthread_t thread;

		helper_transfer_start_paused(&t, http, &request, 1);
		assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &t), 0);
		helper_transfer_wait(&t);
		assert_true(time_mono_msecs() - start < 2000);
		assert_int_equal(t.error.kind, REMOTE_CANCELLED);
		assert_int_equal(t.error.error, -ECANCELED);
		pthread_join(thread, NULL);
		http_transfer_cancel(t.transfer); /* once more is fine, and so is a resume */
		http_transfer_resume(t.transfer);
		helper_transfer_release(&t);
		assert_int_equal(t.done, 1);
	}
	http_free(http);
	helper_server_free(server);
}

static void test_net__what_waits_for_its_turn_can_be_cancelled(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .origin_limit = 1 });
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/silent") };
	struct helper_transfer first, second;

	helper_transfer_start(&first, http, &request);
	helper_transfer_start(&second, http, &request);
	http_transfer_cancel(second.transfer);
	helper_transfer_wait(&second);
	assert_int_equal(second.error.kind, REMOTE_CANCELLED);
	assert_int_equal(first.done, 0);
	http_transfer_cancel(first.transfer);
	helper_transfer_release(&first);
	helper_transfer_release(&second);
	http_free(http);
	helper_server_free(server);
}

static void *set_soon(void *arg)
{
	usleep(100 * 1000);
	cancel_set(arg);
	return NULL;
}

static void test_net__a_flag_ends_the_synchronous_form(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/silent") };
	struct cancel cancel = { false };
	struct remote_error error;
	struct http_reply reply;
	int64_t start = time_mono_msecs();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, set_soon, &cancel), 0);
	assert_int_equal(http_perform(http, &request, 10, &cancel, &reply, &error), -ECANCELED);
	assert_int_equal(error.kind, REMOTE_CANCELLED);
	assert_true(time_mono_msecs() - start < 1500);
	pthread_join(thread, NULL);
	http_free(http);
	helper_server_free(server);
}

/* ---- callbacks that end a transfer, or start one ---- */

struct aborter {
	bool in_head;
	atomic_uint done;
	enum remote_kind kind;
	struct http *http;
	int perform_result;
};

static int aborter_head(void *arg, struct http_transfer *transfer,
			const struct http_response *response)
{
	struct aborter *aborter = arg;

	(void)transfer, (void)response;
	return aborter->in_head ? -EIO : 0;
}

static enum http_data aborter_data(void *arg, struct http_transfer *transfer, const void *bytes,
				   size_t n)
{
	(void)arg, (void)transfer, (void)bytes, (void)n;
	return HTTP_DATA_ABORT;
}

static void aborter_done(void *arg, const struct remote_error *error)
{
	struct http_request request = { .method = HTTP_GET, .url = "http://127.0.0.1:1/" };
	struct aborter *aborter = arg;
	struct remote_error inner;
	struct http_reply reply;

	aborter->kind = error->kind;
	aborter->perform_result = http_perform(aborter->http, &request, 1, NULL, &reply, &inner);
	atomic_fetch_add(&aborter->done, 1);
}

static void test_net__a_callback_aborts(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 2; i++) {
		struct aborter aborter = { .in_head = i == 0, .http = http };
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, "/large"),
						.on_head = aborter_head,
						.on_data = aborter_data,
						.on_done = aborter_done,
						.arg = &aborter };

		atomic_init(&aborter.done, 0);
		assert_int_equal(http_submit(http, &request, NULL), 0);
		for (unsigned n = 0; n < 2000 && !atomic_load(&aborter.done); n++)
			usleep(1000);
		assert_int_equal(atomic_load(&aborter.done), 1);
		assert_int_equal(aborter.kind, REMOTE_CANCELLED);
		/* Waiting on the loop's own thread would be for ever. */
		assert_int_equal(aborter.perform_result, -EDEADLK);
	}
	http_free(http);
	helper_server_free(server);
}

struct pause_then_abort {
	atomic_uint calls, done;
	enum remote_kind kind;
};

static enum http_data pause_then_abort_data(void *arg, struct http_transfer *transfer,
					    const void *bytes, size_t n)
{
	struct pause_then_abort *self = arg;

	(void)bytes, (void)n;
	if (atomic_fetch_add(&self->calls, 1) > 0)
		return HTTP_DATA_ABORT;
	http_transfer_resume(transfer); /* asked for before the pause has begun: it still counts */
	return HTTP_DATA_PAUSE;
}

static void pause_then_abort_done(void *arg, const struct remote_error *error)
{
	struct pause_then_abort *self = arg;

	self->kind = error->kind;
	atomic_fetch_add(&self->done, 1);
}

static void test_net__bytes_that_come_again_after_a_pause_may_be_refused(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);
	struct pause_then_abort self;
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/large"),
					.on_data = pause_then_abort_data,
					.on_done = pause_then_abort_done,
					.arg = &self };

	atomic_init(&self.calls, 0);
	atomic_init(&self.done, 0);
	assert_int_equal(http_submit(http, &request, NULL), 0);
	for (unsigned n = 0; n < 2000 && !atomic_load(&self.done); n++)
		usleep(1000);
	assert_int_equal(atomic_load(&self.done), 1);
	assert_int_equal(self.kind, REMOTE_CANCELLED);
	http_free(http);
	helper_server_free(server);
}

static void test_net__freeing_the_engine_ends_what_runs_and_what_waits(void **state)
{
	static const char *const paths[] = { "/silent", "/large", "/small" };
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .origin_limit = 4 });
	struct helper_transfer t[20];

	for (unsigned i = 0; i < 20; i++) {
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, paths[i % 3]) };

		helper_transfer_start_paused(&t[i], http, &request, i % 2);
	}
	usleep(30 * 1000);
	http_free(http);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(t[i].done, 1);
		assert_true(t[i].error.kind == REMOTE_CANCELLED || t[i].error.kind == REMOTE_OK);
		http_transfer_resume(t[i].transfer); /* the handle outlives the engine */
		http_transfer_cancel(t[i].transfer);
		helper_transfer_release(&t[i]);
	}
	helper_server_free(server);
}

static void *submit_many(void *arg)
{
	struct helper_server *server = ((void **)arg)[0];
	struct http *http = ((void **)arg)[1];
	char url[100];

	snprintf(url, sizeof url, "http://127.0.0.1:%u/small", helper_server_port(server));
	for (unsigned i = 0; i < 40; i++) {
		struct http_request request = { .method = HTTP_GET,
						.url = url,
						.urgent = i % 3 == 0 };
		struct helper_transfer t;

		helper_transfer_start_paused(&t, http, &request, i % 2);
		if (i % 5 == 0)
			http_transfer_cancel(t.transfer);
		if (i % 2)
			http_transfer_resume(t.transfer);
		for (;;) {
			bool done;

			pthread_mutex_lock(&t.lock);
			done = t.done;
			pthread_mutex_unlock(&t.lock);
			if (done)
				break;
			usleep(200);
			http_transfer_resume(t.transfer);
		}
		helper_transfer_release(&t);
	}
	return NULL;
}

static void test_net__many_threads_share_an_engine(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .origin_limit = 3 });
	void *arg[2] = { server, http };
	pthread_t threads[6];

	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, arg), 0);
	for (unsigned i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	http_free(http);
	helper_server_free(server);
}

/* ---- after the machine has slept ---- */

static void distrust(void *arg, const struct remote_error *error)
{
	struct aborter *aborter = arg;

	http_distrust_connections(aborter->http, time_mono_msecs());
	atomic_fetch_add(&aborter->done, 1);
}

static void test_net__connections_from_before_a_sleep_are_not_used(void **state)
{
	struct helper_server *server = helper_server_new(answer_by_path, NULL);
	struct http *http = helper_http_new(NULL);
	struct aborter aborter = { .http = http };
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/small"),
					.on_done = distrust,
					.arg = &aborter };

	atomic_init(&aborter.done, 0);
	assert_int_equal(http_submit(http, &request, NULL), 0);
	for (unsigned n = 0; n < 2000 && !atomic_load(&aborter.done); n++)
		usleep(1000);
	assert_int_equal(helper_server_connections(server), 1);
	assert_int_equal(helper_http_get(http, helper_server_url(server, "/small"), NULL), 0);
	assert_int_equal(helper_server_connections(server), 2);
	usleep(2200 * 1000);
	assert_int_equal(helper_http_get(http, helper_server_url(server, "/small"), NULL), 0);
	assert_true(helper_server_connections(server) <= 3);
	http_free(http);
	helper_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net__a_paused_transfer_loses_no_byte),
		cmocka_unit_test(test_net__a_pause_is_no_stall),
		cmocka_unit_test(test_net__a_pause_counts_against_the_total_time),
		cmocka_unit_test(test_net__resuming_what_is_not_paused_does_nothing),
		cmocka_unit_test(test_net__another_thread_cancels),
		cmocka_unit_test(test_net__what_waits_for_its_turn_can_be_cancelled),
		cmocka_unit_test(test_net__a_flag_ends_the_synchronous_form),
		cmocka_unit_test(test_net__a_callback_aborts),
		cmocka_unit_test(test_net__bytes_that_come_again_after_a_pause_may_be_refused),
		cmocka_unit_test(test_net__freeing_the_engine_ends_what_runs_and_what_waits),
		cmocka_unit_test(test_net__many_threads_share_an_engine),
		cmocka_unit_test(test_net__connections_from_before_a_sleep_are_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
