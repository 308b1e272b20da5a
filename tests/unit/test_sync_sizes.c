/* Sizes learned in the background, and the service that keeps a mounted process up to date. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "catalog/campaign.h"
#include "catalog/size.h"
#include "helper_http.h"
#include "helper_server.h"
#include "jobs/job.h"
#include "sync/sync-private.h"
#include "util/log.h"
#include "util/times.h"

#define AC "AC000102030405060708090a0b0c0d0e0f"
#define FILES 200

enum how { HOW_WELL, HOW_MONO, HOW_GONE, HOW_EMPTY, HOW_HTML };

struct fixture {
	char dir[64];
	struct db_key key;
	struct catalog *catalog;
	int64_t workspace, campaign;
	struct helper_server *server;
	struct http *http;
	struct sync_env env;
	struct cancel cancel;

	pthread_mutex_t lock; /* guards what follows */
	enum how how[FILES];
	unsigned asked[FILES];
	unsigned order[FILES],
		order_count; /* files in the order in which they were first asked for */
	unsigned busy;       /* 429 to so many media requests */
	unsigned status;     /* of everything, unless 0 */
	unsigned lists;
};

static const char *fake_list(const char *line)
{
	return strstr(line, "/Calls.json") ? "{\"calls\":[],\"next_page_uri\":null}"
					   : "{\"recordings\":[],\"next_page_uri\":null}";
}

static enum helper_then answer_media(struct fixture *f, int fd, const char *line, unsigned n)
{
	char head[300], wav[45] = "RIFF\x24\x00\x00\x00WAVEfmt \x10";
	enum how how = f->how[n];
	size_t size = 100000 + n;

	if (how == HOW_HTML) {
		helper_answer(fd, 200, "Content-Type: text/html\r\n", "<html>");
		return HELPER_KEEP;
	}
	if (how == HOW_MONO && strstr(line, "RequestedChannels")) {
		helper_answer(fd, 400, NULL, "{\"code\":16113}");
		return HELPER_KEEP;
	}
	wav[20] = 1;
	wav[22] = how == HOW_MONO ? 1 : 2;
	memcpy(wav + 36, "data", 4);
	wav[40] = 1;
	if (how == HOW_EMPTY)
		size = 44;
	snprintf(head, sizeof head,
		 "HTTP/1.1 206 OK\r\nContent-Type: audio/x-wav\r\nContent-Range: bytes 0-43/%zu\r\n"
		 "Content-Length: 44\r\n\r\n",
		 size);
	helper_send_str(fd, head);
	helper_send(fd, wav, 44);
	return HELPER_KEEP;
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct fixture *f = arg;
	const char *line = request->head, *at = strstr(line, "/Recordings/RE");
	enum helper_then then = HELPER_KEEP;
	unsigned n = 0, status;

	pthread_mutex_lock(&f->lock);
	status = f->status;
	if (at && sscanf(at + strlen("/Recordings/RE") + 24, "%8x", &n) == 1 &&
	    strstr(line, ".wav") && !status) {
		if (f->asked[n]++ == 0)
			f->order[f->order_count++] = n;
		if (f->busy) {
			f->busy--;
			status = 429;
		} else if (f->how[n] == HOW_GONE) {
			status = 404;
		}
	} else if (at && !status) {
		status = 404;
	}
	f->lists += !at;
	pthread_mutex_unlock(&f->lock);
	if (status)
		helper_answer(fd, (int)status, NULL, "");
	else if (!at)
		helper_answer(fd, 200, NULL, fake_list(line));
	else
		then = answer_media(f, fd, line, n);
	return then;
}

static struct sid sid_of(unsigned n)
{
	struct sid sid = { { 0 } };

	/* 24 hex digits that are spread, 8 that count */
	for (int i = 0; i < 4; i++)
		sid.bytes[i] = (uint8_t)((n + 1) * 2654435761u >> 8 * i);
	for (int i = 0; i < 4; i++)
		sid.bytes[15 - i] = (uint8_t)(n >> 8 * i);
	return sid;
}

