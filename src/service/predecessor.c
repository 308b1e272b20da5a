/*
 * Finds the process of an earlier mount by its lock, and waits for its end.
 *
 * Every process that has the catalog open holds a lock of SQLite's on CATALOG-shm, and /proc/locks
 * names the process. The search does not open the file: closing it would drop this process's own
 * locks. On a file system whose inodes have other numbers in /proc/locks it finds no process, and
 * the command does not wait.
 */
#include "service/predecessor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/mounts.h"
#include "util/times.h"

#define WAIT_MSECS 15000
#define LOOK_MSECS 200 /* between two looks at what is mounted */
#define NOTICE_MSECS 500
/* The byte of the -shm file that every connection has a lock on (UNIX_SHM_DMS of SQLite) */
#define SHM_OPEN_BYTE 128

/* "tonicfs … mount DIR", "mount.tonicfs CATALOG DIR", "tonicfs CATALOG DIR" */
static bool is_mount(pid_t pid)
{
	char path[64], words[4096];
	cleanup_fd int fd = -1;
	const char *name;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, words, sizeof words - 2);
	if (n <= 0)
		return false;
	words[n] = words[n + 1] = '\0';
	name = strrchr(words, '/') ? strrchr(words, '/') + 1 : words;
	if (strncmp(name, "mount.", 6) == 0)
		return strstr(name, "tonicfs");
	if (strcmp(name, "tonicfs") != 0)
		return false;
	name = words + strlen(words) + 1;
	if (*name == '/')
		return true;
	for (; *name; name += strlen(name) + 1)
		if (strcmp(name, "mount") == 0)
			return true;
	return false;
}

/* Other processes that have the catalog open for a mount; *ret_pid is one of them. */
static size_t count_processes(const char *catalog_path, pid_t *ret_pid)
{
	cleanup_file FILE *locks = fopen("/proc/locks", "re");
	cleanup_free char *shm_path = NULL, *line = NULL;
	size_t size = 0, count = 0;
	struct stat st;

	if (asprintf(&shm_path, "%s-shm", catalog_path) < 0) {
		shm_path = NULL;
		return 0;
	}
	if (!locks || stat(shm_path, &st) < 0)
		return 0;
	/* "1: POSIX  ADVISORY  READ 4711 fe:01:131090 128 128" */
	while (getline(&line, &size, locks) > 0) {
		uintmax_t inode;
		int pid, begin;

		if (sscanf(line, "%*s POSIX %*s %*s %d %*x:%*x:%" SCNuMAX " %d", &pid, &inode,
			   &begin) != 3 ||
		    inode != st.st_ino || begin != SHM_OPEN_BYTE || pid <= 0 || pid == getpid() ||
		    !is_mount(pid))
			continue;
		*ret_pid = pid;
		count++;
	}
	return count;
}

/* The mounts of the catalog without this process's own. */
static size_t count_mounts(const char *catalog_path, const char *own_mountpoint)
{
	char **mountpoints = NULL;
	size_t count = 0, others = 0;

	if (mounts_of(catalog_path, &mountpoints, &count) < 0)
		return SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		others += !own_mountpoint || strcmp(mountpoints[i], own_mountpoint) != 0;
		free(mountpoints[i]);
	}
	free(mountpoints);
	return others;
}

bool predecessor_wait(const char *catalog_path, const char *own_mountpoint,
		      void (*on_wait)(const char *catalog_path))
{
	int64_t begin = time_mono_msecs(), waited = 0;
	bool has_noticed = false, has_waited = false;
	pid_t pid = 0;

	/* More processes than mounts: the mount of one is gone. */
	while (waited < WAIT_MSECS &&
	       count_processes(catalog_path, &pid) > count_mounts(catalog_path, own_mountpoint)) {
		cleanup_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
		struct pollfd waiting = { .fd = fd, .events = POLLIN };

		has_waited = true;
		if (waited >= NOTICE_MSECS && !has_noticed) {
			has_noticed = true;
			if (on_wait)
				on_wait(catalog_path);
		}
		poll(&waiting, 1, LOOK_MSECS);
		waited = time_mono_msecs() - begin;
	}
	return has_waited;
}
