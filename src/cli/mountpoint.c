/* Paths of mountpoints, without any access to the mountpoint itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/mounting.h"
#include "util/cleanup.h"
#include "util/files.h"

#define SYMLINKS_MAX 16

int mountpoint_resolve(const char *path, char **ret_path)
{
	cleanup_free char *current = strdup(path);

	for (int i = 0; current && i < SYMLINKS_MAX; i++) {
		cleanup_free char *folder = NULL, *joined = NULL;
		char target[4096];
		char *base;
		ssize_t n;
		int err;

		for (size_t len = strlen(current); len > 1 && current[len - 1] == '/'; len--)
			current[len - 1] = '\0';
		base = strrchr(current, '/');
		base = base ? base + 1 : current;
		if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
			return files_absolute(current, ret_path);
		folder = base == current ? strdup(".") : strndup(current, (size_t)(base - current));
		if (!folder)
			return -ENOMEM;
		free(steal_pointer(ret_path));
		err = files_absolute(folder, ret_path);
		if (err < 0)
			return err;
		if (asprintf(&joined, "%s%s%s", *ret_path, strcmp(*ret_path, "/") == 0 ? "" : "/",
			     base) < 0) {
			joined = NULL;
			return -ENOMEM;
		}
		n = readlink(joined, target, sizeof target - 1);
		/* EINVAL: no symlink. Any other error shows when something is mounted there. */
		if (n < 0) {
			free(*ret_path);
			*ret_path = steal_pointer(&joined);
			return 0;
		}
		target[n] = '\0';
		free(steal_pointer(&current));
		if (target[0] == '/')
			current = strdup(target);
		else if (asprintf(&current, "%s/%s", *ret_path, target) < 0)
			current = NULL;
	}
	return current ? -ELOOP : -ENOMEM;
}

bool mountpoint_has(const char *mountpoint, const char *path)
{
	size_t len = strlen(mountpoint);

	return strncmp(path, mountpoint, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0' || strcmp(mountpoint, "/") == 0);
}
