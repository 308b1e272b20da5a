/* Opens and starts the service for mount and serve, and says why it cannot. */
#include "cli/background.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/log.h"

static void end_process(void)
{
	_exit(CLI_FAILED);
}

int background_open(struct cli *cli, struct service_settings *settings,
		    struct service **ret_service)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	int status, err = service_prepare();

	*ret_service = NULL;
	if (err < 0)
		return cli_error("/: %s", strerror(-err));
	if (!cli->verbose)
		log_set_level(LOG_LEVEL_INFO);
	status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	settings->on_predecessor = cli_say_predecessor;
	settings->on_overdue = end_process;
	err = service_open(steal_pointer(&cli->catalog), settings, ret_service, message);
	return err == 0 ? CLI_DONE : cli_error("%s", message);
}

int background_start(struct service *service)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	int err = service_start(service, message);

	if (err == 0)
		return CLI_DONE;
	cli_error("%s", message[0] ? message : strerror(-err));
	return err == -EINVAL ? CLI_USAGE : CLI_FAILED;
}
