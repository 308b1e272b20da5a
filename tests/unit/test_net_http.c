/* The HTTP engine against well-behaved loopback servers: what is sent, what comes back, limits and
 * refusals. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_http.h"
#include "helper_server.h"
#include "net/http.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/times.h"

static enum helper_then answer_hello(struct helper_server *server, int fd,
				     const struct helper_request *request, void *arg)
{
	(void)server, (void)arg;
	if (strncmp(request->head, "HEAD", 4) == 0)
		helper_send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	else
		helper_answer(fd, 200, "X-Thing:  padded \r\nEmpty:\r\n", "hello");
	return HELPER_KEEP;
}

static void test_net__a_get_returns_status_headers_and_body(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET,
					.url = helper_server_url(server, "/a?b=c") };
	struct http_reply reply;
	struct remote_error error;

	assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), 0);
	assert_int_equal(error.kind, REMOTE_OK);
	assert_int_equal(reply.head.status, 200);
	assert_int_equal(reply.head.content_length, 5);
	assert_int_equal(reply.body_len, 5);
	assert_string_equal(reply.body, "hello");
	assert_string_equal(http_response_header(&reply.head, "x-THING"), "padded");
	assert_string_equal(http_response_header(&reply.head, "Empty"), "");
	assert_null(http_response_header(&reply.head, "X-Thin"));
	http_reply_release(&reply);
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_request_is_sent_as_it_was_asked_for(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .user_agent = "unit/1" });
	struct http_header headers[] = { { "Authorization", "Basic Zm9v" }, { "X-Empty", "" } };
	struct http_request request = { .method = HTTP_GET,
					.headers = headers,
					.header_count = 2,
					.url = helper_server_url(server, "/a/../b//c%2F?x=%20&y") };
	struct http_reply reply;
	struct remote_error error;
	char expected[512];

	assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), 0);
	http_reply_release(&reply);
	snprintf(
		expected, sizeof expected,
		"GET /a/../b//c%%2F?x=%%20&y HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: unit/1\r\n"
		"Accept: */*\r\nAuthorization: Basic Zm9v\r\nX-Empty:\r\n\r\n",
		helper_server_port(server));
	assert_string_equal(helper_server_request(server, 0)->head, expected);
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_body_goes_out_whole_without_expect_or_form_type(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);
	size_t n = 3 * 1024 * 1024 + 17;
	char *body = malloc(n);
	enum http_method methods[] = { HTTP_PUT, HTTP_POST };

	for (size_t i = 0; i < n; i++)
		body[i] = (char)(i * 31 >> 3);
	for (unsigned i = 0; i < 2; i++) {
		struct http_request request = { .method = methods[i],
						.body = body,
						.body_len = n,
						.url = helper_server_url(server, "/") };
		const struct helper_request *seen;
		struct http_reply reply;
		struct remote_error error;

		assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), 0);
		http_reply_release(&reply);
		seen = helper_server_request(server, i);
		assert_int_equal(strncmp(seen->head, i ? "POST / " : "PUT / ", i ? 7 : 6), 0);
		assert_null(helper_header(seen, "Expect"));
		assert_null(helper_header(seen, "Content-Type"));
		assert_null(helper_header(seen, "Transfer-Encoding"));
		assert_int_equal(seen->body_len, n);
		assert_memory_equal(seen->body, body, n);
	}
	free(body);
	http_free(http);
	helper_server_free(server);
}

static void test_net__empty_bodies_head_and_delete_are_understood(void **state)
{
	static const struct {
		enum http_method method;
		const char *line, *length, *body;
	} cases[] = {
		{ HTTP_PUT, "PUT / HTTP/1.1\r\n", "0", "hello" },
		{ HTTP_POST, "POST / HTTP/1.1\r\n", "0", "hello" },
		{ HTTP_DELETE, "DELETE / HTTP/1.1\r\n", NULL, "hello" },
		{ HTTP_HEAD, "HEAD / HTTP/1.1\r\n", NULL, "" },
	};
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 4; i++) {
		struct http_request request = { .method = cases[i].method,
						.url = helper_server_url(server, "/") };
		const struct helper_request *seen;
		struct http_reply reply;
		struct remote_error error;
		const char *length;

		assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), 0);
		assert_string_equal(reply.body, cases[i].body);
		assert_int_equal(reply.head.content_length, 5);
		http_reply_release(&reply);
		seen = helper_server_request(server, i);
		assert_int_equal(strncmp(seen->head, cases[i].line, strlen(cases[i].line)), 0);
		length = helper_header(seen, "Content-Length");
		if (cases[i].length)
			assert_string_equal(length, cases[i].length);
		else
			assert_null(length);
	}
	http_free(http);
	helper_server_free(server);
}

