/* Opening and reading recordings as the file system does, and waiting for the answer. Whatever fails
 * or takes too long fails the test. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "audio/audio.h"

/* The parts of an answer in one piece, with a byte more than they have; the caller's. */
char *helper_gather(const struct iovec *parts, unsigned count, size_t *ret_n);

/* A moment, for who looks again and again whether something is so. */
void helper_nap(void);

struct audio_file *helper_audio_open(struct audio *audio, int64_t recording_id);

/* A read that is on its way; several may be. */
struct helper_read {
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t cond;
	bool is_done;
	int error;
	size_t wanted, n;
	char *bytes; /* freed by helper_read_end */
};
void helper_read_begin(struct helper_read *read, struct audio_file *file, int64_t offset_bytes,
		       size_t size_bytes);
/* Waits; all of it must come, and be `expected` where that is not NULL. Returns its last byte. */
char helper_read_end(struct helper_read *read, const char *expected);
