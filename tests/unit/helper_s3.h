/* A loopback server that gives prepared answers in turn, whatever is asked, and an S3 client of it.
 */
#pragma once

#include "aws/s3.h"
#include "helper_server.h"

struct helper_answer {
	int status;          /* 0: the connection is reset */
	const char *headers; /* "Name: value\r\n"…, or NULL */
	const char *body;
};

struct helper_s3 {
	const struct helper_answer *answers;
	unsigned count;
	struct helper_server *server;
	struct http *http;
	struct s3_client *client;
};

/* settings NULL: bucket "bucket", path style, keys AK and SK. The last answer is given again and
 * again. */
void helper_s3_start(struct helper_s3 *s3, const struct helper_answer *answers, unsigned count,
		     const struct s3_settings *settings);
void helper_s3_stop(struct helper_s3 *s3);
/* The head of a request with what differs from run to run replaced: port, date, signature, user
 * agent. Fails the test where it is not `expected`. Lines are separated by "\n". */
void helper_s3_check_request(struct helper_s3 *s3, unsigned number, const char *expected);
/* "REQUEST LINE" of a request; lives until the next call. */
const char *helper_s3_request_line(struct helper_s3 *s3, unsigned number);
