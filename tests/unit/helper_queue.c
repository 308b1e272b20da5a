#include "helper_queue.h"
#include "catalog/campaign.h"
#include "catalog/size.h"
#include "catalog/storage.h"
#include "catalog/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sid queue_sid(unsigned kind, unsigned number)
{
	struct sid sid = { { (uint8_t)kind, 0xab, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number } };

	return sid;
}

int64_t queue_add_workspace(struct queue_fixture *f, const char *name, unsigned account)
{
	struct catalog_workspace workspace = { .poll_secs = 300 };
	char message[CATALOG_MESSAGE_SIZE];
	int64_t id;

	snprintf(workspace.name, sizeof workspace.name, "%s", name);
	workspace.account_sid = queue_sid(1, account);
	assert_int_equal(catalog_workspace_add(f->catalog, &workspace, "a secret", &id, message),
			 0);
	return id;
}

void queue_set_storage(struct queue_fixture *f, int64_t workspace_id, bool enabled)
{
	struct catalog_storage storage = {
		.bucket = "bucket", .region = "us-east-1", .access_key = "key", .enabled = enabled
	};

	assert_int_equal(catalog_storage_set(f->catalog, workspace_id, &storage, "another secret"),
			 0);
}

struct catalog_workspace queue_workspace(struct queue_fixture *f)
{
	struct catalog_workspace workspace;

	assert_int_equal(catalog_workspace_get(f->catalog, f->workspace_id, &workspace), 0);
	return workspace;
}

void queue_set_twilio_url(struct queue_fixture *f, const char *url)
{
	struct catalog_workspace workspace = queue_workspace(f);

	snprintf(workspace.twilio_url, sizeof workspace.twilio_url, "%s", url);
	assert_int_equal(catalog_workspace_update(f->catalog, &workspace, NULL), 0);
}

void queue_set_origins(struct queue_fixture *f, const char *url)
{
	struct catalog_storage storage = { .bucket = "bucket",
					   .region = "us-east-1",
					   .access_key = "key",
					   .path_style = true,
					   .enabled = true };

	queue_set_twilio_url(f, url);
	snprintf(storage.endpoint, sizeof storage.endpoint, "%s", url);
	assert_int_equal(catalog_storage_set(f->catalog, f->workspace_id, &storage, NULL), 0);
}

void queue_set_policy(struct queue_fixture *f, bool delete_s3, bool delete_twilio,
		      bool keep_at_twilio)
{
	struct catalog_workspace workspace = queue_workspace(f);

	workspace.delete_s3 = delete_s3;
	workspace.delete_twilio = delete_twilio;
	workspace.keep_at_twilio = keep_at_twilio;
	assert_int_equal(catalog_workspace_update(f->catalog, &workspace, NULL), 0);
}

struct catalog *queue_open_again(const struct queue_fixture *f)
{
	char message[CATALOG_MESSAGE_SIZE];
	struct catalog *catalog;

	assert_int_equal(catalog_open(f->path, &f->key, &catalog, message), 0);
	return catalog;
}

int queue_fixture_setup(void **state)
{
	struct queue_fixture *f = calloc(1, sizeof *f);
	const char *numbers[] = { QUEUE_NUMBER };
	char message[CATALOG_MESSAGE_SIZE];
	struct catalog_campaign campaign;

	assert_non_null(f);
	snprintf(f->folder, sizeof f->folder, "/tmp/tonicfs-queue-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/catalog.db", f->folder);
	memset(f->key.bytes, 7, sizeof f->key.bytes);
	assert_int_equal(catalog_create(f->path, &f->key, message), 0);
	f->catalog = queue_open_again(f);
	f->workspace_id = queue_add_workspace(f, "acme", 1);
	queue_set_storage(f, f->workspace_id, true);
	assert_int_equal(catalog_campaign_add(f->catalog, f->workspace_id, "spring", numbers, 1,
					      &f->folder_id, message),
			 0);
	assert_int_equal(catalog_campaign_find(f->catalog, f->workspace_id, CATALOG_UNASSIGNED,
					       &campaign),
			 0);
	f->unassigned_id = campaign.id;
	*state = f;
	return 0;
}

int queue_fixture_teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".keyid" };
	struct queue_fixture *f = *state;
	char path[160];

	catalog_close(f->catalog);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static struct catalog_recording_input recording_of(unsigned number, int64_t duration_secs)
{
	int64_t at = 1772360000 + number;

	return (struct catalog_recording_input){ .sid = queue_sid(3, number),
						 .call_sid = queue_sid(2, number),
						 .is_completed = true,
						 .duration_secs = duration_secs,
						 .date_created_secs = at,
						 .start_time_secs = at,
						 .channels = 2 };
}