static enum helper_then answer_in_chunks(struct helper_server *server, int fd,
					 const struct helper_request *request, void *arg)
{
	(void)server, (void)request, (void)arg;
	helper_send_str(
		fd,
		"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Late: 1\r\n\r\n"
		"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n");
	return HELPER_KEEP;
}

static void test_net__interim_answers_are_skipped_and_chunks_joined(void **state)
{
	struct helper_server *server = helper_server_new(answer_in_chunks, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_PUT,
					.body = "x",
					.body_len = 1,
					.url = helper_server_url(server, "/") };
	struct http_reply reply;
	struct remote_error error;

	assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), 0);
	assert_int_equal(reply.head.status, 200);
	assert_int_equal(reply.head.content_length, -1);
	assert_string_equal(reply.body, "abcdefg");
	assert_null(http_response_header(&reply.head, "X-Early"));
	assert_null(http_response_header(&reply.head, "Link"));
	assert_null(http_response_header(&reply.head, "X-Trailer"));
	assert_string_equal(http_response_header(&reply.head, "X-Late"), "1");
	http_reply_release(&reply);
	http_free(http);
	helper_server_free(server);
}

static void test_net__an_answer_larger_than_asked_for_is_invalid(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET, .url = helper_server_url(server, "/") };
	struct http_reply reply;
	struct remote_error error;

	assert_int_equal(http_perform(http, &request, 4, NULL, &reply, &error), -EFBIG);
	assert_int_equal(error.kind, REMOTE_INVALID);
	assert_int_equal(error.status, 200);
	assert_null(reply.body);
	http_reply_release(&reply);
	http_free(http);
	helper_server_free(server);
}

static void test_net__connections_are_used_again(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(helper_http_get(http, helper_server_url(server, "/"), NULL), 0);
	assert_int_equal(helper_server_requests(server), 5);
	assert_int_equal(helper_server_connections(server), 1);
	http_free(http);
	helper_server_free(server);
}

static void test_net__plain_http_is_for_loopback_only(void **state)
{
	static const struct {
		const char *url;
		int expected;
	} cases[] = {
		{ "http://example.com/", -EPERM },
		{ "http://192.168.1.1/", -EPERM },
		{ "http://127.0.0.1.example/", -EPERM },
		{ "http://localhost.example/", -EPERM },
		{ "http://128.0.0.1/", -EPERM },
		{ "http://[2001:db8::1]/", -EPERM },
		{ "ftp://127.0.0.1/", -EINVAL },
		{ "file:///etc/passwd", -EINVAL },
		{ "nothing", -EINVAL },
		{ "https://", -EINVAL },
		{ "https://user:secret@127.0.0.1/", -EINVAL },
		{ "https://a b/", -EINVAL },
		{ "", -EINVAL },
	};
	struct http *http = helper_http_new(NULL);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_request request = { .method = HTTP_GET, .url = cases[i].url };
		struct http_reply reply;
		struct remote_error error;
		int r = http_perform(http, &request, 100, NULL, &reply, &error);

		if (r != cases[i].expected)
			fail_msg("%s: %d", cases[i].url, r);
		assert_int_equal(error.kind, REMOTE_REJECTED);
		assert_null(strstr(error.message, "secret"));
	}
	/* Nothing listens there: that connecting was tried is what shows that they were allowed. */
	assert_int_equal(helper_http_get(http, "http://127.255.0.9:1/", NULL), -EHOSTUNREACH);
	assert_int_equal(helper_http_get(http, "http://localhost:1/", NULL), -EHOSTUNREACH);
	assert_int_equal(helper_http_get(http, "http://bucket.localhost:1/", NULL), -EHOSTUNREACH);
	assert_int_equal(helper_http_get(http, "http://[::1]:1/", NULL), -EHOSTUNREACH);
	http_free(http);
}

