#include "cli/mounts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

/* "\040" and the like, in place. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *s = text; *s;) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* "36 35 98:0 /root /mountpoint rw,noatime master:1 - type source options", see proc(5). */
struct mount_line {
	char *mountpoint, *type, *source;
	const char *options; /* of the file system: "rw,user_id=1000,group_id=1000" */
};

static bool line_parse(char *line, struct mount_line *ret_line)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	for (int i = 0; i < 4 && word; i++)
		word = strtok_r(NULL, " ", &save);
	ret_line->mountpoint = word;
	while (word && strcmp(word, "-") != 0)
		word = strtok_r(NULL, " ", &save);
	ret_line->type = word ? strtok_r(NULL, " ", &save) : NULL;
	ret_line->source = ret_line->type ? strtok_r(NULL, " ", &save) : NULL;
	ret_line->options = ret_line->source ? strtok_r(NULL, " \n", &save) : NULL;
	if (!ret_line->options)
		return false;
	unescape(ret_line->mountpoint);
	unescape(ret_line->source);
	return true;
}

/* fusermount3 and the kernel write down who mounted: nobody can choose that, unlike fsname= and subtype=. */
static bool is_ours(const struct mount_line *line)
{
	static const char name[] = "user_id=";
	const char *at = line->options;
	unsigned long user;
	char *end;

	while (at && strncmp(at, name, sizeof name - 1) != 0) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	if (!at || strcmp(line->type, "fuse.tonicfs") != 0)
		return false;
	user = strtoul(at + sizeof name - 1, &end, 10);
	return (*end == ',' || !*end) && user == getuid();
}

int mounts_find(const char *path, char **ret_inside, char **ret_source)
{
	cleanup_file FILE *file = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	cleanup_free char *inside = NULL;
	cleanup_free char *source = NULL;
	size_t size = 0, longest = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) >= 0) {
		struct mount_line mount;
		size_t len;

		if (!line_parse(line, &mount))
			continue;
		len = strcmp(mount.mountpoint, "/") == 0 ? 0 : strlen(mount.mountpoint);
		/* The mount that is seen: the deepest, and of several on one point the last. */
		if (strncmp(path, mount.mountpoint, len) != 0 || (path[len] && path[len] != '/') ||
		    len < longest)
			continue;
		longest = len;
		free(steal_pointer(&inside));
		free(steal_pointer(&source));
		if (!is_ours(&mount))
			continue;
		inside = strdup(path + len + (path[len] == '/'));
		source = strdup(mount.source);
		if (!inside || !source)
			return -ENOMEM;
	}
	if (ferror(file))
		return -EIO;
	if (!inside)
		return -ENOENT;
	*ret_inside = steal_pointer(&inside);
	*ret_source = steal_pointer(&source);
	return 0;
}

/* Takes over the text. */
static int add(char ***list, size_t *count, char *text)
{
	char **longer = text ? reallocarray(*list, *count + 1, sizeof **list) : NULL;

	if (!longer) {
		free(text);
		return -ENOMEM;
	}
	*list = longer;
	longer[(*count)++] = text;
	return 0;
}

int mounts_of(const char *source, char ***ret_mountpoints, size_t *ret_count)
{
	cleanup_file FILE *file = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	char **list = NULL;
	size_t size = 0, count = 0;
	int err = file ? 0 : -errno;

	while (!err && getline(&line, &size, file) >= 0) {
		struct mount_line mount;

		if (line_parse(line, &mount) && is_ours(&mount) &&
		    strcmp(mount.source, source) == 0)
			err = add(&list, &count, strdup(mount.mountpoint));
	}
	if (!err && ferror(file))
		err = -EIO;
	if (err) {
		while (count)
			free(list[--count]);
		free(list);
		return err;
	}
	*ret_mountpoints = list;
	*ret_count = count;
	return 0;
}
