/* Mounts, from /proc/self/mountinfo: no file system is accessed, so a mount that hangs blocks
 * nothing. Any thread. Returns 0 or -errno unless said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MOUNTS_TYPE "fuse.tonicfs" /* of our mounts */
#define MOUNTS_PATH "/proc/self/mountinfo"

struct mounts_entry {
	const char *device; /* "0:57", of the file system */
	const char *mountpoint, *type, *source;
	const char *options; /* of the file system: "rw,user_id=1000,group_id=1000" */
};
/* Calls fn for each mount of the mount namespace of this process; of several on one mountpoint,
 * the last one is visible. Stops at the first value other than 0 and returns it. */
int mounts_each(int (*fn)(void *arg, const struct mounts_entry *entry), void *arg);

/* Whether the visible mount on a mountpoint has that type. ret_device (may be NULL): its device,
 * "" where the type differs or the name does not fit. */
int mounts_has_type(const char *mountpoint, const char *type, bool *ret_has, char *ret_device,
		    size_t device_size);
/* Whether a file system is mounted anywhere in this mount namespace: 1, 0 or -errno. */
int mounts_has_device(const char *device);

/* ---- tonicfs mounts of this user: the name of another user's mount proves nothing ---- */

/* The mount that holds an absolute path: the path below its mountpoint ("" for the mountpoint
 * itself), and its source. -ENOENT: the path is in no tonicfs mount. The caller frees both. */
int mounts_find(const char *path, char **ret_inside, char **ret_source);
/* The mountpoints of a source: of the mounts of one catalog, unless fsname= set another source.
 * The caller frees each string and the array. */
int mounts_of(const char *source, char ***ret_mountpoints, size_t *ret_count);

/* ---- unmount.c: mounts that may hang ---- */

/* Calls probe in a child process: where the mount hangs, the child alone hangs. Returns what probe
 * returned, a number or -errno; -ETIMEDOUT: no answer in time. probe must be async-signal-safe. */
int mounts_probe(const char *mountpoint, int (*probe)(const char *mountpoint), int timeout_msecs);
/* Unmounts by fusermount3. is_lazy: also where the mount is in use. -EBUSY: it is in use; else -EIO
 * with a message, "" where fusermount3 printed none. */
int mounts_unmount(const char *mountpoint, bool is_lazy, char *ret_message, size_t size);
