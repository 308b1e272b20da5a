/*
 * This process: what keeps its secrets from leaking. And commands that users name: run by the shell, their standard output
 * read, within a deadline.
 */
#ifndef TONICFS_UTIL_PROCESS_H
#define TONICFS_UTIL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cancel.h"

struct buf;

/* For the start of main, and again after a change of the user, which takes some of it back: no core dump, no debugger or
 * /proc/PID of another process of this user, no TLS keys written to a file ($SSLKEYLOGFILE), as much locked memory as the
 * limits allow. */
void process_harden(void);
/* After root has become another user: every descriptor above 2 is closed, and the environment is wiped, also as
 * /proc/PID/environ shows it, but for LANG and LC_*; PATH is the system's. The rest is the caller's. 0 or -errno. */
int process_forget_parent(void);

/* `sh -c command`: its standard output is fd, its input empty, its signals as at the start of a
 * program. own_group: one that can be killed whole, but may not ask on the terminal. The caller
 * waits for it. 0 or -errno. */
int process_spawn_shell(const char *command, int fd, bool own_group, pid_t *ret_pid);
/* Waits for its end, which need not come when it has closed its output. -ETIMEDOUT: it goes on at the deadline (time_mono_msecs), and is
 * the caller's to kill and to wait for. */
int process_wait_end(pid_t pid, int64_t deadline_msecs, int *ret_status);
/* Runs it in a group of its own, and gives what it prints. It has timeout_msecs to end in. A set
 * cancel (may be NULL) ends it within a moment: -ECANCELED. -ETIMEDOUT, -EFBIG (more than limit
 * bytes), -ECANCELED: it was killed; -EACCES: it ended with another status than 0 (*ret_status, as
 * of a shell); else -errno. ret_output has to be cleanup_buf_secret where it may hold a secret. */
int process_read_shell(const char *command, size_t limit_bytes, unsigned timeout_msecs,
		       const struct cancel *cancel, struct buf *ret_output, int *ret_status);

#endif
