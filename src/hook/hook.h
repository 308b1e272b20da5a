/*
 * Twilio's recording status callback: a small HTTP server that takes POST /twilio/recording, checks
 * that the request comes from Twilio, and notes the recording's SID in the catalog, for sync to
 * fetch (catalog/callback.h).
 *
 * Answers   204   noted, or nothing to note (an event other than "completed")
 *           400   signed, but without a recording
 *           403   no signature, a wrong one, or an account without a workspace or auth token here
 *           404   another path; 405 another method
 *           411   a body without a length; 413 above 64 KiB; 415 not a form
 *           503   the catalog cannot be written, or the process is shutting down
 * Trust     Before the signature has been verified only the account's SID is used, to find the key
 *           to verify with. Afterwards only the recording's SID is; everything else is asked of
 *           Twilio.
 * Limits    One request per connection, ten seconds for all of it. At most 256 connections, from
 *           any addresses; a new one replaces the oldest whose request has not arrived. Slow and
 *           idle connections hold no thread.
 * Replays   A callback that is sent again is answered 204 and changes nothing: its signature is
 *           among the latest 16,000 or so in memory, or, after a restart, the catalog knows the
 *           recording as a file or as removed (catalog/callback.h). A replayed callback for a
 *           recording that Twilio does not have is asked for once after each restart.
 * Threads   One for the connections, a few for signatures and the catalog while requests come, one
 *           that cuts slow connections.
 * No TLS    A reverse proxy must provide it on the open Internet.
 */
#pragma once

#include "catalog/catalog.h"

#define HOOK_PATH "/twilio/recording"

struct hook_settings {
	const char *listen; /* "127.0.0.1:8080", "[::]:8080", "localhost:0"; 0: any port */
	/* The URL that Twilio was given, if requests have another Host header, as behind a proxy.
	 * HOOK_PATH is appended if it has no path, then the request's query. NULL: the header. */
	const char *public_url;
};

struct hook;
#define HOOK_ADDRESS_SIZE 80
/* 0: *ret_address is the address in the form of `listen`, with the actual port. -EINVAL: listen or
 * public_url is malformed; else the -errno of listening, and a sentence. */
int hook_start(struct catalog *catalog, const struct hook_settings *settings,
	       struct hook **ret_hook, char ret_address[HOOK_ADDRESS_SIZE],
	       char ret_message[CATALOG_MESSAGE_SIZE]);
/* Stops accepting, answers the requests that have arrived, ends. NULL is fine. */
void hook_stop(struct hook *hook);
