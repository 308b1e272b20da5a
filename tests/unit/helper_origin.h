/*
 * S3 and Twilio in one server of helper_server.h, for recordings whose bytes are known: each request
 * is answered with random delays, in random pieces, and wrongly as often as is said. What an answer
 * is like follows from the seed and the number of the request; in which order requests come does not.
 *
 * S3's objects are /bucket/key-N, Twilio's recordings those of queue_sid(3, N), N from 1. What is
 * beyond `count` has the bytes of the last one.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "helper_server.h"

struct origin_recording {
	const char *bytes;
	int64_t size_bytes;
};

struct helper_origin {
	const struct origin_recording *recordings; /* number 1 is the first */
	unsigned count;
	uint64_t seed;
	unsigned trouble_percent; /* of the answers */
	_Atomic unsigned gone; /* Twilio has this one no more, and ends its answers; 0: has all */
	_Atomic int64_t held_bytes[2]; /* answers that began earlier wait here; 0: nowhere */
};

/* A helper_handler; arg: a struct helper_origin. */
enum helper_then helper_origin_answer(struct helper_server *server, int fd,
				      const struct helper_request *request, void *arg);
