/* Carrying out what was removed: workers for the durable jobs DELETE_TWILIO, DELETE_S3 and
 * TOMBSTONE that catalog/removal.h queued. No request is sent without its durable row. A failure is
 * retried with backoff (1 min … 6 h) without end; a retention that the store reports is kept as its
 * reason. */
#pragma once

#include "jobs/jobs.h"
#include "net/http.h"

struct policy;
int policy_start(struct jobs *jobs, struct http *http, struct policy **ret_policy);
/* Before jobs_free. Requests in flight have grace_msecs to finish. NULL is fine. */
void policy_stop(struct policy *policy, unsigned grace_msecs);
