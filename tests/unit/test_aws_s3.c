/* The exact request of each S3 operation, and what is made of good answers and of bad ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "helper_s3.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/times.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SIGNED "SignedHeaders=host;x-amz-content-sha256;x-amz-date"
#define COMMON(sha256) "x-amz-content-sha256: " sha256 "\nx-amz-date: DATE\n"

static const struct helper_answer ok = { 200, NULL, "" };

static void test_aws__put_sends_type_metadata_condition_and_checksum(void **state)
{
	static const struct helper_answer answer = {
		200, "ETag: \"5d41402abc4b2a76b9719d911017c592\"\r\nx-amz-version-id: v1\r\n", ""
	};
	struct s3_metadata metadata[] = { { "sha256", HELLO }, { "call", "x y" } };
	struct s3_put put = { .key = "a b/\xc3\xa4+$.wav",
			      .body = "hello",
			      .body_len = 5,
			      .content_type = "audio/wav",
			      .metadata = metadata,
			      .metadata_count = 2,
			      .if_none_match = true,
			      .send_checksum = true };
	struct helper_s3 s3;
	struct s3_object object;
	struct remote_error error;

	helper_s3_start(&s3, &answer, 1, NULL);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), 0);
	assert_int_equal(error.kind, REMOTE_OK);
	assert_int_equal(object.size_bytes, 5);
	assert_string_equal(object.etag, "5d41402abc4b2a76b9719d911017c592");
	assert_string_equal(object.version_id, "v1");
	assert_true(s3_object_etag_is_md5(&object));
	helper_s3_check_request(
		&s3, 0,
		"PUT /bucket/a%20b/%C3%A4%2B%24.wav HTTP/1.1\n" COMMON(
			HELLO) "Content-Type: audio/wav\nx-amz-meta-sha256: " HELLO
			       "\nx-amz-meta-call: x y\nIf-None-Match: *\n"
			       "x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\n"
			       "Authorization: SignedHeaders=content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;"
			       "x-amz-date;x-amz-meta-call;x-amz-meta-sha256\nContent-Length: 5\n");
	assert_string_equal(helper_server_request(s3.server, 0)->body, "hello");
	helper_s3_stop(&s3);
}

static void test_aws__settings_appear_as_headers_of_a_put(void **state)
{
	static const struct helper_answer answer = {
		200,
		"x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: k1\r\n"
		"ETag: \"5d41402abc4b2a76b9719d911017c592\"\r\n",
		""
	};
	struct s3_settings settings = { .bucket = "bucket",
					.session_token = "token",
					.storage_class = "STANDARD_IA",
					.encryption = S3_ENCRYPTION_SSE_KMS,
					.kms_key_id = "k1" };
	struct s3_put put = { .key = "k", .body = "", .body_len = 0 };
	struct helper_s3 s3;
	struct s3_object object;
	struct remote_error error;

	helper_s3_start(&s3, &answer, 1, &settings);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), 0);
	assert_string_equal(object.encryption, "aws:kms");
	assert_string_equal(object.kms_key_id, "k1");
	assert_false(s3_object_etag_is_md5(&object));
	helper_s3_check_request(
		&s3, 0,
		"PUT /bucket/k HTTP/1.1\nx-amz-content-sha256: " EMPTY
		"\nx-amz-date: DATE\nx-amz-security-token: token\n"
		"x-amz-server-side-encryption: aws:kms\nx-amz-server-side-encryption-aws-kms-key-id: k1\n"
		"x-amz-server-side-encryption-bucket-key-enabled: true\n"
		"x-amz-storage-class: STANDARD_IA\n"
		"Authorization: " SIGNED ";x-amz-security-token;x-amz-server-side-encryption;"
		"x-amz-server-side-encryption-aws-kms-key-id;"
		"x-amz-server-side-encryption-bucket-key-enabled;x-amz-storage-class\nContent-Length: 0\n");
	helper_s3_stop(&s3);
}

static void test_aws__head_tells_what_the_server_says(void **state)
{
	static const struct helper_answer answer = {
		200,
		"Content-Length: 1234\r\nETag: \"47693b6aafc99e607a33f321da4dc903-2\"\r\nContent-Type: audio/wav\r\n"
		"Last-Modified: Sun, 01 Mar 2026 10:15:00 GMT\r\nx-amz-storage-class: GLACIER_IR\r\n"
		"x-amz-server-side-encryption: AES256\r\nx-amz-meta-sha256: " HELLO "\r\n"
		"x-amz-server-side-encryption-bucket-key-enabled: true\r\n"
		"x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 23 Dec 2033 00:00:00 GMT\"\r\n"
		"x-amz-object-lock-mode: COMPLIANCE\r\nx-amz-object-lock-legal-hold: ON\r\n"
		"x-amz-object-lock-retain-until-date: 2033-12-23T00:00:00.000Z\r\n"
		"x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=-2\r\n",
		NULL
	};
	struct helper_s3 s3;
	struct s3_object object;
	struct remote_error error;

	helper_s3_start(&s3, &answer, 1, NULL);
	assert_int_equal(s3_head_object(s3.client, "/k", &object, &error), 0);
	assert_int_equal(object.size_bytes, 1234);
	assert_string_equal(object.etag, "47693b6aafc99e607a33f321da4dc903-2");
	assert_false(s3_object_etag_is_md5(&object));
	assert_string_equal(object.content_type, "audio/wav");
	assert_string_equal(object.storage_class, "GLACIER_IR");
	assert_string_equal(object.encryption, "AES256");
	assert_string_equal(object.meta_sha256, HELLO);
	assert_string_equal(object.checksum_sha256, ""); /* of the parts, not of the bytes */
	assert_int_equal(object.last_modified_secs, 1772360100);
	assert_true(object.bucket_key);
	assert_false(object.is_restoring);
	assert_int_equal(object.restored_until_secs, 2018908800);
	assert_string_equal(object.lock_mode, "COMPLIANCE");
	assert_int_equal(object.retain_until_secs, 2018908800);
	assert_true(object.has_legal_hold);
	helper_s3_check_request(
		&s3, 0,
		"HEAD /bucket//k HTTP/1.1\n" COMMON(
			EMPTY) "x-amz-checksum-mode: ENABLED\nAuthorization: SignedHeaders=host;"
			       "x-amz-checksum-mode;x-amz-content-sha256;x-amz-date\n");
	helper_s3_stop(&s3);
}

