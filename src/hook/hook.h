/*
 * Twilio's recording status callback: a small HTTP server that takes POST /twilio/recording, checks
 * that it comes from Twilio, and notes the recording's SID in the catalog for sync to ask for
 * (catalog/callback.h).
 *
 * Answers   204 noted, or nothing to note (an event other than "completed"); 403 no signature, a
 *           wrong one, or an account that has no workspace or no auth token here; 400 signed, but
 *           names no recording; 404, 405 elsewhere; 411, 413 a body without a length, above 64 KiB;
 *           415 no form; 503 the catalog cannot be written, or the end is near.
 * Believed  Nothing of a body before its signature has been verified, but the account's SID, which
 *           names the key to verify it with. And even then only the recording's SID: all else is
 *           asked of Twilio.
 * Limits    One request a connection, ten seconds for all of it. At most 256 connections, of
 *           whatever addresses; the oldest whose request has not come yet gives way to a new one.
 *           Slow and idle connections hold no thread.
 * Replays   A callback that is sent again is answered 204 and leaves nothing to do: by the memory of
 *           this process, of about 16,000; and, also after a restart, where the catalog knows the
 *           recording as a file or as removed (catalog/callback.h). What is left: a callback that
 *           names what Twilio does not have is asked for anew once after each restart.
 * Threads   One for the connections, a few for signatures and the catalog.
 * Cannot    Speak TLS: on the open Internet a proxy in front does that.
 */
#ifndef TONICFS_HOOK_HOOK_H
#define TONICFS_HOOK_HOOK_H

#include "catalog/catalog.h"

#define HOOK_PATH "/twilio/recording"

struct hook_settings {
	const char *listen; /* "127.0.0.1:8080", "[::]:8080", "localhost:0"; 0: any port */
	/* What Twilio was told, where that is not what a request's Host header says: behind a
	 * proxy. Without a path HOOK_PATH is meant. A request's query is put behind. NULL: none. */
	const char *public_url;
};

struct hook;
#define HOOK_ADDRESS_SIZE 80
/* 0, and *ret_address is where it listens, as in listen but with the real port. -EINVAL: listen or
 * public_url is none; else why it cannot listen there. ret_message says it in a sentence. */
int hook_start(struct catalog *catalog, const struct hook_settings *settings,
	       struct hook **ret_hook, char ret_address[HOOK_ADDRESS_SIZE],
	       char ret_message[CATALOG_MESSAGE_SIZE]);
/* Takes nothing new, answers what has come, and ends. NULL is fine. */
void hook_stop(struct hook *hook);

#endif
