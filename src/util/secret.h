/*
 * Secrets: from a file, from standard input, or from a terminal without echo. Never from argv. Freed by wiping.
 */
#ifndef TONICFS_UTIL_SECRET_H
#define TONICFS_UTIL_SECRET_H

#include <stddef.h>

/* Wipes and frees; NULL is fine. */
void secret_free(char *secret);
void secret_freep(char **secret);
#define cleanup_secret __attribute__((cleanup(secret_freep)))

/* The first line of the file, or of standard input where path is "-", without its end of line. Where path is NULL: asks on the
 * terminal with `prompt`, without echo. At most 4,096 bytes. 0, -EINVAL (empty, too long, NUL in it), -ENOTTY (no terminal
 * to ask on), or -errno of the file. */
int secret_read(const char *path, const char *prompt, char **ret_secret);

#endif
