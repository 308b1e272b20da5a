/* Whole synchronisations of a catalog with a small Twilio in this process: what is learned,
 * followed, asked for, believed. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "catalog/callback.h"
#include "catalog/status.h"
#include "helper_db_faulty.h"
#include "helper_http.h"
#include "helper_server.h"
#include "sync/sync-private.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define AC "AC000102030405060708090a0b0c0d0e0f"
#define DAY 86400
#define ROWS 6000

struct row {
	int64_t at_secs;    /* date_created and start_time */
	const char *status; /* of the recording; NULL: none */
	const char *call_status;
	bool is_hidden;      /* no list shows the recording; by its SID it is there */
	bool is_gone;        /* nor is it there by its SID */
	bool call_is_hidden; /* no list shows the call */
	bool call_is_gone;
	int parent; /* 1-based row of the parent leg; 0: none */
};

struct fixture {
	char dir[64];
	struct catalog *catalog;
	int64_t workspace;
	struct helper_server *server;
	struct http *http;
	struct sync_env env;
	struct cancel cancel;
	struct sync_stats stats;
	struct remote_error error;
	unsigned progress_calls;

	pthread_mutex_t lock; /* guards what follows */
	struct row rows[ROWS];
	int count;
	int64_t now_secs;     /* of the server's Date */
	unsigned fail_status; /* of answers to lists */
	unsigned fail_after;  /* so many lists are answered before */
	unsigned page_limit;
	const char *fail_path; /* NULL: every list */
	unsigned cancel_after; /* requests; 0: never */
	unsigned requests;
};

/* ---- a small Twilio ---- */

static void make_sid(int row, const char *prefix, char text[SID_SIZE])
{
	/* spread, so that the catalog's inodes are, too */
	snprintf(text, SID_SIZE, "%s%08x%024x", prefix, (unsigned)(row + 1) * 2654435761u,
		 (unsigned)row);
}

static void add_time(struct buf *b, const char *name, int64_t secs)
{
	char text[64];
	time_t t = (time_t)secs;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_addf(b, "\"%s\":\"%s\",", name, text);
}

static void add_recording(struct buf *b, const struct fixture *f, int row)
{
	const struct row *r = &f->rows[row];
	char re[SID_SIZE], ca[SID_SIZE];

	make_sid(row, "RE", re);
	make_sid(row, "CA", ca);
	buf_addf(b, "{\"sid\":\"%s\",\"call_sid\":\"%s\",\"status\":\"%s\",\"duration\":\"10\",",
		 re, ca, r->status);
	add_time(b, "date_created", r->at_secs);
	add_time(b, "start_time", r->at_secs);
	buf_add_str(b, "\"channels\":2,\"source\":\"DialVerb\"}");
}

static void add_call(struct buf *b, const struct fixture *f, int row)
{
	const struct row *r = &f->rows[row];
	char ca[SID_SIZE], parent[SID_SIZE];

	make_sid(row, "CA", ca);
	buf_addf(b, "{\"sid\":\"%s\",", ca);
	if (r->parent) {
		make_sid(r->parent - 1, "CA", parent);
		buf_addf(b, "\"parent_call_sid\":\"%s\",", parent);
	}
	add_time(b, "start_time", r->at_secs);
	buf_addf(
		b,
		"\"from\":\"+1555100%04d\",\"to\":\"+15550001111\",\"direction\":\"inbound\",\"status\":\"%s\"}",
		row, r->call_status);
}

static int64_t bound(const char *line, const char *name)
{
	const char *at = strstr(line, name);
	char text[32] = "";
	int64_t secs = 0;

	if (!at)
		return 0;
	/* 2026-03-01T10%3A15%3A00Z */
	at += strlen(name);
	snprintf(text, sizeof text, "%.13s:%.2s:%.2sZ", at, at + 16, at + 21);
	assert_int_equal(time_parse_iso8601(text, &secs), 0);
	return secs;
}

/* Newest first, as Twilio does; the cursor is an index into the rows. Every bound belongs to the
 * window. */
