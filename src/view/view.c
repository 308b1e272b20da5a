/* Shared by the documents: names as they are shown, and values in JSON. */
#include "view/view.h"

#include <jansson.h>
#include <stdio.h>

#include "catalog/name.h"
#include "catalog/recording.h"
#include "util/times.h"

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The folder's name without the escapes of printable ASCII, which is harmless on a terminal. */
const char *view_name(const char *name, char ret_shown[CATALOG_NAME_SIZE])
{
	char *out = ret_shown;

	if (catalog_name_encode(name, ret_shown) < 0) {
		snprintf(ret_shown, CATALOG_NAME_SIZE, "%s", *name ? "(too long)" : "");
		return ret_shown;
	}
	for (const char *s = ret_shown; *s; s++) {
		int byte = *s == '%' ? hex_digit(s[1]) << 4 | hex_digit(s[2]) : 0;

		*out++ = *s;
		if (byte < ' ' || byte > '~')
			continue;
		out[-1] = (char)byte;
		s += 2;
	}
	*out = '\0';
	return ret_shown;
}

const char *view_campaign_name(const struct catalog_campaign *campaign,
			       char ret_shown[CATALOG_NAME_SIZE])
{
	return campaign->is_unassigned ? CATALOG_UNASSIGNED : view_name(campaign->name, ret_shown);
}

int view_scope_name(struct catalog *catalog, struct catalog_scope scope,
		    char ret_name[VIEW_SCOPE_SIZE])
{
	bool is_folder = scope.kind == CATALOG_SCOPE_FOLDER;
	struct catalog_campaign folder = { .workspace_id = scope.id };
	char name[CATALOG_NAME_SIZE], folder_name[CATALOG_NAME_SIZE];
	struct catalog_recording recording;
	struct catalog_workspace workspace;
	int err = 0;

	if (scope.kind == CATALOG_SCOPE_RECORDING) {
		err = catalog_recording_get(catalog, scope.id, &recording);
		if (err == 0)
			sid_format(&recording.sid, "RE", ret_name);
		return err;
	}
	if (is_folder)
		err = catalog_campaign_get(catalog, scope.id, &folder);
	if (err == 0)
		err = catalog_workspace_get(catalog, folder.workspace_id, &workspace);
	if (err == 0)
		snprintf(ret_name, VIEW_SCOPE_SIZE, "%s%s%s", view_name(workspace.name, name),
			 is_folder ? "/" : "",
			 is_folder ? view_campaign_name(&folder, folder_name) : "");
	return err;
}

json_t *view_name_json(const char *name)
{
	char shown[CATALOG_NAME_SIZE];
	json_t *text = json_string(name);

	return text ? text : json_string(view_name(name, shown));
}

json_t *view_time_json(int64_t secs)
{
	char text[TIME_ISO8601_SIZE];

	if (secs <= 0)
		return json_null();
	time_format_iso8601(secs, text);
	return json_string(text);
}

json_t *view_number_json(int64_t number)
{
	return number < 0 ? json_null() : json_integer((json_int_t)number);
}

json_t *view_sid_json(const struct sid *sid, const char prefix[2])
{
	char text[SID_SIZE];

	sid_format(sid, prefix, text);
	return json_string(text);
}