static void test_aws__head_takes_no_value_that_could_drive_a_terminal(void **state)
{
	static const struct helper_answer answer = {
		200,
		"Content-Length: 1234\r\nETag: \"a\x1b[2J\"\r\nContent-Type: audio/\xc2\x9bwav\r\n"
		"x-amz-storage-class: GLACIER\x1b]0;x\r\nx-amz-server-side-encryption: AES256\x7f\r\n"
		"x-amz-object-lock-mode: \x9b\r\n",
		NULL
	};
	struct helper_s3 s3;
	struct s3_object object;
	struct remote_error error;

	helper_s3_start(&s3, &answer, 1, NULL);
	assert_int_equal(s3_head_object(s3.client, "/k", &object, &error), 0);
	assert_string_equal(object.etag, "");
	assert_string_equal(object.content_type, "");
	assert_string_equal(object.storage_class, "UNKNOWN");
	assert_string_equal(object.encryption, "");
	assert_string_equal(object.lock_mode, "");
	helper_s3_stop(&s3);
}

static void test_aws__get_asks_for_ranges_and_believes_only_them(void **state)
{
	static const struct {
		int64_t offset, length;
		const char *range; /* NULL: no such header */
		struct helper_answer answer;
		int expected;
	} cases[] = {
		{ 0, -1, NULL, { 200, NULL, "hello" }, 0 },
		{ 6, 5, "bytes=6-10", { 206, "Content-Range: bytes 6-10/20\r\n", "world" }, 0 },
		{ 6, -1, "bytes=6-", { 206, "Content-Range: bytes 6-10/11\r\n", "world" }, 0 },
		{ 0, 5, "bytes=0-4", { 206, "Content-Range: bytes 0-4/11\r\n", "hello" }, 0 },
		{ 6, 9, "bytes=6-14", { 206, "Content-Range: bytes 6-10/11\r\n", "world" }, 0 },
		{ 6, 5, "bytes=6-10", { 200, NULL, "hello world" }, -EIO },
		{ 6, 5, "bytes=6-10", { 206, NULL, "world" }, -EIO },
		{ 6, 5, "bytes=6-10", { 206, "Content-Range: bytes 5-9/20\r\n", "world" }, -EIO },
		{ 6, 5, "bytes=6-10", { 206, "Content-Range: bytes 6-9/20\r\n", "worl" }, -EIO },
		{ 6, 5, "bytes=6-10", { 206, "Content-Range: bytes 6-11/20\r\n", "worlds" }, -EIO },
		{ 6, 5, "bytes=6-10", { 206, "Content-Range: bytes 6-10/20\r\n", "wor" }, -EIO },
		{ 0, -1, NULL, { 206, "Content-Range: bytes 0-4/9\r\n", "hello" }, -EIO },
		{ 0, -1, NULL, { 200, NULL, "0123456789012345678901" }, -EFBIG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf body = BUF_INIT;
		struct helper_s3 s3;
		struct s3_object object;
		struct remote_error error;
		const char *range;
		int r;

		helper_s3_start(&s3, &cases[i].answer, 1, NULL);
		r = s3_get_object(s3.client, "k", cases[i].offset, cases[i].length, 20, &body,
				  &object, &error);
		if (r != cases[i].expected)
			fail_msg("case %zu: %d %s", i, r, error.message);
		if (r)
			assert_int_equal(error.kind, REMOTE_INVALID);
		else
			assert_string_equal(buf_str(&body), cases[i].answer.body);
		range = helper_header(helper_server_request(s3.server, 0), "Range");
		if (cases[i].range)
			assert_string_equal(range, cases[i].range);
		else
			assert_null(range);
		buf_release(&body);
		helper_s3_stop(&s3);
	}
}

static void test_aws__delete_names_a_version_and_takes_a_missing_key_for_done(void **state)
{
	static const struct helper_answer answers[] = {
		{ 204, NULL, NULL },
		{ 404, NULL, "<Error><Code>NoSuchKey</Code></Error>" },
		{ 404, NULL, "<Error><Code>NoSuchBucket</Code></Error>" },
	};
	struct helper_s3 s3;
	struct remote_error error;

	helper_s3_start(&s3, answers, 3, NULL);
	assert_int_equal(s3_delete_object(s3.client, "k", "v/1", &error), 0);
	assert_int_equal(s3_delete_object(s3.client, "k", NULL, &error), 0);
	assert_int_equal(error.kind, REMOTE_OK);
	assert_int_equal(s3_delete_object(s3.client, "k", NULL, &error), -ENOENT);
	assert_int_equal(error.kind, REMOTE_REJECTED);
	helper_s3_check_request(&s3, 0,
				"DELETE /bucket/k?versionId=v%2F1 HTTP/1.1\n" COMMON(
					EMPTY) "Authorization: " SIGNED "\n");
	helper_s3_check_request(
		&s3, 1, "DELETE /bucket/k HTTP/1.1\n" COMMON(EMPTY) "Authorization: " SIGNED "\n");
	helper_s3_stop(&s3);
}

static void test_aws__no_request_ever_goes_to_the_bucket_in_place_of_an_object(void **state)
{
	static const char *const keys[] = { "", ".", "..", "a/../b", "a/..", "./a", "../", "a/./b" };
	struct s3_object object;
	struct remote_error error;
	struct buf body = BUF_INIT;
	struct helper_s3 s3;
	char id[S3_UPLOAD_ID_SIZE], etag[S3_ETAG_SIZE];

	helper_s3_start(&s3, &ok, 1, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct s3_put put = { .key = keys[i], .body = "x", .body_len = 1 };

		assert_int_equal(s3_delete_object(s3.client, keys[i], NULL, &error), -EINVAL);
		assert_int_equal(s3_upload_abort(s3.client, keys[i], "id", &error), -EINVAL);
		assert_int_equal(s3_put_object(s3.client, &put, &object, &error), -EINVAL);
		assert_int_equal(s3_upload_create(s3.client, &put, id, &error), -EINVAL);
		assert_int_equal(s3_get_object(s3.client, keys[i], 0, -1, 9, &body, &object,
					       &error),
				 -EINVAL);
		assert_int_equal(s3_head_object(s3.client, keys[i], &object, &error), -EINVAL);
		assert_int_equal(s3_presign_get(s3.client, keys[i], 60, NULL, S3_INLINE, NULL,
						&body),
				 -EINVAL);
		assert_int_equal(error.kind, REMOTE_REJECTED);
	}
	/* Without its id a request for an upload would be one for the object. */
	assert_int_equal(s3_upload_abort(s3.client, "k", "", &error), -EINVAL);
	assert_int_equal(s3_upload_part(s3.client, "k", "", 1, "x", 1, etag, &error), -EINVAL);
	assert_int_equal(helper_server_requests(s3.server), 0);
	buf_release(&body);
	helper_s3_stop(&s3);
}

/* As S3 answers to whom a condition lets list under a prefix only. */
static void test_aws__what_is_denied_and_not_listed_is_missing(void **state)
{
#define LIST(entries) \
	"<ListBucketResult><IsTruncated>false</IsTruncated>" entries "</ListBucketResult>"
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define DENIED "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
	static const struct {
		struct helper_answer answers[2];
		int err;
		enum remote_kind kind;
		unsigned requests;
	} cases[] = {
		{ { { 403, NULL, DENIED }, { 200, NULL, LIST("") } }, -ENOENT, REMOTE_NOT_FOUND, 2 },
		{ { { 403, NULL, DENIED }, { 200, NULL, LIST(ENTRY("a/k.wav.encrypted")) } },
		  -ENOENT,
		  REMOTE_NOT_FOUND,
		  2 },
		{ { { 403, NULL, DENIED }, { 200, NULL, LIST(ENTRY("a/k.wav")) } },
		  -EACCES,
		  REMOTE_REJECTED,
		  2 },
		{ { { 403, NULL, DENIED }, { 403, NULL, DENIED } }, -EACCES, REMOTE_REJECTED, 2 },
		{ { { 403, NULL, DENIED },
		    { 404, NULL, "<Error><Code>NoSuchBucket</Code></Error>" } },
		  -ENOENT,
		  REMOTE_REJECTED,
		  2 },
		{ { { 404, NULL, "<Error><Code>NoSuchKey</Code></Error>" }, { 500, NULL, "" } },
		  -ENOENT,
		  REMOTE_NOT_FOUND,
		  1 },
	};

	for (size_t i = 0; i < 3 * ARRAY_SIZE(cases); i++) {
		struct helper_answer answers[2] = { cases[i / 3].answers[0],
						    cases[i / 3].answers[1] };
		cleanup_buf struct buf body = BUF_INIT;
		struct s3_object object;
		struct remote_error error;
		struct helper_s3 s3;
		int err;

		if (i % 3 == 0)
			answers[0].body = NULL; /* a HEAD's answer has none */
		helper_s3_start(&s3, answers, 2, NULL);
		err = i % 3 == 0   ? s3_head_object(s3.client, "a/k.wav", &object, &error)
		      : i % 3 == 1 ? s3_get_object(s3.client, "a/k.wav", 0, -1, 100, &body, &object,
						   &error)
				   : s3_restore_object(s3.client, "a/k.wav", 1, "Bulk", &error);
		assert_int_equal(err, cases[i / 3].err);
		assert_int_equal(error.kind, cases[i / 3].kind);
		assert_int_equal(helper_server_requests(s3.server), cases[i / 3].requests);
		if (cases[i / 3].requests > 1)
			assert_non_null(strstr(helper_s3_request_line(&s3, 1),
					       "list-type=2&encoding-type=url&prefix=a%2Fk.wav"));
		helper_s3_stop(&s3);
	}
}

static void test_aws__metadata_that_is_no_header_is_refused(void **state)
{
	static const struct s3_metadata bad[] = {
		{ "a b", "x" },      { "a:b", "x" }, { "a", "x\r\nX-B: y" },
		{ "a", "\xc3\xa4" }, { "a\n", "x" },
	};
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, &ok, 1, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct s3_put put = { .key = "k",
				      .body = "x",
				      .body_len = 1,
				      .metadata = &bad[i],
				      .metadata_count = 1 };

		assert_int_equal(s3_put_object(s3.client, &put, &object, &error), -EINVAL);
	}
	assert_int_equal(helper_server_requests(s3.server), 0);
	helper_s3_stop(&s3);
}

