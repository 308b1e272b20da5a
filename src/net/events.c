/*
 * The waits of the engine: for the sockets and the timer of curl, and for a wake-up by other
 * threads.
 *
 * curl_multi_perform would check every running transfer whenever one of them can continue; so curl
 * is told which sockets are ready instead. A socket with anything but plain EPOLLIN is passed on
 * without flags: curl then polls it itself, and reads an answer that came before the end of the
 * connection.
 */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/http-private.h"
#include "util/times.h"

#define EVENTS_AT_ONCE 64

/* ---- called by curl ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_events *events = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy, (void)socket_arg;
	if (what == CURL_POLL_REMOVE) {
		/* ENOENT: the socket is closed, which removed it. */
		epoll_ctl(events->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(events->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int on_timer(CURLM *multi, long msecs, void *arg)
{
	struct http_events *events = arg;

	/* One millisecond more, as the time is truncated: curl does nothing when too early. */
	events->timer_msecs = msecs < 0 ? INT64_MAX : time_mono_msecs() + msecs + (msecs > 0);
	return 0;
}

/* ---- called by the loop ---- */

int http_events_init(struct http_events *events, CURLM *multi)
{
	struct epoll_event event = { .events = EPOLLIN };

	events->multi = multi;
	events->timer_msecs = INT64_MAX;
	events->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	events->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.fd = events->wake_fd;
	if (events->epoll_fd < 0 || events->wake_fd < 0 ||
	    epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, events->wake_fd, &event))
		return -errno;
	if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
	    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, events) ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, events))
		return -ENOMEM;
	return 0;
}

void http_events_release(struct http_events *events)
{
	if (events->epoll_fd >= 0)
		close(events->epoll_fd);
	if (events->wake_fd >= 0)
		close(events->wake_fd);
}

void http_events_wake(struct http_events *events)
{
	uint64_t one = 1;

	/* EAGAIN: enough wake-ups are pending. */
	(void)!write(events->wake_fd, &one, sizeof one);
}

void http_events_run_timer(struct http_events *events)
{
	int running;

	if (events->timer_msecs > time_mono_msecs())
		return;
	events->timer_msecs = INT64_MAX;
	curl_multi_socket_action(events->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

/* The timeout for epoll_wait; -1: none. */
static int timeout_msecs(int64_t deadline_msecs)
{
	int64_t left = deadline_msecs - time_mono_msecs();

	if (deadline_msecs == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

void http_events_wait(struct http_events *events, int64_t deadline_msecs)
{
	struct epoll_event ready[EVENTS_AT_ONCE];
	uint64_t wakes;
	int count, running;

	if (events->timer_msecs < deadline_msecs)
		deadline_msecs = events->timer_msecs;
	count = epoll_wait(events->epoll_fd, ready, EVENTS_AT_ONCE, timeout_msecs(deadline_msecs));
	for (int i = 0; i < count; i++) {
		if (ready[i].data.fd == events->wake_fd)
			(void)!read(events->wake_fd, &wakes, sizeof wakes);
		else
			curl_multi_socket_action(events->multi, ready[i].data.fd,
						 ready[i].events == EPOLLIN ? CURL_CSELECT_IN : 0,
						 &running);
	}
}
