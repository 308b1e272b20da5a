/* The mountpoint: dead mounts of this type are removed, living ones are left alone; and the mount
 * table is watched for the unmount. libfuse's warnings are kept for the error message. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "fs/fs-private.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/mounts.h"

#define PROBE_MSECS 3000
#define UNMOUNT_LOOK_MSECS 1000

/* ---- libfuse's log ---- */

static struct {
	pthread_mutex_t lock;
	char last[CATALOG_MESSAGE_SIZE]; /* lock */
} libfuse_log = { .lock = PTHREAD_MUTEX_INITIALIZER };

__attribute__((format(printf, 2, 0))) static void on_fuse_log(enum fuse_log_level level,
							      const char *format, va_list args)
{
	char text[CATALOG_MESSAGE_SIZE];

	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	if (level > FUSE_LOG_WARNING || !text[0])
		return;
	pthread_mutex_lock(&libfuse_log.lock);
	memcpy(libfuse_log.last, text, sizeof libfuse_log.last);
	pthread_mutex_unlock(&libfuse_log.lock);
	log_warning("%s", text);
}

void fs_log_install(void)
{
	fuse_set_log_func(on_fuse_log);
	pthread_mutex_lock(&libfuse_log.lock);
	libfuse_log.last[0] = '\0';
	pthread_mutex_unlock(&libfuse_log.lock);
}

void fs_log_last(char ret_text[CATALOG_MESSAGE_SIZE])
{
	pthread_mutex_lock(&libfuse_log.lock);
	memcpy(ret_text, libfuse_log.last, CATALOG_MESSAGE_SIZE);
	pthread_mutex_unlock(&libfuse_log.lock);
}

/* ---- the mount table ---- */

static int is_ours(const char *mountpoint, bool *ret_ours)
{
	return mounts_has_type(mountpoint, MOUNTS_TYPE, ret_ours, NULL, 0);
}

void fs_mount_note(struct fs *fs)
{
	bool ours;

	if (mounts_has_type(fs->settings.mountpoint, MOUNTS_TYPE, &ours, fs->device,
			    sizeof fs->device) < 0)
		fs->device[0] = '\0';
}

/* Unlike stat, statfs is never answered from the kernel's cache, which survives the process. */
static int probe(const char *mountpoint)
{
	struct statfs st;

	return statfs(mountpoint, &st) < 0 ? -errno : 0;
}

static int unmount_lazily(const char *mountpoint)
{
	char message[CATALOG_MESSAGE_SIZE];
	bool ours;
	int err;

	if (umount2(mountpoint, MNT_DETACH) == 0 ||
	    mounts_unmount(mountpoint, true, message, sizeof message) == 0)
		return 0;
	/* Another process may have unmounted it first. */
	err = is_ours(mountpoint, &ours);
	return err || ours ? -EPERM : 0;
}

int fs_mountpoint_clear(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE])
{
	bool ours;
	int err = is_ours(mountpoint, &ours);

	if (err || !ours)
		return err;
	err = mounts_probe(mountpoint, probe, PROBE_MSECS);
	switch (err) {
	case -ENOTCONN:
	case -ECONNABORTED: /* it died during the probe */
		log_info("%s: removing a dead mount", mountpoint);
		err = unmount_lazily(mountpoint);
		if (err)
			snprintf(ret_message, CATALOG_MESSAGE_SIZE,
				 "%s has a dead mount that cannot be removed; try: tonicfs "
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

	/* Opening an autofs mountpoint would trigger the mount that is in progress. */
	err = mounts_has_type(mountpoint, "autofs", &is_automatic, NULL, 0);
	if (err || is_automatic)
		return err;
	folder = opendir(mountpoint);
	if (!folder)
		return 0; /* mounting will report the reason */
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
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

/* ---- waiting for the unmount ---- */

static bool has_open_files(struct fs *fs)
{
	bool has_some;

	pthread_mutex_lock(&fs->lock);
	has_some = !list_empty(&fs->handles);
	pthread_mutex_unlock(&fs->lock);
	return has_some;
}

/* The kernel reports an unmount only when the last copy of the mount is gone. A mount namespace
 * that was created meanwhile (by a container, a service, unshare) has its own copy, which an
 * unmount here may leave in place. So the mount table of this namespace is watched, too. Files that
 * are still open after a lazy unmount are served until they are closed. */
void fs_mount_wait_end(struct fs *fs)
{
	cleanup_fd int mounts = fs->device[0] ? open(MOUNTS_PATH, O_RDONLY | O_CLOEXEC) : -1;
	struct pollfd waiting[] = { { .fd = fs->wake_fd, .events = POLLIN },
				    { .fd = mounts, .events = POLLPRI } }; /* on changes */
	bool is_here = true;

	for (;;) {
		int n = poll(waiting, ARRAY_SIZE(waiting), is_here ? -1 : UNMOUNT_LOOK_MSECS);

		if (n < 0 ? errno != EINTR : waiting[0].revents)
			return;
		if (n == 0 && !has_open_files(fs)) {
			log_info(
				"%s is unmounted, but still mounted in another mount namespace; the mount"
				" ends there too",
				fs->settings.mountpoint);
			fs->is_mounted = false;
			return;
		}
		if (n > 0)
			is_here = mounts_has_device(fs->device) != 0; /* on errors, too */
	}
}
