/* Starts and ends a process's background work, and owns its catalog, network and reading. */
#include "service/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/stats.h"
#include "aws/credentials.h"
#include "catalog/settings.h"
#include "hook/hook.h"
#include "migrate/migrate.h"
#include "policy/policy.h"
#include "service/ending.h"
#include "service/metrics.h"
#include "service/predecessor.h"
#include "sync/sync.h"
#include "util/cleanup.h"
#include "util/times.h"

#define GRACE_MSECS 10000
#define POLICY_GRACE_MSECS 2000 /* of them, kept for deletes while migrations use theirs up */
#define CONNECTIONS_BESIDE 32   /* for reads and for requests by key, beside transfers */
#define OPEN_FILES 65536

struct service {
	const struct service_settings *settings;
	struct service_parts parts;
	struct metrics *metrics;
	struct hook *hook;
	struct sync_service *sync;
	struct jobs *jobs;
	struct migrate *migrate;
	struct policy *policy;
	char address[HOOK_ADDRESS_SIZE];
	sigset_t ending,
		before; /* signals that end the process; the mask that the process began with */
};

/* ---- the process ---- */

int service_prepare(void)
{
	struct rlimit files;

	if (chdir("/") < 0)
		return -errno;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < OPEN_FILES ? files.rlim_max : OPEN_FILES;
		setrlimit(RLIMIT_NOFILE, &files); /* fewer files are enough for most work */
	}
	return 0;
}

static void block_signals(struct service *service)
{
	sigemptyset(&service->ending);
	sigaddset(&service->ending, SIGTERM);
	sigaddset(&service->ending, SIGINT);
	sigaddset(&service->ending, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &service->ending, &service->before);
}

void service_wait_signal(const struct service *service)
{
	int number;

	sigwait(&service->ending, &number);
}

void service_allow_signals(const struct service *service, bool are_allowed)
{
	if (are_allowed)
		pthread_sigmask(SIG_SETMASK, &service->before, NULL);
	else
		pthread_sigmask(SIG_BLOCK, &service->ending, NULL);
}

/* ---- what the work needs ---- */

int service_http_new(struct catalog *catalog, struct http **ret_http)
{
	int64_t twilio = catalog_setting_number(catalog, SETTING_TWILIO_CONNECTIONS);
	int64_t s3 = catalog_setting_number(catalog, SETTING_S3_CONNECTIONS);
	const struct http_settings settings = {
		.connect_timeout_msecs =
			(unsigned)catalog_setting_number(catalog, SETTING_CONNECT_TIMEOUT_MSECS),
		.stall_timeout_msecs =
			(unsigned)catalog_setting_number(catalog, SETTING_STALL_TIMEOUT_MSECS),
		.origin_limit = (unsigned)(twilio > s3 ? twilio : s3) + CONNECTIONS_BESIDE,
	};

	return http_new(&settings, ret_http);
}

static int failed(const char *what, int err, char ret_message[CATALOG_MESSAGE_SIZE])
{
	snprintf(ret_message, CATALOG_MESSAGE_SIZE, "%s: %s", what, strerror(-err));
	return err;
}

int service_open(struct catalog *catalog, const struct service_settings *settings,
		 struct service **ret_service, char ret_message[CATALOG_MESSAGE_SIZE])
{
	const struct audio_settings audio = { 0 };
	struct service *service = calloc(1, sizeof *service);
	int err;

	*ret_service = service;
	if (!service) {
		catalog_close(catalog);
		return failed("the background work", -ENOMEM, ret_message);
	}
	service->settings = settings;
	service->parts = (struct service_parts){ .catalog = catalog, .address = service->address };
	ending_init(settings->on_overdue);
	block_signals(service);
	err = service_http_new(catalog, &service->parts.http);
	if (err)
		return failed("the network cannot be used", err, ret_message);
	if (settings->mountpoint)
		err = audio_new(catalog, service->parts.http, &audio, &service->parts.audio);
	return err ? failed("the audio streams", err, ret_message) : 0;
}

const struct service_parts *service_parts(const struct service *service)
{
	return &service->parts;
}

void service_metrics(const struct service *service, struct buf *out)
{
	struct audio_stats stats;

	audio_stats_get(service->parts.audio, &stats);
	audio_stats_write(&stats, out);
}

/* ---- begin ---- */

static int listen_for_callbacks(struct service *service, char ret_message[CATALOG_MESSAGE_SIZE])
{
	const struct service_settings *settings = service->settings;
	struct hook_settings hook = { .listen = settings->listen,
				      .public_url = settings->public_url };
	cleanup_free char *url = NULL;
	int err;

	if (!hook.public_url &&
	    catalog_setting_get(service->parts.catalog, catalog_settings[SETTING_CALLBACK_URL].name,
				&url) == 0)
		hook.public_url = url;
	err = hook_start(service->parts.catalog, &hook, &service->hook, service->address,
			 ret_message);
	/* The port may still belong to a mount that was unmounted just now. */
	if (err == -EADDRINUSE && predecessor_wait(catalog_path(service->parts.catalog),
						   settings->mountpoint, settings->on_predecessor))
		err = hook_start(service->parts.catalog, &hook, &service->hook, service->address,
				 ret_message);
	return err;
}

int service_start(struct service *service, char ret_message[CATALOG_MESSAGE_SIZE])
{
	const struct service_settings *settings = service->settings;
	const struct migrate_settings migrate = { 0 };
	struct catalog *catalog = service->parts.catalog;
	int err = 0;

	if (settings->metrics_path)
		err = metrics_start(service->parts.audio, settings->metrics_path,
				    &service->metrics);
	if (err)
		return failed("the counters", err, ret_message);
	if (settings->listen)
		err = listen_for_callbacks(service, ret_message);
	if (err)
		return err;
	err = sync_service_start(catalog, service->parts.http, &service->sync);
	if (err)
		return failed("the poll", err, ret_message);
	if (settings->read_only)
		return 0;
	err = jobs_new(catalog, &service->jobs);
	if (err == 0)
		err = migrate_start(service->jobs, service->parts.http, &migrate,
				    &service->migrate);
	if (err)
		return failed("the migration's workers", err, ret_message);
	err = policy_start(service->jobs, service->parts.http, &service->policy);
	return err ? failed("the policy's workers", err, ret_message) : 0;
}

/* ---- end ---- */

static unsigned msecs_until(int64_t deadline_msecs)
{
	int64_t left = deadline_msecs - time_mono_msecs();

	return left > 0 ? (unsigned)left : 0;
}

void service_close(struct service *service)
{
	int64_t deadline = time_mono_msecs() + GRACE_MSECS;

	if (!service)
		return;
	ending_step("callbacks from Twilio");
	hook_stop(service->hook);
	ending_step("synchronisations");
	sync_service_stop(service->sync);
	ending_step("migrations in flight");
	if (service->migrate)
		migrate_stop(service->migrate, msecs_until(deadline - POLICY_GRACE_MSECS));
	ending_step("deletes in flight");
	if (service->policy)
		policy_stop(service->policy, msecs_until(deadline));
	jobs_free(service->jobs);
	ending_step("the metrics file");
	metrics_stop(service->metrics);
	ending_step("requests for recordings");
	if (service->parts.audio)
		audio_free(service->parts.audio);
	ending_step("network connections");
	http_free(service->parts.http);
	ending_step("the catalog");
	aws_credentials_forget();
	catalog_close(service->parts.catalog);
	ending_done();
	free(service);
}
