/* Media: requests, judging answers, and learning size and channels from servers of every kind. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper_http.h"
#include "helper_server.h"
#include "twilio/twilio-private.h"
#include "util/times.h"

#define AC "ACaaaabbbbccccddddeeeeffff00001111"
#define RE1 "RE0123456789abcdef0123456789abcdef"
#define ROOT "/2010-04-01/Accounts/" AC
#define STEREO ROOT "/Recordings/" RE1 ".wav?RequestedChannels=2"
#define BARE ROOT "/Recordings/" RE1 ".wav"
#define LIMIT ((int64_t)100 << 20)

/* How the server gives a file. */
struct origin {
	size_t size_bytes;
	size_t junk_bytes; /* of a chunk before fmt */
	int channels;
	bool is_mono; /* RequestedChannels=2: 400, 16113 */
	bool ignores_range, ignores_head, chunked, total_unknown, no_length_in_head;
	unsigned missing;       /* 404 to so many media requests at first */
	unsigned processing;    /* 21501 to so many */
	unsigned pages;         /* HTML with status 200 to so many */
	const char *told_bytes; /* as the size, whatever it is */
	bool is_endless;        /* no length, and chunks for ever */
	bool is_empty;          /* no byte; a Range gets 416 */
	const char *type, *etag, *metadata;
};

struct fixture {
	struct origin origin;
	struct helper_server *server;
	struct http *http;
	struct twilio_client *client;
	struct sid sid;
	struct twilio_media_info info;
	struct remote_error error;
};

static pthread_mutex_t origin_lock = PTHREAD_MUTEX_INITIALIZER; /* answers, and set_origin */

static void put_u32(char *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (char)(v >> 8 * i);
}

static char *make_file(const struct origin *origin)
{
	char *file = calloc(1, origin->size_bytes + 1), *p = file;

	memcpy(p, "RIFF....WAVE", 12);
	put_u32(p + 4, origin->size_bytes - 8);
	p += 12;
	if (origin->junk_bytes) {
		memcpy(p, "JUNK", 4);
		put_u32(p + 4, origin->junk_bytes - 8);
		p += origin->junk_bytes;
	}
	memcpy(p, "fmt \x10\0\0\0\1\0", 10);
	p[10] = (char)origin->channels;
	put_u32(p + 12, 8000);
	put_u32(p + 16, (size_t)16000 * (size_t)origin->channels);
	p[22] = 16;
	memcpy(p + 24, "data", 4);
	put_u32(p + 28, origin->size_bytes - (size_t)(p + 32 - file));
	return file;
}

static void give(int fd, const struct origin *origin, const char *body, size_t n, bool head_only)
{
	char size[32];

	if (!origin->chunked) {
		helper_send(fd, body, head_only ? 0 : n);
		return;
	}
	for (size_t at = 0; !head_only && at < n; at += 5000) {
		size_t piece = n - at < 5000 ? n - at : 5000;

		snprintf(size, sizeof size, "%zx\r\n", piece);
		if (!helper_send_str(fd, size) || !helper_send(fd, body + at, piece) ||
		    !helper_send_str(fd, "\r\n"))
			return;
	}
	if (!head_only)
		helper_send_str(fd, "0\r\n\r\n");
}

static enum helper_then give_for_ever(int fd, const struct origin *origin)
{
	static char zeros[65536];
	char *file = make_file(origin);
	bool is_sent = helper_send_str(fd, "HTTP/1.1 200 OK\r\nContent-Type: audio/x-wav\r\n"
					   "Connection: close\r\n\r\n") &&
		       helper_send(fd, file, origin->size_bytes);

	while (is_sent)
		is_sent = helper_send(fd, zeros, sizeof zeros);
	free(file);
	return HELPER_CLOSE;
}

static enum helper_then answer_locked(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg)
{
	struct origin *origin = arg;
	bool is_head = strncmp(request->head, "HEAD ", 5) == 0;
	const char *range = helper_header(request, "Range");
	size_t first = 0, last = origin->size_bytes - 1;
	char head[700], length[64], etag[64] = "", content_range[100] = "", total[32];
	char *file;

