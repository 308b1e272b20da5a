/*
 * How much a request asks for, and how many of a recording run side by side.
 *
 *   a recording of up to 8 MiB     one request for all of it when it is read from its start
 *   a larger one                   its first 8 MiB by eight requests side by side; when it is read
 *                                  on all that follows in rounds of eight, of up to 12 MiB each
 *                                  (less where several are read so at a time), sixteen times as far
 *                                  ahead as has been read in a row
 *   after a seek                   1 MiB and a little, more as the reader goes on
 *   a head, where the recordings   256 KiB: who looks at heads closes them, and an answer that is
 *   before were read so, too       longer would cost its connection
 *
 * Only S3 is asked so: what Twilio does with a range is not known, it may send all of it each time.
 * A server that has answered a range with all of it is asked for all of it from then on, once, and
 * who looks further back waits until it has come so far.
 *
 * Threads: the room's lock is held for all of these.
 */
#ifndef TONICFS_AUDIO_SPAN_H
#define TONICFS_AUDIO_SPAN_H

#include <stdbool.h>
#include <stdint.h>

struct audio_recording;

/* Its origin knows no ranges. */
bool audio_span_is_whole_only(const struct audio_recording *recording);
/* Where a request that begins at start is to end (behind its last byte). */
int64_t audio_span_end(const struct audio_recording *recording, int64_t start_bytes);
/* A reader asks for [offset, end): is it going on, or somewhere else? */
void audio_span_note(struct audio_recording *recording, int64_t offset_bytes, int64_t end_bytes);
/* Starts requests side by side for who reads on. */
void audio_span_advance(struct audio_recording *recording);
/* Closed by its last handle. */
void audio_span_close(struct audio_recording *recording);

#endif