static void add_files(struct fixture *f, unsigned first, unsigned count, const char *to)
{
	for (unsigned n = first; n < first + count; n++) {
		struct catalog_call_input call = { .sid = sid_of(n),
						   .from = "+15551230000",
						   .to = to,
						   .direction = "inbound",
						   .status = "completed",
						   .start_secs = 1772352900 + n,
						   .duration_secs = 5,
						   .is_finished = true };
		struct catalog_recording_input recording = { .sid = sid_of(n),
							     .call_sid = sid_of(n),
							     .is_completed = true,
							     .duration_secs = 5,
							     .date_created_secs = 1772352900 + n,
							     .start_time_secs = 1772352900 + n };

		assert_int_equal(catalog_calls_apply(f->catalog, f->workspace, &call, 1, NULL), 0);
		assert_int_equal(
			catalog_recordings_apply(f->catalog, f->workspace, &recording, 1, NULL), 0);
	}
}

static struct catalog_recording get(struct fixture *f, unsigned n)
{
	struct sid sid = sid_of(n);
	struct catalog_recording recording;

	assert_int_equal(catalog_recording_find(f->catalog, &sid, &recording), 0);
	return recording;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct catalog_workspace w = { .name = "acme", .poll_secs = 300 };
	const char *number = "+15550001111";
	char path[128], message[CATALOG_MESSAGE_SIZE];

	pthread_mutex_init(&f->lock, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(f->dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof path, "%s/catalog.db", f->dir);
	f->key.bytes[0] = 7;
	assert_int_equal(catalog_create(path, &f->key, message), 0);
	assert_int_equal(catalog_open(path, &f->key, &f->catalog, message), 0);
	f->server = helper_server_new(answer, f);
	f->http = helper_http_new(NULL);
	assert_int_equal(sid_parse(AC, "AC", &w.account_sid), 0);
	strcpy(w.twilio_url, helper_server_url(f->server, ""));
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "secret", &f->workspace, message),
			 0);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace, "spring", &number, 1,
					      &f->campaign, message),
			 0);
	f->env = (struct sync_env){ f->catalog, f->http, &f->cancel };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	http_free(f->http);
	helper_server_free(f->server);
	catalog_close(f->catalog);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void test_sync__every_size_is_learned_once(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 150, "+15550001111");
	f->how[7] = HOW_MONO;
	assert_int_equal(sync_sizes(&f->env, &learned), 0);
	assert_int_equal(learned, 150);
	for (unsigned n = 0; n < 150; n++) {
		struct catalog_recording r = get(f, n);

		assert_int_equal(r.size_bytes, 100000 + n);
		assert_int_equal(r.channels_requested, n == 7 ? 1 : 2);
		assert_int_equal(r.channels_stored, n == 7 ? 1 : 2);
		assert_int_equal(f->asked[n], n == 7 ? 2 : 1);
	}
	assert_int_equal(sync_sizes(&f->env, &learned), 0);
	assert_int_equal(learned, 0);
	assert_int_equal(f->asked[0], 1);
}

static void test_sync__a_folder_that_somebody_looks_at_comes_first(void **state)
{
	struct fixture *f = *state;
	struct sync_sizer *sizer;
	int64_t learned;
	bool left;

	add_files(f, 0, 100, "+15559999999");
	add_files(f, 100, 20, "+15550001111");
	catalog_folder_want_sizes(f->catalog, f->campaign);
	assert_int_equal(sync_sizer_new(&f->env, &sizer), 0);
	assert_int_equal(sync_sizer_step(sizer, &learned, &left), 0);
	assert_true(left);
	assert_in_range(learned, 20, 99);
	for (unsigned n = 100; n < 120; n++)
		assert_int_equal(get(f, n).size_bytes, 100000 + n);
	sync_sizer_free(sizer);
}

static void test_sync__what_cannot_be_learned_is_left_and_hides_no_other(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 80, "+15550001111");
	for (unsigned n = 0; n < 70; n++)
		f->how[n] = n % 8 ? HOW_EMPTY : HOW_HTML;
	assert_int_equal(sync_sizes(&f->env, &learned), -EIO);
	assert_int_equal(learned, 10);
	for (unsigned n = 0; n < 70; n++) {
		assert_int_equal(get(f, n).size_bytes, -1);
		/* A page may be one of something on the way. */
		assert_int_equal(f->asked[n], n % 8 ? 1 : 3);
	}
	assert_int_equal(get(f, 75).size_bytes, 100075);
}

static void test_sync__a_recording_that_turns_out_to_be_gone_leaves_the_tree(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 5, "+15550001111");
	f->how[3] = HOW_GONE;
	assert_int_equal(sync_sizes(&f->env, &learned), 0);
	assert_int_equal(learned, 4);
	assert_int_equal(get(f, 3).state, CATALOG_STATE_MISSING);
	assert_false(get(f, 3).is_listed);
}

