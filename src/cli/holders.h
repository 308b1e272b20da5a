/* Which programs keep a folder in use, from /proc: no file system is asked, so one that hangs does no harm. */
#ifndef TONICFS_CLI_HOLDERS_H
#define TONICFS_CLI_HOLDERS_H

#include <stddef.h>
#include <sys/types.h>

struct holder {
	pid_t pid;
	char program[20]; /* as ps shows it */
	const char *how;  /* "its current folder" */
	char *path;       /* what it uses */
};
struct holders {
	struct holder *list;
	size_t count;
	size_t unseen; /* processes of this user that cannot be looked into */
};

/* One entry of a process. Processes of other users are not looked at, unless root asks; nor this process, nor `except`.
 * folder: absolute. 0 or -errno. */
int holders_find(const char *folder, pid_t except, struct holders *ret_holders);
void holders_release(struct holders *holders);

#endif