	if (strstr(request->head, ".json")) {
		helper_answer(fd, origin->metadata ? 200 : 404, NULL,
			      origin->metadata ? origin->metadata : "");
		return HELPER_KEEP;
	}
	if (origin->missing) {
		origin->missing--;
		helper_answer(fd, 404, "Content-Type: application/xml\r\n", "<TwilioResponse/>");
		return HELPER_KEEP;
	}
	if (origin->processing) {
		origin->processing--;
		helper_answer(
			fd, 400, "Retry-After: 1\r\n",
			"<TwilioResponse><RestException><Code>21501</Code></RestException></TwilioResponse>");
		return HELPER_KEEP;
	}
	if (origin->pages) {
		origin->pages--;
		helper_answer(fd, 200, "Content-Type: text/html\r\n", "<html>log in</html>");
		return HELPER_KEEP;
	}
	if (origin->is_endless)
		return give_for_ever(fd, origin);
	if (origin->is_mono && strstr(request->head, "RequestedChannels=2")) {
		helper_answer(fd, 400, "Content-Type: application/json\r\n", "{\"code\":16113}");
		return HELPER_KEEP;
	}
	if (is_head && origin->ignores_head) {
		helper_send_str(fd, "HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n");
		return HELPER_KEEP;
	}
	if (range && origin->is_empty) {
		helper_answer(fd, 416, "Content-Range: bytes */0\r\n", "");
		return HELPER_KEEP;
	}
	if (origin->is_empty) {
		helper_answer(fd, 200, "Content-Type: audio/x-wav\r\n", "");
		return HELPER_KEEP;
	}
	if (origin->ignores_range)
		range = NULL;
	if (range && sscanf(range, "bytes=%zu-%zu", &first, &last) == 2 &&
	    last >= origin->size_bytes)
		last = origin->size_bytes - 1;
	if (origin->told_bytes)
		snprintf(total, sizeof total, "%s", origin->told_bytes);
	else
		snprintf(total, sizeof total, "%zu", origin->size_bytes);
	if (range)
		snprintf(content_range, sizeof content_range, "Content-Range: bytes %zu-%zu/%s\r\n",
			 first, last, origin->total_unknown ? "*" : total);
	if (origin->etag)
		snprintf(etag, sizeof etag, "ETag: %s\r\n", origin->etag);
	if (origin->told_bytes && !range)
		snprintf(length, sizeof length, "Content-Length: %s\r\n", origin->told_bytes);
	else
		snprintf(length, sizeof length, "Content-Length: %zu\r\n", last + 1 - first);
	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%s%s%s\r\n",
		 range ? "206 Partial Content" : "200 OK",
		 origin->type ? origin->type : "audio/x-wav",
		 is_head && origin->no_length_in_head ? ""
		 : origin->chunked && !is_head        ? "Transfer-Encoding: chunked\r\n"
						      : length,
		 content_range, etag);
	helper_send_str(fd, head);
	file = make_file(origin);
	give(fd, origin, file + first, last + 1 - first, is_head);
	free(file);
	return HELPER_KEEP;
}

static enum helper_then answer_media(struct helper_server *server, int fd,
				     const struct helper_request *request, void *arg)
{
	enum helper_then then;

	pthread_mutex_lock(&origin_lock);
	then = answer_locked(server, fd, request, arg);
	pthread_mutex_unlock(&origin_lock);
	return then;
}

/* Where an answer that was given up may still be under way. */
static void set_origin(struct fixture *f, struct origin origin)
{
	pthread_mutex_lock(&origin_lock);
	f->origin = origin;
	pthread_mutex_unlock(&origin_lock);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct twilio_settings settings = { .account_sid = AC,
					    .secret = "x",
					    .total_timeout_msecs = 12000 };

	f->origin = (struct origin){ .size_bytes = 320044, .channels = 2 };
	f->server = helper_server_new(answer_media, &f->origin);
	f->http = helper_http_new(NULL);
	settings.base_url = helper_server_url(f->server, "");
	assert_int_equal(twilio_client_new(f->http, &settings, &f->client), 0);
	sid_parse(RE1, "RE", &f->sid);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	twilio_client_free(f->client);
	http_free(f->http);
	helper_server_free(f->server);
	free(f);
	return 0;
}

