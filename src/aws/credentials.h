/*
 * Access keys that the user did not configure: looked for where AWS's own tools look, in the same
 * order.
 *
 *   environment        AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   web identity       AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: STS AssumeRoleWithWebIdentity
 *   profile            of AWS_PROFILE, else "default", in ~/.aws/credentials, then ~/.aws/config:
 *                      keys, a web identity of its own, a credential_process
 *   container          AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI
 *   instance metadata  IMDSv2
 *
 * When a profile is named, no other place is looked in. Not supported: profiles that assume a role
 * by another profile, or log in by SSO; credential_process covers them (`aws configure
 * export-credentials`).
 *
 * Renewal  Keys are renewed before they expire. Keys from this machine's files are read again every
 *          minute, because another program may have renewed them. While a renewal fails, keys that
 *          are still valid remain in use.
 * Waits    Getting keys may take a request (10 seconds at most) or a command (30 seconds at most).
 *          Concurrent callers share one fetch. A caller for whom valid keys are there does not wait
 *          for a renewal. aws_source_peek never waits.
 * Threads  Any. Sources are shared in a process; aws_credentials_forget ends the sharing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/cancel.h"
#include "util/remote.h"

struct aws_credentials {
	char *access_key, *secret_key;
	char *session_token;  /* NULL: none */
	int64_t expires_secs; /* 0: they do not expire */
	char from[64];        /* "environment", "profile x", …: for users */
};
void aws_credentials_release(struct aws_credentials *credentials); /* wipes */
#define cleanup_credentials __attribute__((cleanup(aws_credentials_release)))

struct aws_source;
/* The source of a profile, shared in the process; the caller gets a reference. profile NULL: all
 * sources in order. 0 or -ENOMEM. */
int aws_source_get(const char *profile, struct aws_source **ret_source);
struct aws_source *aws_source_ref(struct aws_source *source);
void aws_source_unref(struct aws_source *source); /* NULL is fine */

/* 0 and a copy of the keys (release it); else the negative errno of *ret_error: none were found,
 * or the source failed. A set cancel (may be NULL) ends the wait: REMOTE_CANCELLED. */
int aws_source_credentials(struct aws_source *source, const struct cancel *cancel,
			   struct aws_credentials *ret_credentials, struct remote_error *ret_error);
/* The same without waiting. -EAGAIN: no valid keys (or -ENOMEM). *ret_is_due: they should be
 * renewed, by aws_source_credentials on a thread that may wait. */
int aws_source_peek(struct aws_source *source, struct aws_credentials *ret_credentials,
		    bool *ret_is_due);
/* The service refused these keys as expired: the next call returns other keys if there are any. */
void aws_source_distrust(struct aws_source *source, const struct aws_credentials *refused);

/* Drops the references of the process itself. Call it before the process ends. */
void aws_credentials_forget(void);
