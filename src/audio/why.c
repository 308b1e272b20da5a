/* Why a recording cannot be read: by the catalog, or the last failure. */
#include "audio/why.h"

#include <stdarg.h>
#include <stdio.h>

#include "audio/audio-private.h"
#include "catalog/archive.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/text.h"
#include "util/times.h"

/* ---- by the catalog ---- */

static void add_archived(struct catalog *catalog, const struct catalog_recording *recording,
			 struct buf *out)
{
	struct catalog_archive archive;
	char sid[SID_SIZE];

	if (catalog_archive_get(catalog, recording->id, &archive) || !archive.is_archived)
		return;
	sid_format(&recording->sid, "RE", sid);
	if (archive.restore == CATALOG_RESTORE_ONGOING || archive.restore == CATALOG_RESTORE_WANTED)
		buf_addf(
			out,
			"archived in S3 (%s), and being restored: 'tonicfs restore %s' looks again",
			archive.storage_class, sid);
	else
		buf_addf(out, "archived in S3 (%s): 'tonicfs restore %s' asks for it",
			 archive.storage_class, sid);
}

void audio_why_by_catalog(struct catalog *catalog, const struct catalog_recording *recording,
			  struct buf *out)
{
	switch (recording->state) {
	case CATALOG_STATE_MISSING:
		/* A listed recording has been in this catalog's bucket. */
		buf_add_str(out, recording->is_listed ? AUDIO_LOST_TEXT : AUDIO_GONE_TEXT);
		break;
	case CATALOG_STATE_S3: /* in state stored, an archived recording is read from Twilio */
		add_archived(catalog, recording, out);
		break;
	case CATALOG_STATE_DELETED:
		buf_add_str(out, "it was removed, and stays hidden");
		break;
	case CATALOG_STATE_TWILIO:
	case CATALOG_STATE_UPLOADING:
	case CATALOG_STATE_STORED:
		break;
	}
}

/* ---- failures ---- */

void audio_note_failed(struct audio *audio, const struct audio_subject *of, const char *format, ...)
{
	struct audio_reason reason = {
		.sid = of->sid,
		.offset_bytes = of->offset_bytes,
		.at_secs = time_now_secs(),
	};
	char sid[SID_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, sizeof reason.text, format, args);
	va_end(args);
	text_clean(reason.text);
	sid_format(&of->sid, "RE", sid);
	if (of->workspace)
		log_warning("workspace %s: recording %s: %s", of->workspace, sid, reason.text);
	audio_reasons_note(&audio->reasons, of->recording_id, &reason);
}

void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out)
{
	size_t before = out->len;
	struct audio_reason reason;
	char at[TIME_ISO8601_SIZE];

	audio_why_by_catalog(audio->catalog, recording, out);
	if (out->len > before || !audio_reasons_get(&audio->reasons, recording->id, &reason))
		return;
	/* Sync may have learned the size in the meantime. */
	if (reason.offset_bytes == AUDIO_REASON_NO_OFFSET && audio_size_is_possible(recording))
		return;
	time_format_iso8601(reason.at_secs, at);
	buf_addf(out, "%s: %s", at, reason.text);
}
