/* Probes a mount that may hang, and unmounts by fusermount3, for users without privileges. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/mounts.h"
#include "util/process.h"
#include "util/times.h"

#define CHILD_END_MSECS 1000
#define UNMOUNT_MSECS 20000

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

/* Reads what fusermount3 prints until it ends. 0 or -ETIMEDOUT. */
static int read_message(int fd, int64_t deadline_msecs, char *ret_message, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	ret_message[0] = '\0';
	while (n > 0) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		int64_t left = deadline_msecs - time_mono_msecs();
		char rest[64];
		bool has_room = len + 1 < size;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&waiting, 1, (int)left) <= 0)
			continue;
		n = read(fd, has_room ? ret_message + len : rest,
			 has_room ? size - 1 - len : sizeof rest);
		len += has_room && n > 0 ? (size_t)n : 0;
		ret_message[len] = '\0';
	}
	return 0;
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
	int64_t deadline_msecs = time_mono_msecs() + UNMOUNT_MSECS;
	posix_spawn_file_actions_t actions;
	int ends[2], status = 0, err;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	err = posix_spawnp(&child, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		snprintf(ret_message, size, "fusermount3 cannot be run: %s", strerror(err));
		return -EIO;
	}
	err = read_message(ends[0], deadline_msecs, ret_message, size);
	close(ends[0]);
	if (!err)
		err = process_wait_end(child, deadline_msecs, &status);
	if (err) {
		end_child(child);
		snprintf(ret_message, size, "fusermount3 does not end");
		return -EIO;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return strstr(ret_message, strerror(EBUSY)) ? -EBUSY : -EIO;
}
