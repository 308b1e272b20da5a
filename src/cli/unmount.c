/* unmount: removes a mount and waits until its process has ended. The mountpoint's attribute
 * user.tonicfs.pid names the process, which is not dumpable: its open files cannot be seen. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/holders.h"
#include "cli/mounting.h"
#include "util/cleanup.h"
#include "util/mounts.h"

#define ATTRIBUTE "user.tonicfs.pid"
#define ASK_MSECS 3000
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

/* Of the mount's process. */
static int read_pid(const char *mountpoint)
{
	char text[24];
	ssize_t n = getxattr(mountpoint, ATTRIBUTE, text, sizeof text - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return (int)strtol(text, NULL, 10);
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
	cleanup_free char *inside = NULL, *source = NULL;
	int err = mountpoint_resolve(folder, &u->mountpoint);

	if (err == 0)
		err = mounts_find(u->mountpoint, &inside, &source);
	if (err == 0 && !*inside)
		return CLI_DONE;
	if (err == 0)
		return cli_error("%s is a folder in a mount; unmount %.*s", folder,
				 (int)(strlen(u->mountpoint) - strlen(inside) - 1), u->mountpoint);
	if (err == -ENOENT)
		return cli_error("nothing of yours is mounted by tonicfs on %s", u->mountpoint);
	return cli_error("%s: %s", folder, strerror(-err));
}

static int report(const struct unmounting *u, bool has_ended)
{
	if (!u->cli->json)
		return CLI_DONE;
	return cli_json_print(
		json_pack("{s:o, s:o, s:b}", "mountpoint", view_name_json(u->mountpoint), "process",
			  u->pid ? json_integer(u->pid) : json_null(), "ended", (int)has_ended));
}

static int take_away(struct unmounting *u, bool is_lazy, int timeout_msecs)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	/* -ENOTCONN: the process is dead; -ETIMEDOUT: it does not answer; … */
	int asked = mounts_probe(u->mountpoint, read_pid, ASK_MSECS);
	bool has_ended = true;
	int err, status;

	u->pid = asked > 0 ? asked : 0;
	if (u->pid)
		u->pidfd = (int)syscall(SYS_pidfd_open, u->pid, 0);
	/* Before the unmount, which changes the names of open files. */
	if (is_lazy)
		holders_find(u->mountpoint, u->pid, &u->holders);
	err = mounts_unmount(u->mountpoint, is_lazy, message, sizeof message);
	if (err == -EBUSY) {
		holders_find(u->mountpoint, u->pid, &u->holders);
		say_busy(u);
		if (asked == -ETIMEDOUT)
			cli_error("the mount's process does not answer: it hangs, or is stopped");
		return CLI_FAILED;
	}
	if (err < 0)
		return cli_error("%s", message[0] ? message : strerror(-err));
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
	if (chdir("/") < 0)
		return cli_error("/: %s", strerror(errno));
	return take_away(&u, v->lazy, (int)secs * 1000);
}

#define VALUES struct unmount_values
static const struct cli_option unmount_options[] = {
	CLI_FLAG("lazy", lazy, "unmount even if it is in use or hangs"),
	CLI_TEXT("timeout", timeout, "how long to wait for its process (30)", "SECS"),
	{ 0 },
};

const struct cli_command command_unmount = {
	.name = "unmount",
	.arguments = "DIR [--lazy] [--timeout SECS]",
	.summary = "Unmounts, and waits until the mount's process has ended",
	.text = "Transfers in flight are finished or put back within ten seconds. If programs\n"
		"use the mount, it stays mounted, and the programs are named, except those of\n"
		"other users and those that are protected. --lazy detaches it from DIR all the\n"
		"same: the process ends when no program uses the mount any more. --lazy also\n"
		"detaches a mount that hangs. 'fusermount3 -u DIR' unmounts, too, but does not\n"
		"wait.\n"
		"\n"
		"Exit status 3 if it is unmounted, but its process did not end in time.\n",
	CLI_OPTIONS(unmount_options),
	.argument_count = { 1, 1 },
	.run = run_unmount,
};
