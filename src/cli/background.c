#include "cli/background.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "cli/ending.h"
#include "cli/predecessor.h"
#include "migrate/migrate.h"
#include "policy/policy.h"
#include "sync/sync.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/times.h"

#define SHUTDOWN_MSECS 10000

static void limit_set(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int background_open(struct cli *cli)
{
	if (chdir("/") < 0) {
		cli_error("/: %s", strerror(errno));
		return CLI_FAILED;
	}
	limit_set();
	if (!cli->verbose)
		log_set_level(LOG_LEVEL_INFO);
	return cli_catalog_open(cli);
}

void background_block_signals(sigset_t *ret_ending, sigset_t *ret_before)
{
	sigemptyset(ret_ending);
	sigaddset(ret_ending, SIGTERM);
	sigaddset(ret_ending, SIGINT);
	sigaddset(ret_ending, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret_ending, ret_before);
}

static int begin_failed(const char *what, int error)
{
	cli_error("%s: %s", what, strerror(-error));
	return CLI_FAILED;
}

static int hook_begin(struct cli *cli, const struct background_settings *settings,
		      struct background *background)
{
	cleanup_free char *setting = NULL;
	struct hook_settings hook = { .listen = settings->listen,
				      .public_url = settings->public_url };
	char message[CATALOG_MESSAGE_SIZE];
	int err;

	if (!settings->listen)
		return CLI_DONE;
	if (!hook.public_url && catalog_setting_get(cli->catalog, "callback_url", &setting) == 0)
		hook.public_url = setting;
	err = hook_start(cli->catalog, &hook, &background->hook, background->address, message);
	/* The port may still belong to a mount that was unmounted just now. */
	if (err == -EADDRINUSE && predecessor_wait(cli, settings->mountpoint))
		err = hook_start(cli->catalog, &hook, &background->hook, background->address,
				 message);
	if (err < 0)
		cli_error("%s", message);
	return err == 0 ? CLI_DONE : err == -EINVAL ? CLI_USAGE : CLI_FAILED;
}

int background_start(struct cli *cli, const struct background_settings *settings,
		     struct background *ret_background)
{
	const struct migrate_settings migrate_settings = { 0 };
	int status, err;

	*ret_background = (struct background){ .hook = NULL };
	status = hook_begin(cli, settings, ret_background);
	if (status != CLI_DONE)
		return status;
	err = sync_service_start(cli->catalog, cli->http, &ret_background->sync);
	if (err < 0)
		return begin_failed("the poll", err);
	if (settings->read_only)
		return CLI_DONE;
	err = jobs_new(cli->catalog, &ret_background->jobs);
	if (err == 0)
		err = migrate_start(ret_background->jobs, cli->http, &migrate_settings,
				    &ret_background->migrate);
	if (err < 0)
		return begin_failed("the migration's workers", err);
	err = policy_start(ret_background->jobs, cli->http, &ret_background->policy);
	if (err < 0)
		return begin_failed("the policy's workers", err);
	return CLI_DONE;
}

static unsigned msecs_until(int64_t deadline_msecs)
{
	int64_t left = deadline_msecs - time_mono_msecs();

	return left > 0 ? (unsigned)left : 0;
}

void background_stop(struct background *background)
{
	int64_t deadline = time_mono_msecs() + SHUTDOWN_MSECS;

	ending_step("callbacks from Twilio");
	hook_stop(background->hook);
	ending_step("synchronisations");
	sync_service_stop(background->sync);
	ending_step("migrations in flight");
	if (background->migrate)
		migrate_stop(background->migrate, msecs_until(deadline - 2000));
	ending_step("deletes in flight");
	if (background->policy)
		policy_stop(background->policy, msecs_until(deadline));
	jobs_free(background->jobs);
}

void background_close(struct cli *cli)
{
	ending_step("network connections");
	http_free(steal_pointer(&cli->http));
	ending_step("the catalog");
	aws_credentials_forget();
	catalog_close(steal_pointer(&cli->catalog));
	ending_done();
}
