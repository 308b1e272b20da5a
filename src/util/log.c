/* Log lines: to standard error, to a descriptor, or to syslog. */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "util/text.h"

#define LOG_LINE_SIZE 1024
#define LOG_FD_SYSLOG (-1)

static atomic_int log_level = LOG_LEVEL_WARNING;
static atomic_int log_fd = STDERR_FILENO;

static const struct {
	int priority; /* of syslog(3) */
	const char *label;
} levels[] = {
	[LOG_LEVEL_ERROR] = { LOG_ERR, "error: " },
	[LOG_LEVEL_WARNING] = { LOG_WARNING, "warning: " },
	[LOG_LEVEL_INFO] = { LOG_INFO, "" },
	[LOG_LEVEL_DEBUG] = { LOG_DEBUG, "" },
};

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

void log_set_fd(int fd)
{
	atomic_store(&log_fd, fd);
}

void log_to_syslog(void)
{
	openlog("tonicfs", LOG_PID, LOG_DAEMON);
	atomic_store(&log_fd, LOG_FD_SYSLOG);
}

/* systemd names the journal's socket by device and inode; only the journal wants the prefix. */
static bool fd_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

__attribute__((format(printf, 2, 0))) static void log_line(enum log_level level, const char *format,
							   va_list args)
{
	int saved_errno = errno;
	int fd = atomic_load(&log_fd);
	char line[LOG_LINE_SIZE];
	size_t len = 0, start;
	int n;

	if ((int)level > atomic_load(&log_level))
		return;

	if (fd != LOG_FD_SYSLOG) {
		if (fd_is_journal(fd))
			len += (size_t)snprintf(line, sizeof line, "<%d>", levels[level].priority);
		len += (size_t)snprintf(line + len, sizeof line - len, "tonicfs: %s",
					levels[level].label);
	}
	start = len;
	errno = saved_errno; /* for %m */
	n = vsnprintf(line + len, sizeof line - 1 - len, format, args);
	if (n < 0)
		n = 0;
	len += (size_t)n;
	if (len > sizeof line - 2) {
		len = sizeof line - 2;
		memcpy(line + len - 3, "...", 3);
	}
	/* Text from a remote service must not start a line of its own or control a terminal. */
	line[len] = '\0';
	len = start + text_clean(line + start);
	if (fd == LOG_FD_SYSLOG) {
		syslog(levels[level].priority, "%s", line + start);
	} else {
		line[len++] = '\n';
		while (write(fd, line, len) < 0 && errno == EINTR)
			;
	}
	errno = saved_errno;
}

#define DEFINE_LOG(name, level) \
	void name(const char *format, ...) \
	{ \
		va_list args; \
\
		va_start(args, format); \
		log_line(level, format, args); \
		va_end(args); \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
