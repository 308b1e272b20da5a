/* Where the catalog's key comes from. The key passes only through memory that is wiped. */
#include "catalog/key.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/catalog-private.h"
#include "catalog/guard.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/files.h"
#include "util/process.h"
#include "util/secret.h"
#include "util/times.h"

#define KEY_TEXT_LIMIT 256 /* 64 hex digits and white space around them */
#define COMMAND_LIMIT_BYTES 4096
#define COMMAND_TIMEOUT_MSECS 60000
#define CREDENTIAL_NAME "tonicfs.key"

struct key_text {
	char bytes[KEY_TEXT_LIMIT + 1];
	size_t len;
};

static void key_text_freep(struct key_text **text)
{
	secret_release(*text, sizeof **text);
}
#define cleanup_key_text __attribute__((cleanup(key_text_freep)))

struct db_key *catalog_key_new(void)
{
	return secret_alloc(sizeof(struct db_key));
}

void catalog_key_free(struct db_key *key)
{
	secret_release(key, sizeof *key);
}

void catalog_key_freep(struct db_key **key)
{
	catalog_key_free(*key);
}

void catalog_key_wipe(struct db_key *key)
{
	crypto_wipe(key, sizeof *key);
}

static int key_parse(struct key_text *text, struct db_key *ret_key)
{
	static const char space[] = " \t\r\n\v\f";
	char *start = text->bytes;

	text->bytes[text->len] = '\0';
	if (strlen(text->bytes) != text->len)
		return -EINVAL;
	while (text->len && strchr(space, text->bytes[text->len - 1]))
		text->bytes[--text->len] = '\0';
	start += strspn(start, space);
	return crypto_unhex(start, ret_key->bytes, DB_KEY_SIZE);
}

int catalog_key_file_create(const char *path, struct db_key *ret_key)
{
	cleanup_key_text struct key_text *text = secret_alloc(sizeof *text);
	int err = text ? crypto_random(ret_key->bytes, DB_KEY_SIZE) : -ENOMEM;

	if (err < 0)
		return err;
	crypto_hex(ret_key->bytes, DB_KEY_SIZE, text->bytes);
	text->len = strlen(text->bytes);
	text->bytes[text->len++] = '\n';
	err = files_write_new_private(path, text->bytes, text->len);
	if (err < 0)
		catalog_key_wipe(ret_key);
	return err;
}

/* Reads to the end of fd. -EINVAL: longer than a key. deadline_msecs: of time_mono_msecs; 0:
 * none. */