static int probe(struct fixture *f, int channels_hint)
{
	return twilio_probe_media(f->client, &f->sid, false, channels_hint, LIMIT, &f->info,
				  &f->error);
}

static void assert_request(struct fixture *f, unsigned number, const char *line, const char *range)
{
	const struct helper_request *request = helper_server_request(f->server, number);

	if (strncmp(request->head, line, strlen(line)) != 0 || request->head[strlen(line)] != ' ')
		fail_msg("expected %s, got %.200s", line, request->head);
	if (range)
		assert_string_equal(helper_header(request, "Range"), range);
	else
		assert_null(helper_header(request, "Range"));
}

static void assert_learned(struct fixture *f, int64_t size_bytes, int requested, int stored)
{
	assert_int_equal(f->error.kind, REMOTE_OK);
	assert_int_equal(f->info.size_bytes, size_bytes);
	assert_int_equal(f->info.channels_requested, requested);
	assert_int_equal(f->info.channels_stored, stored);
}

/* ---- requests ---- */

static const char *header_of(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (strcmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	}
	return NULL;
}

static void test_twilio__media_is_asked_for_in_two_channels(void **state)
{
	struct fixture *f = *state;
	struct twilio_request_memory *memory;
	struct http_request request;

	assert_int_equal(
		twilio_request_media(f->client, &f->sid, 2, 0, -1, NULL, &request, &memory), 0);
	assert_string_equal(request.url, helper_server_url(f->server, STEREO));
	assert_int_equal(request.method, HTTP_GET);
	assert_int_equal(strncmp(header_of(&request, "Authorization"), "Basic ", 6), 0);
	assert_null(header_of(&request, "Range"));
	assert_null(header_of(&request, "If-Match"));
	assert_in_range(request.max_redirects, 1, 5);
	twilio_request_memory_free(memory);

	/* an unknown number of channels is two, too */
	assert_int_equal(
		twilio_request_media(f->client, &f->sid, 0, 0, -1, NULL, &request, &memory), 0);
	assert_string_equal(request.url, helper_server_url(f->server, STEREO));
	twilio_request_memory_free(memory);

	assert_int_equal(
		twilio_request_media(f->client, &f->sid, 1, 5, -1, "abc", &request, &memory), 0);
	assert_string_equal(request.url, helper_server_url(f->server, BARE));
	assert_string_equal(header_of(&request, "Range"), "bytes=5-");
	assert_string_equal(header_of(&request, "If-Match"), "\"abc\"");
	twilio_request_memory_free(memory);

	assert_int_equal(
		twilio_request_media(f->client, &f->sid, 1, 10, 20, "\"q\"", &request, &memory), 0);
	assert_string_equal(header_of(&request, "Range"), "bytes=10-29");
	assert_string_equal(header_of(&request, "If-Match"), "\"q\"");
	twilio_request_memory_free(memory);

	assert_int_equal(twilio_request_media(f->client, &f->sid, 2, -1, -1, NULL, &request,
					      &memory),
			 -EINVAL);
	assert_int_equal(twilio_request_media(f->client, &f->sid, 2, 0, 0, NULL, &request, &memory),
			 -EINVAL);
}

/* ---- judging ---- */

