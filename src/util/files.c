/* Files: folders, durable writes, reading with a limit, absolute paths. */
#include "util/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"

static int make_folder(const char *path, mode_t mode)
{
	struct stat st;
	int err;

	if (mkdir(path, mode) == 0)
		return 0;
	err = -errno;
	/* An existing folder may give EROFS or EACCES instead of EEXIST. */
	if (stat(path, &st) < 0)
		return err;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int files_mkdir_parents(const char *path, mode_t mode)
{
	cleanup_free char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		int err;

		if (slash == copy || slash[-1] == '/')
			continue;
		*slash = '\0';
		err = make_folder(copy, mode);
		if (err < 0)
			return err;
		*slash = '/';
	}
	return make_folder(copy, mode);
}

int files_write_all(int fd, const void *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes = (const char *)bytes + written;
			n -= (size_t)written;
		}
	}
	return 0;
}

static int fsync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = slash == path ? strdup("/")
				    : slash       ? strndup(path, (size_t)(slash - path))
						  : strdup(".");
	cleanup_fd int fd = -1;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

/* is_durable: fsynced, and its folder, too. */
static int write_new(const char *path, const void *bytes, size_t n, mode_t mode, bool is_durable)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = files_write_all(fd, bytes, n);
	if (err == 0 && mode != 0600 && fchmod(fd, mode) < 0)
		err = -errno;
	if (err == 0 && is_durable && fsync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && is_durable)
		err = fsync_parent(path);
	if (err < 0)
		unlink(path);
	return err;
}

int files_write_new_private(const char *path, const void *bytes, size_t n)
{
	return write_new(path, bytes, n, 0600, true);
}

int files_rename(const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : fsync_parent(to);
}

int files_remove(const char *path)
{
	return unlink(path) < 0 && errno != ENOENT ? -errno : fsync_parent(path);
}

static int replace(const char *path, const void *bytes, size_t n, mode_t mode, bool is_durable)
{
	cleanup_free char *temporary = NULL;
	char hex[CRYPTO_HEX_SIZE(8)];
	uint8_t random[8];
	int err = crypto_random(random, sizeof random);

	if (err < 0)
		return err;
	crypto_hex(random, sizeof random, hex);
	if (asprintf(&temporary, "%s.%s.tmp", path, hex) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	err = write_new(temporary, bytes, n, mode, is_durable);
	if (err < 0)
		return err;
	err = rename(temporary, path) < 0 ? -errno : is_durable ? fsync_parent(path) : 0;
	if (err < 0)
		unlink(temporary);
	return err;
}

int files_replace_private(const char *path, const void *bytes, size_t n)
{
	return replace(path, bytes, n, 0600, true);
}

int files_replace_public(const char *path, const void *bytes, size_t n)
{
	return replace(path, bytes, n, 0644, false);
}

int files_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_len)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : files_read_fd(fd, limit, ret_bytes, ret_len);
}

int files_read_fd(int fd, size_t limit, char **ret_bytes, size_t *ret_len)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (;;) {
		size_t step = 65536;
		ssize_t n;

		/* Reads one byte more than the limit, to see whether the file is longer. */
		if (limit - b.len < step)
			step = limit - b.len + 1;
		if (buf_reserve(&b, step) < 0)
			return -ENOMEM;
		n = read(fd, b.data + b.len, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		b.len += (size_t)n;
		b.data[b.len] = '\0';
		if (b.len > limit)
			return -EFBIG;
	}
	*ret_len = b.len;
	*ret_bytes = buf_detach(&b);
	return *ret_bytes ? 0 : -ENOMEM;
}

bool files_is_of_others(const struct stat *st)
{
	return (st->st_uid != geteuid() && st->st_uid != 0) || (st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Appends one component to an absolute path. "." and ".." are resolved by name: the path so far
 * has no symlinks. */
static void path_add(struct buf *path, const char *name, size_t len)
{
	if (len == 0 || (len == 1 && name[0] == '.'))
		return;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		while (path->len > 1 && path->data[path->len - 1] != '/')
			path->len--;
		if (path->len > 1)
			path->len--;
		path->data[path->len] = '\0';
		return;
	}
	if (path->len == 0 || path->data[path->len - 1] != '/')
		buf_add_char(path, '/');
	buf_add(path, name, len);
}

int files_absolute(const char *path, char **ret_path)
{
	cleanup_free char *head = NULL, *resolved = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	size_t kept;

	if (!*path)
		return -ENOENT;
	head = strdup(path);
	if (!head)
		return -ENOMEM;

	/* Takes components off the end until the rest exists. */
	kept = strlen(head);
	for (;;) {
		resolved = realpath(kept ? head : path[0] == '/' ? "/" : ".", NULL);
		if (resolved)
			break;
		if (errno != ENOENT || kept == 0)
			return -errno;
		while (kept && head[kept - 1] == '/')
			kept--;
		while (kept && head[kept - 1] != '/')
			kept--;
		head[kept] = '\0';
	}

	buf_add_str(&out, resolved);
	for (const char *name = path + kept; *name && !buf_failed(&out);) {
		size_t len = strcspn(name, "/");

		path_add(&out, name, len);
		name += len;
		name += strspn(name, "/");
	}
	*ret_path = buf_detach(&out);
	return *ret_path ? 0 : -ENOMEM;
}

int files_absolute_name(const char *path, char **ret_path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	cleanup_free char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	cleanup_free char *absolute = NULL;
	int err;

	if (!folder)
		return -ENOMEM;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EISDIR;
	err = files_absolute(folder, &absolute);
	if (err == 0 && asprintf(ret_path, "%s%s%s", absolute,
				 strcmp(absolute, "/") == 0 ? "" : "/", name) < 0) {
		*ret_path = NULL;
		err = -ENOMEM;
	}
	return err;
}
