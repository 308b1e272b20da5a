/*
 * What deleting means: workers that carry out the durable jobs DELETE_TWILIO, DELETE_S3 and
 * TOMBSTONE which catalog/removal.h queued. Failures are tried again with growing pauses (1 min … 6
 * h), a retention that the store reports is kept with its reason; nothing is ever sent without its
 * durable row.
 */
#ifndef TONICFS_POLICY_POLICY_H
#define TONICFS_POLICY_POLICY_H

#include "catalog/catalog.h"
#include "net/http.h"

struct policy;
int policy_start(struct catalog *catalog, struct http *http, struct policy **ret_policy);
void policy_stop(struct policy *policy, unsigned grace_msecs);

#endif
