/*
 * Requests that are interrupted, in the order that is worst: the kernel is a socket here, which
 * speaks its protocol, and audio is one that goes on when the test says so. No file is touched after
 * it has been closed, and each request has one answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audio/audio.h"
#include "audio/why.h"
#include "catalog/tree.h"
#include "fs/fs.h"
#include "helper_queue.h"
#include "util/pool.h"

#define PATIENCE_SECS 30
#define SIZE 320044

/* ---- audio ---- */

struct audio_file {
	bool is_closed;
	unsigned used_after_close;
};

static struct {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;
	struct audio_file file;          /* never freed: its use after the close is counted */
	bool is_open_held, is_read_held; /* by the test */
	unsigned opens, reads, read_returns, cancels, closes;
	audio_open_fn *open_callback;
	void *open_arg;
	audio_read_fn *read_callback; /* of the one that waits; NULL: none */
	void *read_arg;
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

static void wait_until(bool (*is_so)(void))
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECS;
	pthread_mutex_lock(&fake.lock);
	while (!is_so())
		assert_int_equal(pthread_cond_timedwait(&fake.cond, &fake.lock, &until), 0);
	pthread_mutex_unlock(&fake.lock);
}

static void use(struct audio_file *file)
{
	file->used_after_close += file->is_closed;
}

/* Lock held, and taken again. */
static void end_read(int error)
{
	audio_read_fn *callback = fake.read_callback;

	if (!callback)
		return;
	fake.read_callback = NULL;
	pthread_mutex_unlock(&fake.lock);
	callback(fake.read_arg, error, NULL, 0);
	pthread_mutex_lock(&fake.lock);
}

void audio_open(struct audio *audio, int64_t recording_id, audio_open_fn *callback, void *arg)
{
	(void)audio, (void)recording_id;
	pthread_mutex_lock(&fake.lock);
	fake.opens++;
	fake.open_callback = callback;
	fake.open_arg = arg;
	fake.file = (struct audio_file){ .is_closed = false };
	pthread_cond_broadcast(&fake.cond);
	if (!fake.is_open_held)
		callback(arg, 0, &fake.file, SIZE);
	pthread_mutex_unlock(&fake.lock);
}

uint64_t audio_read(struct audio_file *file, int64_t offset_bytes, size_t size_bytes,
		    audio_read_fn *callback, void *arg)
{
	(void)offset_bytes, (void)size_bytes;
	pthread_mutex_lock(&fake.lock);
	fake.reads++;
	pthread_cond_broadcast(&fake.cond);
	while (fake.is_read_held)
		pthread_cond_wait(&fake.cond, &fake.lock);
	use(file);
	fake.read_callback = callback;
	fake.read_arg = arg;
	fake.read_returns++;
	pthread_cond_broadcast(&fake.cond);
	pthread_mutex_unlock(&fake.lock);
	return 1;
}

void audio_cancel(struct audio_file *file, uint64_t read_id)
{
	pthread_mutex_lock(&fake.lock);
	use(file);
	fake.cancels++;
	end_read(-EINTR);
	pthread_mutex_unlock(&fake.lock);
}

void audio_flush(struct audio_file *file)
{
	pthread_mutex_lock(&fake.lock);
	use(file);
	end_read(-EINTR);
	pthread_mutex_unlock(&fake.lock);
}

void audio_close(struct audio_file *file)
{
	pthread_mutex_lock(&fake.lock);
	use(file);
	end_read(-EINTR);
	file->is_closed = true;
	fake.closes++;
	pthread_cond_broadcast(&fake.cond);
	pthread_mutex_unlock(&fake.lock);
}

void audio_interrupt(struct audio *audio)
{
	pthread_mutex_lock(&fake.lock);
	end_read(-EINTR);
	pthread_mutex_unlock(&fake.lock);
}

void audio_file_listed(struct audio_file *file)
{
}

void audio_size(struct audio *audio, int64_t recording_id, audio_size_fn *callback, void *arg)
{
	(void)audio, (void)recording_id;
	callback(arg, 0, SIZE);
}

void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out)
{
	(void)audio, (void)recording, (void)out;
}

static bool is_opening(void)
{
	return fake.opens;
}

static bool is_reading(void)
{
	return fake.reads;
}

static bool has_read(void)
{
	return fake.read_returns;
}

static bool is_closed(void)
{
	return fake.closes;
}

static void hold(bool *what, bool is_held)
{
	pthread_mutex_lock(&fake.lock);
	*what = is_held;
	pthread_cond_broadcast(&fake.cond);
	pthread_mutex_unlock(&fake.lock);
}

