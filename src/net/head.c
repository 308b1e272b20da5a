/* Response heads: collecting their lines, and reading their headers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http-private.h"
#include "util/times.h"

#define HEAD_LIMIT_BYTES (128 * 1024) /* real heads are below 8 KiB; a peer may be hostile */
#define RETRY_AFTER_LIMIT_SECS (24 * 60 * 60)

void http_head_reset(struct http_head *head)
{
	buf_reset(&head->text);
	free(head->headers);
	head->headers = NULL;
	head->count = 0;
	head->failed = false;
}

void http_head_release(struct http_head *head)
{
	http_head_reset(head);
	buf_release(&head->text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void http_head_add_line(struct http_head *head, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);
	const char *value, *end = line + n;

	/* Folded lines are forbidden since RFC 7230; no header that is read here is ever folded. */
	if (!colon || colon == line || is_blank(line[0]) || memchr(line, '\0', n))
		return;
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	if (head->text.len + n > HEAD_LIMIT_BYTES) {
		head->failed = true;
		return;
	}
	buf_add(&head->text, line, (size_t)(colon - line));
	buf_add_char(&head->text, '\0');
	buf_add(&head->text, value, (size_t)(end - value));
	buf_add_char(&head->text, '\0');
	head->count++;
}

/* strtoll alone would accept signs and spaces. False: not a number. */
static bool take_number(const char **p, int64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoll(*p, &end, 10);
	if (**p < '0' || **p > '9' || errno)
		return false;
	*p = end;
	return true;
}

/* -1: not a number. */
static int64_t parse_number(const char *s)
{
	int64_t value;

	return take_number(&s, &value) && !*s ? value : -1;
}

int http_head_complete(struct http_head *head, int status, struct http_response *ret_response)
{
	const char *p = buf_str(&head->text), *length;

	if (head->failed)
		return -EFBIG;
	if (buf_failed(&head->text))
		return -ENOMEM;
	free(head->headers);
	head->headers = calloc(head->count + 1, sizeof *head->headers);
	if (!head->headers)
		return -ENOMEM;
	for (size_t i = 0; i < head->count; i++) {
		head->headers[i].name = p;
		p += strlen(p) + 1;
		head->headers[i].value = p;
		p += strlen(p) + 1;
	}
	ret_response->status = status;
	ret_response->headers = head->headers;
	ret_response->header_count = head->count;
	length = http_response_header(ret_response, "Content-Length");
	ret_response->content_length = length ? parse_number(length) : -1;
	if (http_response_header(ret_response, "Transfer-Encoding"))
		ret_response->content_length = -1;
	return 0;
}

int http_headers_copy(const struct http_header *headers, size_t count,
		      const struct http_header **ret_headers, size_t *ret_count)
{
	struct http_header *copies = calloc(count + 1, sizeof *copies);

	*ret_headers = NULL;
	*ret_count = 0;
	if (!copies)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		copies[i].name = strdup(headers[i].name);
		copies[i].value = strdup(headers[i].value);
		if (!copies[i].name || !copies[i].value) {
			http_headers_free(copies, count);
			return -ENOMEM;
		}
	}
	*ret_headers = copies;
	*ret_count = count;
	return 0;
}

/* Wipes the values: those of a request may hold a credential. */
void http_headers_free(const struct http_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)headers[i].name);
		http_free_secret(headers[i].value);
	}
	free((struct http_header *)headers);
}

const char *http_headers_find(const struct http_header *headers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
	return http_headers_find(response->headers, response->header_count, name);
}

int64_t http_response_retry_after_msecs(const struct http_response *response)
{
	const char *value = http_response_header(response, "Retry-After");
	const char *date = http_response_header(response, "Date");
	int64_t secs, now;

	if (!value)
		return -1;
	secs = parse_number(value);
	if (secs < 0) {
		if (time_parse_rfc2822(value, &secs) < 0)
			return -1;
		/* Both dates are the peer's, if it sends a Date; the local clock may be wrong. */
		if (!date || time_parse_rfc2822(date, &now) < 0)
			now = time_now_secs();
		secs = secs > now ? secs - now : 0;
	}
	return (secs < RETRY_AFTER_LIMIT_SECS ? secs : RETRY_AFTER_LIMIT_SECS) * 1000;
}

int http_response_content_range(const struct http_response *response, int64_t *ret_first,
				int64_t *ret_last, int64_t *ret_total)
{
	const char *p = http_response_header(response, "Content-Range");

	if (response->status != 206 || !p || strncasecmp(p, "bytes", 5) != 0 || !is_blank(p[5]))
		return -EINVAL;
	p += 5;
	while (is_blank(*p))
		p++;
	if (!take_number(&p, ret_first) || *p++ != '-' || !take_number(&p, ret_last) || *p++ != '/')
		return -EINVAL;
	if (strcmp(p, "*") == 0)
		*ret_total = -1;
	else if (!take_number(&p, ret_total) || *p || *ret_total <= *ret_last)
		return -EINVAL;
	return *ret_first <= *ret_last ? 0 : -EINVAL;
}
