/* The HTTP engine against servers that misbehave: every failure has an end, and a kind that says
 * what may be done next. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_http.h"
#include "helper_server.h"
#include "net/http.h"
#include "util/times.h"

static int perform(struct http *http, enum http_method method, const char *url,
		   struct remote_error *ret_error)
{
	bool has_body = method == HTTP_PUT || method == HTTP_POST;
	struct http_request request = { .method = method,
					.url = url,
					.body = has_body ? "body" : NULL,
					.body_len = has_body ? 4 : 0 };
	struct http_reply reply;
	int r = http_perform(http, &request, 1024 * 1024, NULL, &reply, ret_error);

	http_reply_release(&reply);
	return r;
}

static enum helper_then reset_at_once(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	(void)server, (void)fd, (void)request, (void)arg;
	return HELPER_RESET;
}

static enum helper_then close_at_once(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	(void)server, (void)fd, (void)request, (void)arg;
	return HELPER_CLOSE;
}

static void check_lost_answers(helper_handler *handler)
{
	static const enum http_method methods[] = { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST,
						    HTTP_DELETE };
	struct helper_server *server = helper_server_new(handler, NULL);
	struct http *http = helper_http_new(NULL);

	for (unsigned i = 0; i < 5; i++) {
		bool asks_only = methods[i] == HTTP_GET || methods[i] == HTTP_HEAD;
		struct remote_error error;

		assert_int_equal(perform(http, methods[i],
					 helper_server_url(server, "/?sig=secret"), &error),
				 -EIO);
		assert_int_equal(error.kind, asks_only ? REMOTE_TRANSIENT : REMOTE_UNCERTAIN);
		assert_null(strstr(error.message, "secret"));
		assert_int_equal(error.status, 0);
	}
	/* On a fresh connection nothing is sent twice. */
	assert_int_equal(helper_server_requests(server), 5);
	http_free(http);
	helper_server_free(server);
}

static void
test_net__an_answer_lost_to_a_reset_is_uncertain_for_what_changes_something(void **state)
{
	check_lost_answers(reset_at_once);
}

static void
test_net__an_answer_lost_to_a_close_is_uncertain_for_what_changes_something(void **state)
{
	check_lost_answers(close_at_once);
}

struct partial {
	const char *head;
	size_t body_bytes;
	enum helper_then then;
};

static enum helper_then answer_in_part(struct helper_server *server, int fd,
				       const struct helper_request *request, void *arg)
{
	const struct partial *partial = arg;
	static char body[100000];

	memset(body, 'x', sizeof body);
	helper_send_str(fd, partial->head);
	helper_send(fd, body, partial->body_bytes);
	helper_server_sleep(server, 30); /* what was sent is to arrive before the end does */
	return partial->then;
}

static void test_net__a_body_that_ends_early_is_transient(void **state)
{
	static struct partial cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 99999, HELPER_CLOSE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 50000, HELPER_RESET },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 0, HELPER_CLOSE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n", 100,
		  HELPER_CLOSE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n", 100,
		  HELPER_CLOSE },
		{ "HTTP/1.1 200 OK\r\nConte", 0, HELPER_CLOSE },
	};
	struct http *http = helper_http_new(NULL);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct helper_server *server = helper_server_new(answer_in_part, &cases[i]);
		struct remote_error error;
		int r = perform(http, HTTP_GET, helper_server_url(server, "/"), &error);

		if (r != -EIO || error.kind != REMOTE_TRANSIENT)
			fail_msg("case %zu: %d %s %s", i, r, remote_kind_name(error.kind),
				 error.message);
		/* The answer to a change that breaks off leaves open what it would have said. */
		assert_int_equal(perform(http, HTTP_POST, helper_server_url(server, "/"), &error),
				 -EIO);
		assert_int_equal(error.kind, REMOTE_UNCERTAIN);
		helper_server_free(server);
	}
	http_free(http);
}

static void test_net__bytes_behind_the_announced_length_are_not_delivered(void **state)
{
	struct partial partial = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 500,
				   HELPER_CLOSE };
	struct helper_server *server = helper_server_new(answer_in_part, &partial);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET, .url = helper_server_url(server, "/") };
	struct remote_error error;
	struct http_reply reply;

	assert_int_equal(http_perform(http, &request, 1000, NULL, &reply, &error), 0);
	assert_int_equal(reply.body_len, 10);
	http_reply_release(&reply);
	http_free(http);
	helper_server_free(server);
}

static enum helper_then answer_garbage(struct helper_server *server, int fd,
				       const struct helper_request *request, void *arg)
{
	(void)server, (void)request;
	helper_send_str(fd, arg);
	return HELPER_CLOSE;
}