/* ---- multipart ---- */

#define CREATED \
	"<?xml version=\"1.0\"?><InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" \
	"<Bucket>bucket</Bucket><Key>k</Key><UploadId>2~a/b+c=</UploadId></InitiateMultipartUploadResult>"
#define COMPLETED \
	"<CompleteMultipartUploadResult><ETag>&quot;abc-2&quot;</ETag></CompleteMultipartUploadResult>"

static void test_aws__an_upload_is_created_filled_and_completed(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL, CREATED },
		{ 200, "ETag: \"e1\"\r\n", "" },
		{ 200, "x-amz-version-id: v7\r\n", "  \n \n<?xml version=\"1.0\"?>\n" COMPLETED },
		{ 204, NULL, NULL },
		{ 404, NULL, "<Error><Code>NoSuchUpload</Code></Error>" },
	};
	struct s3_metadata metadata = { "sha256", HELLO };
	struct s3_put head = {
		.key = "k", .content_type = "audio/wav", .metadata = &metadata, .metadata_count = 1
	};
	struct s3_settings settings = { .bucket = "bucket", .encryption = S3_ENCRYPTION_SSE_S3 };
	char id[S3_UPLOAD_ID_SIZE], etags[2][S3_ETAG_SIZE] = { "", "e<2&" };
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 5, &settings);
	assert_int_equal(s3_upload_create(s3.client, &head, id, &error), 0);
	assert_string_equal(id, "2~a/b+c=");
	assert_int_equal(s3_upload_part(s3.client, "k", id, 1, "hello", 5, etags[0], &error), 0);
	assert_string_equal(etags[0], "e1");
	assert_int_equal(s3_upload_complete(s3.client, "k", id, etags, 2, true, &object, &error),
			 0);
	assert_string_equal(object.etag, "abc-2");
	assert_string_equal(object.version_id, "v7");
	assert_int_equal(object.size_bytes, -1);
	assert_int_equal(s3_upload_abort(s3.client, "k", id, &error), 0);
	assert_int_equal(s3_upload_abort(s3.client, "k", id, &error), 0);
	helper_s3_check_request(
		&s3, 0,
		"POST /bucket/k?uploads= HTTP/1.1\n" COMMON(
			EMPTY) "Content-Type: audio/wav\nx-amz-server-side-encryption: AES256\nx-amz-meta-sha256: " HELLO
			       "\n"
			       "Authorization: SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-sha256;"
			       "x-amz-server-side-encryption\nContent-Length: 0\n");
	helper_s3_check_request(
		&s3, 1,
		"PUT /bucket/k?partNumber=1&uploadId=2~a%2Fb%2Bc%3D HTTP/1.1\n" COMMON(
			HELLO) "Authorization: " SIGNED "\nContent-Length: 5\n");
	assert_string_equal(helper_s3_request_line(&s3, 2),
			    "POST /bucket/k?uploadId=2~a%2Fb%2Bc%3D HTTP/1.1");
	assert_string_equal(helper_header(helper_server_request(s3.server, 2), "If-None-Match"),
			    "*");
	assert_string_equal(
		helper_server_request(s3.server, 2)->body,
		"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<Part><PartNumber>1</PartNumber><ETag>\"e1\"</ETag></Part>"
		"<Part><PartNumber>2</PartNumber><ETag>\"e&lt;2&amp;\"</ETag></Part></CompleteMultipartUpload>");
	assert_string_equal(helper_s3_request_line(&s3, 3),
			    "DELETE /bucket/k?uploadId=2~a%2Fb%2Bc%3D HTTP/1.1");
	helper_s3_stop(&s3);
}