static void add_list(struct buf *b, const struct fixture *f, const char *line)
{
	bool calls = strstr(line, "/Calls.json") != NULL;
	const char *filter = calls ? "StartTime" : "DateCreated";
	const char *token = strstr(line, "PageToken=");
	int row = token ? atoi(token + strlen("PageToken=")) : f->count - 1;
	char since_name[32], until_name[32];
	unsigned given = 0;
	int64_t since, until;

	snprintf(since_name, sizeof since_name, "%s%%3E=", filter);
	snprintf(until_name, sizeof until_name, "%s%%3C=", filter);
	since = bound(line, since_name);
	until = bound(line, until_name);
	buf_addf(b, "{\"%s\":[", calls ? "calls" : "recordings");
	for (; row >= 0 && given < f->page_limit; row--) {
		const struct row *r = &f->rows[row];

		if (r->at_secs < since || (until && r->at_secs > until))
			continue;
		if (calls ? r->call_is_hidden || r->call_is_gone
			  : !r->status || r->is_hidden || r->is_gone)
			continue;
		buf_add_str(b, given++ ? "," : "");
		if (calls)
			add_call(b, f, row);
		else
			add_recording(b, f, row);
	}
	buf_add_str(b, "],\"next_page_uri\":");
	if (row >= 0) {
		const char *query = strchr(line, '?');
		int len = (int)strcspn(query, " ");
		const char *old = strstr(query, "&PageToken=");

		if (old)
			len = (int)(old - query);
		buf_addf(b, "\"/2010-04-01/Accounts/" AC "/%s.json%.*s&PageToken=%d\"}",
			 calls ? "Calls" : "Recordings", len, query, row);
	} else {
		buf_add_str(b, "null}");
	}
}

static int row_of(const char *line, const char *kind)
{
	const char *at = strstr(line, kind);

	return at ? (int)strtol(at + strlen(kind) + 8, NULL, 16) : -1;
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct fixture *f = arg;
	const char *line = request->head;
	struct buf body = BUF_INIT, head = BUF_INIT;
	bool is_list = strstr(line, "PageSize=1000") != NULL;
	int status = 200, row;

	pthread_mutex_lock(&f->lock);
	f->requests++;
	if (f->cancel_after && f->requests > f->cancel_after)
		cancel_set(&f->cancel);
	if (is_list && f->fail_status && (!f->fail_path || strstr(line, f->fail_path))) {
		if (f->fail_after)
			f->fail_after--;
		else
			status = (int)f->fail_status;
	}
	if (status == 200 && is_list) {
		add_list(&body, f, line);
	} else if (status == 200 && (row = row_of(line, "/Recordings/RE")) >= 0) {
		if (row < f->count && !f->rows[row].is_gone)
			add_recording(&body, f, row);
		else
			status = 404;
	} else if (status == 200) {
		row = row_of(line, "/Calls/CA");
		if (row >= 0 && row < f->count && !f->rows[row].call_is_gone)
			add_call(&body, f, row);
		else
			status = 404;
	}
	if (f->now_secs) {
		add_time(&head, "x", f->now_secs);
		/* "x":"Sun, … +0000", -> Date: Sun, … +0000 */
		snprintf(head.data, head.capacity, "Date: %.*s\r\n", (int)(head.len - 7),
			 strdupa(head.data + 5));
	}
	pthread_mutex_unlock(&f->lock);
	helper_answer(fd, status, buf_str(&head),
		      status == 200 ? buf_str(&body) : "{\"code\":20404}");
	buf_release(&head);
	buf_release(&body);
	return HELPER_KEEP;
}

/* ---- fixture ---- */

static const struct db_key key = { { 7 } };

