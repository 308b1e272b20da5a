/* Hardening of this process, and shell commands with a deadline. */
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/times.h"

#define KILL_MSECS 1000

void process_harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit locked;

	/* Where core_pattern pipes dumps to a program, only PR_SET_DUMPABLE has an effect. */
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
	for (size_t i = 0; i < count && err == 0; i++) /* the environment owns them from here on */
		err = putenv(kept[i]) ? -errno : 0;
	if (err == 0 &&
	    setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", 1) < 0)
		err = -errno;
	return err;
}

/* Starts a program with fd as its descriptor `as`, no input and default signals. */
static int spawn(const char *const argv[], int fd, int as, bool own_group, pid_t *ret_pid)
{
	const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			    (own_group ? POSIX_SPAWN_SETPGROUP : 0);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int err;

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
		err = posix_spawn_file_actions_adddup2(&actions, fd, as);
	if (err == 0)
		err = posix_spawnattr_setsigmask(&attributes, &none);
	if (err == 0)
		err = posix_spawnattr_setsigdefault(&attributes, &defaults);
	if (err == 0)
		err = posix_spawnattr_setflags(&attributes, flags);
	if (err == 0)
		err = posix_spawnp(ret_pid, argv[0], &actions, &attributes, (char *const *)argv,
				   environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

int process_spawn_shell(const char *command, int fd, bool own_group, pid_t *ret_pid)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	return spawn(argv, fd, STDOUT_FILENO, own_group, ret_pid);
}

void process_kill(pid_t pid)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = fd, .events = POLLIN };

	if (kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL);
	poll(&ended, 1, KILL_MSECS);
	waitpid(pid, NULL, WNOHANG);
}

#define LOOK_MSECS 50 /* how often a running command is checked */

struct waiting {
	int64_t deadline_msecs;
	const struct cancel *cancel; /* NULL: never */
};

/* 0: *ret_msecs is the time until the next check. -ETIMEDOUT, -ECANCELED. */
static int time_left(const struct waiting *waiting, int *ret_msecs)
{
	int64_t left = waiting->deadline_msecs - time_mono_msecs();

	if (cancel_is_set(waiting->cancel))
		return -ECANCELED;
	*ret_msecs = left < LOOK_MSECS ? (int)left : LOOK_MSECS;
	return left > 0 ? 0 : -ETIMEDOUT;
}

/* Reads until the end of file. */
static int read_output(int fd, size_t limit_bytes, const struct waiting *waiting, struct buf *out)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char bytes[1024];
		int msecs, err = time_left(waiting, &msecs);
		ssize_t n;

		if (err < 0)
			return err;
		if (poll(&p, 1, msecs) < 0 && errno != EINTR)
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

/* Waits for the end of the process, which may be later than the end of its output. */
static int wait_end(pid_t pid, const struct waiting *waiting, int *ret_status)
{
	unsigned pause_msecs = 1;

	for (;;) {
		int msecs, err = time_left(waiting, &msecs);
		pid_t ended = waitpid(pid, ret_status, WNOHANG);

		if (ended == pid || (ended < 0 && errno != EINTR))
			return 0;
		if (err < 0)
			return err;
		nanosleep(&(const struct timespec){ .tv_nsec = pause_msecs * 1000000L }, NULL);
		if (pause_msecs < LOOK_MSECS)
			pause_msecs *= 2;
	}
}

int process_wait_end(pid_t pid, int64_t deadline_msecs, int *ret_status)
{
	const struct waiting waiting = { deadline_msecs, NULL };

	return wait_end(pid, &waiting, ret_status);
}

static int read_program(const char *const argv[], int as, size_t limit_bytes,
			const struct waiting *waiting, struct buf *ret_output, int *ret_status)
{
	cleanup_fd int reader = -1;
	int ends[2], status = 0, err;
	pid_t pid = 0;

	*ret_status = 0;
	if (buf_reserve(ret_output, limit_bytes) < 0)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = ends[0];
	err = spawn(argv, ends[1], as, true, &pid);
	close(ends[1]);
	if (err < 0)
		return err;
	err = read_output(reader, limit_bytes, waiting, ret_output);
	if (err == 0)
		err = wait_end(pid, waiting, &status);
	if (err < 0) {
		process_kill(pid);
		return err;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return -EACCES;
}

int process_read_shell(const char *command, size_t limit_bytes, unsigned timeout_msecs,
		       const struct cancel *cancel, struct buf *ret_output, int *ret_status)
{
	const struct waiting waiting = { time_mono_msecs() + timeout_msecs, cancel };
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	return read_program(argv, STDOUT_FILENO, limit_bytes, &waiting, ret_output, ret_status);
}

int process_read_errors(const char *const argv[], size_t limit_bytes, unsigned timeout_msecs,
			struct buf *ret_errors, int *ret_status)
{
	const struct waiting waiting = { time_mono_msecs() + timeout_msecs, NULL };

	return read_program(argv, STDERR_FILENO, limit_bytes, &waiting, ret_errors, ret_status);
}