static void test_twilio__nothing_but_recordings_is_believed(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
		bool is_encrypted;
		enum remote_kind kind;
	} cases[] = {
		{ 200, "audio/x-wav", "", false, REMOTE_OK },
		{ 200, "Audio/WAV; rate=8000", "RIFF....WAVEfmt ", false, REMOTE_OK },
		{ 206, "audio/wav", "\1\2\3\4", false,
		  REMOTE_OK }, /* not the start: nothing to see */
		{ 200, "audio/x-wav", "<?xml version", false, REMOTE_INVALID },
		{ 200, "audio/x-wav", "ID3", false, REMOTE_INVALID },
		{ 200, "audio/mpeg", "", false, REMOTE_INVALID },
		{ 200, "text/html", "RIFF....WAVEfmt ", false, REMOTE_INVALID },
		{ 200, "application/xml", "", false, REMOTE_INVALID },
		{ 200, "application/json", "", false, REMOTE_INVALID },
		{ 200, NULL, "RIFF....WAVEfmt ", false, REMOTE_INVALID },
		{ 200, "application/octet-stream", "", false, REMOTE_INVALID },
		{ 200, "application/octet-stream", "\x9c\x01", true, REMOTE_OK },
		{ 200, "audio/x-wav", "\x9c\x01", true, REMOTE_OK },
		{ 200, "audio/x-wav", "<?xml version='1.0'?><TwilioResponse>", true,
		  REMOTE_INVALID },
		{ 200, "audio/x-wav", "<!DOCTYPE html>", true, REMOTE_INVALID },
		{ 200, "audio/x-wav", "<\x01\x02\x03\x04", true, REMOTE_OK },
		{ 200, "text/plain", "", true, REMOTE_INVALID },
		{ 200, "application/xml", "", true, REMOTE_INVALID },
		{ 200, "application/problem+json", "", true, REMOTE_INVALID },
		{ 200, NULL, "", true, REMOTE_INVALID },
		{ 204, "audio/x-wav", "", false, REMOTE_INVALID },
		{ 302, "audio/x-wav", "", false, REMOTE_INVALID },
		{ 404, "application/xml", "", false, REMOTE_NOT_FOUND },
		{ 400, "audio/x-wav", "{\"code\":16113}", false, REMOTE_REJECTED },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct http_header type = { "Content-Type", cases[i].type };
		const struct http_response response = { cases[i].status, -1, &type,
							cases[i].type ? 1 : 0 };
		struct remote_error error;

		twilio_judge_media(&response, cases[i].is_encrypted, cases[i].body,
				   strlen(cases[i].body), &error);
		if (error.kind != cases[i].kind)
			fail_msg("case %zu: %s", i, error.message);
		assert_int_equal(error.error == 0, error.kind == REMOTE_OK);
	}
}

static void test_twilio__etags_lose_their_quotes_and_weak_ones_are_none(void **state)
{
	char etag[16];

	twilio_etag_copy("\"abc\"", etag, sizeof etag);
	assert_string_equal(etag, "abc");
	twilio_etag_copy("W/\"abc\"", etag, sizeof etag);
	assert_string_equal(etag, "");
	twilio_etag_copy("\"0123456789abcdef\"", etag, sizeof etag);
	assert_string_equal(etag, "");
	twilio_etag_copy(NULL, etag, sizeof etag);
	assert_string_equal(etag, "");
	twilio_etag_copy("\"", etag, sizeof etag);
	assert_string_equal(etag, "");
}

/* ---- probing ---- */

static void test_twilio__a_range_tells_the_size_in_one_request(void **state)
{
	struct fixture *f = *state;

	f->origin.etag = "\"e1\"";
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_string_equal(f->info.etag, "e1");
	assert_int_equal(helper_server_requests(f->server), 1);
	assert_request(f, 0, "GET " STEREO, "bytes=0-4095");
}

static void test_twilio__a_mono_recording_is_asked_for_bare_and_remembered(void **state)
{
	struct fixture *f = *state;

	f->origin.is_mono = true;
	f->origin.channels = 1;
	assert_int_equal(probe(f, 2), 0);
	assert_learned(f, 320044, 1, 1);
	assert_int_equal(helper_server_requests(f->server), 2);
	assert_request(f, 0, "GET " STEREO, "bytes=0-4095");
	assert_request(f, 1, "GET " BARE, "bytes=0-4095");
	assert_int_equal(probe(f, 1), 0);
	assert_request(f, 2, "GET " BARE, "bytes=0-4095");
}

