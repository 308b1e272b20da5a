/* Small helpers for local files and strings that several rooms need. */
#ifndef TONICFS_UTIL_FILES_H
#define TONICFS_UTIL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* As mkdir -p: makes the folder path and every missing one above it, with the mode given. 0 or -errno. */
int files_mkdir_parents(const char *path, mode_t mode);
/* Writes a new file of mode 0600, fsynced with its folder; -EEXIST where one is there. */
int files_write_new_private(const char *path, const void *bytes, size_t n);
/* The same in the place of one that may be there: a crash leaves the old one or the new one, whole. Where path is a symlink,
 * the link is replaced. Goes by way of <path>.<random>.tmp, so that nobody else who may write the folder can have made it
 * before. */
int files_replace_private(const char *path, const void *bytes, size_t n);
/* For everybody to read (0644, whatever the umask), and not fsynced: for what is written anew every few seconds. */
int files_replace_public(const char *path, const void *bytes, size_t n);
/* Within a folder, durable when they have returned 0. What is not there is removed already. */
int files_rename(const char *from, const char *to);
int files_remove(const char *path);
/* Writes all of it, whatever interrupts. 0 or -errno. */
int files_write_all(int fd, const void *bytes, size_t n);
/* Reads at most limit bytes. The caller frees *ret_bytes. -EFBIG where there are more. */
int files_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_len);
/* The same of what is open: for files that have to be looked at before they are believed. */
int files_read_fd(int fd, size_t limit, char **ret_bytes, size_t *ret_len);
/* Somebody else than this user and root owns it or may write it, so that what it says is not to be run or relied on. */
bool files_is_of_others(const struct stat *st);
/* Absolute, symlinks resolved as far as the path exists. The caller frees. */
int files_absolute(const char *path, char **ret_path);
/* The same of the folder that the file is in; its own name stays, also that of a symlink. For what is to be replaced. */
int files_absolute_name(const char *path, char **ret_path);

#endif