static void open_catalog(struct fixture *f)
{
	char path[128], message[CATALOG_MESSAGE_SIZE];

	snprintf(path, sizeof path, "%s/catalog.db", f->dir);
	assert_int_equal(catalog_open(path, &key, &f->catalog, message), 0);
	f->env = (struct sync_env){ f->catalog, f->http, &f->cancel };
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct catalog_workspace w = { .name = "acme", .poll_secs = 300 };
	char path[128], message[CATALOG_MESSAGE_SIZE];

	pthread_mutex_init(&f->lock, NULL);
	f->page_limit = 1000;
	f->now_secs = time_now_secs();
	strcpy(f->dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof path, "%s/catalog.db", f->dir);
	assert_int_equal(catalog_create(path, &key, message), 0);
	f->server = helper_server_new(answer, f);
	f->http = helper_http_new(NULL);
	open_catalog(f);
	assert_int_equal(sid_parse(AC, "AC", &w.account_sid), 0);
	strcpy(w.twilio_url, helper_server_url(f->server, ""));
	assert_int_equal(catalog_workspace_add(f->catalog, &w, "secret", &f->workspace, message),
			 0);
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

/* Rows `gap` seconds apart, the last one an hour ago. */
static void fill(struct fixture *f, int count, int64_t gap_secs)
{
	for (int i = 0; i < count; i++)
		f->rows[i] = (struct row){ .at_secs = time_now_secs() - 3600 -
						      (count - 1 - i) * gap_secs,
					   .status = "completed",
					   .call_status = "completed" };
	f->count = count;
}

static void on_progress(void *arg, const struct sync_stats *stats)
{
	struct fixture *f = arg;

	assert_true(stats->windows_done <= stats->windows_total);
	f->progress_calls++;
}

static int sync_as(struct fixture *f, enum sync_depth depth)
{
	const struct sync_options options = { .depth = depth };

	return sync_workspace(&f->env, f->workspace, &options, on_progress, f, &f->stats,
			      &f->error);
}

static void assert_listed(struct fixture *f, int64_t listed)
{
	struct catalog_status status;
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->workspace };

	assert_int_equal(catalog_status_get(f->catalog, scope, &status), 0);
	assert_int_equal(status.by_state[CATALOG_STATE_TWILIO], listed);
}

static enum catalog_state state_of(struct fixture *f, int row)
{
	struct catalog_recording recording;
	struct sid sid;
	char text[SID_SIZE];

	make_sid(row, "RE", text);
	assert_int_equal(sid_parse(text, "RE", &sid), 0);
	assert_int_equal(catalog_recording_find(f->catalog, &sid, &recording), 0);
	return recording.state;
}

static struct catalog_sync_state remembered(struct fixture *f)
{
	struct catalog_sync_state state;

	assert_int_equal(catalog_sync_state_get(f->catalog, f->workspace, &state), 0);
	return state;
}

/* ---- tests ---- */

static void test_sync__an_empty_account_is_complete_after_two_requests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_true(f->stats.is_full);
	assert_int_equal(f->stats.recordings_seen, 0);
	assert_int_equal(helper_server_requests(f->server), 2);
	assert_in_range(remembered(f).listed_until_secs, time_now_secs() - 120, time_now_secs());
	assert_true(f->progress_calls >= 1);
}

static void
test_sync__years_of_calls_are_all_learned_and_a_second_time_changes_nothing(void **state)
{
	struct fixture *f = *state;

	/* over four years, more than the months that are planned */
	fill(f, 6000, 6 * 3600);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_int_equal(f->error.kind, REMOTE_OK);
	assert_int_equal(f->stats.applied.recordings_new, 6000);
	assert_int_equal(f->stats.applied.calls_new, 6000);
	assert_int_equal(f->stats.windows_failed, 0);
	assert_int_equal(f->stats.windows_done, f->stats.windows_total);
	assert_true(f->stats.windows_total > 2);
	assert_int_equal(f->stats.undecided, 0);
	assert_listed(f, 6000);
	assert_int_equal(sync_as(f, SYNC_FULL), 0);
	assert_int_equal(f->stats.applied.recordings_new, 0);
	assert_int_equal(f->stats.applied.recordings_changed, 0);
	assert_int_equal(f->stats.applied.calls_changed, 0);
	assert_int_equal(f->stats.recordings_gone, 0);
	assert_listed(f, 6000);
}

