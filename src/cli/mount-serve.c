/*
 * The process behind a mount: puts the file system and the background work together.
 *
 * Begins  catalog, network and reading, mount, background work; then it serves.
 * Ends    the mount first, so that no program waits for it; then the rest (service/ending.h).
 */
#include <string.h>

#include "cli/background.h"
#include "cli/mounting.h"
#include "fs/fs.h"
#include "service/ending.h"
#include "service/service.h"
#include "util/log.h"

struct mounted {
	const struct mount_request *request;
	struct service_settings settings;
	struct service *service;
	struct fs *fs;
	bool is_ready;
};

static struct fs *volatile fs_to_stop; /* for the signal handler */

static void stop_by_signal(int number)
{
	struct fs *fs = fs_to_stop;

	if (fs)
		fs_stop(fs);
}

/* By default nobody else may look in, with allow_other the owner's group. The owner always may. */
static mode_t others_of(const struct mount_options *options)
{
	const mode_t usual = options->allow_other ? 0027U : 0077U;

	return 0055 & ~(options->has_umask ? options->umask : usual);
}

static void add_metrics(void *arg, struct buf *out)
{
	struct mounted *m = arg;

	service_metrics(m->service, out);
}

static int mounted_start(struct mounted *m)
{
	const struct mount_request *request = m->request;
	const struct mount_options *options = request->options;
	struct fs_settings settings = {
		.mountpoint = request->mountpoint,
		.read_only = options->read_only,
		.allow_other = options->allow_other,
		.nonempty = options->nonempty,
		.others = others_of(options),
		.names = options->names,
		.refuse = options->refuse,
		.metrics = add_metrics,
		.metrics_arg = m,
		.ending = ending_step,
		.options = (const char *const *)options->words,
	};
	const struct service_parts *parts;
	char message[CATALOG_MESSAGE_SIZE] = "";
	int status = background_open(request->cli, &m->settings, &m->service), err;

	if (status != CLI_DONE)
		return status;
	parts = service_parts(m->service);
	settings.http = parts->http;
	err = fs_mount(parts->catalog, parts->audio, &settings, &m->fs, message);
	if (err < 0)
		return cli_error("%s", message[0] ? message : strerror(-err));
	return background_start(m->service);
}

static void ready(void *arg)
{
	struct mounted *m = arg;
	const char *address = service_parts(m->service)->address;

	m->is_ready = true;
	if (m->request->on_ready)
		m->request->on_ready(m->request->arg);
	if (address[0])
		log_info("listening on %s", address);
	log_info("%s is mounted", m->request->mountpoint);
}

static int serve(struct mounted *m)
{
	const char *mountpoint = m->request->mountpoint;
	int err;

	fs_to_stop = m->fs;
	cli_handle_signals(stop_by_signal, 0);
	service_allow_signals(m->service, true);
	err = fs_run(m->fs, ready, m);
	/* From here on the end is under way, and a second signal does not make it faster. */
	service_allow_signals(m->service, false);
	fs_to_stop = NULL;
	if (err == 0)
		return CLI_DONE;
	if (m->is_ready)
		log_error("%s: %s", mountpoint, strerror(-err));
	else
		cli_error("%s: %s", mountpoint, strerror(-err));
	return CLI_FAILED;
}

int mount_serve(const struct mount_request *request)
{
	struct mounted m = {
		.request = request,
		.settings = { .mountpoint = request->mountpoint,
			      .read_only = request->options->read_only,
			      .listen = request->listen,
			      .public_url = request->public_url,
			      .metrics_path = request->options->metrics },
	};
	int status = mounted_start(&m);

	if (status == CLI_DONE)
		status = serve(&m);
	if (m.fs)
		fs_unmount_and_free(m.fs);
	if (m.is_ready) /* before service_close, which ends the watch: the log may hang */
		log_info("%s is unmounted", request->mountpoint);
	service_close(m.service);
	return status;
}
