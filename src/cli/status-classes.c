/* The part of status that says in which storage classes recordings are. */
#include <jansson.h>
#include <stdio.h>

#include "catalog/archive.h"
#include "cli/status.h"

static int class_print(void *arg, const char *storage_class, int64_t recordings, int64_t size_bytes)
{
	char what[64];

	(void)arg;
	snprintf(what, sizeof what, "in %s", storage_class);
	printf("    %-32s %lld (%.1f MB)\n", what, (long long)recordings, (double)size_bytes / 1e6);
	return 0;
}

int status_classes_print(struct cli *cli, int64_t workspace_id)
{
	struct catalog_scope scope = { CATALOG_SCOPE_WORKSPACE, workspace_id };
	struct catalog_restore_status restores;
	int err = catalog_class_each(cli->catalog, workspace_id, class_print, NULL);

	if (err == 0)
		err = catalog_restore_status(cli->catalog, scope, &restores);
	if (err == 0 && restores.under_way)
		printf("    %-32s %lld\n", "being restored", (long long)restores.under_way);
	if (err == 0 && restores.refused)
		printf("    %-32s %lld\n", "restores refused", (long long)restores.refused);
	return err;
}

static int class_json(void *arg, const char *storage_class, int64_t recordings, int64_t size_bytes)
{
	json_object_set_new(arg, storage_class,
			    json_pack("{s:I, s:I}", "recordings", (json_int_t)recordings, "bytes",
				      (json_int_t)size_bytes));
	return 0;
}

int status_classes_json(struct cli *cli, int64_t workspace_id, json_t *workspace)
{
	json_t *classes = json_object();
	int err = catalog_class_each(cli->catalog, workspace_id, class_json, classes);

	json_object_set_new(workspace, "storage_classes", classes);
	return err;
}
