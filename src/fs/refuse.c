/* Programs that may not open recordings, such as indexers and virus scanners. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs-private.h"
#include "util/cleanup.h"

#define NAME_SIZE 17 /* the kernel keeps 15 bytes of a program's name */

/* "" if the process has ended, or is in a PID namespace that is not visible here. */
static void program_name(pid_t pid, char ret_name[NAME_SIZE])
{
	char path[64];
	ssize_t n;
	int fd;

	ret_name[0] = '\0';
	snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, ret_name, NAME_SIZE - 1);
	close(fd);
	ret_name[n > 0 ? n : 0] = '\0';
	ret_name[strcspn(ret_name, "\n")] = '\0';
}

/* names: "a:b:c". Of a longer name the first 15 bytes are compared. */
static bool is_listed(const char *names, const char *name)
{
	size_t len = strlen(name);

	while (len && *names) {
		size_t wanted = strcspn(names, ":");

		if ((wanted < NAME_SIZE - 2 ? wanted : NAME_SIZE - 2) == len &&
		    memcmp(names, name, len) == 0)
			return true;
		names += wanted;
		names += *names == ':';
	}
	return false;
}

bool fs_refuses(const struct fs *fs, fuse_req_t req)
{
	char name[NAME_SIZE] = "";

	if (!fs->settings.refuse)
		return false;
	program_name(fuse_req_ctx(req)->pid, name);
	return is_listed(fs->settings.refuse, name);
}