static void test_net__names_below_localhost_reach_this_machine(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);
	char url[100], host[100];

	snprintf(url, sizeof url, "http://bucket.localhost:%u/", helper_server_port(server));
	snprintf(host, sizeof host, "bucket.localhost:%u", helper_server_port(server));
	assert_int_equal(helper_http_get(http, url, NULL), 0);
	assert_string_equal(helper_header(helper_server_request(server, 0), "Host"), host);
	http_free(http);
	helper_server_free(server);
}

static void test_net__loopback_does_not_go_through_a_proxy(void **state)
{
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	http = helper_http_new(NULL);
	assert_int_equal(helper_http_get(http, helper_server_url(server, "/"), NULL), 0);
	http_free(http);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	helper_server_free(server);
}

static void test_net__headers_cannot_smuggle_lines(void **state)
{
	static const struct http_header bad[] = {
		{ "X-A", "1\r\nX-B: 2" }, { "X-A\r\nX-B", "1" },  { "X A", "1" }, { "", "1" },
		{ "X:A", "1" },           { "X-A", "1\nX-B: 2" },
	};
	struct helper_server *server = helper_server_new(answer_hello, NULL);
	struct http *http = helper_http_new(NULL);

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct http_request request = { .method = HTTP_GET,
						.url = helper_server_url(server, "/"),
						.headers = &bad[i],
						.header_count = 1 };
		struct http_reply reply;
		struct remote_error error;

		assert_int_equal(http_perform(http, &request, 100, NULL, &reply, &error), -EINVAL);
	}
	http_free(http);
	assert_int_equal(helper_server_requests(server), 0);
	helper_server_free(server);
}

/* ---- queues ---- */

static enum helper_then answer_slowly(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	(void)request, (void)arg;
	helper_server_sleep(server, 40);
	helper_answer(fd, 200, NULL, "x");
	return HELPER_KEEP;
}

static void test_net__an_origin_gets_only_so_many_at_a_time_and_urgent_ones_first(void **state)
{
	struct helper_server *server = helper_server_new(answer_slowly, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .origin_limit = 2 });
	struct helper_transfer transfers[9];
	unsigned position_of_urgent = 99;

	for (unsigned i = 0; i < 9; i++) {
		char path[16];
		struct http_request request;

		snprintf(path, sizeof path, "/%u", i);
		request = (struct http_request){ .method = HTTP_GET,
						 .url = helper_server_url(server, path),
						 .urgent = i == 8 };
		helper_transfer_start(&transfers[i], http, &request);
	}
	for (unsigned i = 0; i < 9; i++) {
		helper_transfer_wait(&transfers[i]);
		assert_int_equal(transfers[i].error.kind, REMOTE_OK);
		helper_transfer_release(&transfers[i]);
	}
	assert_int_equal(helper_server_most_open(server), 2);
	for (unsigned i = 0; i < 9; i++)
		if (strncmp(helper_server_request(server, i)->head, "GET /8 ", 7) == 0)
			position_of_urgent = i;
	/* Two were under way before it was asked for; nothing else went before it. */
	assert_true(position_of_urgent <= 3);
	http_free(http);
	helper_server_free(server);
}

static void test_net__waiting_for_a_turn_has_an_end(void **state)
{
	struct helper_server *server = helper_server_new(answer_slowly, NULL);
	struct http *http = helper_http_new(&(struct http_settings){ .origin_limit = 1 });
	struct helper_transfer first[4], last;
	struct http_request request = { .method = HTTP_GET, .url = helper_server_url(server, "/") };

	for (unsigned i = 0; i < 4; i++)
		helper_transfer_start(&first[i], http, &request);
	request.total_timeout_msecs = 60;
	helper_transfer_start(&last, http, &request);
	helper_transfer_wait(&last);
	assert_int_equal(last.error.kind, REMOTE_TRANSIENT);
	assert_int_equal(last.error.error, -ETIMEDOUT);
	for (unsigned i = 0; i < 4; i++) {
		helper_transfer_wait(&first[i]);
		assert_int_equal(first[i].error.kind, REMOTE_OK);
		helper_transfer_release(&first[i]);
	}
	helper_transfer_release(&last);
	assert_int_equal(helper_server_requests(server), 4);
	http_free(http);
	helper_server_free(server);
}

