/* The part of `status` that asks the mounts for their counters. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "audio/stats.h"
#include "cli/amounts.h"
#include "cli/cli.h"
#include "cli/status.h"
#include "util/cleanup.h"
#include "util/mounts.h"
#include "util/times.h"

#define ATTRIBUTE "user.tonicfs.metrics"
#define TEXT_BYTES (64 * 1024)
#define LIMIT_MSECS 1500

struct status_mount {
	char *mountpoint;
	pid_t child; /* asks the mount; 0: there is none */
	int fd;      /* the child writes an errno and the text to it; -1: closed */
	char *text;
	size_t len;
	int err; /* 0: the counters are in stats */
	struct audio_stats stats;
};

/* ---- asking ---- */

/* The child closes all that it inherited: it may hang for as long as the mount does. */
static _Noreturn void ask(const char *mountpoint, int fd)
{
	static struct {
		int err;
		char text[TEXT_BYTES];
	} answer;
	ssize_t n;
	size_t len = sizeof answer.err;

	dup2(fd, 0);
	close_range(1, ~0U, 0);
	n = getxattr(mountpoint, ATTRIBUTE, answer.text, sizeof answer.text);
	if (n < 0)
		answer.err = errno;
	else
		len += (size_t)n;
	_exit(write(0, &answer, len) == (ssize_t)len ? 0 : 1);
}

static void start(struct status_mount *m)
{
	int ends[2];

	m->fd = -1;
	m->text = malloc(sizeof m->err + TEXT_BYTES + 1);
	m->err = m->text ? -EIO : -ENOMEM;
	if (!m->text)
		return;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		m->err = -errno;
		return;
	}
	m->child = fork();
	if (m->child == 0)
		ask(m->mountpoint, ends[1]);
	if (m->child < 0) {
		m->err = -errno;
		m->child = 0;
		close(ends[0]);
	} else {
		m->fd = ends[0];
		m->err = -ETIMEDOUT;
	}
	close(ends[1]);
}

static void take(struct status_mount *m)
{
	size_t room = sizeof m->err + TEXT_BYTES - m->len;
	ssize_t n = read(m->fd, m->text + m->len, room);
	int err;

	if (n > 0) {
		m->len += (size_t)n;
		return;
	}
	close(steal_fd(&m->fd));
	m->err = -EIO;
	if (n < 0 || m->len < sizeof err)
		return;
	memcpy(&err, m->text, sizeof err);
	m->text[m->len] = '\0';
	m->err = err ? -err : audio_stats_parse(m->text + sizeof err, &m->stats);
}

static void wait_for_all(struct status_mounts *mounts)
{
	int64_t end = time_mono_msecs() + LIMIT_MSECS, now;
	cleanup_free struct pollfd *fds = calloc(mounts->count + 1, sizeof *fds);
	bool is_waiting = fds != NULL;

	while (is_waiting && (now = time_mono_msecs()) < end) {
		is_waiting = false;
		for (size_t i = 0; i < mounts->count; i++) {
			fds[i] = (struct pollfd){ .fd = mounts->list[i].fd, .events = POLLIN };
			is_waiting |= fds[i].fd >= 0;
		}
		if (!is_waiting || poll(fds, mounts->count, (int)(end - now)) <= 0)
			continue;
		for (size_t i = 0; i < mounts->count; i++)
			if (fds[i].revents)
				take(&mounts->list[i]);
	}
}

/* A child that hangs in its mount does not end even by SIGKILL; init adopts it later. */
static void stop(struct status_mount *m)
{
	if (m->fd >= 0) {
		close(m->fd);
		kill(m->child, SIGKILL);
	}
	if (m->child)
		waitpid(m->child, NULL, m->fd >= 0 ? WNOHANG : 0);
	m->fd = -1;
}

int status_mounts_ask(const char *catalog_path, struct status_mounts *ret_mounts)
{
	cleanup_free char **places = NULL;
	size_t count = 0;
	int err = mounts_of(catalog_path, &places, &count);

	*ret_mounts = (struct status_mounts){ calloc(count + 1, sizeof *ret_mounts->list), 0 };
	if (!err && !ret_mounts->list)
		err = -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (err) {
			free(places[i]);
			continue;
		}
		ret_mounts->list[i].mountpoint = places[i];
		start(&ret_mounts->list[i]);
		ret_mounts->count++;
	}
	if (err)
		return cli_error("the mounts cannot be found: %s", strerror(-err));
	wait_for_all(ret_mounts);
	for (size_t i = 0; i < count; i++)
		stop(&ret_mounts->list[i]);
	return CLI_DONE;
}

void status_mounts_release(struct status_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->list[i].mountpoint);
		free(mounts->list[i].text);
	}
	free(mounts->list);
}

static const char *reason(const struct status_mount *m)
{
	switch (m->err) {
	case -ETIMEDOUT:
		return "it does not answer";
	case -ENODATA:
	case -ENOTSUP:
	case -EINVAL:
		return "it has no counters that this version knows";
	default:
		return strerror(-m->err);
	}
}

/* ---- for people ---- */

static void print_origin(const char *name, const struct audio_origin_stats *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < AUDIO_OUTCOME_COUNT; i++)
		sum += s->requests[i];
	if (!sum && !s->bytes)
		return;
	printf("  requests to %-24s %11s  %9s", name, count_text(sum), bytes_text(s->bytes));
	for (int i = AUDIO_OUTCOME_WORKED + 1; i < AUDIO_OUTCOME_COUNT; i++)
		if (s->requests[i])
			printf(", %s %s", count_text(s->requests[i]),
			       audio_outcome_name((enum audio_outcome)i));
	printf("\n");
}

