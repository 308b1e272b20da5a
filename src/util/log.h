/*
 * One line per event, to stderr; with a syslog priority prefix "<6>" where stderr is the journal.
 * Never pass numbers, callers' names, call SIDs, secrets, signatures or signed URLs.
 * Thread-safe: a line is one write(2).
 */
#ifndef TONICFS_UTIL_LOG_H
#define TONICFS_UTIL_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above level are dropped. Default: LOG_LEVEL_WARNING. */
void log_set_level(enum log_level level);
/* Where lines go instead of stderr: a descriptor that stays the caller's. */
void log_set_fd(int fd);
/* After daemon(3): to the system log (syslog(3)) instead of a descriptor. */
void log_to_syslog(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
