/* The work beside a mount, or without one: sync, migration, policy, Twilio's callbacks. */
#ifndef TONICFS_CLI_BACKGROUND_H
#define TONICFS_CLI_BACKGROUND_H

#include <signal.h>

#include "cli/cli.h"
#include "hook/hook.h"

struct background_settings {
	const char *mountpoint; /* of this process; NULL: none */
	bool read_only;         /* sync and callbacks only */
	const char *listen;     /* for callbacks; NULL: not */
	const char *public_url; /* NULL: the setting "callback_url", else none */
};

struct background {
	struct hook *hook;
	struct jobs *jobs;
	struct migrate *migrate;
	struct policy *policy;
	struct sync_service *sync;
	char address[HOOK_ADDRESS_SIZE]; /* where callbacks are taken; "": nowhere */
};

/* Many descriptors, the log's level; then the catalog. */
int background_open(struct cli *cli);
/* The signals that end a process are for one thread alone: the others inherit the mask. */
void background_block_signals(sigset_t *ret_ending, sigset_t *ret_before);
/* Catalog and HTTP engine are open. What has begun is there to be stopped even where it fails; an
 * error has been said. */
int background_start(struct cli *cli, const struct background_settings *settings,
		     struct background *ret_background);
/* Ten seconds for what is in flight. Steps of the end (ending.h), as is what follows. */
void background_stop(struct background *background);
/* HTTP engine and catalog, in the end; cli_close finds nothing of them any more. */
void background_close(struct cli *cli);

#endif
