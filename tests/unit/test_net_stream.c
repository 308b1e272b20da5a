/* An answer that is taken in buffer by buffer, against a server that does what it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper_http.h"
#include "helper_server.h"
#include "net/stream.h"
#include "util/cleanup.h"

struct answer {
	size_t body_len; /* that is sent */
	size_t content_length;
	const char *status;
	const struct answer *next; /* of the requests after the first; NULL: the same */
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void send_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		n -= (size_t)sent;
	}
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	const struct answer *first = arg, *a = request->number && first->next ? first->next : first;
	uint8_t *body = malloc(a->body_len + 1);
	char head[160];

	for (size_t i = 0; body && i < a->body_len; i++)
		body[i] = byte_at(i);
	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nETag: \"tag\"\r\n\r\n",
		 a->status, a->content_length);
	send_all(fd, head, strlen(head));
	if (body)
		send_all(fd, body, a->body_len);
	free(body);
	return a->body_len == a->content_length ? HELPER_KEEP : HELPER_CLOSE;
}

static void start(struct http_stream *stream, struct http *http, struct helper_server *server,
		  const struct cancel *cancel)
{
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/media") };

	http_stream_init(stream, cancel);
	assert_int_equal(http_stream_start(stream, http, &request), 0);
}

/* All of it through a buffer of that size: not a byte more, less or elsewhere. */
static void read_with(size_t capacity, size_t total)
{
	struct answer a = { total, total, "200 OK", NULL };
	struct helper_server *server = helper_server_new(answer, &a);
	struct http *http = helper_http_new(NULL);
	cleanup_free uint8_t *buffer = malloc(capacity);
	struct remote_error error = REMOTE_ERROR_INIT;
	struct http_stream stream;
	size_t at = 0, len;
	bool end = false;

	assert_non_null(buffer);
	start(&stream, http, server, NULL);
	assert_int_equal(http_stream_wait_head(&stream, &error), 0);
	assert_int_equal(stream.response.content_length, total);
	assert_string_equal(http_response_header(&stream.response, "etag"), "\"tag\"");
	while (!end) {
		assert_int_equal(http_stream_fill(&stream, buffer, capacity, &len, &end, &error),
				 0);
		assert_true(end || len == capacity); /* full, but for the last */
		for (size_t i = 0; i < len; i++, at++)
			if (buffer[i] != byte_at(at))
				fail_msg("byte %zu is wrong", at);
	}
	assert_int_equal(at, total);
	assert_int_equal(stream.received_bytes, total);
	http_stream_release(&stream);
	http_free(http);
	helper_server_free(server);
}

static void test_net_stream__every_byte_comes_once_and_in_order_whatever_the_buffer(void **state)
{
	read_with(1 << 20, 100000);
	read_with(100000, 100000); /* just fits */
	read_with(99999, 100000);
	read_with(10007, 1000003);
	read_with(65536, 3 << 20);
	read_with(13, 5000);
}

static void test_net_stream__an_empty_body_ends_at_once(void **state)
{
	read_with(64, 0);
}

static void test_net_stream__an_error_has_its_body_and_no_content(void **state)
{
	const struct answer good = { 10, 10, "200 OK", NULL };
	struct answer a = { 300, 300, "404 Not Found", &good };
	struct helper_server *server = helper_server_new(answer, &a);
	struct http *http = helper_http_new(NULL);
	struct remote_error error = REMOTE_ERROR_INIT;
	struct http_stream stream;

	start(&stream, http, server, NULL);
	assert_int_equal(http_stream_wait_head(&stream, &error), 0);
	assert_int_equal(stream.response.status, 404);
	assert_int_equal(stream.error_body_len, 300);
	assert_int_equal((uint8_t)stream.error_body[299], byte_at(299));
	assert_int_equal(stream.received_bytes, 0);
	/* And it can be used again. */
	http_stream_stop(&stream);
	{
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, "/media") };
		char buffer[64];
		size_t len;
		bool end;

		assert_int_equal(http_stream_start(&stream, http, &request), 0);
		assert_int_equal(http_stream_wait_head(&stream, &error), 0);
		assert_int_equal(
			http_stream_fill(&stream, buffer, sizeof buffer, &len, &end, &error), 0);
		assert_int_equal(len, 10);
		assert_true(end);
	}
	http_stream_release(&stream);
	http_free(http);
	helper_server_free(server);
}

static void test_net_stream__a_body_that_is_cut_off_is_an_error(void **state)
{
	struct answer a = { 5000, 9000, "200 OK", NULL };
	struct helper_server *server = helper_server_new(answer, &a);
	struct http *http = helper_http_new(NULL);
	struct remote_error error = REMOTE_ERROR_INIT;
	struct http_stream stream;
	char buffer[10000];
	size_t len;
	bool end;

	start(&stream, http, server, NULL);
	assert_int_equal(http_stream_wait_head(&stream, &error), 0);
	assert_true(http_stream_fill(&stream, buffer, sizeof buffer, &len, &end, &error) < 0);
	assert_int_not_equal(error.kind, REMOTE_OK);
	http_stream_release(&stream);
	http_free(http);
	helper_server_free(server);
}

static void *cancel_soon(void *arg)
{
	usleep(100000);
	cancel_set(arg);
	return NULL;
}

static enum helper_then say_nothing(struct helper_server *server, int fd,
				    const struct helper_request *request, void *arg)
{
	char c;

	(void)server, (void)request, (void)arg;
	recv(fd, &c, 1, 0); /* until the client goes */
	return HELPER_CLOSE;
}

static void test_net_stream__a_cancelled_wait_ends_soon(void **state)
{
	struct helper_server *server = helper_server_new(say_nothing, NULL);
	struct http *http = helper_http_new(NULL);
	struct remote_error error = REMOTE_ERROR_INIT;
	static struct cancel cancel;
	struct http_stream stream;
	pthread_t thread;

	cancel.is_set = false;
	start(&stream, http, server, &cancel);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, (void *)&cancel), 0);
	assert_int_equal(http_stream_wait_head(&stream, &error), -ECANCELED);
	assert_int_equal(error.kind, REMOTE_CANCELLED);
	pthread_join(thread, NULL);
	http_stream_release(&stream);
	http_free(http);
	helper_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_net_stream__every_byte_comes_once_and_in_order_whatever_the_buffer),
		cmocka_unit_test(test_net_stream__an_empty_body_ends_at_once),
		cmocka_unit_test(test_net_stream__an_error_has_its_body_and_no_content),
		cmocka_unit_test(test_net_stream__a_body_that_is_cut_off_is_an_error),
		cmocka_unit_test(test_net_stream__a_cancelled_wait_ends_soon),
	};

	return cmocka_run_group_tests_name("net_stream", tests, NULL, NULL);
}
