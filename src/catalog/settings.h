/* The settings of the whole catalog: their names, defaults and limits, in one table. `tonicfs
 * setting` lists and changes them; whatever is set by one reads it with catalog_setting_number().
 * The unit is part of the name. */
#pragma once

#include "catalog/catalog.h"

enum catalog_setting_id {
	SETTING_CONNECT_TIMEOUT_MSECS,
	SETTING_STALL_TIMEOUT_MSECS,
	SETTING_READ_TIMEOUT_MSECS,
	SETTING_READ_BUDGET_BYTES,
	SETTING_MIGRATE_WORKERS,
	SETTING_MIGRATE_BUDGET_BYTES,
	SETTING_TWILIO_CONNECTIONS,
	SETTING_TWILIO_REQUESTS_PER_SEC,
	SETTING_TWILIO_BYTES_PER_SEC,
	SETTING_S3_CONNECTIONS,
	SETTING_S3_REQUESTS_PER_SEC,
	SETTING_S3_BYTES_PER_SEC,
	SETTING_URL_EXPIRES_SECS,
	SETTING_TWILIO_DELETES_PER_SEC,
	SETTING_CALLBACK_URL,
	SETTING_COUNT,
};

struct catalog_setting {
	const char *name;
	const char *text_form;          /* what a text must be; NULL: the setting is a number */
	int64_t otherwise, least, most; /* of a number; a text has no default */
	const char *meaning;
};
extern const struct catalog_setting catalog_settings[SETTING_COUNT];

/* NULL: there is no such setting. */
const struct catalog_setting *catalog_setting_find(const char *name);
/* The number that is set, moved into the setting's limits; the default where none is set or it
 * cannot be read. */
int64_t catalog_setting_number(struct catalog *catalog, enum catalog_setting_id id);
