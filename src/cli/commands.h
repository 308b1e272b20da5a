/* The commands, one file each. */
#ifndef TONICFS_CLI_COMMANDS_H
#define TONICFS_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command command_init, command_key_rotate;
extern const struct cli_command command_workspace_add, command_workspace_set,
	command_workspace_list, command_workspace_show, command_workspace_remove;
extern const struct cli_command command_campaign_add, command_campaign_list,
	command_campaign_remove;
extern const struct cli_command command_storage_set, command_storage_show, command_storage_test,
	command_storage_policy, command_storage_enable, command_storage_disable;
extern const struct cli_command command_setting_list, command_setting_set;
extern const struct cli_command command_sync, command_mount, command_unmount, command_migrate,
	command_rm;
extern const struct cli_command command_status, command_serve, command_verify;
extern const struct cli_command command_storage_lifecycle;
extern const struct cli_command command_url, command_restore, command_cost;
extern const struct cli_command command_help, command_version;

#endif
