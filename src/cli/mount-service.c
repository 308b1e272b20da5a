/*
 * The process behind a mount: the file system and the background work beside it.
 *
 * Begins  catalog, HTTP engine, audio, mount, sync, migration, policy; then the loop.
 * Ends    the mount first, so that nobody waits for it; then the workers, who share ten seconds for what is in flight; then audio, HTTP, catalog.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "audio/audio.h"
#include "cli/mounting.h"
#include "fs/fs.h"
#include "migrate/migrate.h"
#include "policy/policy.h"
#include "sync/sync.h"
#include "util/log.h"
#include "util/times.h"

#define SHUTDOWN_MSECS 10000

struct mounted {
	const struct mount_service *service;
	struct audio *audio;
	struct fs *fs;
	struct migrate *migrate;
	struct policy *policy;
	struct sync_service *sync;
	bool is_ready;
};

static struct fs *volatile fs_to_stop; /* for the signal handler */

static void stop_by_signal(int number)
{
	struct fs *fs = fs_to_stop;

	(void)number;
	if (fs)
		fs_stop(fs);
}

static void set_handler(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void limits_set(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	setrlimit(RLIMIT_CORE, &none); /* credentials are in memory */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int begin_failed(const char *what, int error)
{
	cli_error("%s: %s", what, strerror(-error));
	return CLI_FAILED;
}

static int workers_start(struct mounted *m)
{
	struct cli *cli = m->service->cli;
	const struct migrate_settings migrate_settings = { 0 };
	int err;

	err = sync_service_start(cli->catalog, cli->http, &m->sync);
	if (err < 0)
		return begin_failed("the poll", err);
	if (m->service->options->read_only)
		return CLI_DONE;
	err = migrate_start(cli->catalog, cli->http, &migrate_settings, &m->migrate);
	if (err < 0)
		return begin_failed("the migration's workers", err);
	err = policy_start(cli->catalog, cli->http, &m->policy);
	if (err < 0)
		return begin_failed("the policy's workers", err);
	return CLI_DONE;
}

static int mounted_start(struct mounted *m)
{
	const struct mount_service *service = m->service;
	struct cli *cli = service->cli;
	const struct audio_settings audio_settings = {
		.budget_bytes = (size_t)catalog_setting_get_int(cli->catalog, "read_budget_bytes", 0),
		.read_timeout_msecs = (unsigned)catalog_setting_get_int(cli->catalog, "read_timeout_msecs", 0),
	};
	struct fs_settings fs_settings = {
		.mountpoint = service->mountpoint,
		.read_only = service->options->read_only,
		.allow_other = service->options->allow_other,
		.names = service->options->names,
		.options = (const char *const *)service->options->words,
	};
	char message[CATALOG_MESSAGE_SIZE] = "";
	int status = cli_http_open(cli);
	int err;

	if (status != CLI_DONE)
		return status;
	err = audio_new(cli->catalog, cli->http, &audio_settings, &m->audio);
	if (err < 0)
		return begin_failed("the audio streams", err);
	fs_settings.http = cli->http;
	err = fs_mount(cli->catalog, m->audio, &fs_settings, &m->fs, message);
	if (err < 0) {
		cli_error("%s", message[0] ? message : strerror(-err));
		return CLI_FAILED;
	}
	return workers_start(m);
}

static unsigned msecs_until(int64_t deadline_msecs)
{
	int64_t left = deadline_msecs - time_mono_msecs();

	return left > 0 ? (unsigned)left : 0;
}

static void mounted_stop(struct mounted *m)
{
	int64_t deadline = time_mono_msecs() + SHUTDOWN_MSECS;

	if (m->fs)
		fs_unmount_and_free(m->fs);
	sync_service_stop(m->sync);
	if (m->migrate)
		migrate_stop(m->migrate, msecs_until(deadline - 2000));
	if (m->policy)
		policy_stop(m->policy, msecs_until(deadline));
	if (m->audio)
		audio_free(m->audio);
}

static void ready(void *arg)
{
	struct mounted *m = arg;

	m->is_ready = true;
	if (m->service->on_ready)
		m->service->on_ready(m->service->arg);
	log_info("%s is mounted", m->service->mountpoint);
}

int mount_service_run(const struct mount_service *service)
{
	struct mounted m = { .service = service };
	sigset_t ending, before;
	int status, err;

	if (chdir("/") < 0) {
		cli_error("/: %s", strerror(errno));
		return CLI_FAILED;
	}
	limits_set();
	if (!service->cli->verbose)
		log_set_level(LOG_LEVEL_INFO);
	status = cli_catalog_open(service->cli);
	if (status != CLI_DONE)
		return status;

	/* Only this thread takes signals: the others inherit the mask. */
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ending, &before);
	status = mounted_start(&m);
	if (status == CLI_DONE) {
		fs_to_stop = m.fs;
		set_handler(stop_by_signal);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		err = fs_run(m.fs, ready, &m);
		/* From here on the end is under way, and a second signal does not make it faster. */
		pthread_sigmask(SIG_BLOCK, &ending, NULL);
		fs_to_stop = NULL;
		if (err < 0) {
			status = CLI_FAILED;
			if (m.is_ready)
				log_error("%s: %s", service->mountpoint, strerror(-err));
			else
				cli_error("%s: %s", service->mountpoint, strerror(-err));
		}
	}
	mounted_stop(&m);
	if (m.is_ready)
		log_info("%s is unmounted", service->mountpoint);
	return status;
}
