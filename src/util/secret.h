/*
 * Secrets: memory for them, and reading them from a file, from standard input, or from a terminal
 * without echo. Never from argv.
 *
 * The memory is locked, left out of core dumps, and wiped when it is freed. Where the process may
 * not lock memory, one warning is logged. When all 768 KiB are in use, further secrets are in
 * ordinary memory, which is wiped, too. Thread-safe.
 */
#pragma once

#include <stddef.h>

/* Memory filled with zeros; NULL: no memory. Free it with secret_release, which wipes `size`
 * bytes; NULL is fine. */
void *secret_alloc(size_t size);
void secret_release(void *secret, size_t size);
/* Wipes and frees a string, also one of malloc(). NULL is fine. */
char *secret_dup(const char *text);
void secret_free(char *secret);
void secret_freep(char **secret);
#define cleanup_secret __attribute__((cleanup(secret_freep)))

/* The first line of the file, or of standard input where path is "-", without its line end.
 * Where path is NULL, asks on the terminal with `prompt`, without echo. At most 4,096 bytes. 0,
 * -EINVAL (empty, too long, a NUL in it), -ENOTTY (no terminal to ask on), or the -errno of the
 * file. */
int secret_read(const char *path, const char *prompt, char **ret_secret);
