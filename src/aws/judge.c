/* Judges answers of S3 by the <Code> of the error document, without one by the status. */
#include <errno.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/xml.h"

static const struct {
	const char *code;
	enum remote_kind kind;
	int error;
} codes[] = {
	{ "AccessDenied", REMOTE_REJECTED, -EACCES },
	{ "AccountProblem", REMOTE_REJECTED, -EACCES },
	{ "AllAccessDisabled", REMOTE_REJECTED, -EACCES },
	{ "AuthorizationHeaderMalformed", REMOTE_REJECTED, -EACCES },
	{ "BadDigest", REMOTE_TRANSIENT, -EIO }, /* the data was altered on its way */
	{ "BandwidthLimitExceeded", REMOTE_BUSY, -EBUSY },
	{ "ConditionalRequestConflict", REMOTE_BUSY, -EBUSY },
	{ "EntityTooLarge", REMOTE_REJECTED, -EFBIG },
	{ "EntityTooSmall", REMOTE_REJECTED, -EIO },
	{ "ExpiredToken", REMOTE_REJECTED, -EACCES },
	{ "IncompleteBody", REMOTE_TRANSIENT, -EIO },
	{ "InternalError", REMOTE_TRANSIENT, -EIO },
	{ "InvalidAccessKeyId", REMOTE_REJECTED, -EACCES },
	{ "InvalidObjectState", REMOTE_REJECTED, -EREMOTE },
	{ "InvalidPart", REMOTE_REJECTED, -EIO },
	{ "InvalidPartOrder", REMOTE_REJECTED, -EIO },
	{ "InvalidRange", REMOTE_REJECTED, -EINVAL },
	{ "InvalidSecurity", REMOTE_REJECTED, -EACCES },
	{ "InvalidToken", REMOTE_REJECTED, -EACCES },
	{ "KeyTooLongError", REMOTE_REJECTED, -ENAMETOOLONG },
	{ "MalformedXML", REMOTE_REJECTED, -EIO },
	{ "NoSuchBucket", REMOTE_REJECTED, -ENOENT },
	{ "NoSuchKey", REMOTE_NOT_FOUND, -ENOENT },
	{ "NoSuchUpload", REMOTE_REJECTED, -ENOENT },
	{ "NoSuchVersion", REMOTE_NOT_FOUND, -ENOENT },
	{ "NotImplemented", REMOTE_REJECTED, -EOPNOTSUPP },
	{ "ObjectLocked", REMOTE_REJECTED, -EPERM },
	{ "OperationAborted", REMOTE_BUSY, -EBUSY },
	{ "PermanentRedirect", REMOTE_REJECTED, -EINVAL },
	{ "PreconditionFailed", REMOTE_REJECTED, -ESTALE },
	{ "QuotaExceeded", REMOTE_REJECTED, -EDQUOT },
	{ "RequestLimitExceeded", REMOTE_BUSY, -EBUSY },
	{ "RequestTimeTooSkewed", REMOTE_REJECTED, -EACCES },
	{ "RequestTimeout", REMOTE_TRANSIENT, -ETIMEDOUT },
	{ "ServiceUnavailable", REMOTE_BUSY, -EBUSY },
	{ "SignatureDoesNotMatch", REMOTE_REJECTED, -EACCES },
	{ "SlowDown", REMOTE_BUSY, -EBUSY },
	{ "SlowDownRead", REMOTE_BUSY, -EBUSY },
	{ "SlowDownWrite", REMOTE_BUSY, -EBUSY },
	{ "Throttling", REMOTE_BUSY, -EBUSY },
	{ "TokenRefreshRequired", REMOTE_REJECTED, -EACCES },
	{ "TooManyRequests", REMOTE_BUSY, -EBUSY },
	{ "XAmzContentSHA256Mismatch", REMOTE_TRANSIENT, -EIO },
	{ "XMinioStorageFull", REMOTE_REJECTED, -ENOSPC },
};

struct document {
	bool is_error; /* the root is <Error> */
	char code[sizeof((struct remote_error *)0)->code];
	char message[256];
};

void s3_copy_printable(char *space, size_t size, const char *text)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		space[n++] = *text >= ' ' && *text < 127 ? *text : ' ';
	space[n] = '\0';
}

