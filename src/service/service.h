/*
 * Background work of a mounted process and of `tonicfs serve`: synchronise, migrate, carry out
 * deletes, take Twilio's callbacks, read recordings for a file system, write counters. The file
 * system itself belongs to the caller.
 *
 *   caller  service_prepare, opens the catalog
 *           service_open    network, reading
 *           mounts          with service_parts, service_metrics
 *           service_start   the background work
 *           serves          until a signal or an unmount
 *           unmounts        first, so that no program waits for it
 *           service_close   ends the work, then the rest, in steps with deadlines (ending.h)
 *
 * Threads   All functions from the main thread, but for service_metrics: any.
 * Errors    0 or -errno with a sentence for the user. Failures of the background work are logged.
 */
#pragma once

#include <stdbool.h>

#include "catalog/catalog.h"

struct audio;
struct buf;
struct http;
struct service;

struct service_settings {
	const char *mountpoint; /* of this process; NULL: no mount, and no reading */
	bool read_only;         /* no migrations and no deletes */
	const char *listen;     /* "127.0.0.1:8080", where callbacks are taken; NULL: nowhere */
	/* The callbacks' address at Twilio. NULL: the setting "callback_url", else the Host. */
	const char *public_url;
	const char *metrics_path; /* the file for counters of a mount; NULL: no file */
	/* Waiting for the process of an earlier mount, which still has the port. May be NULL. */
	void (*on_predecessor)(const char *catalog_path);
	/* A deadline of the ending has passed: ends the process at once, never returns. */
	void (*on_overdue)(void);
};

/* For a process that lives long: leaves its current folder, raises the limit of open files. */
int service_prepare(void);
/* An HTTP engine with the catalog's limits and deadlines. */
int service_http_new(struct catalog *catalog, struct http **ret_http);

/* Blocks TERM, INT and HUP, also for later threads. Takes over the catalog, even on failure, and
 * keeps the settings by reference. *ret_service is to be closed in any case; NULL: no memory. */
int service_open(struct catalog *catalog, const struct service_settings *settings,
		 struct service **ret_service, char ret_message[CATALOG_MESSAGE_SIZE]);
struct service_parts {
	struct catalog *catalog;
	struct http *http;
	struct audio *audio; /* NULL without a mountpoint */
	const char *address; /* where callbacks are taken, with the real port; "": nowhere */
};
const struct service_parts *service_parts(const struct service *service);
/* Appends the mount's counters in Prometheus' text format. */
void service_metrics(const struct service *service, struct buf *out);

/* -EINVAL: listen or public_url is malformed. */
int service_start(struct service *service, char ret_message[CATALOG_MESSAGE_SIZE]);
/* Waits for one of the blocked signals. */
void service_wait_signal(const struct service *service);
/* Unblocks them for the caller's handlers, and blocks them again. */
void service_allow_signals(const struct service *service, bool are_allowed);
/* Work in flight has ten seconds to finish, and is put back in the queue then. NULL is fine. */
void service_close(struct service *service);
