/*
 * Random schedules of the read engine: recordings are opened, read, cancelled, flushed and closed in
 * any order, from one or two threads, while the server answers late, in pieces, and wrongly. Each
 * follows from its number: SCHEDULE_SEED=N COUNT=1 plays number N again (threads and sockets do not
 * always keep to the same order), COUNT=M alone that many from a random one.
 *
 * Looks into the engine's own books, which no header promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/audio-private.h"
#include "catalog/size.h"
#include "helper_audio.h"
#include "helper_dice.h"
#include "helper_origin.h"
#include "helper_queue.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/times.h"

#define LANES 8 /* schedules at a time: they wait more than they work */
#define SCHEDULES 240
#define HANDLES 6
#define READS_AT_ONCE 12
#define READ_BYTES (128 * 1024)
#define STEPS 60
#define PATIENCE_MSECS 60000
#define MIB (1024 * 1024)
#define LEASE_MSECS (24 * 3600 * 1000)
#define BLOCK_BYTES AUDIO_BLOCK_BYTES

static const int64_t sizes[] = { 1, 44, 65536, 65537, 320044, 1048699, 3000000, 9000777 };
#define RECORDINGS ARRAY_SIZE(sizes)
#define AT_TWILIO 3 /* the first ones */
#define MOVERS 64   /* more, in each lane: one a schedule, which is moved while it is read */

static struct origin_recording recordings[RECORDINGS];
static _Atomic uint64_t reads_right, reads_failed, reads_given_up, bytes_right;

struct schedule {
	uint64_t seed;
	struct dice dice;
	bool is_calm;   /* the server does nothing wrong */
	unsigned mover; /* the number of the one that moves; 0: none is left */
	_Atomic bool is_interrupted;
	size_t budget_bytes;
	struct queue_fixture *catalog;
	struct helper_origin origin;
	struct helper_server *server;
	struct http *http;
	struct audio *audio;
};