static void test_aws__a_completion_is_believed_only_as_a_whole(void **state)
{
	static const struct {
		struct helper_answer answer;
		int expected;
		enum remote_kind kind;
		unsigned requests;
	} cases[] = {
		{ { 200, NULL, "<Error><Code>InvalidPart</Code><Message>m</Message></Error>" },
		  -EIO,
		  REMOTE_REJECTED,
		  1 },
		{ { 200, NULL, "<Error><Code>AccessDenied</Code></Error>" },
		  -EACCES,
		  REMOTE_REJECTED,
		  1 },
		{ { 200, NULL, "   <Error><Code>InternalError</Code></Error>" },
		  -EIO,
		  REMOTE_TRANSIENT,
		  1 },
		{ { 200, NULL, "" }, -EIO, REMOTE_UNCERTAIN, 1 },
		{ { 200, NULL, "    " }, -EIO, REMOTE_UNCERTAIN, 1 },
		{ { 200, NULL, "<html>ok</html>" }, -EIO, REMOTE_UNCERTAIN, 1 },
		{ { 200, NULL, "<CompleteMultipartUploadResult><ETag>x" },
		  -EIO,
		  REMOTE_UNCERTAIN,
		  1 },
		{ { 412, NULL, "<Error><Code>PreconditionFailed</Code></Error>" },
		  -EEXIST,
		  REMOTE_REJECTED,
		  1 },
		{ { 502, NULL, "<html>Bad gateway</html>" }, -EIO, REMOTE_UNCERTAIN, 1 },
		{ { 0, NULL, NULL }, -EIO, REMOTE_UNCERTAIN, 1 },
	};
	static const char etags[1][S3_ETAG_SIZE] = { "e" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct s3_object object;
		struct remote_error error;
		struct helper_s3 s3;
		int r;

		helper_s3_start(&s3, &cases[i].answer, 1, NULL);
		r = s3_upload_complete(s3.client, "k", "id", etags, 1, true, &object, &error);
		if (r != cases[i].expected || error.kind != cases[i].kind ||
		    helper_server_requests(s3.server) != cases[i].requests)
			fail_msg("case %zu: %d %s, %u requests", i, r, remote_kind_name(error.kind),
				 helper_server_requests(s3.server));
		helper_s3_stop(&s3);
	}
}

/* ---- lists ---- */

struct seen {
	struct buf text;
	unsigned stop_after;
	unsigned count;
};

static int see(void *arg, const struct s3_list_entry *entry)
{
	struct seen *seen = arg;

	buf_addf(&seen->text, "%s|%lld|%s|%s|%s|%s|%d|%lld\n", entry->key,
		 (long long)entry->size_bytes, entry->etag ? entry->etag : "-",
		 entry->storage_class, entry->upload_id ? entry->upload_id : "-",
		 entry->version_id ? entry->version_id : "-", entry->is_delete_marker,
		 (long long)entry->last_modified_secs);
	return ++seen->count == seen->stop_after ? 77 : 0;
}

