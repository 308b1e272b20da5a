/* The table of the settings of the whole catalog, with their defaults and limits. */
#include "catalog/settings.h"

#include <string.h>

#define MIB ((int64_t)1 << 20)
#define TIB ((int64_t)1 << 40)

const struct catalog_setting catalog_settings[SETTING_COUNT] = {
	[SETTING_CONNECT_TIMEOUT_MSECS] = { "connect_timeout_msecs", NULL, 10000, 100, 600000,
					    "time limit for connecting to Twilio or S3" },
	[SETTING_STALL_TIMEOUT_MSECS] = { "stall_timeout_msecs", NULL, 30000, 1000, 600000,
					  "longest wait for the next byte from Twilio or S3" },
	[SETTING_READ_TIMEOUT_MSECS] = { "read_timeout_msecs", NULL, 60000, 1000, 3600000,
					 "time limit for a read of a file" },
	[SETTING_READ_BUDGET_BYTES] = { "read_budget_bytes", NULL, 256 * MIB, 4 * MIB, TIB,
					"memory for all open files" },
	[SETTING_MIGRATE_WORKERS] = { "migrate_workers", NULL, 64, 1, 256,
				      "most transfers of a workspace at a time" },
	[SETTING_MIGRATE_BUDGET_BYTES] = { "migrate_budget_bytes", NULL, 64 * MIB, 16 * MIB, TIB,
					   "memory for all transfers" },
	[SETTING_TWILIO_CONNECTIONS] = { "twilio_connections", NULL, 64, 1, 256,
					 "most downloads from an account at a time" },
	[SETTING_TWILIO_REQUESTS_PER_SEC] = { "twilio_requests_per_sec", NULL, 0, 0, 1000000,
					      "most requests of transfers to an account; 0: no limit" },
	[SETTING_TWILIO_BYTES_PER_SEC] = { "twilio_bytes_per_sec", NULL, 0, 0, TIB,
					   "most bytes downloaded from an account; 0: no limit" },
	[SETTING_S3_CONNECTIONS] = { "s3_connections", NULL, 64, 1, 256,
				     "most uploads to a bucket at a time" },
	[SETTING_S3_REQUESTS_PER_SEC] = { "s3_requests_per_sec", NULL, 0, 0, 1000000,
					  "most requests of transfers to a bucket; 0: no limit" },
	[SETTING_S3_BYTES_PER_SEC] = { "s3_bytes_per_sec", NULL, 0, 0, TIB,
				       "most bytes uploaded to a bucket; 0: no limit" },
	[SETTING_URL_EXPIRES_SECS] = { "url_expires_secs", NULL, 3600, 1, 604800,
				       "lifetime of a URL that plays a recording" },
	[SETTING_TWILIO_DELETES_PER_SEC] = { "twilio_deletes_per_sec", NULL, 10, 1, 1000,
					     "rate of deletes at Twilio" },
	[SETTING_CALLBACK_URL] = { "callback_url", "an http or https URL", 0, 0, 0,
				   "the callbacks' URL, exactly as Twilio has it" },
};

const struct catalog_setting *catalog_setting_find(const char *name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(catalog_settings[i].name, name) == 0)
			return &catalog_settings[i];
	return NULL;
}

int64_t catalog_setting_number(struct catalog *catalog, enum catalog_setting_id id)
{
	const struct catalog_setting *s = &catalog_settings[id];
	int64_t value = catalog_setting_get_int(catalog, s->name, s->otherwise);

	return value < s->least ? s->least : value > s->most ? s->most : value;
}