static void test_net__what_is_no_http_is_invalid(void **state)
{
	static char text[] = "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n0123456789";
	struct helper_server *server = helper_server_new(answer_garbage, text);
	struct http *http = helper_http_new(NULL);
	struct remote_error error;

	assert_int_equal(perform(http, HTTP_GET, helper_server_url(server, "/"), &error), -EIO);
	assert_int_equal(error.kind, REMOTE_INVALID);
	http_free(http);
	helper_server_free(server);
}

static enum helper_then answer_huge_head(struct helper_server *server, int fd,
					 const struct helper_request *request, void *arg)
{
	char line[1024];

	(void)server, (void)request, (void)arg;
	memset(line, 'a', sizeof line);
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	helper_send_str(fd, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i < 200; i++)
		if (!helper_send(fd, line, sizeof line))
			break;
	helper_send_str(fd, "Content-Length: 0\r\n\r\n");
	return HELPER_CLOSE;
}

static void test_net__a_head_without_end_is_invalid(void **state)
{
	struct helper_server *server = helper_server_new(answer_huge_head, NULL);
	struct http *http = helper_http_new(NULL);
	struct remote_error error;

	assert_int_equal(perform(http, HTTP_GET, helper_server_url(server, "/"), &error), -EIO);
	assert_int_equal(error.kind, REMOTE_INVALID);
	http_free(http);
	helper_server_free(server);
}

/* ---- time ---- */

enum slowness { SILENT, SLOW_HEAD, STALLED_BODY, SLOW_BODY };

static enum helper_then answer_late(struct helper_server *server, int fd,
				    const struct helper_request *request, void *arg)
{
	const enum slowness *slowness = arg;

	if (*slowness == SILENT) {
		helper_server_sleep(server, 10000);
	} else if (*slowness == SLOW_HEAD) {
		helper_send_str(fd, "HTTP/1.1 200 OK\r\n");
		for (unsigned i = 0; i < 100 && helper_send_str(fd, "X: y\r\n"); i++)
			helper_server_sleep(server, 50);
	} else {
		helper_send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
		for (unsigned i = 0;
		     i < 100 && (*slowness == STALLED_BODY || helper_send_str(fd, "x")); i++)
			helper_server_sleep(server, 50);
	}
	return HELPER_CLOSE;
}

static void check_slow(enum slowness slowness, enum http_method method, unsigned stall,
		       unsigned total, int64_t least, int64_t most, enum remote_kind kind)
{
	struct helper_server *server = helper_server_new(answer_late, &slowness);
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = method,
					.url = helper_server_url(server, "/"),
					.stall_timeout_msecs = stall,
					.total_timeout_msecs = total };
	int64_t start = time_mono_msecs(), took;
	struct remote_error error;
	struct http_reply reply;

	assert_int_equal(http_perform(http, &request, 2000, NULL, &reply, &error), -ETIMEDOUT);
	took = time_mono_msecs() - start;
	assert_int_equal(error.kind, kind);
	assert_string_equal(error.code, "timeout");
	assert_true(took >= least);
	assert_true(took < most);
	http_free(http);
	helper_server_free(server);
}

static void test_net__a_silent_server_is_given_up(void **state)
{
	check_slow(SILENT, HTTP_GET, 300, UINT_MAX, 280, 3000, REMOTE_TRANSIENT);
	check_slow(SILENT, HTTP_DELETE, 300, UINT_MAX, 280, 3000, REMOTE_UNCERTAIN);
}

static void test_net__headers_that_drip_in_are_given_up(void **state)
{
	check_slow(SLOW_HEAD, HTTP_GET, 300, UINT_MAX, 280, 3000, REMOTE_TRANSIENT);
}

static void test_net__a_body_that_stops_is_given_up(void **state)
{
	check_slow(STALLED_BODY, HTTP_GET, 300, UINT_MAX, 280, 3000, REMOTE_TRANSIENT);
}

static void test_net__a_body_that_drips_is_bounded_by_the_total_time(void **state)
{
	check_slow(SLOW_BODY, HTTP_GET, 300, 800, 780, 3000, REMOTE_TRANSIENT);
	check_slow(SLOW_BODY, HTTP_PUT, 300, 800, 780, 3000, REMOTE_UNCERTAIN);
}

/* A listener that reads requests not at all, or slowly; its answer comes when all is read. */
struct sluggish {
	int listener;
	unsigned port;
	size_t expected_bytes;
	pthread_t thread;
};

