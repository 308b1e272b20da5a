/* Local files: folders, durable and atomic writes, reading with a limit, absolute paths. Any
 * thread. Returns 0 or -errno unless said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* As mkdir -p: makes the folder and every missing one above it, with this mode. */
int files_mkdir_parents(const char *path, mode_t mode);
/* Writes a new file of mode 0600 and fsyncs it and its folder. -EEXIST: the file exists. */
int files_write_new_private(const char *path, const void *bytes, size_t n);
/* The same, replacing a file that exists: after a crash the old or the new content is there,
 * never a part. A symlink is itself replaced. The temporary file is <path>.<random>.tmp, so that
 * no other user who may write to the folder can have created it before. */
int files_replace_private(const char *path, const void *bytes, size_t n);
/* Readable for all (0644, whatever the umask), not fsynced: a file written every few seconds. */
int files_replace_public(const char *path, const void *bytes, size_t n);
/* Within one folder; durable when they return 0. Removing a file that does not exist is success. */
int files_rename(const char *from, const char *to);
int files_remove(const char *path);
/* Writes all n bytes, also after a signal or a short write. */
int files_write_all(int fd, const void *bytes, size_t n);
/* Reads at most limit bytes. The caller frees *ret_bytes. -EFBIG where there are more. */
int files_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_len);
/* The same for an open file, whose owner and mode are checked before its content is used. */
int files_read_fd(int fd, size_t limit, char **ret_bytes, size_t *ret_len);
/* Another user (not root) owns it or may write to it: its content must not be trusted or run. */
bool files_is_of_others(const struct stat *st);
/* The absolute path, with symlinks resolved as far as the path exists. The caller frees it. */
int files_absolute(const char *path, char **ret_path);
/* The same for the folder of the file; the last component stays, even where it is a symlink. For
 * a file that will be replaced. The caller frees it. */
int files_absolute_name(const char *path, char **ret_path);
