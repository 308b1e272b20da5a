/* The engine: a thread that owns the multi handle of curl and every transfer, and a list of
 * commands from other threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/http-private.h"
#include "util/pool.h"
#include "util/times.h"

#define UPLOAD_SCAN_MSECS 1000 /* how often the progress of an upload is checked */
/* A larger difference of boot clock and monotonic clock means that the machine slept. */
#define SLEEP_MIN_MSECS 2000

/* ---- the loop ---- */

static void scan_before(struct http *http, int64_t msecs)
{
	if (msecs < http->next_scan_msecs)
		http->next_scan_msecs = msecs;
}

/* Removes an active or waiting transfer from its queue and frees its curl handle. */
static void detach(struct http_transfer *t)
{
	list_remove(&t->link);
	if (t->easy) {
		curl_multi_remove_handle(t->http->multi, t->easy);
		http_handle_free(t);
		t->origin->active--;
	}
	t->origin = NULL;
}

/* Ends a transfer: calls on_done and drops the reference of the loop. */
static void finish(struct http_transfer *t, const struct remote_error *error)
{
	detach(t);
	t->is_done = true;
	t->request.on_done(t->request.arg, error);
	http_transfer_unref(t);
}

static void finish_with(struct http_transfer *t, enum remote_kind kind, int err, const char *code,
			const char *message)
{
	struct remote_error error;

	remote_fail(&error, kind, err, code, "%s: %s", t->url.origin, message);
	finish(t, &error);
}

static void finish_cancelled(struct http_transfer *t)
{
	finish_with(t, REMOTE_CANCELLED, -ECANCELED, "cancelled", "cancelled");
}

static void finish_failed(struct http_transfer *t, int err)
{
	finish_with(t, err == -ENOMEM ? REMOTE_TRANSIENT : REMOTE_REJECTED, err, "setup",
		    "the request cannot be set up");
}

static struct http_origin *origin_get(struct http *http, const char *name)
{
	struct http_origin *origin;

	list_for_each_entry(struct http_origin, known, &http->origins, link)
		if (strcmp(known->name, name) == 0)
			return known;
	origin = calloc(1, sizeof *origin);
	if (!origin)
		return NULL;
	origin->name = strdup(name);
	if (!origin->name) {
		free(origin);
		return NULL;
	}
	list_init(&origin->urgent);
	list_init(&origin->waiting);
	list_add(&http->origins, &origin->link);
	return origin;
}

static void enqueue(struct http_transfer *t)
{
	struct http_origin *origin = origin_get(t->http, t->url.origin);

	if (!origin) {
		finish_failed(t, -ENOMEM);
		return;
	}
	t->origin = origin;
	list_add(t->request.urgent ? &origin->urgent : &origin->waiting, &t->link);
	scan_before(t->http, t->deadline_msecs);
}

static void start(struct http_transfer *t)
{
	struct http *http = t->http;
	int err = http_handle_new(t);

	if (err) {
		finish_failed(t, err);
		return;
	}
	list_remove(&t->link);
	list_add(&http->active, &t->link);
	t->origin->active++;
	if (curl_multi_add_handle(http->multi, t->easy)) {
		finish_failed(t, -ENOMEM);
		return;
	}
	scan_before(http, t->active_msecs + (t->request.body_len ? UPLOAD_SCAN_MSECS
								 : t->request.stall_timeout_msecs));
}

static void start_waiting(struct http *http)
{
	list_for_each_entry_safe(struct http_origin, origin, &http->origins, link) {
		while (origin->active < http->origin_limit) {
			struct list *queue =
				list_empty(&origin->urgent) ? &origin->waiting : &origin->urgent;

			if (list_empty(queue))
				break;
			start(list_entry(queue->next, struct http_transfer, link));
		}
		if (!origin->active && list_empty(&origin->urgent) &&
		    list_empty(&origin->waiting)) {
			list_remove(&origin->link);
			free(origin->name);
			free(origin);
		}
	}
}