static void test_sync__a_busy_twilio_gets_its_pause_and_then_all_is_learned(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 30, "+15550001111");
	f->busy = 6;
	assert_int_equal(sync_sizes(&f->env, &learned), 0);
	assert_int_equal(learned, 30);
}

static void test_sync__a_refused_key_is_not_tried_with_every_file(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 200, "+15550001111");
	f->status = 401;
	assert_int_equal(sync_sizes(&f->env, &learned), -EACCES);
	assert_int_equal(learned, 0);
	assert_true(helper_server_requests(f->server) <= 64);
}

static void test_sync__learning_stops_when_it_is_cancelled(void **state)
{
	struct fixture *f = *state;
	int64_t learned;

	add_files(f, 0, 10, "+15550001111");
	cancel_set(&f->cancel);
	assert_int_equal(sync_sizes(&f->env, &learned), -ECANCELED);
	assert_int_equal(learned, 0);
	assert_int_equal(helper_server_requests(f->server), 0);
}

/* ---- the service ---- */

static bool wait_for_poll(struct fixture *f, int64_t after_secs)
{
	for (int i = 0; i < 100; i++) {
		const struct timespec nap = { 0, 100000000 };
		struct catalog_sync_state s;

		assert_int_equal(catalog_sync_state_get(f->catalog, f->workspace, &s), 0);
		if (s.last_poll_secs > after_secs)
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

static void test_sync__the_service_polls_learns_and_stops_at_once(void **state)
{
	struct fixture *f = *state;
	struct sync_service *service;
	int64_t began;

	add_files(f, 0, 20, "+15550001111");
	assert_int_equal(sync_service_start(f->catalog, f->http, &service), 0);
	assert_true(wait_for_poll(f, 0));
	for (int i = 0; i < 100 && get(f, 19).size_bytes < 0; i++)
		nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	assert_int_equal(get(f, 19).size_bytes, 100019);
	began = time_mono_msecs();
	sync_service_stop(service);
	assert_true(time_mono_msecs() - began < 2000);
	/* polled once; the interval is not over */
	assert_int_equal(f->lists, 2);
}

static void test_sync__of_two_services_one_polls(void **state)
{
	struct fixture *f = *state;
	struct sync_service *one, *two;
	struct catalog *again;
	char path[128], message[CATALOG_MESSAGE_SIZE];

	snprintf(path, sizeof path, "%s/catalog.db", f->dir);
	assert_int_equal(catalog_open(path, &f->key, &again, message), 0);
	assert_int_equal(sync_service_start(f->catalog, f->http, &one), 0);
	assert_int_equal(sync_service_start(again, f->http, &two), 0);
	assert_true(wait_for_poll(f, 0));
	nanosleep(&(struct timespec){ 1, 0 }, NULL);
	sync_service_stop(two);
	sync_service_stop(one);
	catalog_close(again);
	assert_int_equal(f->lists, 2);
}

static void test_sync__a_workspace_that_does_not_poll_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct catalog_workspace w;
	struct sync_service *service;

	assert_int_equal(catalog_workspace_get(f->catalog, f->workspace, &w), 0);
	w.poll_secs = 0;
	assert_int_equal(catalog_workspace_update(f->catalog, &w, NULL), 0);
	assert_int_equal(sync_service_start(f->catalog, f->http, &service), 0);
	nanosleep(&(struct timespec){ 1, 0 }, NULL);
	sync_service_stop(service);
	assert_int_equal(f->lists, 0);
}

#define with_twilio(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_twilio(test_sync__every_size_is_learned_once),
		with_twilio(test_sync__a_folder_that_somebody_looks_at_comes_first),
		with_twilio(test_sync__what_cannot_be_learned_is_left_and_hides_no_other),
		with_twilio(test_sync__a_recording_that_turns_out_to_be_gone_leaves_the_tree),
		with_twilio(test_sync__a_busy_twilio_gets_its_pause_and_then_all_is_learned),
		with_twilio(test_sync__a_refused_key_is_not_tried_with_every_file),
		with_twilio(test_sync__learning_stops_when_it_is_cancelled),
		with_twilio(test_sync__the_service_polls_learns_and_stops_at_once),
		with_twilio(test_sync__of_two_services_one_polls),
		with_twilio(test_sync__a_workspace_that_does_not_poll_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