static int key_text_read(int fd, int64_t deadline_msecs, struct key_text *text)
{
	for (;;) {
		ssize_t n;

		if (deadline_msecs) {
			struct pollfd wait = { .fd = fd, .events = POLLIN };
			int64_t left = deadline_msecs - time_mono_msecs();
			int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;

			if (ready == 0)
				return -ETIMEDOUT;
			if (ready < 0 && errno != EINTR)
				return -errno;
			if (ready < 0)
				continue;
		}
		n = read(fd, text->bytes + text->len, KEY_TEXT_LIMIT - text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		text->len += (size_t)n;
		if (text->len == KEY_TEXT_LIMIT)
			return -EINVAL;
	}
}

static int key_file_load(const char *path, bool must_be_private, struct db_key *ret_key,
			 char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_text struct key_text *text = secret_alloc(sizeof *text);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int err;

	if (!text)
		return -ENOMEM;
	if (fd < 0 || fstat(fd, &st) < 0)
		return catalog_fail(-errno, ret_message, "the key file %s cannot be read: %s", path,
				    strerror(errno));
	/* A pipe, of the shell's <(…), is this user's. */
	err = S_ISREG(st.st_mode) ? catalog_guard_check(&st, "the key file", path, ret_message) : 0;
	if (err < 0)
		return err;
	if (must_be_private && S_ISREG(st.st_mode) && (st.st_mode & 077))
		return catalog_fail(
			-EACCES, ret_message,
			"the key file may be read by others than its owner; run: chmod 600 '%s'",
			path);
	err = key_text_read(fd, 0, text);
	if (err == 0)
		err = key_parse(text, ret_key);
	if (err == -EINVAL)
		return catalog_fail(err, ret_message, "the key file %s does not hold 64 hex digits",
				    path);
	return err ? catalog_fail(err, ret_message, "the key file %s cannot be read: %s", path,
				  strerror(-err))
		   : 0;
}

int catalog_key_file_load(const char *path, struct db_key *ret_key,
			  char ret_message[CATALOG_MESSAGE_SIZE])
{
	return key_file_load(path, true, ret_key, ret_message);
}

int catalog_key_command_run(const char *command, struct db_key *ret_key,
			    char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_text struct key_text *text = secret_alloc(sizeof *text);
	const int64_t deadline = time_mono_msecs() + COMMAND_TIMEOUT_MSECS;
	cleanup_fd int reader = -1;
	int ends[2], status = 0, err;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		err = -errno;
		goto out;
	}
	reader = ends[0];
	err = process_spawn_shell(command, ends[1], false, &pid);
	close(ends[1]);
	if (err < 0)
		goto out;
	err = key_text_read(reader, deadline, text);
	if (err == 0)
		err = process_wait_end(pid, deadline, &status);
	if (err < 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (err == -ETIMEDOUT)
		return catalog_fail(err, ret_message,
				    "the key command did not end within 60 seconds");
	if (err == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return catalog_fail(-EACCES, ret_message, "the key command failed (%s %d)",
				    WIFEXITED(status) ? "exit status" : "signal",
				    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	if (err == 0)
		err = key_parse(text, ret_key);
	if (err == -EINVAL)
		return catalog_fail(err, ret_message,
				    "the key command did not print 64 hex digits");
out:
	return err ? catalog_fail(err, ret_message, "the key command could not be run: %s",
				  strerror(-err))
		   : 0;
}

int catalog_key_command_save(const char *path, const char *command)
{
	cleanup_free char *line = path_beside(command, "\n");

	if (!line)
		return -ENOMEM;
	if (strlen(line) > COMMAND_LIMIT_BYTES)
		return -E2BIG;
	return files_write_new_private(path, line, strlen(line));
}

/* Runs the command that is kept beside the catalog. It runs as this user, so nobody else may have
 * written it. The descriptor that was checked is read: whoever can write the folder could replace
 * the file in between. */
static int saved_command_run(const char *path, struct db_key *ret_key,
			     char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_free char *command = NULL;
	struct stat st;
	size_t len = 0;
	int err = fd < 0 || fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;

	if (err == 0) {
		err = catalog_guard_check(&st, "the file of the key command", path, ret_message);
		if (err < 0)
			return err;
		err = files_read_fd(fd, COMMAND_LIMIT_BYTES, &command, &len);
	}
	if (err < 0)
		return catalog_fail(err, ret_message, "%s cannot be read: %s", path,
				    strerror(-err));
	while (len && strchr("\r\n", command[len - 1]))
		command[--len] = '\0';
	return catalog_key_command_run(command, ret_key, ret_message);
}

void catalog_key_place_release(struct catalog_key_place *place)
{
	free(steal_pointer(&place->path));
}

int catalog_key_locate(const char *catalog_path, const char *key_file,
		       struct catalog_key_place *ret_place)
{
	cleanup_free char *command = path_beside(catalog_path, ".key-command");
	cleanup_free char *beside = path_beside(catalog_path, ".key");
	cleanup_free char *given = key_file ? strdup(key_file) : NULL;
	cleanup_free char *credential = NULL;
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	ret_place->path = NULL;
	if (credentials && *credentials)
		credential = path_beside(credentials, "/" CREDENTIAL_NAME);
	if (!command || !beside || (key_file && !given) ||
	    (credentials && *credentials && !credential))
		return -ENOMEM;
	if (given)
		*ret_place = (struct catalog_key_place){ CATALOG_KEY_FILE, steal_pointer(&given) };
	else if (access(command, F_OK) == 0)
		*ret_place =
			(struct catalog_key_place){ CATALOG_KEY_COMMAND, steal_pointer(&command) };
	else if (credential && access(credential, F_OK) == 0)
		*ret_place = (struct catalog_key_place){ CATALOG_KEY_CREDENTIAL,
							 steal_pointer(&credential) };
	else
		*ret_place = (struct catalog_key_place){ CATALOG_KEY_FILE, steal_pointer(&beside) };
	return 0;
}

int catalog_key_load(const struct catalog_key_place *place, struct db_key *ret_key,
		     char ret_message[CATALOG_MESSAGE_SIZE])
{
	switch (place->source) {
	case CATALOG_KEY_COMMAND:
		return saved_command_run(place->path, ret_key, ret_message);
	case CATALOG_KEY_CREDENTIAL:
		/* systemd protects the folder. The files' group bits are the mask of an access
		 * list, and no sign that a group may read them. */
		return key_file_load(place->path, false, ret_key, ret_message);
	default:
		return key_file_load(place->path, true, ret_key, ret_message);
	}
}
