/*
 * How other processes' commits are noticed: PRAGMA data_version has another value after a commit,
 * and inotify says when to ask for it.
 *
 * SQLite writes a commit's pages to the -wal file (an event), syncs them, and makes them visible in
 * the mapped -shm file (no event). So after an event the version is asked for again in growing
 * pauses, until a commit would have become visible on any disk that is not stuck. A look every few
 * seconds makes up for events that were missed; without inotify there is a look every half second.
 *
 * The watch is on the -wal file and opens nothing: closing a descriptor of the database's files
 * would drop SQLite's locks. The -wal file stays as long as any connection has the database open.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "db/sqlcipher-private.h"
#include "util/cleanup.h"
#include "util/times.h"

#define EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF) /* IN_ATTRIB: it was unlinked */
#define PAUSE_MIN_MSECS 50
#define PAUSE_MAX_MSECS 800
#define EAGER_MSECS 3000    /* how long after its last event a commit may become visible */
#define IDLE_MSECS 5000     /* for events that were missed */
#define UNWATCHED_MSECS 500 /* without inotify */

struct db_watch {
	struct db_conn *conn;
	char *wal_path;
	int inotify_fd; /* -1: there is none */
	bool is_armed;
	int64_t version;
	int64_t eager_until_msecs; /* time_mono_msecs */
	int pause_msecs;
};

/* 1: another connection has committed. */
static int look(struct db_watch *watch)
{
	int64_t version;
	int err = db_query_int(watch->conn, &version, "PRAGMA data_version", "");

	if (err || version == watch->version)
		return err;
	watch->version = version;
	return 1;
}

static void expect_commit(struct db_watch *watch)
{
	watch->eager_until_msecs = time_mono_msecs() + EAGER_MSECS;
	watch->pause_msecs = PAUSE_MIN_MSECS;
}

/* Before each look: another file may have taken the name. Adding it again changes nothing. */
static void arm(struct db_watch *watch)
{
	watch->is_armed = watch->inotify_fd >= 0 &&
			  inotify_add_watch(watch->inotify_fd, watch->wal_path, EVENTS) >= 0;
}

int sqlcipher_watch_open(const struct db_driver *driver, const char *path, const struct db_key *key,
			 struct db_watch **ret_watch)
{
	struct db_watch *watch = calloc(1, sizeof *watch);
	int err;

	if (!watch)
		return -ENOMEM;
	watch->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	err = asprintf(&watch->wal_path, "%s-wal", path) < 0 ? -ENOMEM : 0;
	if (err)
		watch->wal_path = NULL;
	else
		err = driver->open(driver, path, key, DB_ACCESS_READ, &watch->conn);
	if (err == 0) {
		arm(watch);
		expect_commit(watch); /* one whose pages were written before */
		err = look(watch);
	}
	if (err < 0) {
		sqlcipher_watch_close(watch);
		return err;
	}
	*ret_watch = watch;
	return 0;
}

void sqlcipher_watch_close(struct db_watch *watch)
{
	db_conn_close(watch->conn);
	if (watch->inotify_fd >= 0)
		close(watch->inotify_fd);
	free(watch->wal_path);
	free(watch);
}

/* Takes all events away; false: there was none. */
static bool drain(const struct db_watch *watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;

	while (watch->inotify_fd >= 0 && read(watch->inotify_fd, events, sizeof events) > 0)
		any = true;
	return any;
}

/* Sleeps until it is time to look (1), or to stop (0). While looks are frequent, events do not end
 * the sleep: a busy writer causes thousands of them. */
static int sleep_until_look(struct db_watch *watch, int stop_fd)
{
	bool is_eager = watch->is_armed && time_mono_msecs() < watch->eager_until_msecs;
	struct pollfd fds[2] = { { .fd = stop_fd, .events = POLLIN },
				 { .fd = watch->inotify_fd, .events = POLLIN } };
	bool is_patient = watch->is_armed && !is_eager;
	int timeout = !watch->is_armed ? UNWATCHED_MSECS
		      : is_eager       ? watch->pause_msecs
				       : IDLE_MSECS;

	if (poll(fds, is_patient ? 2 : 1, timeout) < 0 && errno != EINTR)
		return -errno;
	if (fds[0].revents)
		return 0;
	if (drain(watch)) {
		expect_commit(watch);
		if (is_patient) /* too early for a look */
			return sleep_until_look(watch, stop_fd);
	} else if (is_eager && watch->pause_msecs < PAUSE_MAX_MSECS) {
		watch->pause_msecs *= 2;
	}
	arm(watch);
	return 1;
}

int sqlcipher_watch_wait(struct db_watch *watch, int stop_fd)
{
	int err;

	do {
		err = sleep_until_look(watch, stop_fd);
		if (err <= 0)
			return err;
		err = look(watch);
	} while (err == 0);
	return err;
}
