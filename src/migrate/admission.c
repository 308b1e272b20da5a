/* Which transfer may begin: memory, a place at Twilio, a bucket that is not crowded. */
#include "migrate/admission.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/settings.h"
#include "migrate/migrate-private.h"

#define BYTES_PER_SEC_AND_CHANNEL 16000
#define CHANNELS 2
#define DURATION_SLACK_SECS 2 /* Twilio rounds to whole seconds */
#define HEAD_SLACK_BYTES ((int64_t)64 << 10)

struct bucket {
	struct side side;
	char endpoint[CATALOG_URL_SIZE], name[CATALOG_BUCKET_SIZE];
	struct bucket *next;
};

void admission_init(struct admission *admission, struct catalog *catalog, size_t budget_bytes,
		    unsigned workers)
{
	memset(admission, 0, sizeof *admission);
	pthread_mutex_init(&admission->mutex, NULL);
	budget_init(&admission->budget, budget_bytes);
	admission->workers = workers;
	admission->twilio_limits = (struct side_limits){
		(unsigned)catalog_setting_number(catalog, SETTING_TWILIO_CONNECTIONS),
		catalog_setting_number(catalog, SETTING_TWILIO_REQUESTS_PER_SEC),
		catalog_setting_number(catalog, SETTING_TWILIO_BYTES_PER_SEC),
	};
	admission->bucket_limits = (struct side_limits){
		(unsigned)catalog_setting_number(catalog, SETTING_S3_CONNECTIONS),
		catalog_setting_number(catalog, SETTING_S3_REQUESTS_PER_SEC),
		catalog_setting_number(catalog, SETTING_S3_BYTES_PER_SEC),
	};
}

void admission_release(struct admission *admission)
{
	for (struct lane *lane = admission->lanes, *next; lane; lane = next) {
		next = lane->next;
		side_release(&lane->twilio);
		free(lane);
	}
	for (struct bucket *bucket = admission->buckets, *next; bucket; bucket = next) {
		next = bucket->next;
		side_release(&bucket->side);
		free(bucket);
	}
	budget_release(&admission->budget);
	pthread_mutex_destroy(&admission->mutex);
}

/* ---- lanes and buckets ---- */

struct lane *admission_lane(struct admission *admission, int64_t workspace_id)
{
	struct lane *lane;

	pthread_mutex_lock(&admission->mutex);
	lane = admission->lanes;
	while (lane && lane->workspace_id != workspace_id)
		lane = lane->next;
	if (!lane && (lane = calloc(1, sizeof *lane))) {
		lane->workspace_id = workspace_id;
		side_init(&lane->twilio, &admission->twilio_limits);
		lane->next = admission->lanes;
		admission->lanes = lane;
	}
	pthread_mutex_unlock(&admission->mutex);
	return lane;
}

struct side *admission_bucket(struct admission *admission, struct lane *lane,
			      const struct catalog_storage *storage)
{
	struct bucket *bucket;

	pthread_mutex_lock(&admission->mutex);
	for (bucket = admission->buckets; bucket; bucket = bucket->next)
		if (strcmp(bucket->endpoint, storage->endpoint) == 0 &&
		    strcmp(bucket->name, storage->bucket) == 0)
			break;
	if (!bucket && (bucket = calloc(1, sizeof *bucket))) {
		snprintf(bucket->endpoint, sizeof bucket->endpoint, "%s", storage->endpoint);
		snprintf(bucket->name, sizeof bucket->name, "%s", storage->bucket);
		side_init(&bucket->side, &admission->bucket_limits);
		bucket->next = admission->buckets;
		admission->buckets = bucket;
	}
	pthread_mutex_unlock(&admission->mutex);
	if (bucket)
		lane->bucket = &bucket->side;
	return bucket ? &bucket->side : NULL;
}

/* ---- memory ---- */

static size_t estimate(const struct catalog_recording *recording)
{
	int64_t bytes = PART_BYTES;

	if (recording->size_bytes >= 0)
		bytes = recording->size_bytes;
	else if (recording->duration_secs >= 0 &&
		 recording->duration_secs < (int64_t)PART_BYTES / BYTES_PER_SEC_AND_CHANNEL)
		bytes = (recording->duration_secs + DURATION_SLACK_SECS) *
				BYTES_PER_SEC_AND_CHANNEL * CHANNELS +
			HEAD_SLACK_BYTES;
	if (bytes < (int64_t)BUFFER_MIN_BYTES)
		return BUFFER_MIN_BYTES;
	return bytes > (int64_t)PART_BYTES ? PART_BYTES : (size_t)bytes;
}

