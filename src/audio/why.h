/* Why a recording cannot be read, in a sentence that has no number, call SID, credential or URL. */
#ifndef TONICFS_AUDIO_WHY_H
#define TONICFS_AUDIO_WHY_H

#include "audio/audio.h"
#include "catalog/recording.h"

struct buf;

/* As storage_why(); where that says nothing, the last failure to read it with its time, "2026-12-01T10:15:00Z: read from S3
 * failed: …", unless it has been read since. */
void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out);

#endif
