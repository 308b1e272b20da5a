/*
 * Requests as AWS gets them: the bucket in the host's name, the region in host and scope. They are
 * made for AWS's own host names and caught by a proxy on loopback, which sees the whole address.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/lifecycle.h"
#include "aws/s3.h"
#include "helper_s3.h"
#include "helper_server.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define HOST "bucket.s3.eu-central-1.amazonaws.com"
#define KEY "p/recordings/AC1/2026/03/01/a b+c.wav"
#define KEY_ENCODED "/p/recordings/AC1/2026/03/01/a%20b%2Bc.wav"
#define RULES "<LifecycleConfiguration><Rule><ID>1</ID></Rule></LifecycleConfiguration>"

struct proxy {
	struct helper_server *server;
	struct http *http;
	struct s3_client *client;
	const char *body; /* of each answer */
};

static enum helper_then answer(struct helper_server *server, int fd,
			       const struct helper_request *request, void *arg)
{
	const struct proxy *proxy = arg;
	bool is_head = strncmp(request->head, "HEAD ", 5) == 0;

	if (is_head)
		helper_send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	else
		helper_answer(fd, 200, "ETag: \"e1\"\r\n", proxy->body);
	return HELPER_KEEP;
}

static void start(struct proxy *proxy, const struct s3_settings *settings)
{
	struct s3_settings copy = *settings;

	copy.access_key = "AK";
	copy.secret_key = "SK";
	copy.allow_plain_http = true;
	proxy->body = "";
	proxy->server = helper_server_new(answer, proxy);
	setenv("http_proxy", helper_server_url(proxy->server, ""), 1);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	assert_int_equal(http_new(NULL, &proxy->http), 0);
	assert_int_equal(s3_client_new(proxy->http, &copy, &proxy->client), 0);
}

static void stop(struct proxy *proxy)
{
	s3_client_free(proxy->client);
	http_free(proxy->http);
	helper_server_free(proxy->server);
	unsetenv("http_proxy");
}

/* The last request: its line, the host it names, its scope and its body. */
static void check_scope(struct proxy *proxy, const char *method, const char *host, const char *rest,
			const char *region, const char *body)
{
	const struct helper_request *request =
		helper_server_request(proxy->server, helper_server_requests(proxy->server) - 1);
	char line[2048], scope[128];

	snprintf(line, sizeof line, "%s http://%s%s HTTP/1.1\r\n", method, host, rest);
	if (strncmp(request->head, line, strlen(line)) != 0)
		fail_msg("%.*s != %s", (int)strcspn(request->head, "\r"), request->head, line);
	assert_string_equal(helper_header(request, "Host"), host);
	snprintf(scope, sizeof scope, "/%s/s3/aws4_request,", region);
	assert_non_null(strstr(helper_header(request, "Authorization"), scope));
	assert_int_equal(strlen(helper_header(request, "x-amz-content-sha256")), 64);
	assert_int_equal(request->body_len, strlen(body));
	assert_memory_equal(request->body_len ? request->body : "", body, strlen(body));
}

static void check(struct proxy *proxy, const char *method, const char *rest, const char *body)
{
	check_scope(proxy, method, HOST, rest, "eu-central-1", body);
}

static const struct s3_settings frankfurt = { .bucket = "bucket",
					      .region = "eu-central-1",
					      .endpoint = "http://s3.eu-central-1.amazonaws.com" };