static void test_twilio__a_downmix_without_16113_is_reported_as_it_is(void **state)
{
	struct fixture *f = *state;

	f->origin.channels = 1;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 1);
}

static void test_twilio__a_length_is_taken_without_reading_the_rest(void **state)
{
	struct fixture *f = *state;

	f->origin.ignores_range = true;
	f->origin.size_bytes = 60000044;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 60000044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 1);
}

static void test_twilio__chunks_without_a_length_are_followed_by_head(void **state)
{
	struct fixture *f = *state;

	f->origin.ignores_range = f->origin.chunked = true;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 2);
	assert_request(f, 1, "HEAD " STEREO, NULL);
}

static void test_twilio__a_server_that_tells_nothing_is_read_to_the_end(void **state)
{
	struct fixture *f = *state;

	f->origin.ignores_range = f->origin.chunked = f->origin.ignores_head = true;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 3);
	assert_request(f, 2, "GET " STEREO, NULL);

	f->origin.ignores_head = false;
	f->origin.no_length_in_head = true;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 6);
}

static void test_twilio__a_range_without_a_total_is_followed_by_head(void **state)
{
	struct fixture *f = *state;

	f->origin.total_unknown = true;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_request(f, 1, "HEAD " STEREO, NULL);
}

static void test_twilio__a_format_behind_much_junk_is_found(void **state)
{
	struct fixture *f = *state;

	f->origin.junk_bytes = 20000;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_request(f, 1, "GET " STEREO, "bytes=0-65535");
	f->origin.junk_bytes = 100000;
	assert_int_equal(probe(f, 0), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
}

static void test_twilio__a_head_without_a_sound_is_a_size_and_no_byte_is_none(void **state)
{
	struct fixture *f = *state;

	f->origin.size_bytes = 44;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 44, 2, 2);
	f->origin.is_empty = true;
	assert_int_equal(probe(f, 0), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_request(f, 2, "GET " STEREO, NULL);
}

static void test_twilio__ciphertext_is_measured_and_not_parsed(void **state)
{
	struct fixture *f = *state;

	f->origin.type = "application/octet-stream";
	assert_int_equal(
		twilio_probe_media(f->client, &f->sid, true, 0, LIMIT, &f->info, &f->error), 0);
	assert_learned(f, 320044, 2, 0);
	assert_int_equal(probe(f, 0), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
}

/* By a range's total, by a length, by HEAD, and where nothing but counting tells. */
static void test_twilio__a_size_that_cannot_be_is_not_believed(void **state)
{
	static const char *const told[] = { "104857601", "70368744177664", "9000000000000000000" };
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		struct origin origin = { .size_bytes = 320044,
					 .channels = 2,
					 .told_bytes = told[i] };

		set_origin(f, origin);
		assert_int_equal(probe(f, 0), -EFBIG);
		assert_int_equal(f->error.kind, REMOTE_INVALID);
		assert_int_equal(f->info.size_bytes, -1);
		origin.ignores_range = true;
		set_origin(f, origin);
		assert_int_equal(probe(f, 0), -EFBIG);
		origin.ignores_range = false;
		origin.total_unknown = true;
		set_origin(f, origin);
		assert_int_equal(probe(f, 0), -EFBIG);
		assert_int_equal(helper_server_requests(f->server), (i + 1) * 4);
	}
	set_origin(f, (struct origin){
			      .size_bytes = 320044, .channels = 2, .told_bytes = "104857600" });
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, LIMIT, 2, 2);
	set_origin(f, (struct origin){ .size_bytes = 320044, .channels = 2, .is_endless = true });
	assert_int_equal(probe(f, 0), -EFBIG);
}

