/* Finds the programs that use a folder: by open files, mappings, current and root folders. */
#include "cli/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/mounting.h"
#include "util/array.h"
#include "util/cleanup.h"

#define PATH_SIZE 4096

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* readlink in /proc returns the path and follows no link, so it cannot hang. */
static bool link_is_in(int process, const char *link, const char *folder, char ret_path[PATH_SIZE])
{
	ssize_t n = readlinkat(process, link, ret_path, PATH_SIZE - 1);

	ret_path[n > 0 ? n : 0] = '\0';
	return n > 0 && mountpoint_has(folder, ret_path);
}

/* -EACCES: the process hides its files. */
static int has_open(int process, const char *folder, char ret_path[PATH_SIZE], bool *ret_has)
{
	cleanup_with(close_folder) DIR *files = NULL;
	const struct dirent *entry;
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	files = fdopendir(fd);
	if (!files) {
		close(fd);
		return -ENOMEM;
	}
	while (!*ret_has && (entry = readdir(files)))
		*ret_has = link_is_in(fd, entry->d_name, folder, ret_path);
	return 0;
}

/* A file may be mapped although its descriptor was closed. */
static void has_mapped(int process, const char *folder, char ret_path[PATH_SIZE], bool *ret_has)
{
	cleanup_file FILE *maps = NULL;
	cleanup_free char *line = NULL;
	size_t size = 0;
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);

	maps = fd < 0 ? NULL : fdopen(fd, "r");
	if (!maps && fd >= 0)
		close(fd);
	while (maps && !*ret_has && getline(&line, &size, maps) > 0) {
		char *path = strchr(line, '/');

		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		*ret_has = mountpoint_has(folder, path);
		snprintf(ret_path, PATH_SIZE, "%s", path);
	}
}

/* The beginning of a file in /proc/PID; "" where it cannot be read. */
static void read_text(int process, const char *file, char *ret_text, size_t size)
{
	cleanup_fd int fd = openat(process, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret_text, size - 1);

	ret_text[n > 0 ? n : 0] = '\0';
}

static int holder_add(struct holders *holders, pid_t pid, int process, const char *how,
		      const char *path)
{
	struct holder *holder = array_add(&holders->list, &holders->count);

	if (!holder)
		return -ENOMEM;
	holder->pid = pid;
	holder->how = how;
	holder->path = strdup(path);
	read_text(process, "comm", holder->program, sizeof holder->program);
	holder->program[strcspn(holder->program, "\n")] = '\0';
	return holder->path ? 0 : -ENOMEM;
}

static int look_at(struct holders *holders, pid_t pid, int process, const char *folder)
{
	static const struct {
		const char *link, *how;
	} links[] = { { "cwd", "its current folder" },
		      { "root", "its root folder" },
		      { "exe", "its program" } };
	char path[PATH_SIZE];
	bool has = false;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (link_is_in(process, links[i].link, folder, path))
			return holder_add(holders, pid, process, links[i].how, path);
	err = has_open(process, folder, path, &has);
	holders->unseen += err == -EACCES || err == -EPERM;
	if (!has)
		has_mapped(process, folder, path, &has);
	return has ? holder_add(holders, pid, process, "open", path) : 0;
}

/* By /proc/PID/status, because /proc/PID of a process that is not dumpable belongs to root. */
static bool belongs_to(int process, uid_t user)
{
	static const char name[] = "\nUid:\t";
	char text[4096];
	const char *line;

	read_text(process, "status", text, sizeof text);
	line = strstr(text, name);
	return line && strtoul(line + sizeof name - 1, NULL, 10) == user;
}

int holders_find(const char *folder, pid_t except, struct holders *ret_holders)
{
	cleanup_with(close_folder) DIR *processes = opendir("/proc");
	const struct dirent *entry;
	uid_t user = geteuid();
	int err = 0;

	*ret_holders = (struct holders){ .list = NULL };
	if (!processes)
		return -errno;
	while (!err && (entry = readdir(processes))) {
		cleanup_fd int process = -1;
		char path[64];
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() || pid == except)
			continue;
		snprintf(path, sizeof path, "/proc/%d", (int)pid);
		process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0 || (user && !belongs_to(process, user)))
			continue;
		err = look_at(ret_holders, pid, process, folder);
	}
	if (err)
		holders_release(ret_holders);
	return err;
}

void holders_release(struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free(holders->list[i].path);
	free(holders->list);
	*holders = (struct holders){ .list = NULL };
}