/* ---- redirects ---- */

struct redirect {
	const char *location; /* "" : none */
	int status;
};

static enum helper_then answer_redirect(struct helper_server *server, int fd,
					const struct helper_request *request, void *arg)
{
	const struct redirect *redirect = arg;
	char headers[512];

	if (strstr(request->head, "/target")) {
		helper_answer(fd, 200, NULL, "target");
	} else {
		snprintf(headers, sizeof headers, "Location: %s\r\n", redirect->location);
		helper_answer(fd, redirect->status, *redirect->location ? headers : NULL,
			      "moved away");
	}
	return HELPER_KEEP;
}

static int get_with_secrets(struct http *http, const char *url, unsigned max_redirects,
			    struct http_reply *ret_reply, struct remote_error *ret_error)
{
	static const struct http_header headers[] = {
		{ "Authorization", "Basic c2VjcmV0" },
		{ "x-amz-security-token", "token" },
		{ "X-aws-ec2-metadata-token", "token" },
		{ "X-Other", "1" },
		{ "Range", "bytes=0-5" },
	};
	struct http_request request = { .method = HTTP_GET,
					.url = url,
					.max_redirects = max_redirects,
					.headers = headers,
					.header_count = ARRAY_SIZE(headers) };

	return http_perform(http, &request, 100, NULL, ret_reply, ret_error);
}

