#include "helper_s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/buf.h"

static enum helper_then answer_in_turn(struct helper_server *server, int fd,
				       const struct helper_request *request, void *arg)
{
	const struct helper_s3 *s3 = arg;
	const struct helper_answer *answer =
		&s3->answers[request->number < s3->count ? request->number : s3->count - 1];

	if (!answer->status)
		return HELPER_RESET;
	if (strncmp(request->head, "HEAD ", 5) == 0) {
		char head[2048];

		snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\n%s%s\r\n", answer->status,
			 answer->headers && strstr(answer->headers, "Content-Length")
				 ? ""
				 : "Content-Length: 0\r\n",
			 answer->headers ? answer->headers : "");
		helper_send_str(fd, head);
	} else {
		helper_answer(fd, answer->status, answer->headers, answer->body);
	}
	return HELPER_KEEP;
}

void helper_s3_start(struct helper_s3 *s3, const struct helper_answer *answers, unsigned count,
		     const struct s3_settings *settings)
{
	struct s3_settings copy = { .bucket = "bucket" };
	char endpoint[64];

	s3->answers = answers;
	s3->count = count;
	s3->server = helper_server_new(answer_in_turn, s3);
	if (settings)
		copy = *settings;
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", helper_server_port(s3->server));
	if (!copy.endpoint)
		copy.endpoint = endpoint;
	if (!copy.access_key)
		copy.access_key = "AK";
	if (!copy.secret_key)
		copy.secret_key = "SK";
	assert_int_equal(http_new(NULL, &s3->http), 0);
	assert_int_equal(s3_client_new(s3->http, &copy, &s3->client), 0);
}

void helper_s3_stop(struct helper_s3 *s3)
{
	s3_client_free(s3->client);
	http_free(s3->http);
	helper_server_free(s3->server);
}

static bool all_digits(const char *s, size_t n, const char *digits)
{
	return strspn(s, digits) >= n;
}

/* One header line, its value cut down to what is the same in every run. */
static void add_line(struct buf *out, const char *line, size_t n, const char *host)
{
	static const char date[] = "x-amz-date: ", authorization[] = "Authorization: ",
			  host_name[] = "Host: ";

	if (strncmp(line, "User-Agent: ", 12) == 0 || strncmp(line, "Accept: ", 8) == 0)
		return;
	if (strncmp(line, date, strlen(date)) == 0) {
		assert_true(all_digits(line + strlen(date), 8, "0123456789"));
		buf_addf(out, "%sDATE\n", date);
	} else if (strncmp(line, authorization, strlen(authorization)) == 0) {
		const char *signed_headers = strstr(line, "SignedHeaders="),
			   *signature = strstr(line, "Signature=");

		assert_non_null(signed_headers);
		assert_non_null(signature);
		assert_true(all_digits(signature + 10, 64, "0123456789abcdef"));
		assert_int_equal(strncmp(line + strlen(authorization),
					 "AWS4-HMAC-SHA256 Credential=AK/", 31),
				 0);
		buf_add_str(out, "Authorization: ");
		buf_add(out, signed_headers, (size_t)(signature - signed_headers) - 1);
		buf_add_char(out, '\n');
	} else if (strncmp(line, host_name, strlen(host_name)) == 0) {
		assert_int_equal(strncmp(line + strlen(host_name), host, strlen(host)), 0);
	} else {
		buf_add(out, line, n);
		buf_add_char(out, '\n');
	}
}

void helper_s3_check_request(struct helper_s3 *s3, unsigned number, const char *expected)
{
	const char *line = helper_server_request(s3->server, number)->head;
	struct buf out = BUF_INIT;
	char host[64];

	snprintf(host, sizeof host, "127.0.0.1:%u\r\n", helper_server_port(s3->server));
	while (strncmp(line, "\r\n", 2) != 0) {
		size_t n = strcspn(line, "\r");

		add_line(&out, line, n, host);
		line += n + 2;
	}
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

const char *helper_s3_request_line(struct helper_s3 *s3, unsigned number)
{
	static char line[4096];
	const char *head = helper_server_request(s3->server, number)->head;

	snprintf(line, sizeof line, "%.*s", (int)strcspn(head, "\r"), head);
	return line;
}
