/* Probes a mount that may hang, and unmounts by fusermount3, for users without privileges. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/mounts.h"
#include "util/process.h"

#define UNMOUNT_MSECS 20000
#define MESSAGE_LIMIT_BYTES (128 * 1024)

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
		process_kill(child);
	}
	close(ends[0]);
	return answer;
}

int mounts_unmount(const char *mountpoint, bool is_lazy, char *ret_message, size_t size)
{
	const char *const lazily[] = { "fusermount3", "-u", "-z", "--", mountpoint, NULL };
	const char *const strictly[] = { "fusermount3", "-u", "--", mountpoint, NULL };
	cleanup_buf struct buf message = BUF_INIT;
	int status, err = process_read_errors(is_lazy ? lazily : strictly, MESSAGE_LIMIT_BYTES,
					      UNMOUNT_MSECS, &message, &status);

	snprintf(ret_message, size, "%s", buf_str(&message));
	if (err == -EACCES && status)
		return strstr(buf_str(&message), strerror(EBUSY)) ? -EBUSY : -EIO;
	if (err == -ETIMEDOUT)
		snprintf(ret_message, size, "fusermount3 does not end");
	else if (err)
		snprintf(ret_message, size, "fusermount3 cannot be run: %s", strerror(-err));
	return err ? -EIO : 0;
}
