/* Multipart uploads. */
#include <errno.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/xml.h"

#define PARTS_LIMIT 10000

struct answer {
	char upload_id[S3_UPLOAD_ID_SIZE];
	char etag[S3_ETAG_SIZE];
	bool is_complete; /* the document is complete */
};

static int on_element(void *arg, const char *path, const char *text)
{
	struct answer *answer = arg;

	if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0)
		s3_copy_etag(answer->upload_id, sizeof answer->upload_id, text);
	else if (strcmp(path, "CompleteMultipartUploadResult/ETag") == 0)
		s3_copy_etag(answer->etag, sizeof answer->etag, text);
	else if (strcmp(path, "CompleteMultipartUploadResult") == 0)
		answer->is_complete = true;
	return 0;
}

/* With an empty id the request would be one for the object itself. */
static int check_id(const char *upload_id, struct remote_error *ret_error)
{
	return *upload_id ? 0
			  : s3_fail(ret_error, REMOTE_REJECTED, -EINVAL, "the upload has no id");
}

int s3_upload_create(struct s3_client *client, const struct s3_put *head,
		     char ret_upload_id[S3_UPLOAD_ID_SIZE], struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_POST,
					     .key = head->key,
					     .is_once = true };
	struct answer answer = { .is_complete = false };
	int err = s3_add_object_headers(client, head, &call.headers);

	*ret_upload_id = '\0';
	if (err)
		return s3_fail(ret_error, REMOTE_REJECTED, err,
			       "the object's metadata cannot be sent");
	s3_pairs_add(&call.query, "uploads", "");
	err = s3_call_run(client, &call, ret_error);
	if (err)
		return err;
	err = xml_parse(call.reply.body, call.reply.body_len, on_element, &answer, NULL);
	if (err || !*answer.upload_id)
		return s3_fail(ret_error, REMOTE_INVALID, -EIO, "the answer has no upload id");
	memcpy(ret_upload_id, answer.upload_id, sizeof answer.upload_id);
	return 0;
}

int s3_upload_part(struct s3_client *client, const char *key, const char *upload_id,
		   unsigned number, const void *body, size_t body_len, char ret_etag[S3_ETAG_SIZE],
		   struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = {
		.method = HTTP_PUT, .key = key, .body = body, .body_len = body_len
	};
	int err = check_id(upload_id, ret_error);

	*ret_etag = '\0';
	if (!err && (number < 1 || number > PARTS_LIMIT))
		err = s3_fail(ret_error, REMOTE_REJECTED, -EINVAL,
			      "parts are numbered from 1 to 10,000");
	if (err)
		return err;
	s3_pairs_addf(&call.query, "partNumber", "%u", number);
	s3_pairs_add(&call.query, "uploadId", upload_id);
	err = s3_call_run(client, &call, ret_error);
	if (err)
		return err;
	s3_copy_etag(ret_etag, S3_ETAG_SIZE, http_response_header(&call.reply.head, "ETag"));
	return *ret_etag ? 0 : s3_fail(ret_error, REMOTE_INVALID, -EIO, "the answer has no ETag");
}

static void add_parts(struct buf *out, const char (*etags)[S3_ETAG_SIZE], unsigned count)
{
	buf_add_str(out,
		    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < count; i++) {
		buf_addf(out, "<Part><PartNumber>%u</PartNumber><ETag>\"", i + 1);
		xml_escape(out, etags[i]);
		buf_add_str(out, "\"</ETag></Part>");
	}
	buf_add_str(out, "</CompleteMultipartUpload>");
}

/* The server sends the status before the outcome is known: only the document tells. */
static void judge_completion(const struct http_reply *reply, struct answer *answer,
			     struct remote_error *ret_error)
{
	s3_judge_document(reply->head.status, reply->body, reply->body_len, ret_error);
	if (ret_error->kind == REMOTE_OK &&
	    (xml_parse(reply->body, reply->body_len, on_element, answer, NULL) ||
	     !answer->is_complete)) {
		s3_fail(ret_error, REMOTE_UNCERTAIN, -EIO,
			"the answer does not say whether the upload was completed");
		ret_error->status = reply->head.status;
	}
}

int s3_upload_complete(struct s3_client *client, const char *key, const char *upload_id,
		       const char (*etags)[S3_ETAG_SIZE], unsigned count, bool if_none_match,
		       struct s3_object *ret_object, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_POST, .key = key, .is_once = true };
	struct answer answer = { .is_complete = false };
	int err = check_id(upload_id, ret_error);

	memset(ret_object, 0, sizeof *ret_object);
	if (!err && (count < 1 || count > PARTS_LIMIT))
		err = s3_fail(ret_error, REMOTE_REJECTED, -EINVAL,
			      "an upload has 1 to 10,000 parts");
	if (err)
		return err;
	add_parts(&call.document, etags, count);
	s3_pairs_add(&call.query, "uploadId", upload_id);
	if (if_none_match)
		s3_pairs_add(&call.headers, "If-None-Match", "*");
	if (s3_call_run(client, &call, ret_error) == 0)
		judge_completion(&call.reply, &answer, ret_error);
	s3_judge_exists(if_none_match, ret_error);
	if (ret_error->error)
		return ret_error->error;
	s3_object_from_response(&call.reply.head, ret_object);
	ret_object->size_bytes = -1; /* the answer does not say the size of the object */
	*ret_object->content_type = '\0';
	snprintf(ret_object->etag, sizeof ret_object->etag, "%s", answer.etag);
	return 0;
}

int s3_upload_abort(struct s3_client *client, const char *key, const char *upload_id,
		    struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_DELETE, .key = key };

	if (check_id(upload_id, ret_error))
		return ret_error->error;
	s3_pairs_add(&call.query, "uploadId", upload_id);
	s3_call_run(client, &call, ret_error);
	if (strcmp(ret_error->code, "NoSuchUpload") == 0 || ret_error->kind == REMOTE_NOT_FOUND)
		remote_error_clear(ret_error);
	return ret_error->error;
}
