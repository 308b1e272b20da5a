/*
 * unmount: removes a mount and waits until its process has ended. The mountpoint's attribute
 * user.tonicfs.pid names the process: it cannot be found by its open files, because it is not
 * dumpable.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/holders.h"
#include "cli/mounting.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/mounts.h"

#define ATTRIBUTE "user.tonicfs.pid"
#define ASK_MSECS 3000
#define CHILD_END_MSECS 1000
#define NOTICE_MSECS 1000 /* before a message says what the command waits for */
#define TIMEOUT_SECS 30
#define TIMEOUT_SECS_MAX 3600
#define HOLDERS_SHOWN 10

struct unmount_values {
	bool lazy;
	const char *timeout;
};

struct unmounting {
	struct cli *cli;
	char *mountpoint;
	pid_t pid; /* of the process that serves the mount; 0: not known */
	int pidfd; /* -1: the process has ended, or is not known */
	struct holders holders;
};

static void unmounting_release(struct unmounting *u)
{
	if (u->pidfd >= 0)
		close(u->pidfd);
	holders_release(&u->holders);
	free(u->mountpoint);
}

/* ---- the process ---- */

/* The child has to end before the unmount, because it uses the mount. A child that hangs in the
 * kernel may survive SIGKILL; init adopts it. */
static void end_child(pid_t child)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	kill(child, SIGKILL);
	poll(&waiting, 1, CHILD_END_MSECS);
	waitpid(child, NULL, WNOHANG);
}

/* Asks in a child process: where the mount hangs, the child alone hangs. 0: *ret_pid is the mount's
 * process; -ENOTCONN: that process is dead; -ETIMEDOUT: it does not answer; … */
static int ask(const char *mountpoint, pid_t *ret_pid)
{
	struct {
		int err; /* positive */
		char text[24];
	} answer = { .err = ETIMEDOUT };
	struct pollfd waiting;
	pid_t child;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		ssize_t n = getxattr(mountpoint, ATTRIBUTE, answer.text, sizeof answer.text - 1);

		answer.err = n < 0 ? errno : 0;
		_exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
	}
	close(ends[1]);
	if (child < 0)
		answer.err = errno;
	waiting = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	if (child > 0 && poll(&waiting, 1, ASK_MSECS) > 0 &&
	    read(ends[0], &answer, sizeof answer) != sizeof answer)
		answer.err = EIO;
	close(ends[0]);
	if (child > 0)
		end_child(child);
	*ret_pid = answer.err ? 0 : (pid_t)strtol(answer.text, NULL, 10);
	return -answer.err;
}

/* Waits until the mount's process has ended. False: the time is over. */
static bool wait_ended(struct unmounting *u, int timeout_msecs)
{
	struct pollfd waiting = { .fd = u->pidfd, .events = POLLIN };
	int first = timeout_msecs < NOTICE_MSECS ? timeout_msecs : NOTICE_MSECS;

	if (u->pidfd < 0 || poll(&waiting, 1, first) > 0)
		return true;
	cli_error(
		"%s is unmounted; waiting for its process %d, which finishes or puts back what is in flight",
		u->mountpoint, (int)u->pid);
	return poll(&waiting, 1, timeout_msecs - first) > 0;
}

/* ---- fusermount3 ---- */