/* With the mutex held. Leaves a part's worth to other workspaces, where there is more than two. */
static bool lane_may_reserve(const struct admission *admission, const struct lane *lane,
			     size_t bytes)
{
	size_t total = admission->budget.total_bytes;
	size_t most = total > 2 * PART_BYTES ? total - PART_BYTES : total;

	return !lane->reserved_bytes || lane->reserved_bytes + bytes <= most;
}

static enum job_admission take_memory(struct admission *admission, struct lane *lane,
				      struct transfer_claim *claim)
{
	size_t bytes = estimate(&claim->recording);
	enum job_admission admitted = JOB_ADMITTED;

	pthread_mutex_lock(&admission->mutex);
	if (lane->running >= admission->workers || !lane_may_reserve(admission, lane, bytes)) {
		admitted = JOB_WAITS;
	} else if (!budget_try(&admission->budget, bytes, &claim->reserved_bytes)) {
		admitted = JOB_WAITS_FIRST;
	} else {
		lane->running++;
		lane->reserved_bytes += claim->reserved_bytes;
		claim->is_admitted = true;
	}
	pthread_mutex_unlock(&admission->mutex);
	return admitted;
}

static void give_memory(struct admission *admission, struct lane *lane,
			struct transfer_claim *claim)
{
	pthread_mutex_lock(&admission->mutex);
	lane->running--;
	lane->reserved_bytes -= claim->reserved_bytes;
	pthread_mutex_unlock(&admission->mutex);
	budget_give(&admission->budget, claim->reserved_bytes, false);
	claim->reserved_bytes = 0;
	claim->is_admitted = false;
}

bool admission_resize(struct admission *admission, struct lane *lane, struct transfer_claim *claim,
		      size_t bytes, bool *overdrawn)
{
	if (bytes <= claim->reserved_bytes)
		budget_give(&admission->budget, claim->reserved_bytes - bytes, false);
	else if (!budget_more(&admission->budget, bytes - claim->reserved_bytes, &claim->run.cancel,
			      overdrawn))
		return false;
	pthread_mutex_lock(&admission->mutex);
	lane->reserved_bytes += bytes - claim->reserved_bytes;
	pthread_mutex_unlock(&admission->mutex);
	claim->reserved_bytes = bytes;
	return true;
}

/* ---- for the pool ---- */

unsigned admission_room(struct admission *admission, int64_t workspace_id)
{
	struct lane *lane = admission_lane(admission, workspace_id);
	unsigned room = lane ? side_room(&lane->twilio) : 1;
	struct side *bucket = lane ? lane->bucket : NULL;
	unsigned bucket_room = bucket ? side_room(bucket) : UINT_MAX;

	return room < bucket_room ? room : bucket_room;
}

enum job_admission admission_take(struct admission *admission, struct transfer_claim *claim)
{
	struct lane *lane = admission_lane(admission, claim->run.job.workspace_id);
	enum job_admission admitted;
	struct side *bucket;

	if (!lane)
		return JOB_WAITS_FIRST;
	bucket = lane->bucket;
	if (bucket && side_is_crowded(bucket))
		return JOB_WAITS;
	admitted = take_memory(admission, lane, claim);
	if (admitted != JOB_ADMITTED)
		return admitted;
	/* Must come last: a side at its limit counts the attempt as demand. */
	if (!side_try_enter(&lane->twilio)) {
		give_memory(admission, lane, claim);
		return JOB_WAITS;
	}
	claim->is_at_twilio = true;
	return JOB_ADMITTED;
}

bool admission_leave_twilio(struct lane *lane, struct transfer_claim *claim)
{
	if (!claim->is_at_twilio)
		return false;
	side_leave(&lane->twilio);
	claim->is_at_twilio = false;
	return true;
}

bool admission_enter_bucket(struct side *bucket, struct transfer_claim *claim)
{
	if (!claim->bucket && side_enter(bucket, &claim->run.cancel))
		claim->bucket = bucket;
	return claim->bucket;
}

void admission_leave_bucket(struct transfer_claim *claim)
{
	if (claim->bucket)
		side_leave(claim->bucket);
	claim->bucket = NULL;
}

void admission_give_back(struct admission *admission, struct transfer_claim *claim)
{
	struct lane *lane;

	if (!claim->is_admitted)
		return;
	lane = admission_lane(admission, claim->run.job.workspace_id);
	admission_leave_twilio(lane, claim);
	admission_leave_bucket(claim);
	give_memory(admission, lane, claim);
}
