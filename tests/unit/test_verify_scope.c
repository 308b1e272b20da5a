/* Whole verifications of a catalog against lists and answers that lie, break off and contradict
 * each other. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/sync.h"
#include "helper_http.h"
#include "helper_queue.h"
#include "helper_server.h"
#include "verify/verify-private.h"

#define MANY 2500
#define PAGE 1000
#define SIZE 320044
#define AUDIO_BYTES 4096

/* One number, one recording of the queue's fixture. */
struct object {
	unsigned number;
	bool is_hidden;   /* no list shows it, a HEAD does */
	bool is_gone;     /* a list shows it, and a HEAD does not */
	const char *etag; /* NULL: "etag" */
	int head_status;  /* of the answer to a HEAD; 0: as it is */
};

struct fixture {
	struct queue_fixture *queue;
	struct helper_server *server;
	struct http *http;
	struct verify_env env;
	struct cancel cancel;
	struct object objects[MANY];
	unsigned count;
	bool denies_what_is_missing; /* as S3 to whom may list under a prefix only */
	unsigned fail_page;          /* this page of the list is refused; 0: none */
	int twilio_status;           /* of single recordings; 404: gone */

	pthread_mutex_t lock; /* guards the rest */
	unsigned heads, lists, fetches;
	unsigned kinds[VERIFY_KIND_COUNT], repaired;
};

/* ---- a bucket and an account ---- */

static void key_of(const struct fixture *f, unsigned number, char *ret_key)
{
	struct catalog_recording recording = { .sid = queue_sid(3, number),
					       .date_created_secs = 1772360000 + number };
	struct sid account = queue_sid(1, 1);

	catalog_object_key("", &account, &recording, ret_key);
}

/* Of one key, after a denial: what the whole list did not show is there by now. */
static void answer_list_of_one(struct fixture *f, int fd, const char *line)
{
	cleanup_buf struct buf body = BUF_INIT;

	buf_add_str(&body, "<ListBucketResult>");
	for (unsigned i = 0; i < f->count; i++) {
		char key[CATALOG_KEY_TEXT_SIZE];

		key_of(f, f->objects[i].number, key);
		if (strstr(line, strrchr(key, '/') + 1) && !f->objects[i].is_gone)
			buf_addf(&body, "<Contents><Key>%s</Key><Size>%d</Size></Contents>", key,
				 SIZE);
	}
	buf_add_str(&body, "</ListBucketResult>");
	helper_answer(fd, 200, NULL, buf_str(&body));
}

static void answer_list(struct fixture *f, int fd, const char *line)
{
	const char *token = strstr(line, "continuation-token=");
	unsigned page = token ? (unsigned)atoi(token + strlen("continuation-token=")) : 0;
	cleanup_buf struct buf body = BUF_INIT;
	unsigned end = (page + 1) * PAGE < f->count ? (page + 1) * PAGE : f->count;

	if (strstr(line, "delimiter=") || strstr(line, "uploads=")) {
		helper_answer(fd, 200, NULL,
			      strstr(line, "uploads=")
				      ? "<ListMultipartUploadsResult></ListMultipartUploadsResult>"
				      : "<ListBucketResult></ListBucketResult>");
		return;
	}
	if (f->fail_page && page + 1 == f->fail_page) {
		helper_answer(fd, 403, NULL, "<Error><Code>AccessDenied</Code></Error>");
		return;
	}
	if (strstr(line, ".wav")) {
		answer_list_of_one(f, fd, line);
		return;
	}
	buf_addf(&body, "<ListBucketResult><IsTruncated>%s</IsTruncated>",
		 end < f->count ? "true" : "false");
	if (end < f->count)
		buf_addf(&body, "<NextContinuationToken>%u</NextContinuationToken>", page + 1);
	for (unsigned i = page * PAGE; i < end; i++) {
		char key[CATALOG_KEY_TEXT_SIZE];

		key_of(f, f->objects[i].number, key);
		if (!f->objects[i].is_hidden)
			buf_addf(&body,
				 "<Contents><Key>%s</Key><Size>%d</Size>"
				 "<ETag>&quot;%s&quot;</ETag></Contents>",
				 key, SIZE, f->objects[i].etag ? f->objects[i].etag : "etag");
	}
	buf_add_str(&body, "</ListBucketResult>");
	helper_answer(fd, 200, NULL, buf_str(&body));
}