static void *read_slowly(void *arg)
{
	struct sluggish *sluggish = arg;
	char space[16384];
	int fd = accept(sluggish->listener, NULL, NULL);
	size_t got = 0;
	ssize_t n;

	while (got < sluggish->expected_bytes) {
		usleep(20 * 1000);
		n = recv(fd, space, sizeof space, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	helper_answer(fd, 200, NULL, "ok");
	close(fd);
	return NULL;
}

/* expected_bytes 0: nobody accepts, the kernel takes what its buffers hold. */
static void sluggish_start(struct sluggish *sluggish, size_t expected_bytes)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof address;
	int small = 32768;

	sluggish->expected_bytes = expected_bytes;
	sluggish->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(sluggish->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	assert_int_equal(bind(sluggish->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(sluggish->listener, 4), 0);
	getsockname(sluggish->listener, (struct sockaddr *)&address, &n);
	sluggish->port = ntohs(address.sin_port);
	if (expected_bytes)
		assert_int_equal(pthread_create(&sluggish->thread, NULL, read_slowly, sluggish), 0);
}

static int put_large(const struct sluggish *sluggish, size_t n, struct remote_error *ret_error)
{
	struct http *http = helper_http_new(&(struct http_settings){ .stall_timeout_msecs = 1300 });
	char *body = calloc(1, n), url[64];
	struct http_request request = {
		.method = HTTP_PUT, .url = url, .body = body, .body_len = n
	};
	struct http_reply reply;
	int r;

	snprintf(url, sizeof url, "http://127.0.0.1:%u/", sluggish->port);
	r = http_perform(http, &request, 1000, NULL, &reply, ret_error);
	http_reply_release(&reply);
	http_free(http);
	free(body);
	return r;
}

static void test_net__an_upload_that_nobody_reads_is_given_up(void **state)
{
	struct sluggish sluggish;
	struct remote_error error;

	sluggish_start(&sluggish, 0);
	assert_int_equal(put_large(&sluggish, 16 * 1024 * 1024, &error), -ETIMEDOUT);
	/* The body never went out whole. */
	assert_int_equal(error.kind, REMOTE_TRANSIENT);
	close(sluggish.listener);
}

static void test_net__an_upload_that_is_read_slowly_goes_on(void **state)
{
	struct sluggish sluggish;
	struct remote_error error;

	/* The last of it is read long after the last byte was handed to the kernel: longer than the
	 * limit for a stall. */
	sluggish_start(&sluggish, 3 * 1024 * 1024);
	assert_int_equal(put_large(&sluggish, 3 * 1024 * 1024, &error), 0);
	pthread_join(sluggish.thread, NULL);
	close(sluggish.listener);
}

/* ---- connections ---- */

static void test_net__a_refused_connection_is_unreachable(void **state)
{
	struct http *http = helper_http_new(NULL);
	struct remote_error error;

	assert_int_equal(perform(http, HTTP_PUT, "http://127.0.0.1:1/", &error), -EHOSTUNREACH);
	assert_int_equal(error.kind, REMOTE_TRANSIENT);
	assert_non_null(strstr(error.message, "127.0.0.1:1"));
	http_free(http);
}

static void test_net__a_host_without_an_address_is_unreachable(void **state)
{
	struct http *http =
		helper_http_new(&(struct http_settings){ .connect_timeout_msecs = 15000 });
	struct remote_error error;
	int r = perform(http, HTTP_GET, "https://nowhere.invalid/", &error);

	/* Where no name server answers at all, the resolver takes longer than anybody waits. */
	assert_true(r == -EHOSTUNREACH || r == -ETIMEDOUT);
	assert_int_equal(error.kind, REMOTE_TRANSIENT);
	http_free(http);
}

/* Answers the first request of each connection and hangs up on the second. */
static enum helper_then hang_up_on_the_second(struct helper_server *server, int fd,
					      const struct helper_request *request, void *arg)
{
	static unsigned seen[64];

	if (request->number == 0)
		memset(seen, 0, sizeof seen);
	if (seen[request->connection]++)
		return *(enum helper_then *)arg;
	helper_answer(fd, 200, NULL, "ok");
	return HELPER_KEEP;
}

static void test_net__a_stale_connection_costs_one_try_on_a_fresh_one(void **state)
{
	static enum helper_then ends[] = { HELPER_CLOSE, HELPER_RESET };

	for (unsigned i = 0; i < 2; i++) {
		struct helper_server *server = helper_server_new(hang_up_on_the_second, &ends[i]);
		struct http *http = helper_http_new(NULL);
		struct remote_error error;

		assert_int_equal(perform(http, HTTP_GET, helper_server_url(server, "/"), &error),
				 0);
		assert_int_equal(perform(http, HTTP_GET, helper_server_url(server, "/"), &error),
				 0);
		assert_int_equal(helper_server_requests(server), 3);
		assert_int_equal(helper_server_connections(server), 2);
		/* The connection is stale again: a PUT may be sent twice, and its body goes out
		 * whole. */
		assert_int_equal(perform(http, HTTP_PUT, helper_server_url(server, "/"), &error),
				 0);
		assert_int_equal(helper_server_requests(server), 5);
		assert_string_equal(helper_server_request(server, 4)->body, "body");
		http_free(http);
		helper_server_free(server);
	}
}

static void test_net__a_post_is_never_sent_twice(void **state)
{
	static enum helper_then end = HELPER_CLOSE;
	struct helper_server *server = helper_server_new(hang_up_on_the_second, &end);
	struct http *http = helper_http_new(NULL);
	struct remote_error error;

	assert_int_equal(perform(http, HTTP_GET, helper_server_url(server, "/"), &error), 0);
	assert_int_equal(perform(http, HTTP_POST, helper_server_url(server, "/"), &error), 0);
	assert_int_equal(perform(http, HTTP_POST, helper_server_url(server, "/"), &error), 0);
	assert_int_equal(helper_server_requests(server), 3);
	assert_int_equal(helper_server_connections(server), 3);
	http_free(http);
	helper_server_free(server);
}

/* ---- TLS ---- */

static pid_t spawn(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r ? -1 : pid;
}

static unsigned free_port(void)
{
	struct sluggish sluggish;

	sluggish_start(&sluggish, 0);
	close(sluggish.listener);
	return sluggish.port;
}

static void test_net__a_certificate_must_be_trusted_and_of_the_host(void **state)
{
	char directory[] = "/tmp/tonicfs-unit-XXXXXX", key[64], certificate[64], port[16], url[64];
	struct http *http = helper_http_new(NULL);
	struct http_request request = { .method = HTTP_GET, .url = url };
	struct remote_error error;
	struct http_reply reply;
	int status = 1, r = -EHOSTUNREACH;
	pid_t pid;

	assert_non_null(mkdtemp(directory));
	snprintf(key, sizeof key, "%s/key", directory);
	snprintf(certificate, sizeof certificate, "%s/certificate", directory);
	snprintf(port, sizeof port, "%u", free_port());
	pid = spawn((const char *[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
				      "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
				      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
				      "-keyout", key, "-out", certificate, NULL });
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		rmdir(directory);
		http_free(http);
		skip(); /* no openssl program here */
	}
	pid = spawn((const char *[]){ "openssl", "s_server", "-accept", port, "-key", key, "-cert",
				      certificate, "-www", "-quiet", NULL });
	assert_true(pid > 0);
	snprintf(url, sizeof url, "https://localhost:%s/", port);
	for (unsigned i = 0; i < 100 && r == -EHOSTUNREACH; i++) {
		usleep(50 * 1000);
		r = http_perform(http, &request, 1 << 20, NULL, &reply, &error);
	}
	assert_int_equal(r, -EACCES);
	assert_int_equal(error.kind, REMOTE_REJECTED);
	assert_string_equal(error.code, "certificate");

	request.ca_file = certificate;
	assert_int_equal(http_perform(http, &request, 1 << 20, NULL, &reply, &error), 0);
	assert_int_equal(reply.head.status, 200);
	http_reply_release(&reply);

	snprintf(url, sizeof url, "https://127.0.0.1:%s/", port);
	assert_int_equal(http_perform(http, &request, 1 << 20, NULL, &reply, &error), -EACCES);
	assert_int_equal(error.kind, REMOTE_REJECTED);

	request.ca_file = "/nonexistent";
	assert_int_equal(http_perform(http, &request, 1 << 20, NULL, &reply, &error), -EACCES);
	assert_string_equal(error.code, "ca-file");
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	unlink(key);
	unlink(certificate);
	rmdir(directory);
	http_free(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_net__an_answer_lost_to_a_reset_is_uncertain_for_what_changes_something),
		cmocka_unit_test(
			test_net__an_answer_lost_to_a_close_is_uncertain_for_what_changes_something),
		cmocka_unit_test(test_net__a_body_that_ends_early_is_transient),
		cmocka_unit_test(test_net__bytes_behind_the_announced_length_are_not_delivered),
		cmocka_unit_test(test_net__what_is_no_http_is_invalid),
		cmocka_unit_test(test_net__a_head_without_end_is_invalid),
		cmocka_unit_test(test_net__a_silent_server_is_given_up),
		cmocka_unit_test(test_net__headers_that_drip_in_are_given_up),
		cmocka_unit_test(test_net__a_body_that_stops_is_given_up),
		cmocka_unit_test(test_net__a_body_that_drips_is_bounded_by_the_total_time),
		cmocka_unit_test(test_net__an_upload_that_nobody_reads_is_given_up),
		cmocka_unit_test(test_net__an_upload_that_is_read_slowly_goes_on),
		cmocka_unit_test(test_net__a_refused_connection_is_unreachable),
		cmocka_unit_test(test_net__a_host_without_an_address_is_unreachable),
		cmocka_unit_test(test_net__a_stale_connection_costs_one_try_on_a_fresh_one),
		cmocka_unit_test(test_net__a_post_is_never_sent_twice),
		cmocka_unit_test(test_net__a_certificate_must_be_trusted_and_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
