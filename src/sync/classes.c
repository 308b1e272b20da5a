/* Learns the storage class of every object from a list of the bucket, because a lifecycle rule
 * moves objects unnoticed. HEAD requests would cost one request for each recording. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/archive.h"
#include "catalog/object.h"
#include "sync/sync-private.h"
#include "util/buf.h"

#define BATCH 500

struct classes {
	struct sync_run *run;
	struct catalog_class_seen seen[BATCH];
	size_t count;
	char archived_key[CATALOG_KEY_TEXT_SIZE]; /* of one archived object; "": none */
};

static int flush(struct classes *c)
{
	struct sync_run *run = c->run;
	int err;

	pthread_mutex_lock(&run->write_lock);
	err = catalog_classes_seen(run->session->env->catalog, run->session->workspace.id, c->seen,
				   c->count, NULL);
	pthread_mutex_unlock(&run->write_lock);
	c->count = 0;
	return err;
}

static int on_object(void *arg, const struct s3_list_entry *entry)
{
	struct classes *c = arg;
	const char *name = strrchr(entry->key, '/');
	struct catalog_class_seen *seen = &c->seen[c->count];

	if (!name || strlen(name + 1) < SID_LENGTH ||
	    sid_parse_prefix(name + 1, strlen(name + 1), "RE", &seen->recording_sid) < 0)
		return 0;
	snprintf(seen->storage_class, sizeof seen->storage_class, "%s", entry->storage_class);
	if (catalog_class_is_archive(entry->storage_class))
		snprintf(c->archived_key, sizeof c->archived_key, "%s", entry->key);
	return ++c->count == BATCH ? flush(c) : 0;
}

/* Some servers let objects of an archive class be read at once: tries one. */
static int try_reading(struct sync_session *session, const char *key)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	cleanup_buf struct buf byte = BUF_INIT;
	struct s3_object object;
	int err = s3_get_object(session->s3, key, 0, 1, 1, &byte, &object, &error);

	/* A restored object proves nothing. */
	if (err ? err != -EREMOTE : object.restored_until_secs > 0)
		return 0;
	return catalog_archive_readable_set(session->env->catalog, session->workspace.id, err == 0);
}

void sync_classes(struct sync_run *run)
{
	struct sync_session *session = run->session;
	struct remote_error error = REMOTE_ERROR_INIT;
	char prefix[CATALOG_KEY_TEXT_SIZE], account[SID_SIZE];
	struct classes c = { .run = run };
	int err;

	if (!session->s3)
		return;
	sid_format(&session->workspace.account_sid, "AC", account);
	snprintf(prefix, sizeof prefix, "%srecordings/%s/", session->storage.prefix, account);
	err = s3_list(session->s3, S3_OBJECTS, prefix, on_object, &c, &error);
	if (err == 0)
		err = flush(&c);
	if (err == 0 && c.archived_key[0])
		err = try_reading(session, c.archived_key);
	sync_run_fail(run, err, &error);
}
