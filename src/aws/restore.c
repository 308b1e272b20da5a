/* RestoreObject: a readable copy, for some days, of an archived object. */
#include <errno.h>
#include <string.h>

#include "aws/s3-private.h"

int s3_restore_object(struct s3_client *client, const char *key, unsigned days, const char *tier,
		      struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_POST, .key = key };
	cleanup_buf struct buf body = BUF_INIT;
	struct http_reply reply;
	int err = s3_key_check(key, ret_error);

	if (err)
		return err;
	buf_addf(&body,
		 "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>%u</Days>"
		 "<GlacierJobParameters><Tier>%s</Tier></GlacierJobParameters></RestoreRequest>",
		 days, tier);
	if (buf_failed(&body))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	s3_pairs_add(&call.query, "restore", "");
	s3_pairs_add(&call.headers, "Content-Type", "application/xml");
	call.body = body.data;
	call.body_len = body.len;
	err = s3_call_run(client, &call, &reply, ret_error);
	http_reply_release(&reply);
	/* A restore was requested before, by any client. */
	if (err && strcmp(ret_error->code, "RestoreAlreadyInProgress") == 0) {
		remote_error_clear(ret_error);
		return 0;
	}
	return err ? s3_explain_denied(client, key, ret_error) : 0;
}