static void test_net__a_redirect_to_the_same_origin_keeps_the_credentials(void **state)
{
	struct redirect redirect = { "/target", 302 };
	struct helper_server *server = helper_server_new(answer_redirect, &redirect);
	struct http *http = helper_http_new(NULL);
	struct http_reply reply;
	struct remote_error error;

	assert_int_equal(get_with_secrets(http, helper_server_url(server, "/"), 1, &reply, &error),
			 0);
	assert_int_equal(reply.head.status, 200);
	assert_string_equal(reply.body, "target");
	http_reply_release(&reply);
	assert_string_equal(helper_header(helper_server_request(server, 1), "Authorization"),
			    "Basic c2VjcmV0");
	assert_int_equal(helper_server_connections(server), 1);
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_redirect_to_another_port_or_host_loses_the_credentials(void **state)
{
	struct helper_server *other = helper_server_new(answer_redirect, NULL);
	struct redirect redirect = { NULL, 307 };
	struct helper_server *server = helper_server_new(answer_redirect, &redirect);
	struct http *http = helper_http_new(NULL);
	char locations[2][100];

	snprintf(locations[0], sizeof locations[0], "http://127.0.0.1:%u/target",
		 helper_server_port(other));
	snprintf(locations[1], sizeof locations[1], "http://localhost:%u/target",
		 helper_server_port(server));
	for (unsigned i = 0; i < 2; i++) {
		struct helper_server *at = i ? server : other;
		const struct helper_request *seen;
		struct http_reply reply;
		struct remote_error error;

		redirect.location = locations[i];
		assert_int_equal(get_with_secrets(http, helper_server_url(server, "/"), 3, &reply,
						  &error),
				 0);
		assert_string_equal(reply.body, "target");
		http_reply_release(&reply);
		seen = helper_server_request(at, i ? 2 : 0);
		assert_non_null(strstr(seen->head, "GET /target "));
		assert_null(helper_header(seen, "Authorization"));
		assert_null(helper_header(seen, "x-amz-security-token"));
		assert_null(helper_header(seen, "X-aws-ec2-metadata-token"));
		assert_null(helper_header(seen, "X-Other"));
		assert_string_equal(helper_header(seen, "Range"), "bytes=0-5");
	}
	http_free(http);
	helper_server_free(server);
	helper_server_free(other);
}

static void test_net__credentials_stay_lost_when_a_redirect_leads_back(void **state)
{
	struct redirect there = { NULL, 302 }, back = { NULL, 302 };
	struct helper_server *server = helper_server_new(answer_redirect, &there);
	struct helper_server *other = helper_server_new(answer_redirect, &back);
	struct http *http = helper_http_new(NULL);
	struct http_reply reply;
	struct remote_error error;
	char to_other[100], to_server[100];

	snprintf(to_other, sizeof to_other, "http://127.0.0.1:%u/hop", helper_server_port(other));
	snprintf(to_server, sizeof to_server, "http://127.0.0.1:%u/target",
		 helper_server_port(server));
	there.location = to_other;
	back.location = to_server;
	assert_int_equal(get_with_secrets(http, helper_server_url(server, "/"), 2, &reply, &error),
			 0);
	http_reply_release(&reply);
	assert_null(helper_header(helper_server_request(server, 1), "Authorization"));
	assert_null(helper_header(helper_server_request(server, 1), "X-aws-ec2-metadata-token"));
	http_free(http);
	helper_server_free(server);
	helper_server_free(other);
}

static void test_net__redirects_are_followed_only_where_they_may(void **state)
{
	static const struct {
		const char *location;
		enum http_method method;
		unsigned max_redirects;
		int expected, status;
	} cases[] = {
		{ "/target", HTTP_GET, 0, 0, 302 },
		{ "", HTTP_GET, 3, 0, 302 },
		{ "/target", HTTP_POST, 3, 0, 302 },
		{ "/target", HTTP_PUT, 3, 0, 302 },
		{ "/target", HTTP_DELETE, 3, 0, 302 },
		{ "/again", HTTP_GET, 3, 0, 302 },
		{ "http://192.0.2.1/target", HTTP_GET, 3, -EIO, 0 },
		{ "file:///etc/passwd", HTTP_GET, 3, -EIO, 0 },
		{ "http://user:pw@127.0.0.1:1/", HTTP_GET, 3, -EIO, 0 },
	};
	struct redirect redirect = { NULL, 302 };
	struct helper_server *server = helper_server_new(answer_redirect, &redirect);
	struct http *http = helper_http_new(NULL);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_request request = { .method = cases[i].method,
						.url = helper_server_url(server, "/"),
						.max_redirects = cases[i].max_redirects };
		unsigned before = helper_server_requests(server);
		struct http_reply reply;
		struct remote_error error;
		int r;

		redirect.location = cases[i].location;
		r = http_perform(http, &request, 100, NULL, &reply, &error);
		if (r != cases[i].expected || (!r && reply.head.status != cases[i].status))
			fail_msg("case %zu: %d, status %d", i, r, reply.head.status);
		if (r)
			assert_int_equal(error.kind, REMOTE_INVALID);
		assert_int_equal(helper_server_requests(server) - before, i == 5 ? 4 : 1);
		http_reply_release(&reply);
	}
	http_free(http);
	helper_server_free(server);
}

/* ---- facts in heads ---- */

static int64_t retry_after(const char *value, const char *date)
{
	struct http_header headers[2] = { { "retry-after", value }, { "Date", date } };
	struct http_response response = { .status = 503,
					  .headers = headers,
					  .header_count = date ? 2 : 1 };

	return http_response_retry_after_msecs(&response);
}

static void test_net__retry_after_is_read_in_both_forms(void **state)
{
	assert_int_equal(retry_after("7", NULL), 7000);
	assert_int_equal(retry_after("0", NULL), 0);
	assert_int_equal(retry_after("-3", NULL), -1);
	assert_int_equal(retry_after("soon", NULL), -1);
	assert_int_equal(retry_after("", NULL), -1);
	assert_int_equal(retry_after("99999999999999999999", NULL), -1);
	assert_int_equal(retry_after("999999999", NULL), 86400000);
	assert_int_equal(retry_after("Sun, 01 Mar 2026 10:15:30 GMT",
				     "Sun, 01 Mar 2026 10:15:00 GMT"),
			 30000);
	assert_int_equal(
		retry_after("Sun, 01 Mar 2026 10:15:00 GMT", "Sun, 01 Mar 2026 10:15:30 GMT"), 0);
	assert_int_equal(retry_after("Thu, 01 Jan 1970 00:00:10 GMT", NULL), 0);
}

