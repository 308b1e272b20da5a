/*
 * The mountpoint: a dead mount of ours is taken away, a living one is left alone; what libfuse
 * complains about is kept for the message. And the end of the mount, as the mount table tells it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs-private.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/mounts.h"

#define PROBE_MSECS 3000
#define UNMOUNT_LOOK_MSECS 1000

extern char **environ;

/* ---- libfuse's log ---- */

static struct {
	pthread_mutex_t lock;
	char last[CATALOG_MESSAGE_SIZE]; /* lock */
} fuse_said = { .lock = PTHREAD_MUTEX_INITIALIZER };

__attribute__((format(printf, 2, 0))) static void on_fuse_log(enum fuse_log_level level,
							      const char *format, va_list args)
{
	char text[CATALOG_MESSAGE_SIZE];

	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	if (level > FUSE_LOG_WARNING || !text[0])
		return;
	pthread_mutex_lock(&fuse_said.lock);
	memcpy(fuse_said.last, text, sizeof fuse_said.last);
	pthread_mutex_unlock(&fuse_said.lock);
	log_warning("%s", text);
}

void fs_log_install(void)
{
	fuse_set_log_func(on_fuse_log);
	pthread_mutex_lock(&fuse_said.lock);
	fuse_said.last[0] = '\0';
	pthread_mutex_unlock(&fuse_said.lock);
}

void fs_log_last(char ret_text[CATALOG_MESSAGE_SIZE])
{
	pthread_mutex_lock(&fuse_said.lock);
	memcpy(ret_text, fuse_said.last, CATALOG_MESSAGE_SIZE);
	pthread_mutex_unlock(&fuse_said.lock);
}

/* ---- what is there already ---- */

static int is_ours(const char *mountpoint, bool *ret_ours)
{
	return mounts_has_type(mountpoint, MOUNTS_TYPE, ret_ours, NULL, 0);
}

void fs_mount_note(struct fs *fs)
{
	bool ours;

	if (mounts_has_type(fs->mountpoint, MOUNTS_TYPE, &ours, fs->device, sizeof fs->device) < 0)
		fs->device[0] = '\0';
}

/* Asks in a process of its own: should the mount hang, it hangs there. 0: it answers; -ENOTCONN:
 * dead; -ETIMEDOUT. */
static int ask(const char *mountpoint)
{
	int ends[2], answer, status;
	struct pollfd waiting;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (child == 0) {
		struct statfs st;

		/* Never answered from the kernel's cache, as stat may be for a while after its
		 * process has died. */
		answer = statfs(mountpoint, &st) < 0 ? errno : 0;
		_exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
	}
	close(ends[1]);
	waiting = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	while (poll(&waiting, 1, PROBE_MSECS) < 0 && errno == EINTR)
		;
	answer = ETIMEDOUT;
	if (waiting.revents && read(ends[0], &answer, sizeof answer) != sizeof answer)
		answer = EIO;
	close(ends[0]);
	/* One that hangs is left to the end of what it waits for. */
	if (!waiting.revents)
		kill(child, SIGKILL);
	waitpid(child, &status, waiting.revents ? 0 : WNOHANG);
	return -answer;
}

static int unmount_lazily(const char *mountpoint)
{
	char program[] = "fusermount3", quiet[] = "-q", unmount[] = "-u", lazily[] = "-z",
	     end[] = "--";
	cleanup_free char *place = strdup(mountpoint);
	char *argv[] = { program, unmount, quiet, lazily, end, place, NULL };
	int status, err;
	pid_t child;
	bool ours;

	if (!place)
		return -ENOMEM;
	if (umount2(mountpoint, MNT_DETACH) == 0)
		return 0;
	err = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);
	if (err)
		return -err;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	/* Somebody else may have been faster. */
	err = is_ours(mountpoint, &ours);
	return err || ours ? -EPERM : 0;
}

int fs_mountpoint_clear(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE])
{
	bool ours;
	int err = is_ours(mountpoint, &ours);

	if (err || !ours)
		return err;
	err = ask(mountpoint);
	switch (err) {
	case -ENOTCONN:
	case -ECONNABORTED: /* while it was asked */
		log_info("%s: a dead mount is taken away", mountpoint);
		err = unmount_lazily(mountpoint);
		if (err)
			snprintf(ret_message, CATALOG_MESSAGE_SIZE,
				 "%s has a dead mount that cannot be taken away; try: tonicfs "
				 "unmount --lazy %s",
				 mountpoint, mountpoint);
		return err;
	case -ETIMEDOUT:
		snprintf(ret_message, CATALOG_MESSAGE_SIZE,
			 "%s is mounted, and its process does not answer; end that process, or: "
			 "tonicfs unmount --lazy %s",
			 mountpoint, mountpoint);
		return -EBUSY;
	default:
		snprintf(ret_message, CATALOG_MESSAGE_SIZE, "%s is mounted already", mountpoint);
		return -EBUSY;
	}
}

int fs_mountpoint_check(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct dirent *entry;
	bool is_automatic;
	DIR *folder;
	int err;

	/* Opening a mountpoint of autofs would trigger the mount that is being made. */
	err = mounts_has_type(mountpoint, "autofs", &is_automatic, NULL, 0);
	if (err || is_automatic)
		return err;
	folder = opendir(mountpoint);
	if (!folder)
		return 0; /* mounting says what is wrong with it */
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			break;
	closedir(folder);
	if (!entry)
		return 0;
	snprintf(
		ret_message, CATALOG_MESSAGE_SIZE,
		"%s is not empty: a mount would hide what is in it; name an empty folder, or say -o "
		"nonempty",
		mountpoint);
	return -ENOTEMPTY;
}

/* ---- until it is unmounted ---- */

static bool has_open_files(struct fs *fs)
{
	bool has_some;

	pthread_mutex_lock(&fs->lock);
	has_some = !list_empty(&fs->handles);
	pthread_mutex_unlock(&fs->lock);
	return has_some;
}

/*
 * Until fs_stop, or until it is unmounted. The kernel reports an unmount only when the last copy of the
 * mount is gone. A mount namespace created in the meantime (a container, a service, unshare) has its
 * own copy, which an unmount here may leave in place. So the mount table of our namespace is watched,
 * too. Files that are still open after a lazy unmount are served until they are closed.
 */
void fs_mount_wait_end(struct fs *fs)
{
	cleanup_fd int mounts = fs->device[0] ? open(MOUNTS_PATH, O_RDONLY | O_CLOEXEC) : -1;
	struct pollfd waiting[] = { { .fd = fs->wake_fd, .events = POLLIN },
				    { .fd = mounts, .events = POLLPRI } }; /* it has changed */
	bool is_here = true;

	for (;;) {
		int n = poll(waiting, ARRAY_SIZE(waiting), is_here ? -1 : UNMOUNT_LOOK_MSECS);

		if (n < 0 ? errno != EINTR : waiting[0].revents)
			return;
		if (n == 0 && !has_open_files(fs)) {
			log_info(
				"%s is unmounted, but still mounted in another mount namespace; the mount"
				" ends there too",
				fs->mountpoint);
			fs->is_mounted = false;
			return;
		}
		if (n > 0)
			is_here = mounts_has_device(fs->device) != 0;
	}
}
