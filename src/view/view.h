/*
 * Documents of what there is: status, listings, settings, costs. A command shows them as text or
 * JSON, a page can serve them as JSON. Each document is a plain struct:
 *
 *   view_X_load(catalog, …, &x)   reads it from the catalog, without the network: 0 or -errno
 *   view_X_json(&x)               its JSON: the caller's reference, NULL for lack of memory
 *   view_X_release(&x)            frees what it holds; also after a failed load
 *
 * Text is made from the same struct, so that text and JSON cannot differ in a number. This room
 * prints nothing. Numbers are plain: bytes, seconds, Unix seconds; -1 is "not known". In JSON a
 * time is ISO 8601, and what is not known is null. A document holds no secret. Of callers it holds
 * nothing: recordings are named by their SIDs.
 */
#pragma once

#include <stdint.h>

#include "catalog/campaign.h"
#include "catalog/workspace.h"
#include "util/sid.h"

struct json_t;

/* A workspace's or campaign's name as typed, with %XX for bytes that could drive a terminal. */
const char *view_name(const char *name, char ret_shown[CATALOG_NAME_SIZE]);
/* The same, valid until the end of the caller's block. */
#define view_shown(name) view_name(name, (char[CATALOG_NAME_SIZE]){ 0 })
/* The same of a campaign; `unassigned` has a name of its own. */
const char *view_campaign_name(const struct catalog_campaign *campaign,
			       char ret_shown[CATALOG_NAME_SIZE]);

#define VIEW_SCOPE_SIZE (2 * CATALOG_NAME_SIZE)
/* "WORKSPACE", "WORKSPACE/CAMPAIGN", or a recording's SID. */
int view_scope_name(struct catalog *catalog, struct catalog_scope scope,
		    char ret_name[VIEW_SCOPE_SIZE]);

/* A name as UTF-8; other bytes as view_name() shows them. */
struct json_t *view_name_json(const char *name);
/* ISO 8601; null for 0. */
struct json_t *view_time_json(int64_t secs);
/* null for a negative one. */
struct json_t *view_number_json(int64_t number);
/* "RE…" */
struct json_t *view_sid_json(const struct sid *sid, const char prefix[2]);
/* An array of item_json(&items[i]). */
#define view_array_json(items, count, item_json) \
	({ \
		struct json_t *array_json = json_array(); \
		for (size_t index = 0; index < (count); index++) \
			json_array_append_new(array_json, item_json(&(items)[index])); \
		array_json; \
	})