static void test_sync__small_pages_are_followed_too(void **state)
{
	struct fixture *f = *state;

	f->page_limit = 7;
	fill(f, 200, 3600);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_listed(f, 200);
}

static void test_sync__a_poll_asks_for_a_window_and_finds_what_is_new(void **state)
{
	struct fixture *f = *state;
	unsigned before;

	fill(f, 300, 3600);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	f->rows[f->count++] =
		(struct row){ time_now_secs(), "completed", "completed", .parent = 0 };
	before = helper_server_requests(f->server);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_false(f->stats.is_full);
	assert_int_equal(helper_server_requests(f->server), before + 2);
	assert_int_equal(f->stats.applied.recordings_new, 1);
	assert_true(f->stats.recordings_seen < 10);
	assert_listed(f, 301);
}

static void test_sync__what_was_not_finished_is_followed_until_it_is(void **state)
{
	struct fixture *f = *state;

	fill(f, 50, 3600);
	/* older than the overlap, both */
	f->rows[30].status = "in-progress";
	f->rows[20].call_status = "in-progress";
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_listed(f, 49);
	assert_int_equal(sync_as(f, SYNC_POLL), 0);
	assert_listed(f, 49);
	f->rows[30].status = "completed";
	f->rows[20].call_status = "completed";
	assert_int_equal(sync_as(f, SYNC_POLL), 0);
	assert_false(f->stats.is_full);
	assert_int_equal(f->stats.applied.calls_changed, 1);
	assert_int_equal(f->stats.applied.recordings_changed, 1);
	assert_listed(f, 50);
	/* and then no longer */
	assert_int_equal(sync_as(f, SYNC_POLL), 0);
	assert_true(f->stats.recordings_seen < 5);
}

static void test_sync__a_recording_that_no_list_shows_is_asked_for_by_its_sid(void **state)
{
	struct fixture *f = *state;

	fill(f, 100, DAY);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	f->rows[10].is_hidden = true;
	f->rows[11].is_gone = true;
	f->rows[12].status = "deleted";
	assert_int_equal(sync_as(f, SYNC_FULL), 0);
	assert_int_equal(f->stats.recordings_gone, 1);
	assert_int_equal(state_of(f, 10), CATALOG_STATE_TWILIO);
	assert_int_equal(state_of(f, 11), CATALOG_STATE_MISSING);
	assert_int_equal(state_of(f, 12), CATALOG_STATE_MISSING);
	assert_listed(f, 98);
	/* and it may come back */
	f->rows[12].status = "completed";
	assert_int_equal(sync_as(f, SYNC_FULL), 0);
	assert_int_equal(state_of(f, 12), CATALOG_STATE_TWILIO);
	assert_listed(f, 99);
}

static void test_sync__a_failed_list_takes_nothing_for_gone(void **state)
{
	struct fixture *f = *state;

	fill(f, 3000, DAY / 4);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	f->rows[11].is_gone = true;
	f->fail_status = 400;
	f->fail_after = 3;
	f->fail_path = "/Recordings.json";
	assert_true(sync_as(f, SYNC_FULL) < 0);
	assert_true(f->stats.pages > 0);
	assert_true(f->stats.windows_failed > 0);
	assert_int_equal(f->stats.recordings_gone, 0);
	assert_listed(f, 3000);
}

static void test_sync__a_part_is_told_and_the_next_time_ends_it(void **state)
{
	struct fixture *f = *state;

	fill(f, 5000, DAY / 4);
	f->fail_status = 400;
	f->fail_after = 12;
	assert_int_equal(sync_as(f, SYNC_AUTO), -EIO);
	assert_int_equal(f->error.kind, REMOTE_REJECTED);
	assert_in_range(f->stats.pages, 1, 12);
	assert_int_equal(remembered(f).listed_until_secs, 0);
	f->fail_status = 0;
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_true(f->stats.is_full);
	assert_listed(f, 5000);
}

