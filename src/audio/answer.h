/*
 * The answer to a request for a recording's bytes, judged before a byte of it is believed: status,
 * content type, range, length, ETag, and the RIFF magic if the file's start passes by.
 *
 * Pure: neither locks nor I/O. The caller passes the head, then the bytes in order.
 */
#pragma once

#include "audio/origin.h"
#include "aws/s3.h"
#include "net/http.h"
#include "util/buf.h"

#define AUDIO_MAGIC_BYTES 12

struct audio_answer {
	/* The request. */
	enum audio_from from;
	bool is_encrypted;
	char etag[S3_ETAG_SIZE];
	int64_t start_bytes, end_bytes, size_bytes; /* the range, and the whole recording */

	/* The answer's head. */
	bool is_head_good;
	bool is_length_known;
	int64_t last_end_bytes; /* behind the last byte that the answer brings */
	int64_t skip_bytes;     /* before start_bytes: an answer with the whole recording */

	/* The file's first bytes, until there are enough to judge. */
	char start[AUDIO_MAGIC_BYTES];
	size_t start_len;

	struct remote_error judged; /* our own verdict, unless it is REMOTE_OK */

	/* An error's head and body, judged when the body has come. */
	bool is_error;
	struct http_response error_head; /* its headers: those below */
	struct http_header headers[4];
	char values[4][160];
	struct buf body;
};

/* Judges the head: afterwards is_error, is_head_good or judged is set. */
void audio_answer_take_head(struct audio_answer *a, const struct http_response *response);
/* Collects the file's first bytes, of which these n are the next; returns how many it took. Judges
 * them when start_len has become AUDIO_MAGIC_BYTES. */
size_t audio_answer_take_start(struct audio_answer *a, const char *bytes, size_t n);
/* Collects an error's body. False: it is long enough. */
bool audio_answer_take_error(struct audio_answer *a, const void *bytes, size_t n);
void audio_answer_judge_error(const struct audio_answer *a, struct remote_error *ret_error);
