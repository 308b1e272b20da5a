/* The process that sends a request: has it listed the folder, and may it open recordings? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs-private.h"
#include "util/cleanup.h"

#define NAME_SIZE 17 /* the kernel keeps 15 bytes of a program's name */

/* ---- processes that have listed folders lately, for audio_file_listed ---- */

static bool has_listed(const struct fs *fs, pid_t pid, int64_t folder_id)
{
	for (unsigned i = 0; i < FS_LISTERS; i++)
		if (fs->listers[i].pid == pid && fs->listers[i].folder_id == folder_id)
			return true;
	return false;
}

void fs_lister_note(struct fs *fs, fuse_req_t req, int64_t folder_id)
{
	pid_t pid = fuse_req_ctx(req)->pid;

	pthread_mutex_lock(&fs->lock);
	if (pid && !has_listed(fs, pid, folder_id)) /* 0: a process of another PID namespace */
		fs->listers[fs->next_lister++ % FS_LISTERS] = (struct fs_lister){ pid, folder_id };
	pthread_mutex_unlock(&fs->lock);
}

bool fs_lister_is(struct fs *fs, fuse_req_t req, int64_t folder_id)
{
	bool found;

	pthread_mutex_lock(&fs->lock);
	found = has_listed(fs, fuse_req_ctx(req)->pid, folder_id);
	pthread_mutex_unlock(&fs->lock);
	return found;
}

/* ---- programs that may not open recordings, such as indexers and virus scanners ---- */

/* "" if the process has ended, or is in a PID namespace that is not visible here. */
static void program_name(pid_t pid, char ret_name[NAME_SIZE])
{
	cleanup_fd int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, ret_name, NAME_SIZE - 1);
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
	char name[NAME_SIZE];

	if (!fs->settings.refuse)
		return false;
	program_name(fuse_req_ctx(req)->pid, name);
	return is_listed(fs->settings.refuse, name);
}
