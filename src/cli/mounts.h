/* What is mounted where, from /proc/self/mountinfo: no file system is asked, so one that hangs does no harm. */
#ifndef TONICFS_CLI_MOUNTS_H
#define TONICFS_CLI_MOUNTS_H

/* The mount of ours that an absolute path is in: the path below its mountpoint ("" for the mountpoint itself), and its source. -ENOENT: in none.
 * The caller frees both. */
int mounts_find(const char *path, char **ret_inside, char **ret_source);

#endif