static void answer_head(struct fixture *f, int fd, const char *line)
{
	char head[256];

	for (unsigned i = 0; i < f->count; i++) {
		const struct object *o = &f->objects[i];
		char key[CATALOG_KEY_TEXT_SIZE];

		key_of(f, o->number, key);
		if (!strstr(line, key) || o->is_gone)
			continue;
		snprintf(head, sizeof head,
			 "HTTP/1.1 %d Status\r\nContent-Length: %d\r\nETag: \"%s\"\r\n\r\n",
			 o->head_status ? o->head_status : 200, o->head_status ? 0 : SIZE,
			 o->etag ? o->etag : "etag");
		helper_send_str(fd, head);
		return;
	}
	helper_send_str(fd, f->denies_what_is_missing
				    ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
				    : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* The beginning of a WAV of SIZE bytes. */
static void answer_range(int fd)
{
	static const char wav[] = "RIFF\x24\xe2\x04\0WAVEfmt \x10\0\0\0\x01\0\x02\0"
				  "\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0data\0\xe2\x04\0";
	char body[AUDIO_BYTES] = { 0 }, head[256];

	memcpy(body, wav, sizeof wav - 1);
	snprintf(head, sizeof head,
		 "HTTP/1.1 206 Partial\r\nContent-Length: %d\r\nContent-Range: bytes 0-%d/%d\r\n"
		 "ETag: \"etag\"\r\n\r\n",
		 AUDIO_BYTES, AUDIO_BYTES - 1, SIZE);
	helper_send_str(fd, head);
	helper_send(fd, body, sizeof body);
}

static void answer_twilio(struct fixture *f, int fd, const char *line)
{
	const char *sid = strstr(line, "/RE");
	char body[256];

	snprintf(body, sizeof body, "{\"sid\":\"%.34s\",\"status\":\"completed\",\"code\":20404}",
		 sid ? sid + 1 : "");
	helper_answer(fd, f->twilio_status, NULL, body);
}

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	struct fixture *f = arg;
	char line[1024];
	bool is_head = strncmp(request->head, "HEAD ", 5) == 0;
	bool is_list = strstr(request->head, "GET /bucket?") == request->head;
	bool is_twilio = strstr(request->head, "GET /2010") == request->head;

	snprintf(line, sizeof line, "%.*s", (int)strcspn(request->head, "\r"), request->head);
	pthread_mutex_lock(&f->lock);
	f->heads += is_head;
	f->lists += is_list;
	f->fetches += is_twilio;
	pthread_mutex_unlock(&f->lock);
	if (is_head)
		answer_head(f, fd, line);
	else if (is_list)
		answer_list(f, fd, line);
	else if (is_twilio)
		answer_twilio(f, fd, line);
	else
		answer_range(fd);
	return HELPER_KEEP;
}

/* ---- a catalog whose recordings are in it ---- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct catalog_storage storage = {
		.bucket = "bucket", .region = "us-east-1", .access_key = "key", .enabled = true
	};
	void *queue;

	assert_non_null(f);
	assert_int_equal(queue_fixture_setup(&queue), 0);
	f->queue = queue;
	f->twilio_status = 404;
	pthread_mutex_init(&f->lock, NULL);
	f->server = helper_server_new(answer, f);
	f->http = helper_http_new(NULL);
	snprintf(storage.endpoint, sizeof storage.endpoint, "%s", helper_server_url(f->server, ""));
	assert_int_equal(catalog_storage_set(f->queue->catalog, f->queue->workspace_id, &storage,
					     "secret"),
			 0);
	queue_set_twilio_url(f->queue, storage.endpoint);
	f->env = (struct verify_env){ f->queue->catalog, f->http, &f->cancel };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *queue = f->queue;

	http_free(f->http);
	helper_server_free(f->server);
	queue_fixture_teardown(&queue);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

/* Recordings 1 … count, all of them in S3, listed in the reverse of their order. */
static void fill(struct fixture *f, unsigned count)
{
	queue_add(f->queue, f->queue->workspace_id, 1, count, QUEUE_NUMBER);
	for (unsigned number = 1; number <= count; number++) {
		struct catalog_object object = queue_object(SIZE);

		key_of(f, number, object.key);
		object.sha256[0] = '\0';
		assert_int_equal(catalog_recording_found_in_s3(f->queue->catalog,
							       queue_get(f->queue, number).id,
							       &object),
				 0);
		f->objects[count - number].number = number;
	}
	f->count = count;
}

static struct object *object(struct fixture *f, unsigned number)
{
	return &f->objects[f->count - number];
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
	struct fixture *f = arg;

	f->kinds[finding->kind]++;
	f->repaired += finding->is_repaired;
}

static int run(struct fixture *f, bool repair, struct verify_stats *ret_stats)
{
	const struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, f->queue->workspace_id };
	const struct verify_options options = { .repair = repair, .threads = 2 };
	const struct verify_observer observer = { .finding = on_finding, .arg = f };
	struct remote_error error;

	return verify_scope(&f->env, scope, &options, &observer, ret_stats, &error);
}

