/*
 * What is mounted where, from /proc/self/mountinfo: no file system is asked, so a mount that hangs
 * does no harm. Any thread. Returns 0 or -errno unless said.
 */
#ifndef TONICFS_UTIL_MOUNTS_H
#define TONICFS_UTIL_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#define MOUNTS_TYPE "fuse.tonicfs" /* of our mounts */
#define MOUNTS_PATH "/proc/self/mountinfo"

struct mounts_entry {
	const char *device; /* "0:57", of the file system */
	const char *mountpoint, *type, *source;
	const char *options; /* of the file system: "rw,user_id=1000,group_id=1000" */
};
/* Calls fn for each mount of this process's mount namespace: of several on one mountpoint, the last
 * one is visible. Stops at the first value other than 0, and returns it. */
int mounts_each(int (*fn)(void *arg, const struct mounts_entry *entry), void *arg);

/* Is the visible mount on a mountpoint of that type? ret_device: its device, "" where it is of
 * another type or cut off; may be NULL. */
int mounts_has_type(const char *mountpoint, const char *type, bool *ret_has, char *ret_device,
		    size_t device_size);
/* Is a file system mounted anywhere in this mount namespace? 1, 0 or -errno. */
int mounts_has_device(const char *device);

/* ---- tonicfs mounts of this user: the name of another user's mount proves nothing ---- */

/* The mount that an absolute path is in: the path below its mountpoint ("" for the mountpoint
 * itself) and its source. -ENOENT: in none. The caller frees both. */
int mounts_find(const char *path, char **ret_inside, char **ret_source);
/* The mountpoints of a source: the mounts of one catalog, unless fsname= gave them another source.
 * The caller frees each and the array. */
int mounts_of(const char *source, char ***ret_mountpoints, size_t *ret_count);

#endif