static const char *bound(const struct histogram *h, unsigned permille, char ret_text[AMOUNT_SIZE])
{
	int64_t msecs = histogram_bound(h, permille);

	if (msecs == INT64_MAX)
		snprintf(ret_text, AMOUNT_SIZE, "over 60 s");
	else if (msecs < 1000)
		snprintf(ret_text, AMOUNT_SIZE, "%d ms", (int)msecs);
	else
		snprintf(ret_text, AMOUNT_SIZE, "%d.%d s", (int)(msecs / 1000),
			 (int)(msecs % 1000 / 100));
	return ret_text;
}

static void print_times(const char *what, const struct histogram *h)
{
	char half[AMOUNT_SIZE], most[AMOUNT_SIZE], all[AMOUNT_SIZE];

	if (h->count)
		printf("  %-36s half within %s, 95%% %s, 99%% %s\n", what, bound(h, 500, half),
		       bound(h, 950, most), bound(h, 990, all));
}

static void print_last_failure(const struct audio_reason *last)
{
	char sid[SID_SIZE], at[TIME_ISO8601_SIZE];

	if (!last->at_secs)
		return;
	sid_format(&last->sid, "RE", sid);
	time_format_iso8601(last->at_secs, at);
	printf("  last failure %s: %s: %s\n", at, sid, last->text);
}

static void print_mount(const struct status_mount *m)
{
	const struct audio_stats *s = &m->stats;

	if (m->err) {
		printf("mount %s: %s\n", m->mountpoint, reason(m));
		return;
	}
	printf("mount %s\n", m->mountpoint);
	printf("  %-36s %11s\n", "files open", count_text(s->files_open));
	printf("  %-36s %11s, %s from memory, %s failed\n", "reads", count_text(s->reads),
	       count_text(s->reads_from_memory), count_text(s->reads_failed));
	if (s->reads_waiting)
		printf("  %-36s %11s\n", "  wait for their turn", count_text(s->reads_waiting));
	print_times("  answered", &s->read);
	print_origin("Twilio", &s->origins[AUDIO_FROM_TWILIO]);
	print_times("  first byte", &s->origins[AUDIO_FROM_TWILIO].first_byte);
	print_origin("S3", &s->origins[AUDIO_FROM_S3]);
	print_times("  first byte", &s->origins[AUDIO_FROM_S3].first_byte);
	if (s->ahead_files)
		printf("  %-36s %11s, %s opened, %s in vain\n", "files fetched ahead",
		       count_text(s->ahead_files), count_text(s->ahead_hits),
		       bytes_text(s->ahead_wasted_bytes));
	printf("  %-36s %11s of %s, %s at most\n", "memory", bytes_text(s->memory_bytes),
	       bytes_text(s->memory_budget_bytes), bytes_text(s->memory_peak_bytes));
	print_last_failure(&s->last_failure);
}

void status_mounts_print(const struct status_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		print_mount(&mounts->list[i]);
}

/* ---- JSON ---- */

/* null: beyond the last bound. */
static json_t *bound_json(const struct histogram *h, unsigned permille)
{
	int64_t msecs = histogram_bound(h, permille);

	return msecs == INT64_MAX ? json_null() : json_integer(msecs);
}

static json_t *times_json(const struct histogram *h)
{
	return json_pack("{s:I, s:o, s:o, s:o}", "count", (json_int_t)h->count, "median_msecs",
			 bound_json(h, 500), "p95_msecs", bound_json(h, 950), "p99_msecs",
			 bound_json(h, 990));
}

static json_t *origin_json(const struct audio_origin_stats *s)
{
	json_t *requests = json_object();

	for (int i = 0; i < AUDIO_OUTCOME_COUNT; i++)
		json_object_set_new(requests, audio_outcome_name((enum audio_outcome)i),
				    json_integer((json_int_t)s->requests[i]));
	return json_pack("{s:o, s:I, s:o}", "requests", requests, "bytes", (json_int_t)s->bytes,
			 "first_byte", times_json(&s->first_byte));
}

static json_t *last_failure_json(const struct audio_reason *last)
{
	if (!last->at_secs)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "recording_sid", view_sid_json(&last->sid, "RE"),
			 "time", view_time_json(last->at_secs), "why", view_name_json(last->text));
}

static json_t *mount_json(const struct status_mount *m)
{
	const struct audio_stats *s = &m->stats;

	if (m->err)
		return json_pack("{s:o, s:b, s:s}", "mountpoint", view_name_json(m->mountpoint),
				 "answers", 0, "reason", reason(m));
	return json_pack(
		"{s:o, s:b, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:{s:I, s:I, s:I},"
		" s:{s:I, s:I, s:I}}",
		"mountpoint", view_name_json(m->mountpoint), "answers", 1, "files_open",
		(json_int_t)s->files_open, "reads", (json_int_t)s->reads, "reads_failed",
		(json_int_t)s->reads_failed, "last_failure", last_failure_json(&s->last_failure),
		"reads_from_memory", (json_int_t)s->reads_from_memory, "reads_waiting",
		(json_int_t)s->reads_waiting, "answered", times_json(&s->read), "twilio",
		origin_json(&s->origins[AUDIO_FROM_TWILIO]), "s3",
		origin_json(&s->origins[AUDIO_FROM_S3]), "ahead", "files",
		(json_int_t)s->ahead_files, "hits", (json_int_t)s->ahead_hits, "wasted_bytes",
		(json_int_t)s->ahead_wasted_bytes, "memory", "bytes", (json_int_t)s->memory_bytes,
		"peak_bytes", (json_int_t)s->memory_peak_bytes, "budget_bytes",
		(json_int_t)s->memory_budget_bytes);
}

json_t *status_mounts_json(const struct status_mounts *mounts)
{
	return view_array_json(mounts->list, mounts->count, mount_json);
}
