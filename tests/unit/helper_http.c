#include "helper_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_LIMIT_SECS 20

struct http *helper_http_new(const struct http_settings *settings)
{
	struct http *http = NULL;

	assert_int_equal(http_new(settings, &http), 0);
	assert_non_null(http);
	return http;
}

int helper_http_get(struct http *http, const char *url, struct remote_error *ret_error)
{
	struct http_request request = { .method = HTTP_GET, .url = url };
	struct remote_error error;
	struct http_reply reply;
	int r = http_perform(http, &request, 1024 * 1024, NULL, &reply,
			     ret_error ? ret_error : &error);

	http_reply_release(&reply);
	return r;
}

static int on_head(void *arg, struct http_transfer *transfer, const struct http_response *response)
{
	struct helper_transfer *t = arg;

	pthread_mutex_lock(&t->lock);
	t->heads++;
	t->status = response->status;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static enum http_data on_data(void *arg, struct http_transfer *transfer, const void *bytes,
			      size_t n)
{
	struct helper_transfer *t = arg;
	enum http_data then = HTTP_DATA_OK;

	pthread_mutex_lock(&t->lock);
	if (t->pauses) {
		t->pauses--;
		t->is_paused = true;
		then = HTTP_DATA_PAUSE;
		pthread_cond_broadcast(&t->cond);
	} else {
		buf_add(&t->body, bytes, n);
	}
	pthread_mutex_unlock(&t->lock);
	return then;
}

static void on_done(void *arg, const struct remote_error *error)
{
	struct helper_transfer *t = arg;

	pthread_mutex_lock(&t->lock);
	t->done++;
	t->error = *error;
	pthread_cond_broadcast(&t->cond);
	pthread_mutex_unlock(&t->lock);
}

void helper_transfer_start_paused(struct helper_transfer *t, struct http *http,
				  const struct http_request *request, unsigned pauses)
{
	struct http_request copy = *request;

	*t = (struct helper_transfer){ .body = BUF_INIT,
				       .error = REMOTE_ERROR_INIT,
				       .pauses = pauses };
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, NULL);
	copy.on_head = on_head;
	copy.on_data = on_data;
	copy.on_done = on_done;
	copy.arg = t;
	assert_int_equal(http_submit(http, &copy, &t->transfer), 0);
}

void helper_transfer_start(struct helper_transfer *t, struct http *http,
			   const struct http_request *request)
{
	helper_transfer_start_paused(t, http, request, 0);
}

static void wait_for(struct helper_transfer *t, bool pause)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_LIMIT_SECS;
	pthread_mutex_lock(&t->lock);
	while (!(pause ? t->is_paused : t->done) && r == 0)
		r = pthread_cond_timedwait(&t->cond, &t->lock, &until);
	t->is_paused = false;
	pthread_mutex_unlock(&t->lock);
	assert_int_equal(r, 0);
}

void helper_transfer_wait(struct helper_transfer *t)
{
	wait_for(t, false);
}

void helper_transfer_wait_paused(struct helper_transfer *t)
{
	wait_for(t, true);
}

void helper_transfer_release(struct helper_transfer *t)
{
	helper_transfer_wait(t);
	http_transfer_unref(t->transfer);
	buf_release(&t->body);
	pthread_cond_destroy(&t->cond);
	pthread_mutex_destroy(&t->lock);
}
