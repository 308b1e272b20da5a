/* Restores, as they are asked of a server, and what the catalog is told of its answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/archive.h"
#include "catalog/storage.h"
#include "helper_queue.h"
#include "helper_server.h"
#include "storage/playback.h"
#include "storage/restore.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define ERROR(code) "<Error><Code>" code "</Code><Message>because</Message></Error>"
#define ONGOING "x-amz-storage-class: GLACIER\r\nx-amz-restore: ongoing-request=\"true\"\r\n"
#define THERE \
	"x-amz-storage-class: GLACIER\r\n" \
	"x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 23 Dec 2033 00:00:00 GMT\"\r\n"

/* A server that says the same to each kind of request. */
struct server {
	int restore_status, get_status;
	const char *restore_body;
	const char *head; /* headers of a HEAD */
	struct helper_server *server;
	struct http *http;
	struct queue_fixture *f;
};

static enum helper_then answer(struct helper_server *helper, int fd,
			       const struct helper_request *request, void *arg)
{
	const struct server *s = arg;
	char head[1024];

	if (strncmp(request->head, "POST ", 5) == 0) {
		helper_answer(fd, s->restore_status, NULL, s->restore_body);
	} else if (strncmp(request->head, "HEAD ", 5) == 0) {
		snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: 320044\r\n%s\r\n",
			 s->head);
		helper_send_str(fd, head);
	} else if (strstr(request->head, "list-type=")) {
		helper_answer(fd, 200, NULL,
			      "<ListBucketResult><Contents><Key>a/key</Key><Size>320044</Size>"
			      "</Contents></ListBucketResult>");
	} else if (s->get_status == 206) {
		helper_answer(fd, 206, "Content-Range: bytes 0-0/320044\r\n", "R");
	} else {
		helper_answer(fd, s->get_status, NULL, ERROR("InvalidObjectState"));
	}
	return HELPER_KEEP;
}

static void start(struct server *s, struct queue_fixture *f)
{
	struct catalog_class_seen seen = { .storage_class = "GLACIER" };
	struct catalog_storage storage;
	char endpoint[64];

	s->f = f;
	s->server = helper_server_new(answer, s);
	assert_int_equal(http_new(NULL, &s->http), 0);
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", helper_server_port(s->server));
	assert_int_equal(catalog_storage_get(f->catalog, f->workspace_id, &storage), 0);
	snprintf(storage.endpoint, sizeof storage.endpoint, "%s", endpoint);
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace_id, &storage, "secret"), 0);
	queue_add(f, f->workspace_id, 1, 1, QUEUE_NUMBER);
	queue_store(f, 1);
	seen.recording_sid = queue_get(f, 1).sid;
	assert_int_equal(catalog_classes_seen(f->catalog, f->workspace_id, &seen, 1, NULL), 0);
}

static void stop(struct server *s)
{
	http_free(s->http);
	helper_server_free(s->server);
}

static struct storage_restore_stats restore(struct server *s)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, s->f->workspace_id };
	struct storage_restore_stats stats = { 0 };
	struct catalog_restore_counts counts;
	bool left;

	assert_int_equal(catalog_restore_want(s->f->catalog, scope, 3, "Bulk", &counts), 0);
	assert_int_equal(counts.wanted, 1);
	assert_int_equal(storage_restore_step(s->f->catalog, s->http, 0, NULL, &stats, &left), 0);
	assert_false(left);
	return stats;
}

static struct catalog_archive now(struct server *s)
{
	struct catalog_archive archive;

	assert_int_equal(catalog_archive_get(s->f->catalog, queue_get(s->f, 1).id, &archive), 0);
	return archive;
}

static void
test_storage__a_restore_is_under_way_until_the_server_says_that_it_is_there(void **state)
{
	struct server s = { .restore_status = 202, .restore_body = "", .head = ONGOING };
	struct remote_error error;
	cleanup_buf struct buf url = BUF_INIT;
	int64_t id;

	start(&s, *state);
	id = queue_get(s.f, 1).id;
	assert_int_equal(restore(&s).asked, 1);
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_ONGOING);
	assert_true(now(&s).since_secs > 0);
	assert_true(now(&s).is_archived);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, id, 0, false, NULL, &url),
			 -EREMOTE);
	assert_int_equal(storage_object_refresh(s.f->catalog, s.http, id, NULL, &error), 0);
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_ONGOING);

	s.head = THERE;
	assert_int_equal(storage_object_refresh(s.f->catalog, s.http, id, NULL, &error), 0);
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_DONE);
	assert_int_equal(now(&s).restored_until_secs, 2018908800);
	assert_false(now(&s).is_archived);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, id, 60, false, NULL, &url), 0);
	assert_non_null(strstr(buf_str(&url), "X-Amz-Expires=60"));
	stop(&s);
}

