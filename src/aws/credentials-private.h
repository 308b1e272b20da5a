/* Shared by the sources of keys. Nothing outside src/aws includes it. */
#ifndef TONICFS_AWS_CREDENTIALS_PRIVATE_H
#define TONICFS_AWS_CREDENTIALS_PRIVATE_H

#include "aws/credentials.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/cleanup.h"

/* Each of these returns 0 and *ret_credentials; -ENOENT with *ret_error untouched: this source
 * is not configured, try the next one; or the negative errno of *ret_error: it is configured and
 * fails. A set cancel (may be NULL) ends their waits. */
int aws_from_environment(struct aws_credentials *ret_credentials, struct remote_error *ret_error);
/* wanted: its profile; NULL: that of AWS_PROFILE, else "default". A missing profile is an error only
 * if it was named. */
int aws_from_profile(const char *wanted, const struct cancel *cancel,
		     struct aws_credentials *ret_credentials, struct remote_error *ret_error);
int aws_from_web_identity(const struct cancel *cancel, struct aws_credentials *ret_credentials,
			  struct remote_error *ret_error);
int aws_from_container(const struct cancel *cancel, struct aws_credentials *ret_credentials,
		       struct remote_error *ret_error);
int aws_from_instance(const struct cancel *cancel, struct aws_credentials *ret_credentials,
		      struct remote_error *ret_error);
/* All sources in order, or one profile. */
int aws_from_anywhere(const char *profile, const struct cancel *cancel,
		      struct aws_credentials *ret_credentials, struct remote_error *ret_error);

/* STS AssumeRoleWithWebIdentity with the token in a file. region NULL: that of the environment. */
int aws_assume_with_web_identity(const char *token_file, const char *role, const char *session,
				 const char *region, const struct cancel *cancel,
				 struct aws_credentials *ret_credentials,
				 struct remote_error *ret_error);
/* Parses {"AccessKeyId": …, "SecretAccessKey": …, "Expiration": …} and the token of that name:
 * the answer of commands, containers and instances. from: the source, for messages. 0 or the
 * negative errno of *ret_error. */
int aws_credentials_from_json(const char *bytes, size_t n, const char *token_name, const char *from,
			      struct aws_credentials *ret_credentials,
			      struct remote_error *ret_error);
/* Copies the keys; an empty session token counts as none. -EINVAL: a key is missing, or not
 * valid in a header. */
int aws_credentials_set(struct aws_credentials *credentials, const char *access_key,
			const char *secret_key, const char *session_token, const char *from);
/* NULL: unset or empty. */
const char *aws_env(const char *name);
/* Sets a REMOTE_REJECTED; aws_fail_transient turns it into one that may be retried. Returns err. */
int aws_fail(struct remote_error *ret_error, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int aws_cancelled(struct remote_error *ret_error); /* returns -ECANCELED */
static inline int aws_fail_transient(struct remote_error *error)
{
	error->kind = REMOTE_TRANSIENT;
	return error->error;
}

#endif