static int on_element(void *arg, const char *path, const char *text)
{
	struct document *document = arg;

	if (strcmp(path, "Error/Code") == 0)
		s3_copy_printable(document->code, sizeof document->code, text);
	else if (strcmp(path, "Error/Message") == 0)
		s3_copy_printable(document->message, sizeof document->message, text);
	else if (strcmp(path, "Error") == 0)
		document->is_error = true;
	return 0;
}

/* Servers have no code for what a lock forbids: only their message tells. */
static bool is_locked(int status, const struct document *document)
{
	static const char *const words[] = { "object lock", "Object Lock", "WORM", "legal hold",
					     "retention" };

	if (status != 403 && status != 400)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(document->message, words[i]))
			return true;
	return false;
}

static const struct {
	int status;
	enum remote_kind kind;
	int error;
} statuses[] = {
	{ 301, REMOTE_REJECTED, -EINVAL }, /* the bucket is elsewhere: wrong endpoint or region */
	{ 302, REMOTE_REJECTED, -EINVAL },     { 303, REMOTE_REJECTED, -EINVAL },
	{ 307, REMOTE_REJECTED, -EINVAL },     { 308, REMOTE_REJECTED, -EINVAL },
	{ 401, REMOTE_REJECTED, -EACCES },     { 403, REMOTE_REJECTED, -EACCES },
	{ 404, REMOTE_NOT_FOUND, -ENOENT },    { 407, REMOTE_REJECTED, -EACCES },
	{ 408, REMOTE_TRANSIENT, -ETIMEDOUT }, { 412, REMOTE_REJECTED, -ESTALE },
	{ 413, REMOTE_REJECTED, -EFBIG },      { 416, REMOTE_REJECTED, -EINVAL },
	{ 429, REMOTE_BUSY, -EBUSY },          { 501, REMOTE_REJECTED, -EOPNOTSUPP },
	{ 503, REMOTE_BUSY, -EBUSY },          { 507, REMOTE_REJECTED, -ENOSPC },
};

static void judge(int status, const struct document *document, struct remote_error *ret_error)
{
	enum remote_kind kind = status >= 500  ? REMOTE_TRANSIENT
				: status < 400 ? REMOTE_INVALID
					       : REMOTE_REJECTED;
	int err = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status) {
			kind = statuses[i].kind;
			err = statuses[i].error;
		}
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i].code, document->code) == 0) {
			kind = codes[i].kind;
			err = codes[i].error;
		}
	if (strncmp(document->code, "KMS.", 4) == 0 && kind == REMOTE_REJECTED)
		err = -EACCES;
	if (is_locked(status, document))
		err = -EPERM;
	remote_fail(ret_error, kind, err, document->code, "S3 answered %d %s%s%s", status,
		    document->code, *document->message ? ": " : "", document->message);
	ret_error->status = status;
}

void s3_judge_document(int status, const char *body, size_t body_len,
		       struct remote_error *ret_error)
{
	struct document document = { .is_error = false };

	remote_error_clear(ret_error);
	ret_error->status = status;
	/* A document that was cut off still has its code, which is at the start. Anything but an
	 * S3 error has neither code nor message. */
	if (body_len && xml_parse(body, body_len, on_element, &document, NULL) < 0 &&
	    !*document.code)
		document = (struct document){ .is_error = false };
	if (status < 200 || status >= 300)
		judge(status, &document, ret_error);
	else if (document.is_error)
		judge(500, &document, ret_error);
	ret_error->status = status;
}

void s3_judge(const struct http_response *response, const char *body, size_t body_len,
	      struct remote_error *ret_error)
{
	const char *region = http_response_header(response, "x-amz-bucket-region");

	remote_error_clear(ret_error);
	ret_error->status = response->status;
	if (response->status >= 200 && response->status < 300)
		return;
	s3_judge_document(response->status, body, body_len, ret_error);
	ret_error->retry_after_msecs = http_response_retry_after_msecs(response);
	if ((ret_error->status / 100 == 3 ||
	     strcmp(ret_error->code, "AuthorizationHeaderMalformed") == 0) &&
	    region) {
		char printable[32];

		s3_copy_printable(printable, sizeof printable, region);
		remote_error_set(ret_error, ret_error->kind, ret_error->error,
				 "S3 answered %d: the bucket is in the region %s", response->status,
				 printable);
	}
}

void s3_judge_exists(bool if_none_match, struct remote_error *error)
{
	if (if_none_match && error->kind == REMOTE_REJECTED && error->error == -ESTALE)
		error->error = -EEXIST;
}
