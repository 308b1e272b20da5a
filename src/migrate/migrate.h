/*
 * Moves recordings from Twilio to the bucket: workers on the catalog's queue (job kinds MIGRATE and
 * CLEANUP_TWILIO).
 *
 * The steps of a transfer. Each may be the last one before a kill -9:
 *   1. claim: state UPLOADING, lease                                          (catalog, durable)
 *   2. HEAD of the object key: equal bytes are adopted after verification, other bytes are never
 *      overwritten
 *   3. download in two channels where Twilio stores two, hashed on the way; WAV, channels and
 *      length are checked
 *   4. upload: one PUT up to 8 MiB, multipart above, every body with its signed SHA-256
 *   5. verification by a request of its own: size and MD5 ETag or the server's checksum; otherwise,
 *      or with verify_readback, the object is read back and hashed
 *   6. state STORED and a cleanup job                                         (catalog, durable)
 *   7. cleanup: check the lease, mark the delete as sent (durable), only then send Twilio's DELETE;
 *      a 404 is success when the recording's metadata say that it is gone
 *   8. state S3                                                               (catalog, durable)
 *
 * Threads: migrate_start makes its own. migrate_stop waits for transfers in flight up to a
 * deadline, then puts them back into the queue.
 */
#pragma once

#include <stddef.h>

#include "jobs/jobs.h"
#include "net/http.h"

struct migrate;
struct migrate_settings {
	unsigned workers;    /* 0: the catalog's setting "migrate_workers", else 64 */
	size_t budget_bytes; /* of all buffers; 0: setting "migrate_budget_bytes", else 64 MiB */
};
int migrate_start(struct jobs *jobs, struct http *http, const struct migrate_settings *settings,
		  struct migrate **ret_migrate);
/* Before jobs_free. Transfers in flight have grace_msecs to finish; the rest is cancelled and put
 * back in the queue. NULL is fine. */
void migrate_stop(struct migrate *migrate, unsigned grace_msecs);

/* Step 6: the job of kind MIGRATE is done, and its recording STORED, see catalog_queue_stored. */
int migrate_job_stored(struct catalog *catalog, const struct job *job,
		       const struct catalog_object *object, int channels_stored);
