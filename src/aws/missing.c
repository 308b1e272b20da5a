/* A 403 that may stand for a missing key. */
#include <errno.h>
#include <string.h>

#include "aws/s3-private.h"

static bool may_be_missing(const struct remote_error *error)
{
	return error->status == 403 && error->error == -EACCES &&
	       (!*error->code || strcmp(error->code, "AccessDenied") == 0);
}

struct look {
	const char *key;
	bool is_there;
};

/* In a list, a key comes before all longer keys that begin with it. */
static int on_first(void *arg, const struct s3_list_entry *entry)
{
	struct look *look = arg;

	look->is_there = strcmp(entry->key, look->key) == 0;
	return 1;
}

int s3_explain_denied(struct s3_client *client, const char *key, struct remote_error *error)
{
	struct remote_error list_error;
	struct look look = { .key = key };
	int err;

	if (!may_be_missing(error))
		return error->error;
	err = s3_list_objects(client, key, on_first, &look, &list_error);
	if (err < 0 && !may_be_missing(&list_error)) {
		*error = list_error;
	} else if (err >= 0 && !look.is_there) {
		s3_fail(error, REMOTE_NOT_FOUND, -ENOENT,
			"S3 answered 403, and the key is not in the list of the bucket");
		error->status = 404;
	}
	return error->error;
}