static void test_aws__a_list_of_objects_goes_on_to_the_last_page(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL,
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		  "<Name>bucket</Name><Contents><Key>p/a+b%2Bc%25%0A</Key><LastModified>2026-03-01T10:15:00.000Z</LastModified>"
		  "<ETag>&quot;e1&quot;</ETag><Size>12345678901</Size><StorageClass>GLACIER</StorageClass>"
		  "<Owner><ID>x</ID></Owner></Contents><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
		  "<NextContinuationToken>t/1=</NextContinuationToken></ListBucketResult>" },
		{ 200, NULL,
		  "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/%2b</Key><Size>0</Size><StorageClass>COLD\xc2\x9b"
		  "2J</StorageClass></Contents>"
		  "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>" },
	};
	struct seen seen = { .text = BUF_INIT };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 2, NULL);
	assert_int_equal(s3_list(s3.client, S3_OBJECTS, "p/ \xc3\xa4", see, &seen, &error), 0);
	assert_string_equal(buf_str(&seen.text),
			    "p/a b+c%\n|12345678901|e1|GLACIER|-|-|0|1772360100\n"
			    "p/%2b|0||UNKNOWN|-|-|0|0\n");
	helper_s3_check_request(
		&s3, 0,
		"GET /bucket?list-type=2&encoding-type=url&prefix=p%2F%20%C3%A4 HTTP/1.1\n" COMMON(
			EMPTY) "Authorization: " SIGNED "\n");
	assert_string_equal(helper_s3_request_line(&s3, 1),
			    "GET /bucket?list-type=2&encoding-type=url&prefix=p%2F%20%C3%A4"
			    "&continuation-token=t%2F1%3D HTTP/1.1");
	buf_release(&seen.text);
	helper_s3_stop(&s3);
}

static void test_aws__a_folder_is_listed_without_what_is_deeper(void **state)
{
	static const struct helper_answer answers[] = {
		{ 200, NULL,
		  "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
		  "<Prefix>p/</Prefix><Delimiter>/</Delimiter>"
		  "<Contents><Key>p/a</Key><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>"
		  "<CommonPrefixes><Prefix>p/b%2B/</Prefix></CommonPrefixes></ListBucketResult>" },
	};
	struct seen seen = { .text = BUF_INIT };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 1, NULL);
	assert_int_equal(s3_list(s3.client, S3_FOLDER, "p/", see, &seen, &error), 0);
	assert_string_equal(buf_str(&seen.text), "p/a|3|e||-|-|0|0\n"
						 "p/b+/|0|||-|-|0|0\n");
	assert_string_equal(
		helper_s3_request_line(&s3, 0),
		"GET /bucket?list-type=2&encoding-type=url&prefix=p%2F&delimiter=%2F HTTP/1.1");
	buf_release(&seen.text);
	helper_s3_stop(&s3);
}

static void test_aws__a_callback_ends_a_list(void **state)
{
	static const struct helper_answer answer = {
		200, NULL,
		"<ListBucketResult><Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>"
	};
	struct seen seen = { .text = BUF_INIT, .stop_after = 1 };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, &answer, 1, NULL);
	assert_int_equal(s3_list(s3.client, S3_OBJECTS, NULL, see, &seen, &error), 77);
	assert_int_equal(seen.count, 1);
	assert_int_equal(error.kind, REMOTE_OK);
	buf_release(&seen.text);
	helper_s3_stop(&s3);
}

static void test_aws__lists_of_versions_and_uploads_go_on_by_two_markers(void **state)
{
	/* One server encodes its marker as its keys, another does not. */
	static const struct helper_answer versions[] = {
		{ 200, NULL,
		  "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
		  "<NextKeyMarker>k%20%25</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>"
		  "<Version><Key>k%20%25</Key><VersionId>v1</VersionId><Size>3</Size></Version></ListVersionsResult>" },
		{ 200, NULL,
		  "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
		  "<NextKeyMarker>m +%20</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>"
		  "<DeleteMarker><Key>m%20%2B%2520</Key><VersionId>v2</VersionId></DeleteMarker></ListVersionsResult>" },
		{ 200, NULL,
		  "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>" },
	};
	static const struct helper_answer uploads[] = {
		{ 200, NULL,
		  "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k%</NextKeyMarker>"
		  "<NextUploadIdMarker>u1</NextUploadIdMarker><Upload><Key>k%</Key><UploadId>u1</UploadId>"
		  "<Initiated>2026-03-01T10:15:00Z</Initiated></Upload></ListMultipartUploadsResult>" },
		{ 200, NULL,
		  "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>" },
	};
	struct seen seen = { .text = BUF_INIT };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, versions, 3, NULL);
	assert_int_equal(s3_list(s3.client, S3_VERSIONS, NULL, see, &seen, &error), 0);
	assert_string_equal(buf_str(&seen.text), "k %|3|||-|v1|0|0\nm +%20|0|||-|v2|1|0\n");
	assert_string_equal(helper_s3_request_line(&s3, 0),
			    "GET /bucket?versions=&encoding-type=url HTTP/1.1");
	assert_string_equal(helper_s3_request_line(&s3, 1),
			    "GET /bucket?versions=&encoding-type=url&key-marker=k%20%25"
			    "&version-id-marker=v1 HTTP/1.1");
	assert_string_equal(helper_s3_request_line(&s3, 2),
			    "GET /bucket?versions=&encoding-type=url&key-marker=m%20%2B%2520"
			    "&version-id-marker=v2 HTTP/1.1");
	helper_s3_stop(&s3);

	buf_reset(&seen.text);
	helper_s3_start(&s3, uploads, 2, NULL);
	assert_int_equal(s3_list(s3.client, S3_UPLOADS, "p", see, &seen, &error), 0);
	assert_string_equal(buf_str(&seen.text), "k%|0|-||u1|-|0|1772360100\n");
	assert_string_equal(helper_s3_request_line(&s3, 0),
			    "GET /bucket?uploads=&prefix=p HTTP/1.1");
	assert_string_equal(
		helper_s3_request_line(&s3, 1),
		"GET /bucket?uploads=&prefix=p&key-marker=k%25&upload-id-marker=u1 HTTP/1.1");
	buf_release(&seen.text);
	helper_s3_stop(&s3);
}

