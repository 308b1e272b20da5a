/* Keeping secrets inside this process, and running commands that users configured, by the shell and
 * with a deadline. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cancel.h"

struct buf;

/* Called at the start of main and again after a change of the user, which undoes some of it: no
 * core dump, no debugger and no /proc/PID for other processes of this user, no TLS keys in a
 * file ($SSLKEYLOGFILE), as much locked memory as the hard limit allows. */
void process_harden(void);
/* After root has become another user: closes every descriptor above 2 and wipes the environment,
 * also in /proc/PID/environ, but for LANG and LC_*; sets a standard PATH. The caller does the
 * rest. 0 or -errno. */
int process_forget_parent(void);

/* Starts `sh -c command` with fd as standard output, no input and default signals. own_group: in
 * a process group of its own, which can be killed as a whole but cannot read from the terminal.
 * The caller waits for it. 0 or -errno. */
int process_spawn_shell(const char *command, int fd, bool own_group, pid_t *ret_pid);
/* Waits for the end of the process, which may be later than the end of its output. -ETIMEDOUT:
 * it still runs at the deadline (time_mono_msecs); the caller kills and reaps it. */
int process_wait_end(pid_t pid, int64_t deadline_msecs, int *ret_status);
/* Runs the command in a process group of its own and returns its output.
 * 0           it ended with status 0
 * -ETIMEDOUT  killed: not done within timeout_msecs
 * -ECANCELED  killed: cancel (may be NULL) was set
 * -EFBIG      killed: more than limit_bytes of output
 * -EACCES     it ended with another status (*ret_status, as in a shell)
 * or another -errno. Where the output may hold a secret, ret_output has to be
 * cleanup_buf_secret. */
int process_read_shell(const char *command, size_t limit_bytes, unsigned timeout_msecs,
		       const struct cancel *cancel, struct buf *ret_output, int *ret_status);
/* The same for a program, looked for in PATH, and what it writes to standard error. */
int process_read_errors(const char *const argv[], size_t limit_bytes, unsigned timeout_msecs,
			struct buf *ret_errors, int *ret_status);
/* Kills the process, and its group if it leads one, and waits a second for its end: a process that
 * hangs in the kernel may survive SIGKILL. */
void process_kill(pid_t pid);
