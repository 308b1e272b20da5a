/* Reads /proc/self/mountinfo, and tells which tonicfs mounts belong to this user. */
#include "util/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

/* In place: the kernel writes space, tab, newline and backslash as "\040" and the like. */
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
static bool line_parse(char *line, struct mounts_entry *ret_entry)
{
	char *rest = strstr(line, " - "), *words = line, *mountpoint, *source;

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	strsep(&words, " "); /* the mount's number */
	strsep(&words, " "); /* its parent's number */
	ret_entry->device = strsep(&words, " ");
	strsep(&words, " "); /* its root in the file system */
	mountpoint = strsep(&words, " ");
	ret_entry->type = strsep(&rest, " ");
	source = strsep(&rest, " ");
	ret_entry->options = strsep(&rest, "\n");
	if (!mountpoint || !ret_entry->options)
		return false;
	unescape(mountpoint);
	unescape(source);
	ret_entry->mountpoint = mountpoint;
	ret_entry->source = source;
	return true;
}

int mounts_each(int (*fn)(void *arg, const struct mounts_entry *entry), void *arg)
{
	cleanup_file FILE *file = fopen(MOUNTS_PATH, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) >= 0) {
		struct mounts_entry entry;
		int err = line_parse(line, &entry) ? fn(arg, &entry) : 0;

		if (err)
			return err;
	}
	return ferror(file) ? -EIO : 0;
}

/* ---- mounts of any kind ---- */

struct type_search {
	const char *mountpoint, *type;
	bool has;
	char *device;
	size_t device_size;
};

static int compare_type(void *arg, const struct mounts_entry *entry)
{
	struct type_search *search = arg;

	if (strcmp(entry->mountpoint, search->mountpoint) != 0)
		return 0;
	search->has = strcmp(entry->type, search->type) == 0;
	if (search->device)
		snprintf(search->device, search->device_size, "%s",
			 search->has ? entry->device : "");
	return 0;
}

int mounts_has_type(const char *mountpoint, const char *type, bool *ret_has, char *ret_device,
		    size_t device_size)
{
	struct type_search search = { mountpoint, type, false, ret_device, device_size };
	int err;

	if (ret_device)
		ret_device[0] = '\0';
	err = mounts_each(compare_type, &search);
	*ret_has = search.has;
	return err;
}

static int compare_device(void *arg, const struct mounts_entry *entry)
{
	return strcmp(entry->device, arg) == 0;
}

int mounts_has_device(const char *device)
{
	return mounts_each(compare_device, (void *)device);
}

/* ---- mounts of this user ---- */

/* By fusermount3 and the kernel: no user can choose it, unlike fsname= and subtype=. */
static bool is_ours(const struct mounts_entry *entry)
{
	static const char name[] = "user_id=";
	const char *at = entry->options;
	unsigned long user;
	char *end;

	while (at && strncmp(at, name, sizeof name - 1) != 0) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	if (!at || strcmp(entry->type, MOUNTS_TYPE) != 0)
		return false;
	user = strtoul(at + sizeof name - 1, &end, 10);
	return (*end == ',' || !*end) && user == getuid();
}

struct path_search {
	const char *path;
	size_t longest;
	char *inside, *source; /* NULL: the deepest mount so far is not ours */
};

static int compare_path(void *arg, const struct mounts_entry *entry)
{
	struct path_search *search = arg;
	const char *path = search->path;
	size_t len = strcmp(entry->mountpoint, "/") == 0 ? 0 : strlen(entry->mountpoint);

	/* The visible mount is the deepest, and of several on one mountpoint the last. */
	if (strncmp(path, entry->mountpoint, len) != 0 || (path[len] && path[len] != '/') ||
	    len < search->longest)
		return 0;
	search->longest = len;
	free(steal_pointer(&search->inside));
	free(steal_pointer(&search->source));
	if (!is_ours(entry))
		return 0;
	search->inside = strdup(path + len + (path[len] == '/'));
	search->source = strdup(entry->source);
	return search->inside && search->source ? 0 : -ENOMEM;
}

int mounts_find(const char *path, char **ret_inside, char **ret_source)
{
	struct path_search search = { .path = path };
	int err = mounts_each(compare_path, &search);

	if (!err && !search.inside)
		err = -ENOENT;
	if (err) {
		free(search.inside);
		free(search.source);
		return err;
	}
	*ret_inside = search.inside;
	*ret_source = search.source;
	return 0;
}

struct source_search {
	const char *source;
	char **mountpoints;
	size_t count;
};

static int compare_source(void *arg, const struct mounts_entry *entry)
{
	struct source_search *search = arg;
	char **mountpoint;

	if (!is_ours(entry) || strcmp(entry->source, search->source) != 0)
		return 0;
	mountpoint = array_add(&search->mountpoints, &search->count);
	if (mountpoint)
		*mountpoint = strdup(entry->mountpoint);
	return mountpoint && *mountpoint ? 0 : -ENOMEM;
}

int mounts_of(const char *source, char ***ret_mountpoints, size_t *ret_count)
{
	struct source_search search = { .source = source };
	int err = mounts_each(compare_source, &search);

	if (err) {
		while (search.count)
			free(search.mountpoints[--search.count]);
		free(search.mountpoints);
		return err;
	}
	*ret_mountpoints = search.mountpoints;
	*ret_count = search.count;
	return 0;
}