static void test_net__content_range_is_believed_only_whole(void **state)
{
	static const struct {
		int status;
		const char *value;
		int expected;
		int64_t first, last, total;
	} cases[] = {
		{ 206, "bytes 5-9/100", 0, 5, 9, 100 },
		{ 206, "bytes 0-0/1", 0, 0, 0, 1 },
		{ 206, "bytes 5-9/*", 0, 5, 9, -1 },
		{ 200, "bytes 5-9/100", -EINVAL, 0, 0, 0 },
		{ 206, "bytes 9-5/100", -EINVAL, 0, 0, 0 },
		{ 206, "bytes 5-9/9", -EINVAL, 0, 0, 0 },
		{ 206, "bytes 5-9", -EINVAL, 0, 0, 0 },
		{ 206, "bytes */100", -EINVAL, 0, 0, 0 },
		{ 206, "items 5-9/100", -EINVAL, 0, 0, 0 },
		{ 206, "bytes -5-9/100", -EINVAL, 0, 0, 0 },
		{ 206, "bytes 5-9/100x", -EINVAL, 0, 0, 0 },
		{ 206, "", -EINVAL, 0, 0, 0 },
		{ 206, "bytes 5-99999999999999999999/3", -EINVAL, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_header header = { "Content-Range", cases[i].value };
		struct http_response response = { .status = cases[i].status,
						  .headers = &header,
						  .header_count = 1 };
		int64_t first, last, total;

		assert_int_equal(http_response_content_range(&response, &first, &last, &total),
				 cases[i].expected);
		if (cases[i].expected)
			continue;
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
		assert_int_equal(total, cases[i].total);
	}
}

static void test_net__urls_are_encoded_as_rfc_3986_wants(void **state)
{
	struct buf out = BUF_INIT;

	http_url_encode(&out, "a/b c+~-._\xc3\xa4\0%", 13, true);
	assert_string_equal(buf_str(&out), "a/b%20c%2B~-._%C3%A4%00");
	buf_reset(&out);
	http_url_encode(&out, "a/b%", 4, false);
	assert_string_equal(buf_str(&out), "a%2Fb%25");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net__a_get_returns_status_headers_and_body),
		cmocka_unit_test(test_net__a_request_is_sent_as_it_was_asked_for),
		cmocka_unit_test(test_net__a_body_goes_out_whole_without_expect_or_form_type),
		cmocka_unit_test(test_net__empty_bodies_head_and_delete_are_understood),
		cmocka_unit_test(test_net__interim_answers_are_skipped_and_chunks_joined),
		cmocka_unit_test(test_net__an_answer_larger_than_asked_for_is_invalid),
		cmocka_unit_test(test_net__connections_are_used_again),
		cmocka_unit_test(test_net__plain_http_is_for_loopback_only),
		cmocka_unit_test(test_net__names_below_localhost_reach_this_machine),
		cmocka_unit_test(test_net__loopback_does_not_go_through_a_proxy),
		cmocka_unit_test(test_net__headers_cannot_smuggle_lines),
		cmocka_unit_test(
			test_net__an_origin_gets_only_so_many_at_a_time_and_urgent_ones_first),
		cmocka_unit_test(test_net__waiting_for_a_turn_has_an_end),
		cmocka_unit_test(test_net__a_redirect_to_the_same_origin_keeps_the_credentials),
		cmocka_unit_test(
			test_net__a_redirect_to_another_port_or_host_loses_the_credentials),
		cmocka_unit_test(test_net__credentials_stay_lost_when_a_redirect_leads_back),
		cmocka_unit_test(test_net__redirects_are_followed_only_where_they_may),
		cmocka_unit_test(test_net__retry_after_is_read_in_both_forms),
		cmocka_unit_test(test_net__content_range_is_believed_only_whole),
		cmocka_unit_test(test_net__urls_are_encoded_as_rfc_3986_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
