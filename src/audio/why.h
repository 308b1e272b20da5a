/* Why a recording cannot be read, as a sentence without numbers, call SIDs, credentials or URLs. */
#ifndef TONICFS_AUDIO_WHY_H
#define TONICFS_AUDIO_WHY_H

#include "audio/audio.h"
#include "catalog/recording.h"

struct buf;

#define AUDIO_GONE_TEXT \
	"deleted at Twilio, not by this catalog, and not found in its bucket: another catalog of " \
	"the account may move recordings to another bucket or prefix: set the same with 'tonicfs " \
	"storage set', then run 'tonicfs sync --full' and 'tonicfs verify --repair'"
#define AUDIO_LOST_TEXT \
	"missing at Twilio and in S3: it was in the bucket and is not there any more, or the " \
	"bucket is another one now: 'tonicfs verify --repair' takes it over when it is there again"

/* By the catalog: missing, archived, removed. Appends nothing if the recording can be read. */
void audio_why_by_catalog(struct catalog *catalog, const struct catalog_recording *recording,
			  struct buf *out);
/* The same; if that is nothing, the last failure to read it, with its time ("2026-12-01T10:15:00Z:
 * read from S3 failed: …"), unless the bytes have been read since. */
void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out);

#endif
