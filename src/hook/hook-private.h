/* What the files of this room share. */
#ifndef TONICFS_HOOK_PRIVATE_H
#define TONICFS_HOOK_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hook/hook.h"
#include "util/list.h"

#define HOOK_BODY_LIMIT_BYTES 65536

/* ---- listen.c ---- */

/* Parses, binds and listens. 0 and *ret_fd, which is the caller's. */
int hook_listen(const char *text, int *ret_fd, char ret_address[HOOK_ADDRESS_SIZE]);

/* ---- connections.c: who is connected, since when ---- */

struct connection {
	struct list link; /* oldest first */
	int fd;
	int64_t began_msecs;
	bool is_complete; /* its request has come, and is being answered */
	bool is_cut;
};

struct connections {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t cond;
	struct list all;
	unsigned count;
	bool is_stopping;
	pthread_t watchdog;
};

/* 0 or -errno. The watchdog's thread cuts connections that are older than the limit. */
int connections_init(struct connections *connections);
void connections_release(struct connections *connections);
/* Where there are too many, the oldest whose request has not come is cut. NULL: out of memory. */
struct connection *connections_add(struct connections *connections, int fd);
void connections_complete(struct connections *connections, struct connection *connection);
void connections_remove(struct connections *connections, struct connection *connection);
/* Waits until there is none, or the time is over. */
void connections_drain(struct connections *connections, unsigned msecs);
#define CONNECTIONS_MAX 256

/* ---- replays.c: signatures that were accepted lately, about 16,000 ---- */

struct replays;
struct replays *replays_new(void); /* NULL: out of memory */
void replays_free(struct replays *replays);
/* Thread-safe. Where it cannot be told, it has none. */
bool replays_has(struct replays *replays, const char *signature);
void replays_add(struct replays *replays, const char *signature);

/* ---- callback.c: one callback, from its text to an HTTP status ---- */

struct callback_request {
	const char *uri;       /* path and query, as it was sent */
	const char *host;      /* "" where it was not sent */
	const char *signature; /* "" likewise */
	char *body;            /* NUL behind it; is changed */
	size_t body_len;
};
/* public_url: complete; NULL: the Host header counts. Logs what it refuses. */
int callback_handle(struct catalog *catalog, struct replays *replays, const char *public_url,
		    const struct callback_request *request);
/* public_url with a path: HOOK_PATH where it has none. The caller frees. -EINVAL: it is none. */
int callback_public_url(const char *text, char **ret_url);

#endif
