/* The settings of the whole catalog. */
#include "view/setting.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

int view_settings_load(struct catalog *catalog, struct view_settings *ret_settings)
{
	*ret_settings = (struct view_settings){ 0 };
	for (int i = 0; i < SETTING_COUNT; i++) {
		struct view_setting *item = &ret_settings->items[i];
		int err = 0;

		item->about = &catalog_settings[i];
		if (item->about->text_form)
			err = catalog_setting_get(catalog, item->about->name, &item->text);
		else
			item->number = catalog_setting_number(catalog, i);
		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

json_t *view_settings_json(const struct view_settings *settings)
{
	json_t *object = json_object();

	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct view_setting *item = &settings->items[i];

		json_object_set_new(object, item->about->name,
				    !item->about->text_form ? json_integer(item->number)
				    : item->text            ? json_string(item->text)
							    : json_null());
	}
	return object;
}

void view_settings_release(struct view_settings *settings)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		free(settings->items[i].text);
}