/* 0; -EBUSY; -EIO, with what fusermount3 printed. */
static int run_fusermount(const char *mountpoint, bool is_lazy, char ret_said[CATALOG_MESSAGE_SIZE])
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
	while (!err && len + 1 < CATALOG_MESSAGE_SIZE &&
	       (n = read(ends[0], ret_said + len, CATALOG_MESSAGE_SIZE - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	ret_said[len] = '\0';
	if (err) {
		snprintf(ret_said, CATALOG_MESSAGE_SIZE, "fusermount3 cannot be run: %s",
			 strerror(err));
		return -EIO;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return strstr(ret_said, strerror(EBUSY)) ? -EBUSY : -EIO;
}

static void say_busy(const struct unmounting *u)
{
	const struct holders *holders = &u->holders;

	cli_error("%s is in use, and stays mounted", u->mountpoint);
	for (size_t i = 0; i < holders->count && i < HOLDERS_SHOWN; i++)
		cli_error("  %s (process %d): %s %s", holders->list[i].program,
			  (int)holders->list[i].pid, holders->list[i].how, holders->list[i].path);
	if (holders->count > HOLDERS_SHOWN)
		cli_error("  and %zu more", holders->count - HOLDERS_SHOWN);
	if (geteuid() != 0)
		cli_error("%s%zu of your processes and those of other users cannot be looked into",
			  holders->count ? "" : "  ", holders->unseen);
	cli_error(
		"end these programs or leave the folder, and try again; --lazy takes the mount away at once, and its process "
		"ends when nothing uses it any more");
}

/* ---- the command ---- */

static int find(struct unmounting *u, const char *folder)
{
	cleanup_free char *inside = NULL;
	cleanup_free char *source = NULL;
	int err = mountpoint_resolve(folder, &u->mountpoint);

	if (err == 0)
		err = mounts_find(u->mountpoint, &inside, &source);
	if (err == 0 && !*inside)
		return CLI_DONE;
	if (err == 0)
		cli_error("%s is a folder in a mount; unmount %.*s", folder,
			  (int)(strlen(u->mountpoint) - strlen(inside) - 1), u->mountpoint);
	else if (err == -ENOENT)
		cli_error("nothing of yours is mounted by tonicfs on %s", u->mountpoint);
	else
		cli_error("%s: %s", folder, strerror(-err));
	return CLI_FAILED;
}

static int report(struct unmounting *u, bool has_ended)
{
	json_t *pid = u->pid ? json_integer(u->pid) : json_null();
	int status = CLI_DONE;

	if (u->cli->json)
		status = cli_json_print(json_pack("{s:o, s:o, s:b}", "mountpoint",
						  cli_json_name(u->mountpoint), "process", pid,
						  "ended", (int)has_ended));
	else
		json_decref(pid);
	return status;
}

static int take_away(struct unmounting *u, bool is_lazy, int timeout_msecs)
{
	char said[CATALOG_MESSAGE_SIZE] = "";
	int asked = ask(u->mountpoint, &u->pid);
	bool has_ended = true;
	int err, status;

	if (u->pid > 0)
		u->pidfd = (int)syscall(SYS_pidfd_open, u->pid, 0);
	/* Before the unmount, which changes the names of open files. */
	if (is_lazy)
		holders_find(u->mountpoint, u->pid, &u->holders);
	err = run_fusermount(u->mountpoint, is_lazy, said);
	if (err == -EBUSY) {
		holders_find(u->mountpoint, u->pid, &u->holders);
		say_busy(u);
		if (asked == -ETIMEDOUT)
			cli_error("the mount's process does not answer: it hangs, or is stopped");
		return CLI_FAILED;
	}
	if (err < 0) {
		cli_error("%s", said[0] ? said : strerror(-err));
		return CLI_FAILED;
	}
	/* With these errors its process is dead already. */
	if (!u->pid && asked != -ENOTCONN && asked != -ECONNABORTED) {
		cli_error(
			"%s is unmounted, but its process did not answer and may still be there (ps -C tonicfs)",
			u->mountpoint);
		has_ended = false;
	} else if (is_lazy && u->holders.count) {
		cli_error("%s is unmounted; its process %d ends when nothing uses it any more",
			  u->mountpoint, (int)u->pid);
		return report(u, false);
	} else if (!wait_ended(u, timeout_msecs)) {
		cli_error(
			"%s is unmounted, but its process %d still runs; 'kill %d' ends it in ten seconds, and loses nothing",
			u->mountpoint, (int)u->pid, (int)u->pid);
		has_ended = false;
	}
	status = report(u, has_ended);
	return status == CLI_DONE && !has_ended ? CLI_PART : status;
}

static int run_unmount(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct unmount_values *v = values;
	cleanup_with(unmounting_release) struct unmounting u = { .cli = cli, .pidfd = -1 };
	long secs = TIMEOUT_SECS;
	char *end = NULL;
	int status;

	(void)argc;
	if (v->timeout) {
		secs = strtol(v->timeout, &end, 10);
		if (end == v->timeout || *end || secs < 0 || secs > TIMEOUT_SECS_MAX)
			return cli_usage(cli,
					 "--timeout is a number of seconds from 0 to %d, not '%s'",
					 TIMEOUT_SECS_MAX, v->timeout);
	}
	status = find(&u, argv[0]);
	if (status != CLI_DONE)
		return status;
	/* The current folder of this process may be in the mount. */
	if (chdir("/") < 0) {
		cli_error("/: %s", strerror(errno));
		return CLI_FAILED;
	}
	return take_away(&u, v->lazy, (int)secs * 1000);
}

const struct cli_command command_unmount = {
	.name = "unmount",
	.arguments = "DIR [--lazy] [--timeout SECS]",
	.summary = "Unmounts, and waits until the mount's process has ended",
	.text = "Transfers in flight are finished or put back, for ten seconds at most. Where\n"
		"programs still use the mount, it stays, and they are named; those of other\n"
		"users, and those that protect themselves, cannot be seen. --lazy takes it away\n"
		"from DIR all the same: its process ends when they have let go of it, and a mount\n"
		"that hangs is gone from there. 'fusermount3 -u DIR' unmounts, too, but does not\n"
		"wait.\n"
		"\n"
		"Exit status 3 when it is unmounted, and its process had not ended in time.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "lazy", CLI_FLAG, NULL, "unmount although it is in use, or hangs",
			  offsetof(struct unmount_values, lazy) },
			{ 0, "timeout", CLI_TEXT, "SECS", "how long to wait for its process (30)",
			  offsetof(struct unmount_values, timeout) },
			{ 0 },
		},
	.values_size = sizeof(struct unmount_values),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_unmount,
};