/* Follows Location: never from https to plain http, nor from another host to loopback. */
static void follow(struct http_transfer *t)
{
	struct http_url url = HTTP_URL_INIT;
	char *location = NULL, *copy;
	int err = -EINVAL;

	if (!curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &location) && location)
		err = http_url_parse(location, &url);
	if (!err && !url.is_https && (t->url.is_https || !url.is_loopback || !t->url.is_loopback))
		err = -EPERM;
	copy = err ? NULL : strdup(location);
	if (!copy) {
		http_url_release(&url);
		finish_with(t, REMOTE_INVALID, -EIO, "redirect",
			    "a redirect that must not be followed");
		return;
	}
	if (strcmp(url.origin, t->url.origin) != 0)
		t->has_left_origin = true;
	detach(t);
	http_free_secret(t->request.url);
	t->request.url = copy;
	http_url_release(&t->url);
	t->url = url;
	t->request.max_redirects--;
	t->request.urgent = true; /* it has waited for its turn once */
	enqueue(t);
}

static void handle_end(struct http_transfer *t, CURLcode code)
{
	struct remote_error error = REMOTE_ERROR_INIT;

	/* A redirect is complete with its head, however its body ends. */
	if (t->is_redirect) {
		follow(t);
		return;
	}
	http_error_from_curl(t, code, &error);
	finish(t, &error);
}

static void handle_ended(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct http_transfer *t = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		handle_end(t, code);
	}
}

static void resume(struct http_transfer *t)
{
	CURLcode code;

	if (!t->is_paused || !t->easy)
		return;
	t->is_paused = false;
	t->active_msecs = time_mono_msecs();
	/* Calls on_data. curl reports a failure of that call only by the return value. */
	code = curl_easy_pause(t->easy, CURLPAUSE_CONT);
	if (code)
		handle_end(t, code);
	else
		scan_before(t->http, t->active_msecs + t->request.stall_timeout_msecs);
}

/* False: the loop is to end. */
static bool handle_commands(struct http *http)
{
	struct list taken = LIST_INIT(taken);
	bool is_stopping;

	pthread_mutex_lock(&http->lock);
	is_stopping = http->is_stopping;
	while (!list_empty(&http->commands)) {
		struct list *first = http->commands.next;
		struct http_transfer *t = list_entry(first, struct http_transfer, command_link);
		unsigned commands = t->commands;

		list_remove(first);
		t->commands = 0;
		pthread_mutex_unlock(&http->lock);
		if (commands & COMMAND_SUBMIT)
			enqueue(t);
		if (!t->is_done && (commands & COMMAND_CANCEL))
			finish_cancelled(t);
		else if (!t->is_done && (commands & COMMAND_RESUME))
			resume(t);
		http_transfer_unref(t);
		pthread_mutex_lock(&http->lock);
	}
	pthread_mutex_unlock(&http->lock);
	return !is_stopping;
}

/* on_read is called for large pieces only, which take long on a slow line. */
static void look_at_upload(struct http_transfer *t, int64_t now)
{
	curl_off_t sent = 0;

	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if (sent != t->uploaded_bytes)
		t->active_msecs = now;
	t->uploaded_bytes = sent;
}

/* Ends the transfer if its time is over, else schedules the next check. */
static void check_time(struct http_transfer *t, int64_t now)
{
	struct remote_error error = REMOTE_ERROR_INIT;
	int64_t limit = t->deadline_msecs;

	if (now >= limit) {
		http_error_timeout(t, t->easy ? "not done in time" : "no turn in time", &error);
		finish(t, &error);
		return;
	}
	/* While connecting, curl has a limit of its own; a pause is not the fault of the peer. */
	if (t->easy && t->is_connected && !t->is_paused) {
		int64_t stall_at;

		if (t->request.body_len)
			look_at_upload(t, now);
		stall_at = t->active_msecs + t->request.stall_timeout_msecs;
		if (now >= stall_at) {
			http_error_timeout(t, "nothing came or went for too long", &error);
			finish(t, &error);
			return;
		}
		if (stall_at < limit)
			limit = stall_at;
		if (t->request.body_len && now + UPLOAD_SCAN_MSECS < limit)
			limit = now + UPLOAD_SCAN_MSECS;
	} else if (t->easy && !t->is_connected && now + t->request.stall_timeout_msecs < limit) {
		limit = now + t->request.stall_timeout_msecs;
	}
	scan_before(t->http, limit);
}

