/* What is mounted where, from /proc/self/mountinfo: no file system is asked, so one that hangs does no harm. */
#ifndef TONICFS_CLI_MOUNTS_H
#define TONICFS_CLI_MOUNTS_H

#include <stddef.h>

/* Of this user only: another user's mount may call itself what it likes.
 *
 * The mount of ours that an absolute path is in: the path below its mountpoint ("" for the mountpoint itself), and its source. -ENOENT: in none.
 * The caller frees both. */
int mounts_find(const char *path, char **ret_inside, char **ret_source);

/* The mountpoints whose source is that: ours of one catalog, unless they were told to say something
 * else. The caller frees each and the array. 0 or -errno. */
int mounts_of(const char *source, char ***ret_mountpoints, size_t *ret_count);

#endif