static void check(bool is_right, const struct schedule *s, const char *what)
{
	if (is_right)
		return;
	fprintf(stderr, "# SCHEDULE_SEED=%" PRIu64 " COUNT=1: not so: %s\n", s->seed, what);
	abort();
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* ---- the engine's books ---- */

static void check_recording(const struct schedule *s, struct audio_recording *recording,
			    size_t *bytes, unsigned *streams)
{
	const struct audio_blocks *blocks = &recording->blocks;
	bool is_quiet = list_empty(&recording->streams) && list_empty(&recording->reads) &&
			recording->refs == 1; /* no answer is being given */
	unsigned reads = 0, waited_for = 0;

	for (uint32_t i = 0; i < blocks->count; i++) {
		const struct audio_slot *slot = audio_blocks_slot(blocks, i);

		if (!slot)
			continue;
		*bytes += slot->block ? BLOCK_BYTES : 0;
		check(!is_quiet || !slot->pins, s, "only reads, answers and streams pin");
	}
	list_for_each(pos, &recording->streams) {
		const struct audio_stream *stream = list_entry(pos, struct audio_stream, link);

		++*streams;
		waited_for += stream->reads;
		check(!stream->is_dead, s, "streams on the list live");
		check(!stream->attempt || stream->state == AUDIO_STREAM_RUNNING, s,
		      "requests belong to streams that run");
	}
	list_for_each(pos, &recording->reads) {
		const struct audio_waiting_read *read =
			list_entry(pos, struct audio_waiting_read, link);

		reads += read->turn.is_taken;
		check(read->turn.is_taken != read->turn.is_waiting, s,
		      "who waits is in line, or served");
		check(read->turn.is_taken ? read->stream && !read->stream->is_dead : !read->stream,
		      s, "who is served has a stream");
	}
	check(reads == waited_for, s, "streams know who waits for them");
	check(reads == 0 || recording->files, s, "who waits has it open");
	check(recording->files || recording->fetched.folder || recording->is_head, s,
	      "nothing is kept for nobody");
}

static void count_blocks(const struct list *blocks, size_t *bytes, size_t *pinned_bytes)
{
	list_for_each(pos, blocks) {
		const struct audio_block *block = list_entry(pos, struct audio_block, link);

		*bytes += BLOCK_BYTES;
		*pinned_bytes +=
			audio_blocks_slot(block->owner, block->index)->pins ? BLOCK_BYTES : 0;
	}
}

/* Returns what is pinned. */
static size_t check_store(const struct schedule *s)
{
	const struct audio_store *store = &s->audio->store;
	size_t bytes = 0, pinned = 0;

	count_blocks(&store->lru, &bytes, &pinned);
	count_blocks(&store->spent, &bytes, &pinned);
	check(bytes == store->used_bytes, s, "every block is counted once");
	return pinned;
}

/* Lock held. With room wanted for one more block the budget is exceeded by what is pinned only. */
static void check_budget(const struct schedule *s)
{
	struct audio *audio = s->audio;
	size_t pinned = check_store(s);

	list_for_each(pos, &audio->recordings) {
		struct audio_recording *recording = list_entry(pos, struct audio_recording, link);
		struct audio_blocks *blocks = &recording->blocks;

		const struct audio_slot *last =
			blocks->count ? audio_blocks_slot(blocks, blocks->count - 1) : NULL;

		if (blocks->count && !(last && last->block)) {
			audio_blocks_has_room(blocks, blocks->size_bytes - 1, 1);
			check(audio->store.used_bytes <= s->budget_bytes ||
				      audio->store.used_bytes == pinned,
			      s, "the budget is kept");
			return;
		}
	}
}

static void check_books(const struct schedule *s)
{
	struct audio *audio = s->audio;
	unsigned streams = 0, attempts = 0;
	size_t bytes = 0;

	pthread_mutex_lock(&audio->lock);
	list_for_each(pos, &audio->recordings)
		check_recording(s, list_entry(pos, struct audio_recording, link), &bytes, &streams);
	list_for_each(pos, &audio->attempt_list)
		attempts++;
	/* The others are of recordings that have been closed, until they are let go of. */
	check(bytes <= audio->store.used_bytes, s, "every recording's block is accounted");
	check(streams == audio->streams, s, "every stream is counted once");
	check(attempts == audio->attempts, s, "every request is counted once");
	check_budget(s);
	pthread_mutex_unlock(&audio->lock);
}

/* Nobody has anything open. */
static void check_end(const struct schedule *s)
{
	int64_t until = time_mono_msecs() + PATIENCE_MSECS;
	struct audio *audio = s->audio;
	struct audio_stats stats;
	unsigned attempts;
	size_t bytes;

	check_books(s);
	audio_stats_get(audio, &stats);
	check(stats.files_open == 0, s, "all are closed");
	audio_interrupt(audio);
	pthread_mutex_lock(&audio->lock);
	audio_ahead_stop(audio);
	audio_heads_release(audio);
	check(list_empty(&audio->recordings), s, "no recording is left");
	check(audio->streams == 0, s, "no stream is left");
	check(audio->ahead.held_bytes == 0, s, "nothing is held ahead");
	pthread_mutex_unlock(&audio->lock);
	do {
		nap();
		pthread_mutex_lock(&audio->lock);
		attempts = audio->attempts;
		bytes = audio->store.used_bytes;
		pthread_mutex_unlock(&audio->lock);
	} while ((attempts || bytes) && time_mono_msecs() < until);
	check(attempts == 0, s, "no request is left");
	check(bytes == 0, s, "no memory is left");
}

/* ---- one who reads ---- */

struct reading {
	struct list link; /* driver->readings */
	struct driver *driver;
	const struct origin_recording *recording;
	int64_t offset_bytes;
	size_t n;
	struct audio_file *file; /* NULL: closed */
	uint64_t id;
	_Atomic bool is_given_up;
	atomic_uint calls;
};

struct handle {
	struct audio_file *file;
	const struct origin_recording *recording;
	int64_t at;
};

struct driver {
	struct schedule *schedule;
	struct dice dice;
	bool is_first;
	struct handle handles[HANDLES];
	unsigned count;
	struct list readings;
	atomic_uint waiting;
	pthread_t thread;
};

static bool is_allowed(const struct reading *r, int error)
{
	if (error == -EINTR)
		return atomic_load(&r->is_given_up) ||
		       atomic_load(&r->driver->schedule->is_interrupted);
	if (r->driver->schedule->is_calm)
		return error == 0;
	return error == 0 || error == -EIO || error == -EBUSY || error == -EACCES ||
	       error == -ESTALE || error == -ETIMEDOUT;
}

static void on_read(void *arg, int error, const struct iovec *parts, unsigned count)
{
	struct reading *r = arg;
	const struct schedule *s = r->driver->schedule;
	int64_t left = r->recording->size_bytes - r->offset_bytes;
	size_t expected = left <= 0 ? 0 : (int64_t)r->n < left ? r->n : (size_t)left, n;
	char *bytes = helper_gather(parts, count, &n);

	check(atomic_fetch_add(&r->calls, 1) == 0, s, "a read is answered once");
	check(is_allowed(r, error), s, error ? strerror(-error) : "no error");
	if (error)
		expected = 0;
	check(n == expected, s, "an answer is as long as was asked for");
	check(bytes && memcmp(bytes, r->recording->bytes + r->offset_bytes, n) == 0, s,
	      "the bytes are those that were recorded");
	free(bytes);
	atomic_fetch_add(error == 0        ? &reads_right
			 : error == -EINTR ? &reads_given_up
					   : &reads_failed,
			 1);
	atomic_fetch_add(&bytes_right, n);
	atomic_fetch_sub(&r->driver->waiting, 1);
}

static struct handle *any_handle(struct driver *d)
{
	return &d->handles[dice_below(&d->dice, d->count)];
}

static void open_one(struct driver *d)
{
	/* In the large one there is most to go wrong. */
	unsigned number = dice_percent(&d->dice, 40)
				  ? RECORDINGS
				  : 1 + (unsigned)dice_below(&d->dice, RECORDINGS);
	const struct schedule *s = d->schedule;
	unsigned place;

	if (s->mover && dice_percent(&d->dice, 25))
		number = s->mover;
	place = number <= RECORDINGS ? number - 1 : RECORDINGS - 1;
	d->handles[d->count++] =
		(struct handle){ helper_audio_open(s->audio, queue_get(s->catalog, number).id),
				 &recordings[place], 0 };
}

static void give_up(struct driver *d, const struct audio_file *file, bool is_closed)
{
	list_for_each(pos, &d->readings) {
		struct reading *r = list_entry(pos, struct reading, link);

		if (r->file != file)
			continue;
		atomic_store(&r->is_given_up, true);
		if (is_closed)
			r->file = NULL;
	}
}

static void flush_one(struct driver *d, const struct handle *handle)
{
	give_up(d, handle->file, false);
	audio_flush(handle->file);
}

static void close_one(struct driver *d, struct handle *handle)
{
	struct audio_file *file = handle->file;

	give_up(d, file, true);
	*handle = d->handles[--d->count];
	audio_close(file);
}

static void cancel_one(struct driver *d)
{
	struct reading *chosen = NULL;
	unsigned seen = 0;

	list_for_each(pos, &d->readings) {
		struct reading *r = list_entry(pos, struct reading, link);

		if (r->file && !atomic_load(&r->calls) && dice_below(&d->dice, ++seen) == 0)
			chosen = r;
	}
	if (!chosen)
		return;
	atomic_store(&chosen->is_given_up, true);
	audio_cancel(chosen->file, chosen->id);
}

static void read_one(struct driver *d, struct handle *handle, int64_t offset, size_t n)
{
	struct reading *r = calloc(1, sizeof *r);

	check(r != NULL, d->schedule, "memory");
	r->driver = d;
	r->recording = handle->recording;
	r->offset_bytes = offset;
	r->n = n;
	r->file = handle->file;
	list_add(&d->readings, &r->link);
	atomic_fetch_add(&d->waiting, 1);
	r->id = audio_read(handle->file, offset, n, on_read, r);
	check(r->id != 0, d->schedule, "an id is never 0");
	handle->at = offset + (int64_t)n;
}

static void read_somewhere(struct driver *d)
{
	struct handle *handle = any_handle(d);
	size_t n = (size_t)dice_below(&d->dice, dice_percent(&d->dice, 30) ? 5000 : READ_BYTES);
	int64_t size = handle->recording->size_bytes, offset = handle->at;

	if (dice_percent(&d->dice, 40))
		offset = dice_below(&d->dice, size);
	else if (dice_percent(&d->dice, 10))
		offset = size - 1 + dice_below(&d->dice, 3);
	else if (dice_percent(&d->dice, 10))
		offset = 0;
	read_one(d, handle, offset, n);
}

/* As the kernel asks for what a program reads on: side by side. */
static void read_on(struct driver *d)
{
	struct handle *handle = any_handle(d);

	for (unsigned i = 0; i < 6; i++)
		read_one(d, handle, handle->at, READ_BYTES);
}

static void wait_until_at_most(struct driver *d, unsigned limit, int64_t msecs)
{
	int64_t until = time_mono_msecs() + msecs;

	while (atomic_load(&d->waiting) > limit && time_mono_msecs() < until)
		nap();
}

/* The state in the catalog comes first, then Twilio's copy goes. */
static void store(struct queue_fixture *f, unsigned number, int64_t size_bytes)
{
	struct catalog_scope scope = { CATALOG_SCOPE_RECORDING, queue_get(f, number).id };
	struct catalog_object object = queue_object(size_bytes);
	struct job job;
	int64_t queued;

	assert_int_equal(catalog_migrate_queue(f->catalog, scope, &queued), 0);
	job = queue_claim(f, CATALOG_JOB_MIGRATE, "owner", LEASE_MSECS);
	snprintf(object.key, sizeof object.key, "key-%u", number);
	assert_int_equal(migrate_job_stored(f->catalog, &job, &object, 2), 0);
}

static void move(struct schedule *s)
{
	struct job job;

	store(s->catalog, s->mover, sizes[RECORDINGS - 1]);
	job = queue_claim(s->catalog, CATALOG_JOB_CLEANUP_TWILIO, "owner", LEASE_MSECS);
	atomic_store(&s->origin.gone, s->mover);
	assert_int_equal(job_done(s->catalog->catalog, &job, NULL), 0);
}

static void interrupt_all(struct schedule *s)
{
	atomic_store(&s->is_interrupted, true);
	audio_interrupt(s->audio);
}

static void step(struct driver *d)
{
	int64_t what = dice_below(&d->dice, 100);

	if (d->count == 0 || (what < 15 && d->count < HANDLES)) {
		open_one(d);
	} else if (what < 65) {
		read_somewhere(d);
	} else if (what < 75 && atomic_load(&d->waiting) <= READS_AT_ONCE - 6) {
		read_on(d);
	} else if (what < 81) {
		cancel_one(d);
	} else if (what < 85) {
		flush_one(d, any_handle(d));
	} else if (what < 91) {
		close_one(d, any_handle(d));
	} else if (what < 96) {
		for (int64_t i = dice_below(&d->dice, 10); i > 0; i--)
			nap();
	} else {
		check_books(d->schedule);
	}
}

static void *drive(void *arg)
{
	struct driver *d = arg;
	struct schedule *s = d->schedule;

	int64_t count = 1 + dice_below(&d->dice, STEPS), move_at = dice_below(&d->dice, count);

	for (int64_t at = 0; at < count; at++) {
		step(d);
		if (at == move_at && d->is_first && s->mover)
			move(s);
		wait_until_at_most(d, READS_AT_ONCE - 1, s->is_calm ? PATIENCE_MSECS : 100);
		while (atomic_load(&d->waiting) >= READS_AT_ONCE && d->count)
			flush_one(d, any_handle(d));
	}
	if (dice_percent(&d->dice, 5))
		interrupt_all(s);
	else if (dice_percent(&d->dice, 60))
		wait_until_at_most(d, 0, s->is_calm ? PATIENCE_MSECS : 300);
	while (d->count)
		close_one(d, any_handle(d));
	wait_until_at_most(d, 0, PATIENCE_MSECS);
	list_for_each_safe(pos, &d->readings) {
		struct reading *r = list_entry(pos, struct reading, link);

		check(atomic_load(&r->calls) == 1, s, "every read is answered");
		free(r);
	}
	return NULL;
}

/* ---- one schedule ---- */

/* With what *s says of the weather and the budget. */
static void begin(struct schedule *s, unsigned read_timeout_msecs)
{
	struct http_settings http_settings = { .connect_timeout_msecs = 5000 };
	struct audio_settings settings = { .budget_bytes = s->budget_bytes,
					   .read_timeout_msecs = read_timeout_msecs };

	s->is_calm = s->origin.trouble_percent == 0;
	if (!s->is_calm)
		http_settings.stall_timeout_msecs = 200;
	s->origin.recordings = recordings;
	s->origin.count = RECORDINGS;
	s->origin.seed = s->seed;
	s->server = helper_server_new(helper_origin_answer, &s->origin);
	queue_set_origins(s->catalog, helper_server_url(s->server, ""));
	check(http_new(&http_settings, &s->http) == 0, s, "an HTTP engine");
	check(audio_new(s->catalog->catalog, s->http, &settings, &s->audio) == 0, s, "an engine");
}

static void end(struct schedule *s)
{
	check_end(s);
	audio_free(s->audio);
	http_free(s->http);
	helper_server_free(s->server);
}

static void begin_random(struct schedule *s, struct queue_fixture *catalog, uint64_t seed,
			 unsigned mover)
{
	static const unsigned weathers[] = { 0, 5, 20, 60 };
	static const size_t budgets[] = { 1, 200 * 1024, 2 << 20, 64 << 20 };
	unsigned read_timeout_msecs = PATIENCE_MSECS;

	*s = (struct schedule){ .seed = seed, .dice = { seed }, .catalog = catalog, .mover = mover };
	s->origin.trouble_percent = weathers[dice_below(&s->dice, ARRAY_SIZE(weathers))];
	s->budget_bytes = budgets[dice_below(&s->dice, ARRAY_SIZE(budgets))];
	if (s->origin.trouble_percent && dice_percent(&s->dice, 30))
		read_timeout_msecs = 150;
	begin(s, read_timeout_msecs);
}

static void run_schedule(struct queue_fixture *catalog, uint64_t seed, unsigned mover)
{
	struct driver drivers[2];
	struct schedule s;
	unsigned count;

	begin_random(&s, catalog, seed, mover);
	count = dice_percent(&s.dice, 50) ? 2 : 1;
	for (unsigned i = 0; i < count; i++) {
		struct driver *d = &drivers[i];

		*d = (struct driver){ .schedule = &s,
				      .dice = { dice_next(&s.dice) },
				      .is_first = i == 0 };
		list_init(&d->readings);
		check(pthread_create(&d->thread, NULL, drive, d) == 0, &s, "a thread");
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(drivers[i].thread, NULL);
	end(&s);
}

/* ---- all of them ---- */

static int make_recordings(void **state)
{
	struct dice dice = { 1 };

	for (unsigned i = 0; i < RECORDINGS; i++) {
		size_t size = (size_t)sizes[i];
		char *bytes = malloc(size + 8);

		assert_non_null(bytes);
		for (size_t at = 0; at < size; at += 8) {
			uint64_t next = dice_next(&dice);

			memcpy(bytes + at, &next, sizeof next);
		}
		memcpy(bytes, "RIFF", size < 4 ? size : 4);
		if (size >= 12)
			memcpy(bytes + 8, "WAVE", 4);
		recordings[i] = (struct origin_recording){ bytes, sizes[i] };
	}
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int free_recordings(void **state)
{
	for (unsigned i = 0; i < RECORDINGS; i++)
		free((void *)(uintptr_t)recordings[i].bytes);
	return 0;
}

static void fill_movers(struct queue_fixture *f)
{
	struct catalog_size known[MOVERS];

	queue_add(f, f->workspace_id, RECORDINGS + 1, MOVERS, QUEUE_NUMBER);
	for (unsigned i = 0; i < MOVERS; i++)
		known[i] = (struct catalog_size){ queue_get(f, RECORDINGS + 1 + i).id,
						  sizes[RECORDINGS - 1], 2, 2 };
	assert_int_equal(catalog_sizes_set(f->catalog, known, MOVERS), 0);
}

/* Some are at Twilio, some at both, some in S3 alone. */
static void fill_catalog(struct queue_fixture *f)
{
	queue_add(f, f->workspace_id, 1, RECORDINGS, QUEUE_NUMBER);
	fill_movers(f);
	for (unsigned i = 0; i < RECORDINGS; i++) {
		struct catalog_size size = { queue_get(f, i + 1).id, sizes[i], 2, 2 };
		struct job job;

		assert_int_equal(catalog_sizes_set(f->catalog, &size, 1), 0);
		if (i < AT_TWILIO)
			continue;
		store(f, i + 1, sizes[i]);
		job = queue_claim(f, CATALOG_JOB_CLEANUP_TWILIO, "owner", LEASE_MSECS);
		if (i % 2)
			assert_int_equal(job_done(f->catalog, &job, NULL), 0);
	}
}

struct lanes {
	uint64_t first, end;
	_Atomic uint64_t next;
};

struct lane {
	struct lanes *all;
	struct queue_fixture *catalog;
	pthread_t thread;
};

static void *run_lane(void *arg)
{
	struct lane *lane = arg;
	uint64_t seed;

	for (unsigned n = 1; (seed = atomic_fetch_add(&lane->all->next, 1)) < lane->all->end; n++)
		run_schedule(lane->catalog, seed, n <= MOVERS ? RECORDINGS + n : 0);
	return NULL;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 10) : otherwise;
}

static void test_audio_schedule__every_byte_is_right_and_nothing_is_left_behind(void **state)
{
	struct lane lanes[LANES];
	struct lanes all = {
		.first = from_environment("SCHEDULE_SEED", (uint64_t)time(NULL) * 1000),
	};

	all.end = all.first + from_environment("COUNT", SCHEDULES);
	atomic_init(&all.next, all.first);
	/* In TAP a line that begins so is for people. */
	fprintf(stderr, "# SCHEDULE_SEED=%" PRIu64 " COUNT=%" PRIu64 "\n", all.first,
		all.end - all.first);
	for (unsigned i = 0; i < LANES; i++) {
		void *fixture;

		assert_int_equal(queue_fixture_setup(&fixture), 0);
		lanes[i] = (struct lane){ .all = &all, .catalog = fixture };
		fill_catalog(lanes[i].catalog);
	}
	for (unsigned i = 0; i < LANES; i++)
		assert_int_equal(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]), 0);
	for (unsigned i = 0; i < LANES; i++) {
		void *fixture = lanes[i].catalog;

		pthread_join(lanes[i].thread, NULL);
		queue_fixture_teardown(&fixture);
	}
	fprintf(stderr,
		"# %" PRIu64 " reads right (%" PRIu64 " bytes), %" PRIu64 " failed, %" PRIu64
		" given up\n",
		reads_right, bytes_right, reads_failed, reads_given_up);
}