static void test_sync__a_refused_key_ends_it_at_once(void **state)
{
	struct fixture *f = *state;

	f->fail_status = 401;
	assert_int_equal(sync_as(f, SYNC_AUTO), -EACCES);
	assert_int_equal(f->stats.pages, 0);
	assert_in_range(helper_server_requests(f->server), 1, 2);
}

static void test_sync__cancelling_anywhere_loses_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned tries = 0;

	fill(f, 4000, DAY / 4);
	for (unsigned after = 1; after < 40; after += 6) {
		f->cancel.is_set = false;
		f->requests = 0;
		f->cancel_after = after;
		if (sync_as(f, SYNC_AUTO) == 0)
			break;
		tries++;
		assert_int_equal(remembered(f).listed_until_secs, 0);
	}
	assert_true(tries >= 2);
	f->cancel.is_set = false;
	f->cancel_after = 0;
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_listed(f, 4000);
}

static void *sync_beside(void *arg)
{
	struct fixture *f = arg;
	struct remote_error error;
	struct sync_stats stats;
	static int rc;

	rc = sync_workspace(&f->env, f->workspace, NULL, NULL, NULL, &stats, &error);
	return &rc;
}

static void test_sync__two_at_once_end_as_one(void **state)
{
	struct fixture *f = *state;
	pthread_t other;
	void *rc;

	fill(f, 3000, DAY / 4);
	assert_int_equal(pthread_create(&other, NULL, sync_beside, f), 0);
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	pthread_join(other, &rc);
	assert_int_equal(*(int *)rc, 0);
	assert_listed(f, 3000);
}

static void test_sync__a_call_that_no_list_shows_is_fetched(void **state)
{
	struct fixture *f = *state;

	fill(f, 20, 3600);
	f->rows[3].call_is_hidden = true;
	f->rows[4].call_is_gone = true;
	f->rows[5].parent = 7; /* a child leg of row 6, with a recording, which should not be */
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_int_equal(f->stats.calls_fetched, 3);
	assert_int_equal(f->stats.applied.calls_new, 17);
	assert_listed(f, 20);
}

static void test_sync__child_legs_are_no_calls(void **state)
{
	struct fixture *f = *state;
	struct catalog_status status;

	fill(f, 20, 3600);
	for (int i = 0; i < 10; i++) {
		f->rows[i].status = NULL;
		f->rows[i].parent = 11 + i;
	}
	assert_int_equal(sync_as(f, SYNC_AUTO), 0);
	assert_int_equal(f->stats.calls_seen, 20);
	assert_int_equal(f->stats.calls_fetched, 0);
	assert_int_equal(
		catalog_status_get(f->catalog,
				   (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, f->workspace },
				   &status),
		0);
	assert_int_equal(status.calls, 10);
	assert_listed(f, 10);
}

static void test_sync__an_own_clock_that_is_wrong_by_an_hour_loses_nothing(void **state)
{
	static const int64_t shifts[] = { -3600, 3600 };
	struct fixture *f = *state;

	/* The server's clock is the true one, ours is off by the shift. */
	for (size_t i = 0; i < 2; i++) {
		int64_t true_now = time_now_secs() + shifts[i];

		f->count = 0;
		fill(f, 5, 60);
		f->now_secs = true_now;
		assert_int_equal(sync_as(f, SYNC_FULL), 0);
		assert_in_range(remembered(f).listed_until_secs, true_now - 120, true_now);
	}
}

static void test_sync__a_server_without_a_clock_gets_an_hour_more(void **state)
{
	struct fixture *f = *state;

	f->now_secs = 0;
	assert_int_equal(sync_as(f, SYNC_FULL), 0);
	assert_in_range(remembered(f).listed_until_secs, time_now_secs() - 3720,
			time_now_secs() - 3600);
}

