/* Which programs keep a folder in use, from /proc alone: no access to a mount that hangs. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct holder {
	pid_t pid;
	char program[20]; /* as ps shows it */
	const char *how;  /* "its current folder" */
	char *path;       /* of the file or folder in use */
};
struct holders {
	struct holder *list;
	size_t count;
	size_t unseen; /* processes of this user that /proc hides */
};

/* At most one entry for each process. Leaves out this process, `except`, and, unless root asks, the
 * processes of other users. folder: absolute. 0 or -errno. */
int holders_find(const char *folder, pid_t except, struct holders *ret_holders);
void holders_release(struct holders *holders);
