/* What the places that keys come from share. Nothing outside src/aws includes it. */
#ifndef TONICFS_AWS_CREDENTIALS_PRIVATE_H
#define TONICFS_AWS_CREDENTIALS_PRIVATE_H

#include "aws/credentials.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/cleanup.h"

/* Each of these: 0 and *ret_credentials; -ENOENT and *ret_error untouched: there is nothing of this
 * kind here, look further; else the negative errno of *ret_error: there is, and it does not work.
 * A set cancel (may be NULL) ends those that wait. */
int aws_from_environment(struct aws_credentials *ret_credentials, struct remote_error *ret_error);
/* profile NULL: AWS_PROFILE's, else "default". A named one that is not there is an error. */
int aws_from_profile(const char *profile, const struct cancel *cancel,
		     struct aws_credentials *ret_credentials, struct remote_error *ret_error);
int aws_from_web_identity(const struct cancel *cancel, struct aws_credentials *ret_credentials,
			  struct remote_error *ret_error);
int aws_from_container(const struct cancel *cancel, struct aws_credentials *ret_credentials,
		       struct remote_error *ret_error);
int aws_from_instance(const struct cancel *cancel, struct aws_credentials *ret_credentials,
		      struct remote_error *ret_error);
/* The whole order, or one profile. */
int aws_from_anywhere(const char *profile, const struct cancel *cancel,
		      struct aws_credentials *ret_credentials, struct remote_error *ret_error);

/* STS AssumeRoleWithWebIdentity with the token that is in a file. region NULL: the environment's.
 */
int aws_assume_with_web_identity(const char *token_file, const char *role, const char *session,
				 const char *region, const struct cancel *cancel,
				 struct aws_credentials *ret_credentials,
				 struct remote_error *ret_error);
/* {"AccessKeyId": …, "SecretAccessKey": …, "Expiration": …} with the token's name: what commands,
 * containers and instances answer. 0 or the negative errno of *ret_error. from: who said it. */
int aws_credentials_from_json(const char *bytes, size_t n, const char *token_name, const char *from,
			      struct aws_credentials *ret_credentials,
			      struct remote_error *ret_error);
/* Copies; an empty session token is none. -EINVAL: a key is missing, or cannot stand in a header.
 */
int aws_credentials_set(struct aws_credentials *credentials, const char *access_key,
			const char *secret_key, const char *session_token, const char *from);
/* NULL where it is not set, or empty. */
const char *aws_env(const char *name);
/* REMOTE_REJECTED, unless aws_fail_transient says that it is worth another try. Returns error. */
int aws_fail(struct remote_error *ret_error, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int aws_cancelled(struct remote_error *ret_error); /* -ECANCELED */
static inline int aws_fail_transient(struct remote_error *error)
{
	error->kind = REMOTE_TRANSIENT;
	return error->error;
}

#endif
