/* Keys of this machine: the environment, and the files ~/.aws/credentials and ~/.aws/config with
 * their profiles. Source: "Shared config and credentials files", AWS SDKs and Tools Reference
 * Guide. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/credentials-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/files.h"
#include "util/process.h"
#include "util/secret.h"

#define FILE_LIMIT_BYTES (1024 * 1024)
#define COMMAND_LIMIT_BYTES (64 * 1024)
#define COMMAND_TIMEOUT_MSECS 30000

int aws_from_environment(struct aws_credentials *ret_credentials, struct remote_error *ret_error)
{
	const char *access_key = aws_env("AWS_ACCESS_KEY_ID"),
		   *secret_key = aws_env("AWS_SECRET_ACCESS_KEY");

	if (!access_key && !secret_key)
		return -ENOENT;
	if (!access_key || !secret_key)
		return aws_fail(ret_error, -EACCES,
				"of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is not set");
	if (aws_credentials_set(ret_credentials, access_key, secret_key,
				aws_env("AWS_SESSION_TOKEN"), "environment"))
		return aws_fail(
			ret_error, -EACCES,
			"the environment's AWS_ACCESS_KEY_ID or session token cannot be one");
	return 0;
}

/* ---- files ---- */

/* What of a profile matters here; NULL: not said. Freed by wiping. */
struct profile {
	char *values[8];
	bool is_there;
};

enum { ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, PROCESS, ROLE, TOKEN_FILE, REGION, SESSION_NAME };

static const char *const profile_names[] = {
	"aws_access_key_id",
	"aws_secret_access_key",
	"aws_session_token",
	"credential_process",
	"role_arn",
	"web_identity_token_file",
	"region",
	"role_session_name",
};

static void profile_release(struct profile *profile)
{
	for (size_t i = 0; i < ARRAY_SIZE(profile->values); i++)
		secret_free(profile->values[i]);
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n && strchr(" \t\r", text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* "[name]", or in the config file "[profile name]". */
static bool is_section(char *line, const char *name, bool is_config)
{
	char *close = strchr(line, ']'), *text;

	if (!close)
		return false;
	*close = '\0';
	text = trim(line + 1);
	if (is_config && strncmp(text, "profile", 7) == 0 && (text[7] == ' ' || text[7] == '\t'))
		text = trim(text + 7);
	else if (is_config && strcmp(text, "default") != 0)
		return false;
	return strcmp(text, name) == 0;
}

/* The first file that says something wins. */
static int take_line(struct profile *profile, char *line)
{
	char *equals = strchr(line, '='), *name, *value;

	if (!equals)
		return 0;
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	for (size_t i = 0; i < ARRAY_SIZE(profile_names); i++)
		if (strcmp(profile_names[i], name) == 0 && !profile->values[i] && *value) {
			profile->values[i] = secret_dup(value);
			return profile->values[i] ? 0 : -ENOMEM;
		}
	return 0;
}

/* -EPERM: it has a command that somebody else could have written. */
static int read_profile(const char *path, const char *name, bool is_config, struct profile *profile)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	const char *command = profile->values[PROCESS];
	bool is_inside = false;
	struct stat st;
	size_t len = 0;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno
					     : files_read_fd(fd, FILE_LIMIT_BYTES, &text, &len);
	char *rest;

	if (r)
		return r;
	for (char *line = strtok_r(text, "\n", &rest); line && r == 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '[') {
			is_inside = is_section(line, name, is_config);
			profile->is_there |= is_inside;
		} else if (is_inside &&
			   !strchr("#; \t\r",
				   *line)) { /* what is indented belongs to a value above */
			r = take_line(profile, line);
		}
	}
	crypto_wipe(text, len);
	if (r == 0 && profile->values[PROCESS] != command && files_is_of_others(&st))
		r = -EPERM;
	return r;
}

static char *default_path(const char *variable, const char *name)
{
	const char *said = aws_env(variable), *home = aws_env("HOME");
	char *path;

	if (said)
		return strdup(said);
	return asprintf(&path, "%s/.aws/%s", home ? home : "", name) < 0 ? NULL : path;
}

static int read_files(const char *name, struct profile *profile, struct remote_error *ret_error)
{
	static const char *const variables[] = { "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE" };
	static const char *const names[] = { "credentials", "config" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = default_path(variables[i], names[i]);
		int r = path ? read_profile(path, name, i == 1, profile) : -ENOMEM;

		if (r == -EPERM)
			return aws_fail(ret_error, -EACCES,
					"%.100s could have been written by another user: its "
					"credential_process is not run; chmod go-w %.100s",
					path, path);
		if (r && r != -ENOENT && r != -ENOTDIR)
			return aws_fail(ret_error, r, "%.100s cannot be read: %s",
					path ? path : names[i], strerror(-r));
	}
	return 0;
}

/* ---- a command of the profile's ---- */

static int from_process(const char *command, const char *from, const struct cancel *cancel,
			struct aws_credentials *ret_credentials, struct remote_error *ret_error)
{
	cleanup_buf_secret struct buf output = BUF_INIT;
	int status;
	int r = process_read_shell(command, COMMAND_LIMIT_BYTES, COMMAND_TIMEOUT_MSECS, cancel,
				   &output, &status);

	if (r == -ECANCELED)
		return aws_cancelled(ret_error);
	if (r == -ETIMEDOUT) {
		aws_fail(ret_error, r, "the credential_process of %s did not end within 30 seconds",
			 from);
		return aws_fail_transient(ret_error);
	}
	if (r == -EACCES)
		return aws_fail(ret_error, r, "the credential_process of %s failed (status %d)",
				from, status);
	if (r)
		return aws_fail(ret_error, r, "the credential_process of %s: %s", from,
				strerror(-r));
	return aws_credentials_from_json(buf_str(&output), output.len, "SessionToken",
					 "credential_process", ret_credentials, ret_error);
}

int aws_from_profile(const char *wanted, const struct cancel *cancel,
		     struct aws_credentials *ret_credentials, struct remote_error *ret_error)
{
	cleanup_with(profile_release) struct profile profile = { .is_there = false };
	const char *name = wanted ? wanted : aws_env("AWS_PROFILE");
	char *const *v = profile.values;
	bool is_named = name != NULL;
	char from[64];
	int r;

	if (!name)
		name = "default";
	snprintf(from, sizeof from, "profile %.48s", name);
	r = read_files(name, &profile, ret_error);
	if (r)
		return r;
	if (!profile.is_there)
		return is_named ? aws_fail(ret_error, -EACCES,
					   "there is no %s in ~/.aws/credentials or ~/.aws/config",
					   from)
				: -ENOENT;
	if (v[ROLE] && v[TOKEN_FILE])
		return aws_assume_with_web_identity(v[TOKEN_FILE], v[ROLE], v[SESSION_NAME],
						    v[REGION], cancel, ret_credentials, ret_error);
	if (v[ACCESS_KEY] && v[SECRET_KEY] && !v[ROLE]) {
		r = aws_credentials_set(ret_credentials, v[ACCESS_KEY], v[SECRET_KEY],
					v[SESSION_TOKEN], from);
		return r ? aws_fail(ret_error, -EACCES, "the keys of %s cannot be ones", from) : 0;
	}
	if (v[PROCESS] && !v[ROLE])
		return from_process(v[PROCESS], from, cancel, ret_credentials, ret_error);
	if (is_named || v[ROLE])
		return aws_fail(ret_error, -EACCES,
				"%s has no keys and no credential_process (roles and SSO: "
				"credential_process = aws configure "
				"export-credentials)",
				from);
	return -ENOENT;
}
