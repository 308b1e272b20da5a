/* Waiting for changes: every change increments a number. Waiters sleep on one condition and make no
 * look of their own; one thread, which the first wait starts, learns of other processes' commits
 * from the driver. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "db/db-private.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

/* After a look, or a start of the watch, that failed. */
#define RETRY_MSECS 5000

void db_wake(struct db *db)
{
	pthread_mutex_lock(&db->watch_mutex);
	db->generation++;
	pthread_cond_broadcast(&db->watch_cond);
	pthread_mutex_unlock(&db->watch_mutex);
}

static void *watch_run(void *arg)
{
	struct db *db = arg;
	struct pollfd stop = { .fd = db->watch_stop_fd, .events = POLLIN };
	int err;

	while ((err = db->driver->watch_wait(db->watch, db->watch_stop_fd)) != 0) {
		/* A database that cannot be read may have changed. */
		if (err < 0 && poll(&stop, 1, RETRY_MSECS) > 0)
			break;
		db_wake(db);
	}
	return NULL;
}

/* With watch_mutex held. */
static int watch_start(struct db *db)
{
	int err = db->driver->watch_open(db->driver, db->path, db->key, &db->watch);

	if (err)
		return err;
	db->watch_stop_fd = eventfd(0, EFD_CLOEXEC);
	err = db->watch_stop_fd < 0 ? -errno : 0;
	if (err == 0)
		err = thread_start(&db->watch_thread, "db watch", watch_run, db);
	if (err) {
		db->driver->watch_close(db->watch);
		if (db->watch_stop_fd >= 0)
			close(db->watch_stop_fd);
		return err;
	}
	db->is_watched = true;
	db->generation++; /* what was committed before */
	return 0;
}

int db_wait(struct db *db, uint64_t *generation, unsigned timeout_msecs)
{
	int64_t now = time_mono_msecs(), deadline = now + timeout_msecs;
	bool in_time = true;
	int err = 0;

	pthread_mutex_lock(&db->watch_mutex);
	if (!db->is_watched && now >= db->watch_retry_msecs)
		err = watch_start(db);
	if (err < 0) {
		db->watch_retry_msecs = now + RETRY_MSECS;
		log_warning("changes by other processes are not noticed at once: %s",
			    strerror(-err));
	}
	while (db->generation == *generation && in_time)
		in_time = cond_wait_until(&db->watch_cond, &db->watch_mutex, deadline, NULL);
	err = db->generation == *generation ? -ETIMEDOUT : 0;
	*generation = db->generation;
	pthread_mutex_unlock(&db->watch_mutex);
	return err;
}

void db_watch_end(struct db *db)
{
	if (!db->is_watched)
		return;
	(void)!write(db->watch_stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_join(db->watch_thread, NULL);
	db->driver->watch_close(db->watch);
	close(db->watch_stop_fd);
}
