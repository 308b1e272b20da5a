#include "helper_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_dice.h"
#include "util/cleanup.h"

#define STALL_MSECS 5000

enum fate {
	RESET_AT_ONCE,
	RESET_IN_THE_MIDDLE,
	ENDS_EARLY,
	STALLS,
	SAYS_503,
	SAYS_500,
	SAYS_404,
	SAYS_403,
	SAYS_412,
	SAYS_SOMETHING_ELSE, /* a page with status 200 */
	ALL_OF_IT,           /* whatever the range */
	CHUNKED,
	WITHOUT_A_LENGTH,
	CUT_WITHOUT_A_LENGTH,
	SHORT_RANGE,
	WRONG_RANGE,
	WITHOUT_A_RANGE,
	TOO_LONG,
	OTHER_OBJECT,
	GOOD, /* the last */
};

struct answer {
	struct helper_server *server;
	const struct helper_origin *origin;
	unsigned number; /* at Twilio; 0: it is S3 that is asked */
	int fd;
	struct dice dice;
	enum fate fate;
	const struct origin_recording *recording;
	int64_t first, end; /* of what is sent */
	int64_t told_first, told_end;
	bool is_part;
};

static bool is_gone(const struct answer *a)
{
	return a->number && a->number == atomic_load(&a->origin->gone);
}

/* False: there is none. */
static bool find_recording(struct answer *a, const struct helper_request *request)
{
	const char *key = strstr(request->head, "/bucket/key-");
	const char *sid = strstr(request->head, "/RE03ab");
	unsigned number = 0;

	if (key)
		number = (unsigned)strtoul(key + strlen("/bucket/key-"), NULL, 10);
	else if (sid)
		sscanf(sid + strlen("/RE03ab"), "%8x", &number);
	if (!number)
		return false;
	a->number = key ? 0 : number;
	a->recording = &a->origin->recordings[number < a->origin->count ? number - 1
									: a->origin->count - 1];
	return !is_gone(a);
}

static void take_range(struct answer *a, const struct helper_request *request)
{
	const char *range = helper_header(request, "Range");
	long long first = 0, last = a->recording->size_bytes - 1;

	a->is_part = range && sscanf(range, "bytes=%lld-%lld", &first, &last) >= 1;
	if (last >= a->recording->size_bytes)
		last = a->recording->size_bytes - 1;
	a->first = first;
	a->end = last + 1;
}

static void alter(struct answer *a)
{
	if (a->fate == ALL_OF_IT) {
		a->is_part = false;
		a->first = 0;
		a->end = a->recording->size_bytes;
	}
	if (a->fate == SHORT_RANGE || a->fate == WRONG_RANGE || a->fate == WITHOUT_A_RANGE)
		a->is_part = true;
	if (a->fate == SHORT_RANGE)
		a->end -= (a->end - a->first) / 2;
	if (a->fate == WRONG_RANGE && a->end - a->first > 1)
		a->first += (a->end - a->first) / 2;
	a->told_first = a->first;
	a->told_end = a->end;
}

static bool has_no_length(const struct answer *a)
{
	return a->fate == CHUNKED || a->fate == WITHOUT_A_LENGTH || a->fate == CUT_WITHOUT_A_LENGTH;
}

static bool send_head(const struct answer *a)
{
	int64_t length = a->end - a->first + (a->fate == TOO_LONG ? 1000 : 0);
	char head[512];
	int n = snprintf(head, sizeof head,
			 "HTTP/1.1 %s\r\nContent-Type: audio/x-wav\r\nETag: \"%s\"\r\n",
			 a->is_part ? "206 Partial Content" : "200 OK",
			 a->fate == OTHER_OBJECT ? "other" : "etag");

	if (a->is_part && a->fate != WITHOUT_A_RANGE)
		n += snprintf(head + n, sizeof head - (size_t)n,
			      "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)a->told_first,
			      (long long)a->told_end - 1, (long long)a->recording->size_bytes);
	if (a->fate == CHUNKED)
		n += snprintf(head + n, sizeof head - (size_t)n, "Transfer-Encoding: chunked\r\n");
	else if (has_no_length(a))
		n += snprintf(head + n, sizeof head - (size_t)n, "Connection: close\r\n");
	else
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %lld\r\n",
			      (long long)length);
	snprintf(head + n, sizeof head - (size_t)n, "\r\n");
	return helper_send_str(a->fd, head);
}