/* ---- one that a schedule has found ---- */

static bool waits_for_memory(const struct schedule *s, int64_t position)
{
	bool found = false;

	pthread_mutex_lock(&s->audio->lock);
	list_for_each(pos, &s->audio->recordings) {
		struct audio_recording *recording = list_entry(pos, struct audio_recording, link);

		list_for_each(item, &recording->streams) {
			const struct audio_stream *stream =
				list_entry(item, struct audio_stream, link);

			found |= stream->is_paused && !stream->reads &&
				 stream->position_bytes == position;
		}
	}
	pthread_mutex_unlock(&s->audio->lock);
	return found;
}

/* A read lies over the end of one request, and the next one, which another reader has begun, stands:
 * when it had a block full and nobody waited for it there was no memory. */
static void test_audio_schedule__who_is_handed_on_to_a_stream_that_stands_has_it_go_on(void **state)
{
	const struct origin_recording *recording = &recordings[RECORDINGS - 1];
	int64_t until = time_mono_msecs() + PATIENCE_MSECS;
	struct schedule s = { .catalog = *state, .budget_bytes = 1 };
	struct helper_read read, other;
	struct audio_file *a, *b;

	fill_catalog(s.catalog);
	begin(&s, PATIENCE_MSECS);
	atomic_store(&s.origin.held_bytes[0], MIB - AUDIO_BLOCK_BYTES);
	atomic_store(&s.origin.held_bytes[1], MIB + AUDIO_BLOCK_BYTES);
	a = helper_audio_open(s.audio, queue_get(s.catalog, RECORDINGS).id);
	b = helper_audio_open(s.audio, queue_get(s.catalog, RECORDINGS).id);
	helper_read_begin(&read, a, 0, AUDIO_BLOCK_BYTES);
	helper_read_end(&read, recording->bytes);
	helper_read_begin(&read, a, MIB - AUDIO_BLOCK_BYTES, 3 * AUDIO_BLOCK_BYTES);
	helper_read_begin(&other, b, MIB, AUDIO_BLOCK_BYTES);
	helper_read_end(&other, recording->bytes + MIB);
	atomic_store(&s.origin.held_bytes[1], 0);
	while (!waits_for_memory(&s, MIB + AUDIO_BLOCK_BYTES) && time_mono_msecs() < until)
		nap();
	assert_true(waits_for_memory(&s, MIB + AUDIO_BLOCK_BYTES));
	atomic_store(&s.origin.held_bytes[0], 0);
	helper_read_end(&read, recording->bytes + MIB - AUDIO_BLOCK_BYTES);
	audio_close(a);
	audio_close(b);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_audio_schedule__every_byte_is_right_and_nothing_is_left_behind),
		cmocka_unit_test_setup_teardown(
			test_audio_schedule__who_is_handed_on_to_a_stream_that_stands_has_it_go_on,
			queue_fixture_setup, queue_fixture_teardown),
	};

	return cmocka_run_group_tests_name("audio_schedule", tests, make_recordings,
					   free_recordings);
}