static void test_aws__a_list_that_cannot_be_believed_is_invalid(void **state)
{
	static const char *const bodies[] = {
		"",
		"<html></html>",
		"not xml",
		"<ListBucketResult><Contents></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key></Key><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key></Contents>",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999</Size></Contents></ListBucketResult>",
		"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%0</Key></Contents></ListBucketResult>",
		"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%00b</Key></Contents></ListBucketResult>",
		"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><ListBucketResult><Contents><Key>&a;</Key></Contents></ListBucketResult>",
		"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><ListBucketResult></ListBucketResult>",
		"<ListBucketResult><a><b><c><d><e><f><g><h><i><j><k><l/></k></j></i></h></g></f></e></d></c></b></a></ListBucketResult>",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct helper_answer answer = { 200, NULL, bodies[i] };
		struct seen seen = { .text = BUF_INIT };
		struct remote_error error;
		struct helper_s3 s3;
		int r;

		helper_s3_start(&s3, &answer, 1, NULL);
		r = s3_list(s3.client, S3_OBJECTS, NULL, see, &seen, &error);
		if (r != -EIO || error.kind != REMOTE_INVALID)
			fail_msg("case %zu: %d %s", i, r, error.message);
		assert_true(helper_server_requests(s3.server) <= 2);
		buf_release(&seen.text);
		helper_s3_stop(&s3);
	}
}

static void test_aws__a_list_that_goes_in_a_circle_ends(void **state)
{
#define CIRCLE_PAGE(token) \
	{ 200, NULL, \
	  "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>" token \
	  "</NextContinuationToken></ListBucketResult>" }
	const struct helper_answer answers[] = {
		CIRCLE_PAGE("a"), CIRCLE_PAGE("b"), CIRCLE_PAGE("c"), CIRCLE_PAGE("b"),
		CIRCLE_PAGE("c"), CIRCLE_PAGE("b"), CIRCLE_PAGE("c"), CIRCLE_PAGE("b"),
		CIRCLE_PAGE("c"), CIRCLE_PAGE("b"), CIRCLE_PAGE("c"), CIRCLE_PAGE("b")
	};
	struct seen seen = { .text = BUF_INIT };
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, ARRAY_SIZE(answers), NULL);
	assert_int_equal(s3_list(s3.client, S3_OBJECTS, NULL, see, &seen, &error), -EIO);
	assert_int_equal(error.kind, REMOTE_INVALID);
	assert_true(helper_server_requests(s3.server) < ARRAY_SIZE(answers));
	buf_release(&seen.text);
	helper_s3_stop(&s3);
}

/* ---- tries ---- */

static void test_aws__busy_and_lost_answers_are_tried_again(void **state)
{
	static const struct helper_answer answers[] = {
		{ 503, NULL, "<Error><Code>SlowDown</Code></Error>" },
		{ 0, NULL, NULL },
		{ 500, NULL, "<Error><Code>InternalError</Code></Error>" },
		{ 200, "ETag: \"e\"\r\n", "" },
	};
	struct s3_put put = { .key = "k", .body = "hello", .body_len = 5 };
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, answers, 4, NULL);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), 0);
	assert_int_equal(helper_server_requests(s3.server), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(helper_server_request(s3.server, i)->body, "hello");
	helper_s3_stop(&s3);
}

static void test_aws__tries_end_with_the_time(void **state)
{
	static const struct helper_answer answer = { 503, "Retry-After: 60\r\n",
						     "<Error><Code>SlowDown</Code></Error>" };
	struct s3_settings settings = { .bucket = "bucket", .total_timeout_msecs = 3000 };
	int64_t start = time_mono_msecs();
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, &answer, 1, &settings);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), -EBUSY);
	assert_int_equal(error.kind, REMOTE_BUSY);
	assert_int_equal(error.retry_after_msecs, 60000);
	assert_true(time_mono_msecs() - start < 2000);
	assert_int_equal(helper_server_requests(s3.server), 1);
	helper_s3_stop(&s3);
}

static void test_aws__a_flag_ends_an_operation(void **state)
{
	static const struct helper_answer answer = { 503, "Retry-After: 30\r\n", NULL };
	struct cancel cancel = { true };
	struct s3_settings settings = { .bucket = "bucket", .cancel = &cancel };
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, &answer, 1, &settings);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), -ECANCELED);
	assert_int_equal(error.kind, REMOTE_CANCELLED);
	helper_s3_stop(&s3);
}

static void test_aws__an_object_of_our_own_lost_try_is_no_obstacle(void **state)
{
	static const struct helper_answer ours[] = {
		{ 0, NULL, NULL },
		{ 412, NULL, "<Error><Code>PreconditionFailed</Code></Error>" },
		{ 200, "Content-Length: 5\r\nETag: \"5d41402abc4b2a76b9719d911017c592\"\r\n",
		  NULL },
	};
	static const struct helper_answer anothers[] = {
		{ 0, NULL, NULL },
		{ 412, NULL, "<Error><Code>PreconditionFailed</Code></Error>" },
		{ 200, "Content-Length: 5\r\nETag: \"00000000abc4b2a76b9719d911017c59\"\r\n",
		  NULL },
	};
	static const struct helper_answer first = {
		412, NULL, "<Error><Code>PreconditionFailed</Code></Error>"
	};
	struct s3_put put = { .key = "k", .body = "hello", .body_len = 5, .if_none_match = true };
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, ours, 3, NULL);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), 0);
	assert_int_equal(error.kind, REMOTE_OK);
	assert_int_equal(object.size_bytes, 5);
	helper_s3_stop(&s3);
	helper_s3_start(&s3, anothers, 3, NULL);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), -EEXIST);
	helper_s3_stop(&s3);
	helper_s3_start(&s3, &first, 1, NULL);
	assert_int_equal(s3_put_object(s3.client, &put, &object, &error), -EEXIST);
	assert_int_equal(helper_server_requests(s3.server), 1);
	helper_s3_stop(&s3);
}

static void format_date(char text[64], int64_t secs)
{
	time_t t = secs;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, 64, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
}

