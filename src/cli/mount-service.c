/*
 * The process behind a mount: the file system and the background work beside it.
 *
 * Begins  catalog, HTTP engine, audio, mount, background work; then the loop.
 * Ends    the mount first, so that nobody waits for it; then the workers, who share ten seconds for what is in flight; then audio, HTTP, catalog:
 *         each a step that ending.h watches.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "audio/audio.h"
#include "cli/background.h"
#include "cli/ending.h"
#include "cli/mount-metrics.h"
#include "cli/mounting.h"
#include "fs/fs.h"
#include "util/log.h"

struct mounted {
	const struct mount_service *service;
	struct audio *audio;
	struct fs *fs;
	struct background background;
	struct mount_metrics *metrics;
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

static int begin_failed(const char *what, int error)
{
	cli_error("%s: %s", what, strerror(-error));
	return CLI_FAILED;
}

/* Nobody else, or, where others are let in, the owner's group may look. The owner may always. */
static mode_t others_of(const struct mount_options *options)
{
	const mode_t usual = options->allow_other ? 0027U : 0077U;

	return 0055 & ~(options->has_umask ? options->umask : usual);
}

static void add_metrics(void *arg, struct buf *out)
{
	struct mounted *m = arg;

	mount_metrics_text(m->audio, out);
}

static int mounted_start(struct mounted *m)
{
	const struct mount_service *service = m->service;
	struct cli *cli = service->cli;
	const struct audio_settings audio_settings = { 0 };
	struct fs_settings fs_settings = {
		.mountpoint = service->mountpoint,
		.read_only = service->options->read_only,
		.allow_other = service->options->allow_other,
		.nonempty = service->options->nonempty,
		.others = others_of(service->options),
		.names = service->options->names,
		.refuse = service->options->refuse,
		.metrics = add_metrics,
		.metrics_arg = m,
		.ending = ending_step,
		.options = (const char *const *)service->options->words,
	};
	const struct background_settings background_settings = {
		.mountpoint = service->mountpoint,
		.read_only = service->options->read_only,
		.listen = service->listen,
		.public_url = service->public_url,
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
	if (service->options->metrics) {
		err = mount_metrics_start(m->audio, service->options->metrics, &m->metrics);
		if (err < 0)
			return begin_failed("the counters", err);
	}
	return background_start(cli, &background_settings, &m->background);
}

static void mounted_stop(struct mounted *m)
{
	if (m->fs)
		fs_unmount_and_free(m->fs);
	background_stop(&m->background);
	ending_step("the metrics file");
	mount_metrics_stop(m->metrics);
	ending_step("requests for recordings");
	if (m->audio)
		audio_free(m->audio);
}

static void ready(void *arg)
{
	struct mounted *m = arg;

	m->is_ready = true;
	if (m->service->on_ready)
		m->service->on_ready(m->service->arg);
	if (m->background.address[0])
		log_info("listening on %s", m->background.address);
	log_info("%s is mounted", m->service->mountpoint);
}

int mount_service_run(const struct mount_service *service)
{
	struct mounted m = { .service = service };
	sigset_t ending, before;
	int status, err;

	status = background_open(service->cli);
	if (status != CLI_DONE)
		return status;
	background_block_signals(&ending, &before);
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
	background_close(service->cli);
	return status;
}