static void test_storage__one_that_somebody_else_asked_for_counts_as_asked(void **state)
{
	struct server s = { .restore_status = 409,
			    .restore_body = ERROR("RestoreAlreadyInProgress"),
			    .head = ONGOING };

	start(&s, *state);
	assert_int_equal(restore(&s).asked, 1);
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_ONGOING);
	stop(&s);
}

static void test_storage__a_refusal_is_kept_with_its_reason_and_not_repeated(void **state)
{
	struct server s = { .restore_status = 403,
			    .restore_body = ERROR("AccessDenied"),
			    .head = "" };
	struct storage_restore_stats stats;
	unsigned requests;
	bool left;

	start(&s, *state);
	stats = restore(&s);
	assert_int_equal(stats.refused, 1);
	assert_string_equal(stats.last_error.code, "AccessDenied");
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_REFUSED);
	assert_non_null(strstr(now(&s).reason, "AccessDenied"));
	requests = helper_server_requests(s.server);
	assert_int_equal(storage_restore_step(s.f->catalog, s.http, 0, NULL, &stats, &left), 0);
	assert_int_equal(helper_server_requests(s.server), requests);
	stop(&s);
}

static void test_storage__a_server_that_does_not_restore_and_reads_is_remembered_so(void **state)
{
	struct server s = { .restore_status = 501,
			    .restore_body = ERROR("NotImplemented"),
			    .get_status = 206,
			    .head = "" };

	start(&s, *state);
	assert_int_equal(restore(&s).readable_at_once, 1);
	assert_int_equal(now(&s).restore, CATALOG_RESTORE_NONE);
	assert_false(now(&s).is_archived);
	stop(&s);
}

static void test_storage__a_server_that_neither_restores_nor_reads_refuses(void **state)
{
	struct server s = { .restore_status = 501,
			    .restore_body = ERROR("NotImplemented"),
			    .get_status = 403,
			    .head = "" };

	start(&s, *state);
	assert_int_equal(restore(&s).refused, 1);
	assert_true(now(&s).is_archived);
	stop(&s);
}

static void test_storage__a_url_needs_an_object_and_a_time_that_s3_allows(void **state)
{
	struct server s = { .head = "" };
	cleanup_buf struct buf url = BUF_INIT;

	start(&s, *state);
	queue_add(s.f, s.f->workspace_id, 2, 1, QUEUE_NUMBER);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, queue_get(s.f, 2).id, 0, false,
					      NULL, &url),
			 -ENODATA);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, 4711, 0, false, NULL, &url),
			 -ENOENT);
	queue_store(s.f, 2);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, queue_get(s.f, 2).id,
					      PLAYBACK_EXPIRES_LIMIT_SECS + 1, false, NULL, &url),
			 -EINVAL);
	assert_int_equal(url.len, 0);
	assert_int_equal(storage_playback_url(s.f->catalog, s.http, queue_get(s.f, 2).id, 0, false,
					      NULL, &url),
			 0);
	assert_non_null(strstr(buf_str(&url), "X-Amz-Expires=3600"));
	assert_null(strstr(buf_str(&url), &QUEUE_NUMBER[1])); /* without the plus */
	assert_int_equal(helper_server_requests(s.server), 0);
	stop(&s);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, queue_fixture_setup, queue_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_storage__a_restore_is_under_way_until_the_server_says_that_it_is_there),
		TEST(test_storage__one_that_somebody_else_asked_for_counts_as_asked),
		TEST(test_storage__a_refusal_is_kept_with_its_reason_and_not_repeated),
		TEST(test_storage__a_server_that_does_not_restore_and_reads_is_remembered_so),
		TEST(test_storage__a_server_that_neither_restores_nor_reads_refuses),
		TEST(test_storage__a_url_needs_an_object_and_a_time_that_s3_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