static void test_aws__a_clock_that_is_off_is_corrected_once_and_for_all(void **state)
{
	char date[64], basic[TIME_ISO8601_SIZE];
	struct helper_answer answers[] = {
		{ 403, date, "<Error><Code>RequestTimeTooSkewed</Code></Error>" },
		{ 200, "Content-Length: 1\r\n", "x" },
		{ 200, "Content-Length: 1\r\n", "x" },
	};
	int64_t theirs = time_now_secs() + 7200;
	struct s3_object object;
	struct remote_error error;
	struct helper_s3 s3;

	format_date(date, theirs);
	/* The error of a HEAD has no document that would name it. */
	helper_s3_start(&s3, answers, 3, NULL);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), 0);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), 0);
	assert_int_equal(helper_server_requests(s3.server), 3);
	time_format_basic(theirs, basic);
	for (unsigned i = 1; i < 3; i++) /* to the minute: the second may have turned */
		assert_int_equal(
			strncmp(helper_header(helper_server_request(s3.server, i), "x-amz-date"),
				basic, 9),
			0);
	assert_int_not_equal(
		strncmp(helper_header(helper_server_request(s3.server, 0), "x-amz-date"), basic,
			11),
		0);
	helper_s3_stop(&s3);

	/* A server that goes on refusing is not asked for ever, and one whose clock agrees is not
	 * asked again. */
	helper_s3_start(&s3, answers, 1, NULL);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), -EACCES);
	assert_int_equal(helper_server_requests(s3.server), 4); /* a HEAD and a list, twice each */
	helper_s3_stop(&s3);
	format_date(date, time_now_secs());
	helper_s3_start(&s3, answers, 1, NULL);
	assert_int_equal(s3_head_object(s3.client, "k", &object, &error), -EACCES);
	assert_int_equal(helper_server_requests(s3.server),
			 3); /* one HEAD; the list says it in words */
	helper_s3_stop(&s3);
}

/* ---- places ---- */

static void presigned(const struct s3_settings *settings, struct buf *ret_url)
{
	struct s3_settings copy = *settings;
	struct s3_client *client;
	struct http *http;

	copy.access_key = "AK";
	copy.secret_key = "SK";
	assert_int_equal(http_new(NULL, &http), 0);
	assert_int_equal(s3_client_new(http, &copy, &client), 0);
	assert_int_equal(s3_presign_get(client, "a b/k.wav", 60, NULL, S3_INLINE, NULL, ret_url),
			 0);
	s3_client_free(client);
	http_free(http);
}

