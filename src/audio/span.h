/*
 * How many bytes a request asks for, and how many requests of a recording run in parallel.
 *
 *   a recording of up to 8 MiB     one request for all of it when it is read from its start
 *   a larger one                   its first 8 MiB by eight parallel requests; when reading goes
 *                                  on, the rest in rounds of eight, of up to 12 MiB each (less if
 *                                  several recordings are read so), up to sixteen times as far
 *                                  ahead as was read in a row
 *   after a seek                   1 MiB and a little more, growing as the reader goes on
 *   a head, if only heads of the   256 KiB: the reader will close the file, and cutting off a
 *   last recordings were read      longer answer costs its connection
 *
 * Only S3 is asked for ranges, because Twilio may answer a range with the whole recording. A server
 * that has done so is asked for the whole recording from then on, by one request; a reader of later
 * bytes waits until the request has come to them.
 *
 * Threads: audio->lock is held for all of these.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct audio_recording;

/* True if its origin answers ranges with the whole recording. */
bool audio_span_is_whole_only(const struct audio_recording *recording);
/* The end (exclusive) of a request that begins at start. */
int64_t audio_span_end(const struct audio_recording *recording, int64_t start_bytes);
/* A reader reads [offset, end): notes whether it goes on or has jumped. */
void audio_span_note(struct audio_recording *recording, int64_t offset_bytes, int64_t end_bytes);
/* Starts parallel requests for a reader that goes on. */
void audio_span_advance(struct audio_recording *recording);
/* Its last handle is closed. */
void audio_span_close(struct audio_recording *recording);
