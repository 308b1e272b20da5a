/* The settings of the whole catalog, with their meanings. None of them is a secret. */
#pragma once

#include "catalog/settings.h"

struct json_t;

struct view_settings { /* in the table's order */
	struct view_setting {
		const struct catalog_setting *about;
		int64_t number; /* where about->text_form is NULL */
		char *text;     /* else; NULL: not set */
	} items[SETTING_COUNT];
};
int view_settings_load(struct catalog *catalog, struct view_settings *ret_settings);
struct json_t *view_settings_json(const struct view_settings *settings);
void view_settings_release(struct view_settings *settings);
#define cleanup_view_settings __attribute__((cleanup(view_settings_release)))