static void test_aws__a_bucket_is_found_in_the_host_or_in_the_path(void **state)
{
	static const struct {
		struct s3_settings settings;
		const char *url;
	} cases[] = {
		{ { .bucket = "bucket" },
		  "https://bucket.s3.us-east-1.amazonaws.com/a%20b/k.wav?" },
		{ { .bucket = "bucket", .region = "eu-west-1" },
		  "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/k.wav?" },
		{ { .bucket = "bucket", .region = "cn-north-1" },
		  "https://bucket.s3.cn-north-1.amazonaws.com.cn/a%20b/k.wav?" },
		{ { .bucket = "bucket", .path_style = true },
		  "https://s3.us-east-1.amazonaws.com/bucket/a%20b/k.wav?" },
		{ { .bucket = "my.bucket" },
		  "https://s3.us-east-1.amazonaws.com/my.bucket/a%20b/k.wav?" },
		{ { .bucket = "My_Bucket" },
		  "https://s3.us-east-1.amazonaws.com/My_Bucket/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "https://fra1.Example.com/" },
		  "https://bucket.fra1.example.com/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "https://s3.example.com:443/s3//" },
		  "https://bucket.s3.example.com/s3/a%20b/k.wav?" },
		{ { .bucket = "bucket",
		    .endpoint = "https://s3.example.com:8443/s3",
		    .path_style = true },
		  "https://s3.example.com:8443/s3/bucket/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "http://10.1.2.3:9000" },
		  "http://10.1.2.3:9000/bucket/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "http://[::1]:80" },
		  "http://[::1]/bucket/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "HTTP://localhost:9000" },
		  "http://localhost:9000/bucket/a%20b/k.wav?" },
		{ { .bucket = "bucket", .endpoint = "http://s3.localhost:9000" },
		  "http://bucket.s3.localhost:9000/a%20b/k.wav?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf url = BUF_INIT;

		presigned(&cases[i].settings, &url);
		if (strncmp(buf_str(&url), cases[i].url, strlen(cases[i].url)) != 0)
			fail_msg("case %zu: %s", i, buf_str(&url));
		buf_release(&url);
	}
}

static void test_aws__settings_that_are_none_are_refused(void **state)
{
	static const struct s3_settings bad[] = {
		{ .bucket = "" },
		{ .bucket = NULL },
		{ .bucket = "a/b" },
		{ .bucket = ".." },
		{ .bucket = "a b" },
		{ .bucket = "bucket", .region = "eu west" },
		{ .bucket = "bucket", .region = "x/../y" },
		{ .bucket = "bucket", .endpoint = "s3.example.com" },
		{ .bucket = "bucket", .endpoint = "ftp://x" },
		{ .bucket = "bucket", .endpoint = "https://" },
		{ .bucket = "bucket", .endpoint = "https://user:pw@host" },
		{ .bucket = "bucket", .endpoint = "https://host:0" },
		{ .bucket = "bucket", .endpoint = "https://host:70000" },
		{ .bucket = "bucket", .endpoint = "https://host:8x" },
		{ .bucket = "bucket", .endpoint = "https://host/a?b" },
		{ .bucket = "bucket", .endpoint = "https://ho st" },
		{ .bucket = "bucket", .endpoint = "https://[::1" },
		{ .bucket = "bucket", .endpoint = "https://host?x" },
		{ .bucket = "bucket", .endpoint = "https://host#x" },
		{ .bucket = "bucket", .session_token = "a\r\nb" },
		{ .bucket = "bucket", .storage_class = "a\nb" },
	};
	struct http *http;

	assert_int_equal(http_new(NULL, &http), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct s3_settings settings = bad[i];
		struct s3_client *client = NULL;

		settings.access_key = "AK";
		settings.secret_key = "SK";
		if (s3_client_new(http, &settings, &client) != -EINVAL)
			fail_msg("case %zu", i);
		assert_null(client);
	}
	http_free(http);
}

static void test_aws__plain_http_to_another_machine_is_refused(void **state)
{
	struct s3_settings settings = { .bucket = "bucket",
					.endpoint = "http://192.0.2.1:9000",
					.access_key = "AK",
					.secret_key = "SK" };
	struct s3_client *client;
	struct s3_object object;
	struct remote_error error;
	struct http *http;

	assert_int_equal(http_new(NULL, &http), 0);
	assert_int_equal(s3_client_new(http, &settings, &client), 0);
	assert_int_equal(s3_head_object(client, "k", &object, &error), -EPERM);
	assert_int_equal(error.kind, REMOTE_REJECTED);
	s3_client_free(client);
	http_free(http);
}

static void test_aws__a_presigned_url_overrides_type_and_name(void **state)
{
	struct buf url = BUF_INIT;
	struct helper_s3 s3;

	helper_s3_start(&s3, &ok, 1,
			&(struct s3_settings){ .bucket = "bucket", .session_token = "to/ken" });
	assert_int_equal(s3_presign_get(s3.client, "k", 3600, "audio/wav", S3_ATTACHMENT,
					"a\"b\r\n.wav", &url),
			 0);
	assert_non_null(
		strstr(buf_str(&url),
		       "&X-Amz-Expires=3600&X-Amz-Security-Token=to%2Fken&X-Amz-SignedHeaders=host"
		       "&response-content-disposition=attachment%3B%20filename%3D%22a_b__.wav%22"
		       "&response-content-type=audio%2Fwav&X-Amz-Signature="));
	buf_reset(&url);
	assert_int_equal(s3_presign_get(s3.client, "k", 3600, NULL, S3_INLINE, "a.wav", &url), 0);
	assert_non_null(strstr(buf_str(&url),
			       "&response-content-disposition=inline%3B%20filename%3D%22a.wav%22"));
	assert_int_equal(s3_presign_get(s3.client, "k", 604801, NULL, S3_INLINE, NULL, &url),
			 -EINVAL);
	buf_release(&url);
	helper_s3_stop(&s3);
}

static void test_aws__a_streaming_get_is_signed_for_whoever_sends_it(void **state)
{
	struct s3_request_memory *memory;
	struct http_request request;
	struct http_reply reply;
	struct remote_error error;
	struct helper_s3 s3;

	helper_s3_start(&s3, &ok, 1, NULL);
	assert_int_equal(s3_request_get(s3.client, "k", 5, 10, "etag", &request, &memory), 0);
	assert_null(request.on_done);
	assert_int_equal(http_perform(s3.http, &request, 10, NULL, &reply, &error), 0);
	s3_request_memory_free(memory);
	http_reply_release(&reply);
	helper_s3_check_request(
		&s3, 0,
		"GET /bucket/k HTTP/1.1\n" COMMON(
			EMPTY) "Range: bytes=5-14\nIf-Match: \"etag\"\n"
			       "Authorization: SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date\n");
	assert_int_equal(s3_request_get(s3.client, "k", -1, 10, NULL, &request, &memory), -EINVAL);
	assert_int_equal(s3_request_get(s3.client, "k", 0, 0, NULL, &request, &memory), -EINVAL);
	assert_int_equal(s3_request_get(s3.client, "k", INT64_MAX, 2, NULL, &request, &memory),
			 -EINVAL);
	assert_int_equal(s3_request_get(s3.client, "", 0, -1, NULL, &request, &memory), -EINVAL);
	helper_s3_stop(&s3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws__put_sends_type_metadata_condition_and_checksum),
		cmocka_unit_test(test_aws__settings_appear_as_headers_of_a_put),
		cmocka_unit_test(test_aws__head_tells_what_the_server_says),
		cmocka_unit_test(test_aws__head_takes_no_value_that_could_drive_a_terminal),
		cmocka_unit_test(test_aws__get_asks_for_ranges_and_believes_only_them),
		cmocka_unit_test(test_aws__delete_names_a_version_and_takes_a_missing_key_for_done),
		cmocka_unit_test(
			test_aws__no_request_ever_goes_to_the_bucket_in_place_of_an_object),
		cmocka_unit_test(test_aws__what_is_denied_and_not_listed_is_missing),
		cmocka_unit_test(test_aws__metadata_that_is_no_header_is_refused),
		cmocka_unit_test(test_aws__an_upload_is_created_filled_and_completed),
		cmocka_unit_test(test_aws__a_completion_is_believed_only_as_a_whole),
		cmocka_unit_test(test_aws__a_list_of_objects_goes_on_to_the_last_page),
		cmocka_unit_test(test_aws__a_folder_is_listed_without_what_is_deeper),
		cmocka_unit_test(test_aws__a_callback_ends_a_list),
		cmocka_unit_test(test_aws__lists_of_versions_and_uploads_go_on_by_two_markers),
		cmocka_unit_test(test_aws__a_list_that_cannot_be_believed_is_invalid),
		cmocka_unit_test(test_aws__a_list_that_goes_in_a_circle_ends),
		cmocka_unit_test(test_aws__busy_and_lost_answers_are_tried_again),
		cmocka_unit_test(test_aws__tries_end_with_the_time),
		cmocka_unit_test(test_aws__a_flag_ends_an_operation),
		cmocka_unit_test(test_aws__an_object_of_our_own_lost_try_is_no_obstacle),
		cmocka_unit_test(test_aws__a_clock_that_is_off_is_corrected_once_and_for_all),
		cmocka_unit_test(test_aws__a_bucket_is_found_in_the_host_or_in_the_path),
		cmocka_unit_test(test_aws__settings_that_are_none_are_refused),
		cmocka_unit_test(test_aws__plain_http_to_another_machine_is_refused),
		cmocka_unit_test(test_aws__a_presigned_url_overrides_type_and_name),
		cmocka_unit_test(test_aws__a_streaming_get_is_signed_for_whoever_sends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