/* ---- the kernel ---- */

struct world {
	struct queue_fixture *catalog;
	struct fs *fs;
	int kernel; /* our end */
	pthread_t thread;
	uint64_t inode;
	bool is_ready;  /* fake.lock */
	bool has_ended; /* and is freed */
};

static void on_ready(void *arg)
{
	struct world *w = arg;

	pthread_mutex_lock(&fake.lock);
	w->is_ready = true;
	pthread_mutex_unlock(&fake.lock);
}

static void *serve(void *arg)
{
	struct world *w = arg;

	return fs_run(w->fs, on_ready, w) ? w : NULL;
}

static void ask(struct world *w, uint32_t opcode, uint64_t unique, const void *body, size_t size)
{
	char message[sizeof(struct fuse_in_header) + 128];
	struct fuse_in_header head = { .len = (uint32_t)(sizeof head + size),
				       .opcode = opcode,
				       .unique = unique,
				       .nodeid = w->inode,
				       .uid = getuid() };

	memcpy(message, &head, sizeof head);
	memcpy(message + sizeof head, body, size);
	assert_int_equal(send(w->kernel, message, head.len, 0), head.len);
}

/* The next answer, which is that of the request. Returns its error. */
static int answer(struct world *w, uint64_t unique, void *ret_body, size_t size)
{
	struct pollfd waiting = { .fd = w->kernel, .events = POLLIN };
	char message[4096];
	struct fuse_out_header head;
	ssize_t n;

	assert_int_equal(poll(&waiting, 1, PATIENCE_SECS * 1000), 1);
	n = recv(w->kernel, message, sizeof message, 0);
	assert_true(n >= (ssize_t)sizeof head);
	memcpy(&head, message, sizeof head);
	assert_int_equal(head.unique, unique);
	if (!head.error && ret_body)
		memcpy(ret_body, message + sizeof head, size);
	return head.error;
}

static void interrupt(struct world *w, uint64_t unique)
{
	const struct fuse_interrupt_in in = { .unique = unique };

	ask(w, FUSE_INTERRUPT, unique | 1, &in, sizeof in);
}

static void begin_open(struct world *w, uint64_t unique)
{
	const struct fuse_open_in in = { .flags = O_RDONLY };

	ask(w, FUSE_OPEN, unique, &in, sizeof in);
}

static uint64_t open_file(struct world *w, uint64_t unique)
{
	struct fuse_open_out out;

	begin_open(w, unique);
	assert_int_equal(answer(w, unique, &out, sizeof out), 0);
	return out.fh;
}

static void begin_read(struct world *w, uint64_t unique, uint64_t fh)
{
	const struct fuse_read_in in = { .fh = fh, .size = 4096 };

	ask(w, FUSE_READ, unique, &in, sizeof in);
}

static void close_file(struct world *w, uint64_t unique, uint64_t fh)
{
	const struct fuse_flush_in flush = { .fh = fh };
	const struct fuse_release_in release = { .fh = fh };

	ask(w, FUSE_FLUSH, unique, &flush, sizeof flush);
	assert_int_equal(answer(w, unique, NULL, 0), 0);
	ask(w, FUSE_RELEASE, unique + 2, &release, sizeof release);
	assert_int_equal(answer(w, unique + 2, NULL, 0), 0);
}

/* ---- life ---- */

static int world_setup(void **state)
{
	const struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION, .minor = 31 };
	struct world *w = calloc(1, sizeof *w);
	char place[32], message[CATALOG_MESSAGE_SIZE], sid[SID_SIZE];
	struct fs_settings settings = { .mountpoint = place };
	struct sid recording = queue_sid(3, 1);
	struct catalog_node node;
	int ends[2];

	assert_non_null(w);
	assert_int_equal(queue_fixture_setup((void **)&w->catalog), 0);
	queue_add(w->catalog, w->catalog->workspace_id, 1, 1, QUEUE_NUMBER);
	sid_format(&recording, "RE", sid);
	assert_int_equal(catalog_node_resolve(w->catalog->catalog, sid, &node), 0);
	w->inode = node.inode;
	fake.is_open_held = fake.is_read_held = false;
	fake.opens = fake.reads = fake.read_returns = fake.cancels = fake.closes = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	w->kernel = ends[0];
	/* So libfuse is given a descriptor that is mounted already. */
	snprintf(place, sizeof place, "/dev/fd/%d", ends[1]);
	assert_int_equal(fs_mount(w->catalog->catalog, NULL, &settings, &w->fs, message), 0);
	assert_int_equal(thread_start(&w->thread, "fuse", serve, w), 0);
	ask(w, FUSE_INIT, 2, &init, sizeof init);
	assert_int_equal(answer(w, 2, NULL, 0), 0);
	*state = w;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;
	void *failed = NULL;

	if (!w->has_ended) {
		fs_stop(w->fs);
		assert_int_equal(pthread_join(w->thread, &failed), 0);
		fs_unmount_and_free(w->fs);
	}
	assert_null(failed);
	assert_true(w->is_ready);
	close(w->kernel);
	queue_fixture_teardown((void **)&w->catalog);
	assert_int_equal(fake.file.used_after_close, 0);
	free(w);
	return 0;
}