static void test_aws__objects_are_asked_for_at_the_bucket_s_own_host(void **state)
{
	struct remote_error error;
	struct s3_object object;
	struct proxy proxy;
	const struct s3_put put = { .key = KEY,
				    .body = "hello",
				    .body_len = 5,
				    .content_type = "audio/x-wav",
				    .if_none_match = true,
				    .send_checksum = true };
	cleanup_buf struct buf body = BUF_INIT;

	start(&proxy, &frankfurt);
	assert_int_equal(s3_put_object(proxy.client, &put, &object, &error), 0);
	check(&proxy, "PUT", KEY_ENCODED, "hello");
	assert_string_equal(helper_header(helper_server_request(proxy.server, 0), "If-None-Match"),
			    "*");
	assert_string_equal(helper_header(helper_server_request(proxy.server, 0),
					  "x-amz-checksum-sha256"),
			    "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
	assert_int_equal(s3_head_object(proxy.client, KEY, &object, &error), 0);
	check(&proxy, "HEAD", KEY_ENCODED, "");
	proxy.body = "x";
	assert_int_equal(s3_get_object(proxy.client, KEY, 0, -1, 1, &body, &object, &error), 0);
	check(&proxy, "GET", KEY_ENCODED, "");
	assert_int_equal(s3_delete_object(proxy.client, KEY, "v/1+2", &error), 0);
	check(&proxy, "DELETE", KEY_ENCODED "?versionId=v%2F1%2B2", "");
	stop(&proxy);
}

static void test_aws__an_upload_in_parts_is_one_of_the_object(void **state)
{
	struct remote_error error;
	struct s3_object object;
	struct proxy proxy;
	const struct s3_put head = { .key = KEY };
	char id[S3_UPLOAD_ID_SIZE], etags[1][S3_ETAG_SIZE];

	start(&proxy, &frankfurt);
	proxy.body =
		"<InitiateMultipartUploadResult><UploadId>U+1</UploadId></InitiateMultipartUploadResult>";
	assert_int_equal(s3_upload_create(proxy.client, &head, id, &error), 0);
	check(&proxy, "POST", KEY_ENCODED "?uploads=", "");
	proxy.body = "";
	assert_int_equal(s3_upload_part(proxy.client, KEY, id, 1, "hello", 5, etags[0], &error), 0);
	check(&proxy, "PUT", KEY_ENCODED "?partNumber=1&uploadId=U%2B1", "hello");
	proxy.body =
		"<CompleteMultipartUploadResult><ETag>\"e1-1\"</ETag></CompleteMultipartUploadResult>";
	assert_int_equal(s3_upload_complete(proxy.client, KEY, id, etags, 1, true, &object, &error),
			 0);
	check(&proxy, "POST", KEY_ENCODED "?uploadId=U%2B1",
	      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	      "<Part><PartNumber>1</PartNumber><ETag>\"e1\"</ETag></Part></CompleteMultipartUpload>");
	assert_int_equal(s3_upload_abort(proxy.client, KEY, id, &error), 0);
	check(&proxy, "DELETE", KEY_ENCODED "?uploadId=U%2B1", "");
	stop(&proxy);
}

static int ignore_entry(void *arg, const struct s3_list_entry *entry)
{
	(void)arg, (void)entry;
	return 0;
}

static void test_aws__lists_rules_and_restores_name_what_they_want(void **state)
{
	cleanup_buf struct buf document = BUF_INIT;
	struct s3_lifecycle lifecycle = { .document = &document };
	struct remote_error error;
	struct proxy proxy;

	start(&proxy, &frankfurt);
	proxy.body = "<ListBucketResult/>";
	assert_int_equal(s3_list(proxy.client, S3_OBJECTS, "p/re c/", ignore_entry, NULL, &error),
			 0);
	check(&proxy, "GET", "/?list-type=2&encoding-type=url&prefix=p%2Fre%20c%2F", "");
	proxy.body = "<ListVersionsResult/>";
	assert_int_equal(s3_list(proxy.client, S3_VERSIONS, KEY, ignore_entry, NULL, &error), 0);
	check(&proxy, "GET",
	      "/?versions=&encoding-type=url&prefix=p%2Frecordings%2FAC1%2F2026%2F03%2F01%2Fa%20b%2Bc.wav",
	      "");
	proxy.body = RULES;
	assert_int_equal(s3_lifecycle_get(proxy.client, &lifecycle, &error), 0);
	check(&proxy, "GET", "/?lifecycle=", "");
	assert_int_equal(s3_lifecycle_put(proxy.client, &lifecycle, &error), 0);
	check(&proxy, "PUT", "/?lifecycle=", RULES);
	proxy.body = "";
	assert_int_equal(s3_restore_object(proxy.client, KEY, 7, "Bulk", &error), 0);
	check(&proxy, "POST", KEY_ENCODED "?restore=",
	      "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>7</Days>"
	      "<GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>");
	stop(&proxy);
}

static void test_aws__the_region_decides_on_host_and_scope(void **state)
{
	static const struct {
		struct s3_settings settings;
		const char *host, *rest, *region;
	} cases[] = {
		{ { .bucket = "bucket", .endpoint = "http://s3.us-east-1.amazonaws.com" },
		  "bucket.s3.us-east-1.amazonaws.com",
		  "/k",
		  "us-east-1" },
		{ { .bucket = "my.bucket",
		    .region = "ap-south-2",
		    .endpoint = "http://s3.ap-south-2.amazonaws.com" },
		  "s3.ap-south-2.amazonaws.com",
		  "/my.bucket/k",
		  "ap-south-2" },
		{ { .bucket = "bucket",
		    .region = "cn-north-1",
		    .endpoint = "http://s3.cn-north-1.amazonaws.com.cn" },
		  "bucket.s3.cn-north-1.amazonaws.com.cn",
		  "/k",
		  "cn-north-1" },
		{ { .bucket = "bucket",
		    .region = "eu-west-1",
		    .path_style = true,
		    .endpoint = "http://s3.eu-west-1.amazonaws.com" },
		  "s3.eu-west-1.amazonaws.com",
		  "/bucket/k",
		  "eu-west-1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct remote_error error;
		struct s3_object object;
		struct proxy proxy;

		start(&proxy, &cases[i].settings);
		assert_int_equal(s3_head_object(proxy.client, "k", &object, &error), 0);
		check_scope(&proxy, "HEAD", cases[i].host, cases[i].rest, cases[i].region, "");
		stop(&proxy);
	}
}

static void test_aws__a_restore_under_way_is_no_failure_and_a_refusal_is_one(void **state)
{
	static const struct {
		struct helper_answer answer;
		int expected;
	} cases[] = {
		{ { 202, NULL, "" }, 0 },
		{ { 200, NULL, "" }, 0 },
		{ { 409, NULL, "<Error><Code>RestoreAlreadyInProgress</Code></Error>" }, 0 },
		{ { 403, NULL, "<Error><Code>InvalidObjectState</Code></Error>" }, -EREMOTE },
		{ { 403, NULL, "<Error><Code>AccessDenied</Code></Error>" }, -EACCES },
		{ { 501, NULL, "<Error><Code>NotImplemented</Code></Error>" }, -EOPNOTSUPP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct remote_error error;
		struct helper_s3 s3;

		helper_s3_start(&s3, &cases[i].answer, 1, NULL);
		assert_int_equal(s3_restore_object(s3.client, "k", 7, "Bulk", &error),
				 cases[i].expected);
		assert_int_equal(s3_restore_object(s3.client, "", 7, "Bulk", &error), -EINVAL);
		/* A denial asks for a list, too. */
		assert_int_equal(helper_server_requests(s3.server),
				 cases[i].expected == -EACCES ? 2 : 1);
		helper_s3_stop(&s3);
	}
}

static void test_aws__a_server_that_refuses_to_be_asked_for_checksums_is_asked_without(void **state)
{
	static const struct helper_answer answers[] = {
		{ 400, NULL, NULL },
		{ 200, "Content-Length: 5\r\n", NULL },
		{ 200, "Content-Length: 5\r\n", NULL },
		{ 400, NULL, NULL },
	};
	struct remote_error error;
	struct s3_object object;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, ARRAY_SIZE(answers), NULL);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), 0);
	assert_int_equal(object.size_bytes, 5);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), 0);
	assert_true(s3_head_object(s3.client, "k", &object, &error) < 0);
	assert_int_equal(helper_server_requests(s3.server), 4);
	assert_non_null(helper_header(helper_server_request(s3.server, 0), "x-amz-checksum-mode"));
	for (unsigned i = 1; i < 4; i++)
		assert_null(
			helper_header(helper_server_request(s3.server, i), "x-amz-checksum-mode"));
	helper_s3_stop(&s3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__objects_are_asked_for_at_the_bucket_s_own_host),
		cmocka_unit_test(test_aws__an_upload_in_parts_is_one_of_the_object),
		cmocka_unit_test(test_aws__lists_rules_and_restores_name_what_they_want),
		cmocka_unit_test(test_aws__the_region_decides_on_host_and_scope),
		cmocka_unit_test(test_aws__a_restore_under_way_is_no_failure_and_a_refusal_is_one),
		cmocka_unit_test(
			test_aws__a_server_that_refuses_to_be_asked_for_checksums_is_asked_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
