/* Heads of answers, line by line, and what their headers say: src/net/head.c. */
#include "fuzz.h"
#include "net/http-private.h"

#define DAY_MSECS 86400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;
	struct http_head head = { .text = BUF_INIT };
	struct http_response response = { .status = 206 };
	int64_t first, last, total, pause;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *next = newline ? newline + 1 : end;

		http_head_add_line(&head, text, (size_t)(next - text));
		text = next;
	}
	if (http_head_complete(&head, 206, &response) == 0) {
		MUST(response.content_length >= -1);
		for (size_t i = 0; i < response.header_count; i++)
			MUST(*response.headers[i].name);
		pause = http_response_retry_after_msecs(&response);
		MUST(pause >= -1 && pause <= DAY_MSECS);
		if (http_response_content_range(&response, &first, &last, &total) == 0) {
			MUST(first >= 0 && first <= last);
			MUST(total == -1 || last < total);
		}
	}
	http_head_release(&head);
	return 0;
}