static void test_twilio__a_wrong_answer_is_asked_again_a_few_times(void **state)
{
	struct fixture *f = *state;

	f->origin.pages = 2;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 3);
	f->origin.pages = 100;
	assert_int_equal(probe(f, 0), -EIO);
	assert_int_equal(f->error.kind, REMOTE_INVALID);
	assert_int_equal(helper_server_requests(f->server), 6);
}

static void test_twilio__a_404_of_a_fresh_recording_is_asked_again(void **state)
{
	struct fixture *f = *state;
	char metadata[300], date[64];
	time_t now = (time_t)time_now_secs();
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	snprintf(metadata, sizeof metadata,
		 "{\"sid\":\"%s\",\"status\":\"completed\",\"date_updated\":\"%s\"}", RE1, date);
	f->origin.metadata = metadata;
	f->origin.missing = 2;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_int_equal(helper_server_requests(f->server), 4);
	assert_request(f, 1, "GET " ROOT "/Recordings/" RE1 ".json?IncludeSoftDeleted=true", NULL);
}

static void test_twilio__a_404_of_what_is_deleted_is_believed_at_once(void **state)
{
	struct fixture *f = *state;

	f->origin.missing = 100;
	f->origin.metadata = "{\"sid\":\"" RE1 "\",\"status\":\"deleted\"}";
	assert_int_equal(probe(f, 0), -ENOENT);
	assert_int_equal(f->error.kind, REMOTE_NOT_FOUND);
	assert_int_equal(helper_server_requests(f->server), 2);
	f->origin.metadata = NULL;
	assert_int_equal(probe(f, 0), -ENOENT);
	assert_int_equal(helper_server_requests(f->server), 4);
	f->origin.metadata = "{\"sid\":\"" RE1 "\",\"status\":\"completed\","
			     "\"media_url\":\"https://bucket.s3.amazonaws.com/x\"}";
	assert_int_equal(probe(f, 0), -ENOENT);
	assert_non_null(strstr(f->error.message, "external"));
	f->origin.metadata = "{\"sid\":\"" RE1 "\",\"status\":\"processing\"}";
	assert_int_equal(probe(f, 0), -EBUSY);
	assert_int_equal(f->error.kind, REMOTE_BUSY);
}

static void test_twilio__what_is_still_processing_is_asked_again_after_its_time(void **state)
{
	struct fixture *f = *state;
	int64_t start = time_mono_msecs();

	f->origin.processing = 1;
	assert_int_equal(probe(f, 0), 0);
	assert_learned(f, 320044, 2, 2);
	assert_true(time_mono_msecs() - start >= 1000);
	assert_int_equal(helper_server_requests(f->server), 2);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(test_twilio__media_is_asked_for_in_two_channels),
		cmocka_unit_test(test_twilio__nothing_but_recordings_is_believed),
		cmocka_unit_test(test_twilio__etags_lose_their_quotes_and_weak_ones_are_none),
		with_server(test_twilio__a_range_tells_the_size_in_one_request),
		with_server(test_twilio__a_mono_recording_is_asked_for_bare_and_remembered),
		with_server(test_twilio__a_downmix_without_16113_is_reported_as_it_is),
		with_server(test_twilio__a_length_is_taken_without_reading_the_rest),
		with_server(test_twilio__chunks_without_a_length_are_followed_by_head),
		with_server(test_twilio__a_server_that_tells_nothing_is_read_to_the_end),
		with_server(test_twilio__a_range_without_a_total_is_followed_by_head),
		with_server(test_twilio__a_format_behind_much_junk_is_found),
		with_server(test_twilio__a_head_without_a_sound_is_a_size_and_no_byte_is_none),
		with_server(test_twilio__ciphertext_is_measured_and_not_parsed),
		with_server(test_twilio__a_size_that_cannot_be_is_not_believed),
		with_server(test_twilio__a_wrong_answer_is_asked_again_a_few_times),
		with_server(test_twilio__a_404_of_a_fresh_recording_is_asked_again),
		with_server(test_twilio__a_404_of_what_is_deleted_is_believed_at_once),
		with_server(test_twilio__what_is_still_processing_is_asked_again_after_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