static unsigned found(const struct fixture *f)
{
	unsigned sum = 0;

	for (int kind = 0; kind < VERIFY_KIND_COUNT; kind++)
		sum += f->kinds[kind];
	return sum;
}

static enum catalog_state state_of(struct fixture *f, unsigned number)
{
	return queue_get(f->queue, number).state;
}

/* ---- what holds ---- */

static void test_verify__lists_of_several_pages_in_any_order_need_no_other_request(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, MANY);
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(stats.objects, MANY);
	assert_int_equal(stats.good, MANY);
	assert_int_equal(found(f), 0);
	assert_int_equal(f->lists, 3 + 2); /* pages; beside the account; uploads */
	assert_int_equal(f->heads + f->fetches, 0);
}

static void test_verify__a_list_that_breaks_off_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, PAGE + 200);
	object(f, PAGE + 200)->etag = "other";
	f->fail_page = 2;
	assert_int_equal(run(f, true, &stats), -EACCES);
	assert_int_equal(stats.objects, PAGE);
	assert_int_equal(f->heads + f->fetches + found(f), 0);
	assert_int_equal(state_of(f, 1), CATALOG_STATE_S3);
	assert_int_equal(state_of(f, PAGE + 200), CATALOG_STATE_S3);
}

static void test_verify__what_a_list_does_not_show_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 3);
	object(f, 2)->is_hidden = true;
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(stats.good, 3);
	assert_int_equal(found(f), 0);
	assert_int_equal(f->heads, 1);
	assert_int_equal(state_of(f, 2), CATALOG_STATE_S3);
}

static void test_verify__gone_is_what_list_head_and_twilio_agree_on(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 3);
	object(f, 2)->is_hidden = object(f, 2)->is_gone = true;
	assert_int_equal(run(f, false, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_MISSING], 1);
	assert_int_equal(state_of(f, 2), CATALOG_STATE_S3);

	f->twilio_status = 403;
	assert_int_equal(run(f, true, &stats), -EACCES);
	assert_int_equal(f->kinds[VERIFY_UNDECIDED], 1);
	assert_int_equal(state_of(f, 2), CATALOG_STATE_S3);

	f->twilio_status = 404;
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(f->repaired, 1);
	assert_int_equal(state_of(f, 2), CATALOG_STATE_MISSING);

	object(f, 2)->is_hidden = object(f, 2)->is_gone = false;
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_FOUND], 1);
	assert_int_equal(state_of(f, 2), CATALOG_STATE_S3);
}

static void test_verify__what_is_there_but_cannot_be_asked_for_is_undecided(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 2);
	object(f, 1)->is_hidden = true;
	object(f, 1)->head_status = 403;
	assert_int_equal(run(f, true, &stats), -EACCES);
	assert_int_equal(f->kinds[VERIFY_UNDECIDED], 1);
	assert_int_equal(found(f), 1);
	assert_int_equal(state_of(f, 1), CATALOG_STATE_S3);
}