void queue_add(struct queue_fixture *f, int64_t workspace_id, unsigned first, unsigned count,
	       const char *to)
{
	struct catalog_recording_input *recordings = calloc(count, sizeof *recordings);
	struct catalog_call_input *calls = calloc(count, sizeof *calls);
	struct catalog_size *sizes = calloc(count, sizeof *sizes);
	struct catalog_apply_stats stats = { 0 };

	assert_non_null(recordings);
	assert_non_null(calls);
	assert_non_null(sizes);
	for (unsigned i = 0; i < count; i++) {
		int64_t at = 1772360000 + first + i;

		calls[i] = (struct catalog_call_input){ queue_sid(2, first + i),
							"+15557654321",
							to,
							"inbound",
							"completed",
							at,
							at,
							10,
							true };
		recordings[i] = recording_of(first + i, 10);
	}
	assert_int_equal(catalog_calls_apply(f->catalog, workspace_id, calls, count, &stats), 0);
	assert_int_equal(
		catalog_recordings_apply(f->catalog, workspace_id, recordings, count, &stats), 0);
	for (unsigned i = 0; i < count; i++) {
		struct catalog_recording recording;

		assert_int_equal(catalog_recording_find(f->catalog, &recordings[i].sid, &recording),
				 0);
		sizes[i] = (struct catalog_size){ recording.id, 320044, 2, 2 };
	}
	assert_int_equal(catalog_sizes_set(f->catalog, sizes, count), 0);
	free(recordings);
	free(calls);
	free(sizes);
}

void queue_set_duration(struct queue_fixture *f, unsigned number, int64_t duration_secs)
{
	struct catalog_recording_input recording = recording_of(number, duration_secs);

	assert_int_equal(catalog_recordings_apply(f->catalog, f->workspace_id, &recording, 1, NULL),
			 0);
	assert_int_equal(queue_get(f, number).duration_secs, duration_secs);
}

struct catalog_recording queue_get(struct queue_fixture *f, unsigned number)
{
	struct catalog_recording recording;
	struct sid sid = queue_sid(3, number);

	assert_int_equal(catalog_recording_find(f->catalog, &sid, &recording), 0);
	return recording;
}

int queue_claim_from(struct catalog *catalog, unsigned kinds, const char *owner,
		     int64_t lease_msecs, struct job *ret_job, int64_t *ret_wait_msecs)
{
	struct job_want want = { .kinds = kinds, .limit = 1 };
	struct job_claimed claimed;
	int err = job_claim(catalog, &want, 1, owner, lease_msecs, &claimed, ret_wait_msecs);

	if (err == 0)
		*ret_job = claimed.job;
	return err;
}

int queue_renew(struct catalog *catalog, const struct job *job, int64_t lease_msecs,
		int64_t done_bytes, int64_t total_bytes, bool *ret_paused)
{
	struct job_renewal renewal;
	int err;

	job_renewal_init(&renewal, job, done_bytes, total_bytes);
	err = job_renew(catalog, &renewal, 1, lease_msecs);
	if (ret_paused)
		*ret_paused = renewal.ret_is_pause_asked;
	return err ? err : renewal.ret_err;
}

struct job queue_claim(struct queue_fixture *f, unsigned kinds, const char *owner,
		       int64_t lease_msecs)
{
	struct job job;
	int64_t next;

	assert_int_equal(queue_claim_from(f->catalog, kinds, owner, lease_msecs, &job, &next), 0);
	return job;
}

bool queue_is_empty(struct queue_fixture *f, unsigned kinds)
{
	struct job job;
	int64_t next;
	int err = queue_claim_from(f->catalog, kinds, "looking", 1000, &job, &next);

	if (err == 0)
		assert_int_equal(job_put_back(f->catalog, &job), 0);
	else
		assert_int_equal(err, -2);
	return err != 0;
}

struct catalog_object queue_object(int64_t size_bytes)
{
	return (struct catalog_object){ .bucket = "bucket",
					.key = "a/key",
					.etag = "etag",
					.sha256 = "sha",
					.size_bytes = size_bytes };
}

void queue_store(struct queue_fixture *f, unsigned number)
{
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, queue_get(f, number).id };
	struct catalog_object object = queue_object(320044);
	struct job job;
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	assert_int_equal(queued, 1);
	job = queue_claim(f, CATALOG_JOB_MIGRATE, "storer", 10000);
	assert_int_equal(job.recording_id, scope.id);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), 0);
}