static void test_fs__a_read_that_is_interrupted_keeps_its_file_while_it_begins(void **state)
{
	struct world *w = *state;
	uint64_t fh = open_file(w, 10);

	hold(&fake.is_read_held, true);
	begin_read(w, 12, fh);
	wait_until(is_reading);
	interrupt(w, 12);
	assert_int_equal(answer(w, 12, NULL, 0), -EINTR);
	close_file(w, 14, fh);
	hold(&fake.is_read_held, false);
	wait_until(is_closed);
	assert_int_equal(fake.file.used_after_close, 0);
	/* Nobody wants its bytes. */
	assert_int_equal(fake.cancels, 1);
	assert_null(fake.read_callback);
}

static void test_fs__a_read_that_waits_is_interrupted_and_cancelled(void **state)
{
	struct world *w = *state;
	uint64_t fh = open_file(w, 10);

	begin_read(w, 12, fh);
	wait_until(has_read);
	interrupt(w, 12);
	assert_int_equal(answer(w, 12, NULL, 0), -EINTR);
	close_file(w, 14, fh);
	wait_until(is_closed);
	assert_null(fake.read_callback);
}

static void test_fs__what_is_interrupted_before_it_begins_is_answered_and_not_begun(void **state)
{
	struct world *w = *state;
	uint64_t fh = open_file(w, 10);

	interrupt(w, 12);
	begin_read(w, 12, fh);
	assert_int_equal(answer(w, 12, NULL, 0), -EINTR);
	close_file(w, 14, fh);
	wait_until(is_closed);
	/* Two workers take them: where the read was first after all, it was cancelled. */
	assert_true(!fake.reads || fake.cancels);
}

static void test_fs__an_open_that_was_interrupted_closes_what_it_gets(void **state)
{
	struct world *w = *state;

	hold(&fake.is_open_held, true);
	begin_open(w, 10);
	wait_until(is_opening);
	interrupt(w, 10);
	assert_int_equal(answer(w, 10, NULL, 0), -EINTR);
	fake.open_callback(fake.open_arg, 0, &fake.file, SIZE);
	wait_until(is_closed);
}

static void test_fs__a_file_that_is_open_at_the_end_is_closed(void **state)
{
	struct world *w = *state;
	uint64_t fh = open_file(w, 10);

	begin_read(w, 12, fh);
	wait_until(has_read);
	fs_stop(w->fs);
	assert_int_equal(answer(w, 12, NULL, 0), -EINTR);
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	w->has_ended = true;
	fs_unmount_and_free(w->fs);
	assert_int_equal(fake.closes, 1);
}

/* The open's answer comes when everything else is over. */
static void *answer_late(void *arg)
{
	fake.open_callback(fake.open_arg, 0, &fake.file, SIZE);
	return NULL;
}

static void test_fs__a_file_that_is_given_at_the_end_is_closed_once(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	hold(&fake.is_open_held, true);
	begin_open(w, 10);
	wait_until(is_opening);
	fs_stop(w->fs);
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	w->has_ended = true;
	assert_int_equal(pthread_create(&thread, NULL, answer_late, NULL), 0);
	fs_unmount_and_free(w->fs);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(fake.closes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_fs__a_read_that_is_interrupted_keeps_its_file_while_it_begins,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_fs__a_read_that_waits_is_interrupted_and_cancelled, world_setup,
			world_teardown),
		cmocka_unit_test_setup_teardown(
			test_fs__what_is_interrupted_before_it_begins_is_answered_and_not_begun,
			world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_fs__an_open_that_was_interrupted_closes_what_it_gets, world_setup,
			world_teardown),
		cmocka_unit_test_setup_teardown(test_fs__a_file_that_is_open_at_the_end_is_closed,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_fs__a_file_that_is_given_at_the_end_is_closed_once, world_setup,
			world_teardown),
	};

	return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
