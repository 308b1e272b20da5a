#include "helper_audio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_SECS 30

static void wait_done(pthread_mutex_t *lock, pthread_cond_t *cond, const bool *is_done)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECS;
	pthread_mutex_lock(lock);
	while (!*is_done)
		assert_int_equal(pthread_cond_timedwait(cond, lock, &until), 0);
	pthread_mutex_unlock(lock);
}

/* ---- opening ---- */

struct opening {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;
	bool is_done;
	int error;
	struct audio_file *file;
};

static void on_open(void *arg, int error, struct audio_file *file, int64_t size_bytes)
{
	struct opening *o = arg;

	pthread_mutex_lock(&o->lock);
	o->error = error;
	o->file = file;
	o->is_done = true;
	pthread_cond_signal(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

struct audio_file *helper_audio_open(struct audio *audio, int64_t recording_id)
{
	struct opening o = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

	audio_open(audio, recording_id, on_open, &o);
	wait_done(&o.lock, &o.cond, &o.is_done);
	assert_int_equal(o.error, 0);
	return o.file;
}

/* ---- reading ---- */

void helper_nap(void)
{
	nanosleep(&(const struct timespec){ 0, 2000000 }, NULL);
}

char *helper_gather(const struct iovec *parts, unsigned count, size_t *ret_n)
{
	size_t n = 0;
	char *bytes;

	for (unsigned i = 0; i < count; i++)
		n += parts[i].iov_len;
	bytes = malloc(n + 1);
	*ret_n = 0;
	for (unsigned i = 0; bytes && i < count; i++) {
		memcpy(bytes + *ret_n, parts[i].iov_base, parts[i].iov_len);
		*ret_n += parts[i].iov_len;
	}
	return bytes;
}

static void on_read(void *arg, int error, const struct iovec *parts, unsigned count)
{
	struct helper_read *r = arg;

	pthread_mutex_lock(&r->lock);
	r->error = error;
	r->bytes = helper_gather(parts, count, &r->n);
	r->is_done = true;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
}

void helper_read_begin(struct helper_read *read, struct audio_file *file, int64_t offset_bytes,
		       size_t size_bytes)
{
	*read = (struct helper_read){ .lock = PTHREAD_MUTEX_INITIALIZER,
				      .cond = PTHREAD_COND_INITIALIZER,
				      .wanted = size_bytes };
	audio_read(file, offset_bytes, size_bytes, on_read, read);
}

char helper_read_end(struct helper_read *read, const char *expected)
{
	char last;

	wait_done(&read->lock, &read->cond, &read->is_done);
	assert_int_equal(read->error, 0);
	assert_int_equal(read->n, read->wanted);
	assert_non_null(read->bytes);
	if (expected)
		assert_memory_equal(read->bytes, expected, read->n);
	last = read->n ? read->bytes[read->n - 1] : '\0';
	free(read->bytes);
	return last;
}
