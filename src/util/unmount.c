/* Probes a mount that may hang, and unmounts by fusermount3, for users without privileges. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/mounts.h"

#define CHILD_END_MSECS 1000

/* A child that hangs in the kernel may survive SIGKILL; init adopts it. */
static void end_child(pid_t child)
{
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	kill(child, SIGKILL);
	poll(&waiting, 1, CHILD_END_MSECS);
	waitpid(child, NULL, WNOHANG);
	if (fd >= 0)
		close(fd);
}

int mounts_probe(const char *mountpoint, int (*probe)(const char *mountpoint), int timeout_msecs)
{
	struct pollfd waiting;
	int ends[2], answer = 0, n;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		answer = probe(mountpoint);
		_exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
	}
	if (child < 0)
		answer = -errno;
	close(ends[1]);
	if (child > 0) {
		waiting = (struct pollfd){ .fd = ends[0], .events = POLLIN };
		do
			n = poll(&waiting, 1, timeout_msecs);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			answer = -ETIMEDOUT;
		else if (read(ends[0], &answer, sizeof answer) != sizeof answer)
			answer = -EIO;
		/* Before an unmount, because it uses the mount. */
		end_child(child);
	}
	close(ends[0]);
	return answer;
}

int mounts_unmount(const char *mountpoint, bool is_lazy, char *ret_message, size_t size)
{
	char program[] = "fusermount3", unmount[] = "-u", lazily[] = "-z", end[] = "--";
	char *place = (char *)mountpoint;
	char *argv[] = { program,
			 unmount,
			 is_lazy ? lazily : end,
			 is_lazy ? end : place,
			 is_lazy ? place : NULL,
			 NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], status = 0, err;
	size_t len = 0;
	pid_t child;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	err = posix_spawnp(&child, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (!err && len + 1 < size && (n = read(ends[0], ret_message + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	ret_message[len] = '\0';
	if (err) {
		snprintf(ret_message, size, "fusermount3 cannot be run: %s", strerror(err));
		return -EIO;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return strstr(ret_message, strerror(EBUSY)) ? -EBUSY : -EIO;
}
