#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

void process_harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit locked;

	/* The limit does not hold where dumps are piped to a program; being undumpable does. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	unsetenv("SSLKEYLOGFILE");
	if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur < locked.rlim_max) {
		locked.rlim_cur = locked.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &locked);
	}
}

static bool is_of_language(const char *variable)
{
	return strncmp(variable, "LANG=", 5) == 0 || strncmp(variable, "LC_", 3) == 0;
}

int process_forget_parent(void)
{
	extern char **environ;
	cleanup_free char **kept = NULL;
	size_t count = 0;
	int err = 0;

	if (close_range(3, ~0U, 0) < 0)
		return -errno;
	for (char **variable = environ; variable && *variable; variable++)
		count++;
	kept = calloc(count + 1, sizeof *kept);
	if (!kept)
		return -ENOMEM;
	count = 0;
	for (char **variable = environ; variable && *variable; variable++) {
		if (is_of_language(*variable) && !(kept[count++] = strdup(*variable)))
			err = -ENOMEM;
		crypto_wipe(*variable, strlen(*variable));
	}
	clearenv();
	for (size_t i = 0; i < count && err == 0; i++) /* which are the environment's from here on */
		err = putenv(kept[i]) ? -errno : 0;
	if (err == 0 && setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", 1) < 0)
		err = -errno;
	return err;
}

int process_spawn_shell(const char *command, int fd, bool own_group, pid_t *ret_pid)
{
	extern char **environ;
	char shell[] = "sh", flag[] = "-c";
	cleanup_free char *copy = strdup(command);
	char *argv[] = { shell, flag, copy, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int err;

	if (!copy)
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	sigemptyset(&none);
	sigfillset(&defaults);
	err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	if (err == 0)
		err = posix_spawnattr_setsigmask(&attributes, &none);
	if (err == 0)
		err = posix_spawnattr_setsigdefault(&attributes, &defaults);
	if (err == 0)
		err = posix_spawnattr_setflags(
			&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					     (own_group ? POSIX_SPAWN_SETPGROUP : 0)));
	if (err == 0)
		err = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* Until the end of what it prints. */
static int read_output(int fd, size_t limit_bytes, int64_t deadline_msecs, struct buf *out)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline_msecs - time_mono_msecs();
		char bytes[1024];
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		if (!p.revents)
			continue;
		n = read(fd, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out->len + (size_t)n > limit_bytes)
			return -EFBIG;
		buf_add(out, bytes, (size_t)n);
		if (buf_failed(out))
			return -ENOMEM;
	}
}

int process_read_shell(const char *command, size_t limit_bytes, unsigned timeout_msecs,
		       struct buf *ret_output, int *ret_status)
{
	cleanup_fd int reader = -1;
	int ends[2], status = 0, err;
	pid_t pid;

	*ret_status = 0;
	if (buf_reserve(ret_output, limit_bytes) < 0)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = ends[0];
	err = process_spawn_shell(command, ends[1], true, &pid);
	close(ends[1]);
	if (err < 0)
		return err;
	err = read_output(reader, limit_bytes, time_mono_msecs() + timeout_msecs, ret_output);
	if (err < 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return -EACCES;
	}
	return err;
}
