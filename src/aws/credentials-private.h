/* Shared by the sources of keys. Nothing outside src/aws includes it. */
#pragma once

#include <errno.h>

#include "aws/credentials.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/cleanup.h"

/* One search for keys. */
struct aws_search {
	const char *profile;         /* NULL: that of AWS_PROFILE, else "default" */
	const struct cancel *cancel; /* may be NULL; set, it ends the waits */
	/* results */
	struct aws_credentials *credentials;
	struct remote_error *error;
};
/* A source of keys. 0 and *search->credentials; -ENOENT with *search->error untouched: this source
 * is not configured, try the next one; or the negative errno of *search->error: it is configured
 * and fails. A missing profile is an error only if it was named. */
typedef int aws_source_fn(const struct aws_search *search);
aws_source_fn aws_from_environment, aws_from_web_identity, aws_from_profile, aws_from_container,
	aws_from_instance;

/* STS AssumeRoleWithWebIdentity with the token in a file. region NULL: that of the environment. */
int aws_assume_with_web_identity(const struct aws_search *search, const char *token_file,
				 const char *role, const char *session, const char *region);
/* Parses {"AccessKeyId": …, "SecretAccessKey": …, "Expiration": …} and the token of that name:
 * the answer of commands, containers and instances. from: the source, for messages. 0 or the
 * negative errno of *search->error. */
int aws_credentials_from_json(const struct aws_search *search, const char *bytes, size_t n,
			      const char *token_name, const char *from);
/* Copies the keys; an empty token is none. -EINVAL: a key is missing, or invalid in a header. */
int aws_credentials_set(struct aws_credentials *credentials, const char *access_key,
			const char *secret_key, const char *session_token, const char *from);
/* NULL: unset or empty. */
const char *aws_env(const char *name);
/* Set *search->error and return err. aws_fail: the same search would fail again. */
#define aws_fail(search, err, ...) \
	remote_fail((search)->error, REMOTE_REJECTED, err, "credentials", __VA_ARGS__)
#define aws_fail_for_now(search, err, ...) \
	remote_fail((search)->error, REMOTE_TRANSIENT, err, "credentials", __VA_ARGS__)
static inline int aws_cancelled(const struct aws_search *search)
{
	return remote_fail(search->error, REMOTE_CANCELLED, -ECANCELED, "", "cancelled");
}
