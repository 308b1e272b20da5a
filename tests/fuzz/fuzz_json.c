/* Twilio's lists and resources: src/twilio/json.c and scan.c. */
#include "fuzz.h"
#include "twilio/twilio-private.h"

static void check_text(const char *text)
{
	MUST(text && strlen(text) < SIZE_MAX);
}

static void check_page(const struct twilio_page *page)
{
	for (size_t i = 0; page->recordings && i < page->count; i++) {
		const struct twilio_recording *r = &page->recordings[i];

		MUST(!sid_is_zero(&r->sid) || r->sid.bytes[0] == 0);
		check_text(r->source);
		check_text(r->media_url);
		if (r->is_encrypted) {
			check_text(r->encryption_key_sid);
			check_text(r->encryption_cek);
			check_text(r->encryption_iv);
		}
		MUST(r->duration_secs >= -1);
	}
	for (size_t i = 0; page->calls && i < page->count; i++) {
		const struct twilio_call *c = &page->calls[i];

		check_text(c->from);
		check_text(c->to);
		check_text(c->direction);
		check_text(c->status);
		check_text(c->phone_number_sid);
		check_text(c->caller_name);
		MUST(c->duration_secs >= -1);
	}
	if (page->next_page_uri)
		check_text(page->next_page_uri);
}

typedef int parse_fn(char *text, size_t len, enum twilio_list_kind kind,
		     struct twilio_page *ret_page);

static void parse(parse_fn *fn, enum twilio_list_kind kind, const uint8_t *data, size_t size)
{
	struct twilio_page page = TWILIO_PAGE_INIT;
	char *text = fuzz_text(data, size);

	if (fn(text, size, kind, &page) == 0)
		check_page(&page);
	twilio_page_release(&page);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(twilio_page_parse, TWILIO_LIST_RECORDINGS, data, size);
	parse(twilio_page_parse, TWILIO_LIST_CALLS, data, size);
	parse(twilio_resource_parse, TWILIO_LIST_RECORDINGS, data, size);
	parse(twilio_resource_parse, TWILIO_LIST_CALLS, data, size);
	return 0;
}
