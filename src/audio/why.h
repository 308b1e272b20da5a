/* Why a recording cannot be read, as a sentence without numbers, call SIDs, credentials or URLs. */
#pragma once

#include "audio/audio.h"
#include "catalog/recording.h"

struct buf;

/* Appends storage_why(); if that is nothing, the last failure to read the recording, with its time
 * ("2026-12-01T10:15:00Z: read from S3 failed: …"), unless the bytes have been read since. */
void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out);
