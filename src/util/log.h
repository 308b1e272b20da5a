/* Log lines, one per event, to standard error; with the priority prefix of syslog ("<6>") where
 * standard error is the journal. Thread-safe: a line is one write(2).
 * Never log phone numbers, names of callers, call SIDs, secrets, signatures or signed URLs. */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above level are dropped. Default: LOG_LEVEL_WARNING. */
void log_set_level(enum log_level level);
/* Sends lines to this descriptor instead of standard error; the caller keeps it open. */
void log_set_fd(int fd);
/* Sends lines to syslog(3) instead of a descriptor: after daemon(3). */
void log_to_syslog(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
