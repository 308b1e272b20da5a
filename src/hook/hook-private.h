/* Shared by the files of this room: listening, connections, replays, callbacks. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hook/hook.h"
#include "util/list.h"

#define HOOK_BODY_LIMIT_BYTES 65536

/* ---- listen.c ---- */

/* Parses the address, binds and listens. The caller owns *ret_fd. -EINVAL: malformed address. */
int hook_listen(const char *text, int *ret_fd, char ret_address[HOOK_ADDRESS_SIZE]);

/* ---- connections.c: open connections and their age ---- */

struct connection {
	struct list link; /* oldest first */
	int fd;
	int64_t began_msecs;
	bool is_complete; /* its request has arrived, and is being answered */
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

/* 0 or -errno. Starts a watchdog thread, which cuts connections that are older than the limit. */
int connections_init(struct connections *connections);
void connections_release(struct connections *connections);
/* If there are too many, cuts the oldest whose request has not arrived. NULL: out of memory. */
struct connection *connections_add(struct connections *connections, int fd);
void connections_complete(struct connections *connections, struct connection *connection);
void connections_remove(struct connections *connections, struct connection *connection);
/* Waits until all are gone, or the time is over. */
void connections_drain(struct connections *connections, unsigned msecs);
#define CONNECTIONS_MAX 256

/* ---- replays.c: signatures that were accepted lately, about 16,000 ---- */

struct replays;
struct replays *replays_new(void); /* NULL: out of memory */
void replays_free(struct replays *replays);
/* Thread-safe. False also if the signature cannot be hashed. */
bool replays_has(struct replays *replays, const char *signature);
void replays_add(struct replays *replays, const char *signature);

/* ---- callback.c: one callback, from its text to an HTTP status ---- */

struct callback_request {
	const char *uri;       /* path and query, as it was sent */
	const char *host;      /* "": not sent */
	const char *signature; /* "": not sent */
	char *body;            /* NUL-terminated; changed by callback_handle */
	size_t body_len;
};
/* public_url: with a path; NULL: the Host header is used. Logs refusals. Returns the status. */
int callback_handle(struct catalog *catalog, struct replays *replays, const char *public_url,
		    const struct callback_request *request);
/* The URL with HOOK_PATH as its path if it has none. The caller frees. -EINVAL: malformed URL. */
int callback_public_url(const char *text, char **ret_url);
