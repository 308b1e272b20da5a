/* Writes the counters of reading to a file, now and then, on a thread of its own. */
#include "service/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "audio/stats.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/files.h"
#include "util/log.h"
#include "util/pool.h"
#include "util/times.h"

#define INTERVAL_MSECS 15000

struct metrics {
	struct audio *audio;
	char *path;
	pthread_t thread;
	struct cancel cancel;
	int last_err;
};

/* Other users may read the file, so it leaves out the last failure, which names a recording. */
static int write_file(const struct metrics *m)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct audio_stats stats;

	audio_stats_get(m->audio, &stats);
	stats.last_failure.at_secs = 0;
	audio_stats_write(&stats, &text);
	return buf_failed(&text) ? -ENOMEM : files_replace_public(m->path, text.data, text.len);
}

static void write_or_log(struct metrics *m)
{
	int err = write_file(m);

	if (err && err != m->last_err)
		log_warning("%s cannot be written: %s", m->path, strerror(-err));
	m->last_err = err;
}

static void *work(void *arg)
{
	struct metrics *m = arg;
	int64_t due_msecs = time_mono_msecs();

	do {
		write_or_log(m);
		due_msecs += INTERVAL_MSECS;
	} while (!cancel_wait_until(&m->cancel, due_msecs));
	write_or_log(m);
	return NULL;
}

static void release(struct metrics *m)
{
	free(m->path);
	free(m);
}

int metrics_start(struct audio *audio, const char *path, struct metrics **ret_metrics)
{
	struct metrics *m = calloc(1, sizeof *m);
	int err = -ENOMEM;

	if (!m)
		return -ENOMEM;
	m->audio = audio;
	m->path = strdup(path);
	if (m->path)
		err = thread_start(&m->thread, "metrics", work, m);
	if (err) {
		release(m);
		return err;
	}
	*ret_metrics = m;
	return 0;
}

void metrics_stop(struct metrics *m)
{
	if (!m)
		return;
	cancel_set(&m->cancel);
	pthread_join(m->thread, NULL);
	release(m);
}
