/* Shared by the files of the migrate room only. */
#pragma once

#include "account/account.h"
#include "jobs/jobs.h"
#include "migrate/admission.h"
#include "migrate/buffers.h"
#include "migrate/content.h"
#include "migrate/migrate.h"
#include "net/stream.h"
#include "storage/storage.h"

#define PART_BYTES ((size_t)8 << 20) /* one PUT up to here, multipart above */
#define PARTS_LIMIT 10000
#define BUFFER_MIN_BYTES ((size_t)64 << 10)

struct migrate {
	struct catalog *catalog;
	struct http *http;
	struct admission admission;
	struct buffers buffers;
	struct job_pool *transfers, *cleanups;
};

/* One recording in flight. Only its worker uses it. */
struct transfer {
	struct migrate *migrate;
	struct job_run *run; /* of the claim */
	struct transfer_claim *claim;
	struct job_result *result; /* set wherever a step returns non-zero */
	const struct catalog_recording *recording;
	struct lane *lane;
	struct side *bucket;
	struct catalog_workspace workspace;
	struct catalog_storage storage;
	struct catalog_encryption encryption; /* where the recording is encrypted */
	struct twilio_client *twilio;
	struct s3_client *s3;
	struct side_user twilio_user, bucket_user; /* these two clients */
	char key[CATALOG_KEY_TEXT_SIZE];
	struct http_stream stream; /* of the download */
	int64_t began_msecs;       /* when it was requested */
	struct content content;
	struct buffer pages;
	char *buffer; /* capacity_bytes of these */
	size_t capacity_bytes;
	int channels;       /* requested */
	bool is_overdrawn;  /* of the budget */
	bool object_exists; /* under the key: compared, never overwritten */
};

/* transfer.c: the work of the pool for MIGRATE. */
void transfer_work(void *arg, struct job_run *run, struct job_result *ret_result);
/* cleanup.c: for CLEANUP_TWILIO. */
void cleanup_work(void *arg, struct job_run *run, struct job_result *ret_result);

/* The steps return 0, or non-zero with transfer->result set. */
#define transfer_fail(t, outcome, ...) (job_result_set((t)->result, outcome, __VA_ARGS__), 1)
/* A doubtful answer, which may be another one next time: retried a few times. */
#define transfer_doubt(t, ...) \
	(job_result_set((t)->result, JOB_OUTCOME_RETRY, __VA_ARGS__), \
	 (t)->result->max_attempts = JOB_DOUBTFUL_ATTEMPTS, 1)
#define transfer_fail_remote(t, who, error) (job_result_set_remote((t)->result, who, error), 1)
/* The download is over: another transfer may have the place at Twilio. */
void transfer_leave_twilio(struct transfer *t);
/* Before a step that changes the bucket: the lease may have ended while the worker was stopped, and
 * another worker may have begun. */
int transfer_check_lease(struct transfer *t);

/* Fails where encryption is required and not confirmed by the server ("AES256", "aws:kms", ""). */
int transfer_check_encryption(struct transfer *t, const char *confirmed);
/* Allocates the transfer's buffer, and corrects what it has reserved of the budget. Once. */
int transfer_buffer(struct transfer *t, size_t bytes);

/* download.c: requests the media, meanwhile looks for the key's object, allocates the buffer. */
int download_open(struct transfer *t);
/* The next bufferful: checked, hashed, counted. */
int download_fill(struct transfer *t, size_t *ret_len, bool *ret_end);
/* After the last one: checks that it is whole, and what Twilio and the catalog said. */
int download_check_end(struct transfer *t);

/* gone.c: Twilio has no media: deleted there, or not ready yet. Always sets the result. */
int transfer_media_missing(struct transfer *t);

/* upload.c */
int upload_whole(struct transfer *t, size_t len);
/* The rest of a recording that is larger than one part; the first part is in the buffer. */
int upload_parts(struct transfer *t, size_t len);

/* verify.c: by requests of its own. Another object than the content is a failure for good. */
int verify_object(struct transfer *t, struct s3_object *ret_object);
/* Reads all of the object and hashes it. *ret_size_bytes, ret_sha256 (hex). */
int object_read_back(struct transfer *t, const char *etag, int64_t *ret_size_bytes,
		     char ret_sha256[65]);