static void test_sync__a_memory_from_the_future_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct catalog_sync_state wrong = { .last_poll_secs = time_now_secs(),
					    .last_sweep_secs = time_now_secs(),
					    .listed_until_secs = time_now_secs() + 30 * DAY };

	fill(f, 30, DAY);
	assert_int_equal(catalog_sync_state_set(f->catalog, f->workspace, &wrong), 0);
	assert_int_equal(sync_as(f, SYNC_POLL), 0);
	assert_true(f->stats.is_full);
	assert_listed(f, 30);
	assert_in_range(remembered(f).listed_until_secs, time_now_secs() - 120, time_now_secs());
}

static void test_sync__a_workspace_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sync_workspace(&f->env, 4711, NULL, NULL, NULL, &f->stats, &f->error),
			 -ENOENT);
}

#define with_twilio(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void *run_callbacks(void *arg)
{
	sync_callbacks_run(arg);
	return NULL;
}

static void test_sync__a_full_disk_is_tried_once_a_second_for_callbacks_and_loses_none(void **state)
{
	struct db_faulty *faulty = db_faulty_new(&db_sqlcipher, 1);
	struct fixture *f = *state;
	int64_t deadline_msecs;
	pthread_t thread;
	char text[SID_SIZE];
	struct sid sid;

	assert_non_null(faulty);
	catalog_close(f->catalog);
	db_driver_override(db_faulty_driver(faulty));
	open_catalog(f);
	fill(f, 1, 1);
	make_sid(0, "RE", text);
	assert_int_equal(sid_parse(text, "RE", &sid), 0);
	assert_int_equal(catalog_callback_add(f->catalog, f->workspace, &sid), 0);
	db_faulty_set(faulty, DB_FAULT_UNDONE, 1000); /* commits fail, reads do not */
	assert_int_equal(thread_start(&thread, "callbacks", run_callbacks, &f->env), 0);
	sleep_msecs(700, NULL);
	assert_int_equal(helper_server_requests(f->server), 0);
	assert_in_range(db_faulty_count(faulty, DB_FAULT_UNDONE), 1, 2);
	db_faulty_set(faulty, DB_FAULT_UNDONE, 0);
	deadline_msecs = time_mono_msecs() + 10000;
	while (!helper_server_requests(f->server) && time_mono_msecs() < deadline_msecs)
		sleep_msecs(20, NULL);
	assert_true(helper_server_requests(f->server) > 0);
	cancel_set(&f->cancel);
	catalog_wake(f->catalog);
	pthread_join(thread, NULL);
	catalog_close(f->catalog);
	db_driver_override(NULL);
	db_faulty_free(faulty);
	open_catalog(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_twilio(test_sync__an_empty_account_is_complete_after_two_requests),
		with_twilio(
			test_sync__years_of_calls_are_all_learned_and_a_second_time_changes_nothing),
		with_twilio(test_sync__small_pages_are_followed_too),
		with_twilio(test_sync__a_poll_asks_for_a_window_and_finds_what_is_new),
		with_twilio(test_sync__what_was_not_finished_is_followed_until_it_is),
		with_twilio(test_sync__a_recording_that_no_list_shows_is_asked_for_by_its_sid),
		with_twilio(test_sync__a_failed_list_takes_nothing_for_gone),
		with_twilio(test_sync__a_part_is_told_and_the_next_time_ends_it),
		with_twilio(test_sync__a_refused_key_ends_it_at_once),
		with_twilio(test_sync__cancelling_anywhere_loses_nothing),
		with_twilio(test_sync__two_at_once_end_as_one),
		with_twilio(test_sync__a_call_that_no_list_shows_is_fetched),
		with_twilio(test_sync__child_legs_are_no_calls),
		with_twilio(test_sync__an_own_clock_that_is_wrong_by_an_hour_loses_nothing),
		with_twilio(test_sync__a_server_without_a_clock_gets_an_hour_more),
		with_twilio(test_sync__a_memory_from_the_future_is_not_believed),
		with_twilio(test_sync__a_workspace_that_is_not_there_is_told),
		with_twilio(
			test_sync__a_full_disk_is_tried_once_a_second_for_callbacks_and_loses_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