static void test_verify__what_is_denied_and_in_no_list_is_missing(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 2);
	object(f, 1)->is_hidden = object(f, 1)->is_gone = true;
	f->denies_what_is_missing = true;
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_MISSING], 1);
	assert_int_equal(state_of(f, 1), CATALOG_STATE_MISSING);
}

static void test_verify__after_a_few_failures_in_a_row_nobody_is_asked_on(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 200);
	for (unsigned number = 1; number <= 200; number++) {
		object(f, number)->is_hidden = true;
		object(f, number)->head_status = 403;
	}
	assert_int_equal(run(f, true, &stats), -EACCES);
	assert_int_equal(stats.found[VERIFY_UNDECIDED], 200);
	assert_in_range(f->heads, 3, 6);
	for (unsigned number = 1; number <= 200; number++)
		assert_int_equal(state_of(f, number), CATALOG_STATE_S3);
}

static void test_verify__other_content_that_twilio_has_not_is_named_and_left(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 2);
	object(f, 1)->etag = "other";
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_WRONG_HASH], 1);
	assert_int_equal(f->repaired, 0);
	assert_int_equal(state_of(f, 1), CATALOG_STATE_S3);
}

static void test_verify__what_twilio_has_too_is_queued_and_not_believed(void **state)
{
	struct fixture *f = *state;
	struct catalog_recording recording;
	struct verify_stats stats;

	queue_add(f->queue, f->queue->workspace_id, 1, 1, QUEUE_NUMBER);
	f->objects[0].number = 1;
	f->count = 1;
	f->twilio_status = 200;
	assert_int_equal(run(f, false, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_FOUND], 1);
	assert_int_equal(queue_get(f->queue, 1).migration, CATALOG_MIGRATION_NONE);
	assert_int_equal(run(f, true, &stats), 0);
	recording = queue_get(f->queue, 1);
	assert_int_equal(recording.state, CATALOG_STATE_TWILIO);
	assert_int_equal(recording.migration, CATALOG_MIGRATION_QUEUED);
}

static void test_verify__a_kill_between_the_steps_of_taking_over_costs_nothing(void **state)
{
	struct fixture *f = *state;
	const struct catalog_recording_input input = {
		.sid = queue_sid(3, 1),
		.is_deleted = true,
		.duration_secs = 10,
		.date_created_secs = 1772360001,
		.start_time_secs = 1772360001,
	};
	struct catalog_apply_stats applied = { 0 };
	struct verify_stats stats;

	/* What the first of the two steps leaves. */
	assert_int_equal(catalog_recordings_apply(f->queue->catalog, f->queue->workspace_id, &input,
						  1, &applied),
			 0);
	f->objects[0].number = 1;
	f->count = 1;
	assert_int_equal(run(f, true, &stats), 0);
	assert_int_equal(f->kinds[VERIFY_FOUND], 1);
	assert_int_equal(stats.never_seen, 0);
	assert_int_equal(state_of(f, 1), CATALOG_STATE_S3);
	assert_true(queue_get(f->queue, 1).is_listed);
}

static void test_verify__a_cancelled_one_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct verify_stats stats;

	fill(f, 2);
	cancel_set(&f->cancel);
	assert_int_equal(run(f, true, &stats), -ECANCELED);
	assert_int_equal(found(f), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_verify__lists_of_several_pages_in_any_order_need_no_other_request),
		TEST(test_verify__a_list_that_breaks_off_changes_nothing),
		TEST(test_verify__what_a_list_does_not_show_is_asked_for),
		TEST(test_verify__gone_is_what_list_head_and_twilio_agree_on),
		TEST(test_verify__what_is_there_but_cannot_be_asked_for_is_undecided),
		TEST(test_verify__what_is_denied_and_in_no_list_is_missing),
		TEST(test_verify__after_a_few_failures_in_a_row_nobody_is_asked_on),
		TEST(test_verify__other_content_that_twilio_has_not_is_named_and_left),
		TEST(test_verify__what_twilio_has_too_is_queued_and_not_believed),
		TEST(test_verify__a_kill_between_the_steps_of_taking_over_costs_nothing),
		TEST(test_verify__a_cancelled_one_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