/* How much may be sent now. */
static int64_t let_through(struct answer *a, int64_t from, int64_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(a->origin->held_bytes); i++) {
		int64_t held;

		while ((held = atomic_load(&a->origin->held_bytes[i])) && a->first < held &&
		       from == held)
			helper_server_sleep(a->server, 1);
		if (a->first < held && from < held && n > held - from)
			n = held - from;
	}
	return n;
}

/* In pieces of any size, now and then with a pause between them. */
static bool send_bytes(struct answer *a, int64_t from, int64_t end)
{
	bool is_chunked = a->fate == CHUNKED;
	char line[32];

	while (from < end) {
		int64_t n = 1 + dice_below(&a->dice, dice_percent(&a->dice, 20) ? 1000 : 200000);

		if (is_gone(a))
			return false;
		if (n > end - from)
			n = end - from;
		n = let_through(a, from, n);
		if (dice_percent(&a->dice, 5))
			helper_server_sleep(a->server, (unsigned)dice_below(&a->dice, 4));
		snprintf(line, sizeof line, "%llx\r\n", (long long)n);
		if ((is_chunked && !helper_send_str(a->fd, line)) ||
		    !helper_send(a->fd, a->recording->bytes + from, (size_t)n) ||
		    (is_chunked && !helper_send_str(a->fd, "\r\n")))
			return false;
		from += n;
	}
	return !is_chunked || helper_send_str(a->fd, "0\r\n\r\n");
}

static enum helper_then then(bool is_sent)
{
	return is_sent ? HELPER_KEEP : HELPER_CLOSE;
}

static enum helper_then send_all(struct answer *a)
{
	static const char junk[1000] = "junk";
	int64_t middle = a->first + dice_below(&a->dice, a->end - a->first + 1);

	if (!send_head(a))
		return HELPER_CLOSE;
	switch (a->fate) {
	case RESET_IN_THE_MIDDLE:
		send_bytes(a, a->first, middle);
		return HELPER_RESET;
	case ENDS_EARLY:
	case CUT_WITHOUT_A_LENGTH:
		send_bytes(a, a->first, middle);
		return HELPER_CLOSE;
	case STALLS:
		send_bytes(a, a->first, middle);
		helper_server_sleep(a->server, STALL_MSECS);
		return HELPER_CLOSE;
	case WITHOUT_A_LENGTH:
		send_bytes(a, a->first, a->end);
		return HELPER_CLOSE;
	case TOO_LONG:
		return then(send_bytes(a, a->first, a->end) &&
			    helper_send(a->fd, junk, sizeof junk));
	default:
		return then(send_bytes(a, a->first, a->end));
	}
}

/* As S3 does; Twilio's errors are known by their status. */
static enum helper_then say(int fd, bool is_head, int status, const char *code)
{
	char body[128];

	snprintf(body, sizeof body, "<Error><Code>%s</Code></Error>", code);
	return then(helper_answer(fd, status, "Content-Type: application/xml\r\n",
				  is_head ? "" : body));
}

enum helper_then helper_origin_answer(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	const struct helper_origin *o = arg;
	bool is_head = strncmp(request->head, "HEAD", 4) == 0;
	struct answer a = { .server = server,
			    .origin = o,
			    .fd = fd,
			    .dice = { o->seed * 1000003 + request->number },
			    .fate = GOOD };

	if (is_head || !find_recording(&a, request))
		return say(fd, is_head, 404, "NoSuchKey");
	if (dice_percent(&a.dice, o->trouble_percent))
		a.fate = (enum fate)dice_below(&a.dice, GOOD);
	if (dice_percent(&a.dice, 40))
		helper_server_sleep(server, (unsigned)dice_below(&a.dice, 6));
	switch (a.fate) {
	case RESET_AT_ONCE:
		return HELPER_RESET;
	case SAYS_503:
		return say(fd, false, 503, "SlowDown");
	case SAYS_500:
		return say(fd, false, 500, "InternalError");
	case SAYS_404:
		return say(fd, false, 404, "NoSuchKey");
	case SAYS_403:
		return say(fd, false, 403, "AccessDenied");
	case SAYS_412:
		return say(fd, false, 412, "PreconditionFailed");
	case SAYS_SOMETHING_ELSE:
		return then(helper_answer(fd, 200, "Content-Type: text/html\r\n",
					  "<html>log in</html>"));
	default:
		take_range(&a, request);
		alter(&a);
		return send_all(&a);
	}
}
