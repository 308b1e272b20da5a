/* Why a recording cannot be read: by the catalog, or the last failure. */
#include "audio/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audio/audio-private.h"
#include "storage/why.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/text.h"
#include "util/times.h"

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

static const char *advice(enum audio_from from, const struct remote_error *error)
{
	if (error->kind != REMOTE_NOT_FOUND)
		return "";
	return from == AUDIO_FROM_S3
		       ? "; 'tonicfs verify' compares the bucket with the catalog"
		       : "; it was deleted there, or another catalog of the account has moved it to "
			 "another bucket or prefix: 'tonicfs sync --full' looks for it";
}

void audio_note_error(struct audio *audio, const struct audio_subject *of, enum audio_from from,
		      const char *what, int err, const struct remote_error *error)
{
	const char *message = error->message[0] ? error->message : "no answer in time";
	bool has_code = error->code[0];

	audio_note_failed(audio, of, "%s: %s: %s%s%s%s%s", what, strerror(-err), message,
			  has_code ? " (" : "", error->code, has_code ? ")" : "",
			  advice(from, error));
}

void audio_why(struct audio *audio, const struct catalog_recording *recording, struct buf *out)
{
	size_t before = out->len;
	struct audio_reason reason;
	char at[TIME_ISO8601_SIZE];

	storage_why(audio->catalog, recording, out);
	if (out->len > before || !audio_reasons_get(&audio->reasons, recording->id, &reason))
		return;
	/* Sync may have learned the size in the meantime. */
	if (reason.offset_bytes == AUDIO_REASON_NO_OFFSET && audio_size_is_possible(recording))
		return;
	time_format_iso8601(reason.at_secs, at);
	buf_addf(out, "%s: %s", at, reason.text);
}
