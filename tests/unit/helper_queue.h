/* A temporary catalog with a workspace, a campaign and recordings, for the tests of the queue and
 * of what works on it. */
#pragma once

#include "catalog/problem.h"
#include "catalog/removal.h"
#include "catalog/status.h"
#include "catalog/workspace.h"
#include "jobs/job.h"
#include "migrate/migrate.h"

#define QUEUE_NUMBER "+15550000001"

struct queue_fixture {
	char folder[64], path[128];
	struct db_key key;
	struct catalog *catalog;
	int64_t workspace_id, folder_id, unassigned_id;
};

/* For cmocka's setup and teardown: *state is a struct queue_fixture *. The workspace has storage
 * that is enabled. */
int queue_fixture_setup(void **state);
int queue_fixture_teardown(void **state);
/* A second handle on the same file, as another process has it. */
struct catalog *queue_open_again(const struct queue_fixture *f);

int64_t queue_add_workspace(struct queue_fixture *f, const char *name, unsigned account);
void queue_set_storage(struct queue_fixture *f, int64_t workspace_id, bool enabled);
struct catalog_workspace queue_workspace(struct queue_fixture *f);
/* Where Twilio is asked; where Twilio and S3 are, a bucket by its path. */
void queue_set_twilio_url(struct queue_fixture *f, const char *url);
void queue_set_origins(struct queue_fixture *f, const char *url);
void queue_set_policy(struct queue_fixture *f, bool delete_s3, bool delete_twilio,
		      bool keep_at_twilio);
struct sid queue_sid(unsigned kind, unsigned number);
/* Recordings number first … first + count - 1, each of a call of its own to the number given;
 * completed, of ten seconds, with known size. */
void queue_add(struct queue_fixture *f, int64_t workspace_id, unsigned first, unsigned count,
	       const char *to);
/* Of one of the fixture's own workspace: so that it may be larger. */
void queue_set_duration(struct queue_fixture *f, unsigned number, int64_t duration_secs);
struct catalog_recording queue_get(struct queue_fixture *f, unsigned number);
/* Claims from everything of the kinds; fails the test where nothing is due. */
struct job queue_claim(struct queue_fixture *f, unsigned kinds, const char *owner,
		       int64_t lease_msecs);
/* job_claim of one job. */
int queue_claim_from(struct catalog *catalog, unsigned kinds, const char *owner,
		     int64_t lease_msecs, struct job *ret_job, int64_t *ret_wait_msecs);
/* job_renew of one job; notes in *ret_paused (may be NULL) whether its pause was asked for. */
int queue_renew(struct catalog *catalog, const struct job *job, int64_t lease_msecs,
		int64_t done_bytes, int64_t total_bytes, bool *ret_paused);
bool queue_is_empty(struct queue_fixture *f, unsigned kinds);
/* The whole way of one recording that is queued: claimed, stored. */
void queue_store(struct queue_fixture *f, unsigned number);
struct catalog_object queue_object(int64_t size_bytes);
