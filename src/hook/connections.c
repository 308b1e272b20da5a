/* Open connections. The HTTP library ends idle ones only: peers that send a byte now and then could
 * occupy all connections for ever. So a connection has a time to live, and when there are too many,
 * the oldest whose request has not arrived is cut. A callback arrives within milliseconds and is
 * never the oldest. Addresses do not count, because behind a proxy all are the same. */
#include <stdlib.h>
#include <sys/socket.h>

#include "hook/hook-private.h"
#include "util/pool.h"
#include "util/times.h"
#include "util/wait.h"

#define LIFE_MSECS 10000
/* The library stops accepting at its own limit, so the oldest is cut before that. */
#define CROWDED (CONNECTIONS_MAX - 16)

/* Lock held. The library sees the end of the stream, and closes the connection. */
static void cut(struct connection *connection)
{
	if (!connection->is_cut)
		shutdown(connection->fd, SHUT_RDWR);
	connection->is_cut = true;
}

/* Lock held. The list is ordered by age. Returns when to look again. */
static int64_t cut_old(struct connections *connections)
{
	int64_t now_msecs = time_mono_msecs(), limit_msecs = now_msecs - LIFE_MSECS;

	list_for_each_entry(struct connection, connection, &connections->all, link) {
		if (connection->began_msecs > limit_msecs)
			return connection->began_msecs + LIFE_MSECS;
		cut(connection);
	}
	/* Cut connections leave the list later; a new one is due LIFE_MSECS from now or later. */
	return connections->count ? now_msecs + LIFE_MSECS : WAIT_NO_DEADLINE;
}

static void *watch(void *arg)
{
	struct connections *connections = arg;

	pthread_mutex_lock(&connections->lock);
	while (!connections->is_stopping)
		cond_wait_until(&connections->cond, &connections->lock, cut_old(connections), NULL);
	pthread_mutex_unlock(&connections->lock);
	return NULL;
}

int connections_init(struct connections *connections)
{
	int err;

	pthread_mutex_init(&connections->lock, NULL);
	cond_init(&connections->cond);
	list_init(&connections->all);
	connections->count = 0;
	connections->is_stopping = false;
	err = thread_start(&connections->watchdog, "hook watch", watch, connections);
	if (err < 0) {
		pthread_cond_destroy(&connections->cond);
		pthread_mutex_destroy(&connections->lock);
	}
	return err;
}

void connections_release(struct connections *connections)
{
	pthread_mutex_lock(&connections->lock);
	connections->is_stopping = true;
	pthread_cond_broadcast(&connections->cond);
	pthread_mutex_unlock(&connections->lock);
	pthread_join(connections->watchdog, NULL);
	pthread_cond_destroy(&connections->cond);
	pthread_mutex_destroy(&connections->lock);
}

void connections_drain(struct connections *connections, unsigned msecs)
{
	int64_t deadline_msecs = time_mono_msecs() + msecs;

	pthread_mutex_lock(&connections->lock);
	while (connections->count &&
	       cond_wait_until(&connections->cond, &connections->lock, deadline_msecs, NULL))
		;
	pthread_mutex_unlock(&connections->lock);
}

struct connection *connections_add(struct connections *connections, int fd)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->began_msecs = time_mono_msecs();
	pthread_mutex_lock(&connections->lock);
	list_add(&connections->all, &connection->link);
	if (++connections->count == 1)
		pthread_cond_broadcast(&connections->cond);
	if (connections->count > CROWDED) {
		list_for_each_entry(struct connection, oldest, &connections->all, link) {
			if (oldest->is_cut || oldest->is_complete)
				continue;
			cut(oldest);
			break;
		}
	}
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void connections_complete(struct connections *connections, struct connection *connection)
{
	pthread_mutex_lock(&connections->lock);
	connection->is_complete = true;
	pthread_mutex_unlock(&connections->lock);
}

void connections_remove(struct connections *connections, struct connection *connection)
{
	pthread_mutex_lock(&connections->lock);
	list_remove(&connection->link);
	if (--connections->count == 0)
		pthread_cond_broadcast(&connections->cond);
	pthread_mutex_unlock(&connections->lock);
	free(connection);
}
