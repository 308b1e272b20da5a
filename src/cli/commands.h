/* The commands, one file each. */
#pragma once

#include "cli/cli.h"

/* In the help's order. */
/* clang-format off */
#define CLI_COMMANDS(X) \
	X(init) \
	X(workspace_add) X(workspace_set) X(workspace_list) X(workspace_show) X(workspace_remove) \
	X(campaign_add) X(campaign_list) X(campaign_remove) \
	X(storage_set) X(storage_show) X(storage_test) X(storage_policy) X(storage_enable) \
	X(storage_disable) X(storage_lifecycle) \
	X(sync) X(mount) X(unmount) X(serve) X(migrate) X(rm) X(url) X(restore) X(status) X(verify) \
	X(cost) X(setting_list) X(setting_set) X(key_rotate) X(help) X(version)
/* clang-format on */

#define DECLARE_COMMAND(name) extern const struct cli_command command_##name;
CLI_COMMANDS(DECLARE_COMMAND)
