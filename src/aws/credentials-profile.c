/* Keys on this machine: in the environment, and in the profiles of ~/.aws/credentials and
 * ~/.aws/config. Source: "Shared config and credentials files", AWS SDKs and Tools Reference
 * Guide. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aws/credentials-private.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/files.h"
#include "util/process.h"
#include "util/secret.h"

#define FILE_LIMIT_BYTES (1024 * 1024)
#define COMMAND_LIMIT_BYTES (64 * 1024)
#define COMMAND_TIMEOUT_MSECS 30000

int aws_from_environment(const struct aws_search *search)
{
	const char *access_key = aws_env("AWS_ACCESS_KEY_ID"),
		   *secret_key = aws_env("AWS_SECRET_ACCESS_KEY");

	if (!access_key && !secret_key)
		return -ENOENT;
	if (!access_key || !secret_key)
		return aws_fail(search, -EACCES,
				"only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
	if (aws_credentials_set(search->credentials, access_key, secret_key,
				aws_env("AWS_SESSION_TOKEN"), "environment"))
		return aws_fail(search, -EACCES,
				"AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN has an invalid value");
	return 0;
}

/* ---- files ---- */

/* The settings of a profile that are used here; NULL: not set. Wiped when freed. */
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

/* The first file that has a setting wins. */
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

/* -EPERM: it has a command, and another user may have written the file. */
static int read_profile(const char *path, const char *name, bool is_config, struct profile *profile)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	const char *command = profile->values[PROCESS];
	bool is_inside = false;
	struct stat st;
	size_t len = 0;
	int err = fd < 0 || fstat(fd, &st) < 0 ? -errno
					       : files_read_fd(fd, FILE_LIMIT_BYTES, &text, &len);
	char *rest;

	if (err)
		return err;
	for (char *line = strtok_r(text, "\n", &rest); line && err == 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '[') {
			is_inside = is_section(line, name, is_config);
			profile->is_there |= is_inside;
		} else if (is_inside && !strchr("#; \t\r", *line)) {
			/* An indented line belongs to the value above it. */
			err = take_line(profile, line);
		}
	}
	crypto_wipe(text, len);
	if (err == 0 && profile->values[PROCESS] != command && files_is_of_others(&st))
		err = -EPERM;
	return err;
}

static char *default_path(const char *variable, const char *name)
{
	const char *said = aws_env(variable), *home = aws_env("HOME");
	char *path;

	if (said)
		return strdup(said);
	return asprintf(&path, "%s/.aws/%s", home ? home : "", name) < 0 ? NULL : path;
}

static int read_files(const struct aws_search *search, const char *name, struct profile *profile)
{
	static const char *const variables[] = { "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE" };
	static const char *const names[] = { "credentials", "config" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = default_path(variables[i], names[i]);
		int err = path ? read_profile(path, name, i == 1, profile) : -ENOMEM;

		if (err == -EPERM)
			return aws_fail(search, -EACCES,
					"%.100s could have been written by another user: its "
					"credential_process is not run; chmod go-w %.100s",
					path, path);
		if (err && err != -ENOENT && err != -ENOTDIR)
			return aws_fail(search, err, "%.100s cannot be read: %s",
					path ? path : names[i], strerror(-err));
	}
	return 0;
}

/* ---- credential_process ---- */

static int from_process(const struct aws_search *search, const char *command, const char *from)
{
	cleanup_buf_secret struct buf output = BUF_INIT;
	int status;
	int err = process_read_shell(command, COMMAND_LIMIT_BYTES, COMMAND_TIMEOUT_MSECS,
				     search->cancel, &output, &status);

	if (err == -ECANCELED)
		return aws_cancelled(search);
	if (err == -ETIMEDOUT)
		return aws_fail_for_now(
			search, err, "the credential_process of %s did not end within 30 seconds",
			from);
	if (err == -EACCES)
		return aws_fail(search, err, "the credential_process of %s failed (status %d)",
				from, status);
	if (err)
		return aws_fail(search, err, "the credential_process of %s: %s", from,
				strerror(-err));
	return aws_credentials_from_json(search, buf_str(&output), output.len, "SessionToken",
					 "credential_process");
}

int aws_from_profile(const struct aws_search *search)
{
	cleanup_with(profile_release) struct profile profile = { .is_there = false };
	const char *named = search->profile ? search->profile : aws_env("AWS_PROFILE"),
		   *name = named ? named : "default";
	char *const *v = profile.values;
	char from[64];
	int err = read_files(search, name, &profile);

	if (err)
		return err;
	snprintf(from, sizeof from, "profile %.48s", name);
	if (!profile.is_there && named)
		return aws_fail(search, -EACCES,
				"there is no %s in ~/.aws/credentials or ~/.aws/config", from);
	if (!profile.is_there)
		return -ENOENT;
	if (v[ROLE] && v[TOKEN_FILE])
		return aws_assume_with_web_identity(search, v[TOKEN_FILE], v[ROLE], v[SESSION_NAME],
						    v[REGION]);
	if (v[ACCESS_KEY] && v[SECRET_KEY] && !v[ROLE]) {
		err = aws_credentials_set(search->credentials, v[ACCESS_KEY], v[SECRET_KEY],
					  v[SESSION_TOKEN], from);
		return err ? aws_fail(search, -EACCES, "the keys of %s are invalid", from) : 0;
	}
	if (v[PROCESS] && !v[ROLE])
		return from_process(search, v[PROCESS], from);
	if (named || v[ROLE])
		return aws_fail(search, -EACCES,
				"%s has no keys and no credential_process (roles and SSO: "
				"credential_process = aws configure export-credentials)",
				from);
	return -ENOENT;
}