static void check_list(struct list *transfers, int64_t now)
{
	list_for_each_entry_safe(struct http_transfer, t, transfers, link)
		check_time(t, now);
}

static void check_times(struct http *http)
{
	int64_t now = time_mono_msecs();

	if (now < http->next_scan_msecs)
		return;
	http->next_scan_msecs = INT64_MAX;
	check_list(&http->active, now);
	list_for_each_entry(struct http_origin, origin, &http->origins, link) {
		check_list(&origin->urgent, now);
		check_list(&origin->waiting, now);
	}
}

void http_distrust_connections(struct http *http, int64_t now_msecs)
{
	http->resumed_msecs = now_msecs;
}

static int64_t asleep_msecs(void)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return boot.tv_sec * INT64_C(1000) + boot.tv_nsec / 1000000 - time_mono_msecs();
}

/* While the machine sleeps, the boot clock runs and the monotonic clock stands still. */
static void notice_sleep(struct http *http)
{
	int64_t asleep = asleep_msecs();

	if (asleep - http->asleep_msecs > SLEEP_MIN_MSECS)
		http_distrust_connections(http, time_mono_msecs());
	http->asleep_msecs = asleep;
}

static void cancel_list(struct list *transfers)
{
	while (!list_empty(transfers))
		finish_cancelled(list_entry(transfers->next, struct http_transfer, link));
}

static void cancel_all(struct http *http)
{
	cancel_list(&http->active);
	list_for_each_entry(struct http_origin, origin, &http->origins, link) {
		cancel_list(&origin->urgent);
		cancel_list(&origin->waiting);
	}
	start_waiting(http); /* frees the origins, as nothing waits */
}

static void *loop(void *arg)
{
	struct http *http = arg;

	while (handle_commands(http)) {
		notice_sleep(http);
		start_waiting(http);
		http_events_run_timer(&http->events);
		handle_ended(http);
		check_times(http);
		start_waiting(http);
		http_events_wait(&http->events, http->next_scan_msecs);
		handle_ended(http);
	}
	cancel_all(http);
	return NULL;
}

/* ---- the engine ---- */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_code;

static void global_init(void)
{
	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
	return value ? value : otherwise;
}

int http_new(const struct http_settings *settings, struct http **ret_http)
{
	static const struct http_settings defaults;
	struct http *http;
	int err = -ENOMEM;

	if (!settings)
		settings = &defaults;
	pthread_once(&global_once, global_init);
	if (global_code)
		return -ENOMEM;
	http = calloc(1, sizeof *http);
	if (!http)
		return -ENOMEM;
	atomic_init(&http->refs, 1);
	pthread_mutex_init(&http->lock, NULL);
	list_init(&http->commands);
	list_init(&http->origins);
	list_init(&http->active);
	http->next_scan_msecs = INT64_MAX;
	http->asleep_msecs = asleep_msecs();
	http->connect_timeout_msecs = or_default(settings->connect_timeout_msecs, 10000);
	http->stall_timeout_msecs = or_default(settings->stall_timeout_msecs, 30000);
	http->total_timeout_msecs = or_default(settings->total_timeout_msecs, 60000);
	http->origin_limit = or_default(settings->origin_limit, 64);
	http->user_agent =
		strdup(settings->user_agent ? settings->user_agent : "tonicfs/" TONICFS_VERSION);
	http->ca_file = settings->ca_file ? strdup(settings->ca_file) : NULL;
	http->events = (struct http_events)HTTP_EVENTS_INIT;
	http->multi = curl_multi_init();
	if (http->user_agent && (!settings->ca_file || http->ca_file) && http->multi &&
	    !curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 2L * http->origin_limit))
		err = http_events_init(&http->events, http->multi);
	if (!err)
		err = thread_start(&http->thread, "http", loop, http);
	if (err) {
		curl_multi_cleanup(http->multi);
		http_events_release(&http->events);
		http_unref(http);
		return err;
	}
	*ret_http = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	pthread_mutex_lock(&http->lock);
	http->is_stopping = true;
	http_events_wake(&http->events);
	pthread_mutex_unlock(&http->lock);
	pthread_join(http->thread, NULL);
	curl_multi_cleanup(http->multi);
	http_events_release(&http->events);
	http_unref(http);
}
