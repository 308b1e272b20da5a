/* Shared by mount and serve: the service (service/service.h), with errors on standard error. */
#pragma once

#include "cli/cli.h"
#include "service/service.h"

/* Prepares the process, opens the catalog and the service, which owns the catalog then. The
 * settings stay the caller's. CLI_DONE, or the exit status, with an error said;
 * service_close(*ret_service) in any case. */
int background_open(struct cli *cli, struct service_settings *settings,
		    struct service **ret_service);
int background_start(struct service *service);
