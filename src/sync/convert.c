/* Converts calls and recordings of Twilio to the catalog's structs. */
#include <string.h>

#include "sync/sync-private.h"

/* A longer duration is an error, and could make sums overflow. */
#define DURATION_LIMIT_SECS (366 * 24 * 3600)

static int64_t duration_of(int64_t secs)
{
	return secs <= DURATION_LIMIT_SECS ? secs : -1;
}

void sync_convert_recording(const struct twilio_recording *recording,
			    struct catalog_recording_input *ret_input)
{
	bool is_deleted = recording->status == TWILIO_RECORDING_DELETED;

	*ret_input = (struct catalog_recording_input){
		.sid = recording->sid,
		.call_sid = recording->call_sid,
		.is_completed = recording->status == TWILIO_RECORDING_COMPLETED,
		.is_deleted = is_deleted,
		.is_absent = recording->status == TWILIO_RECORDING_ABSENT ||
			     recording->status == TWILIO_RECORDING_FAILED,
		.is_encrypted = recording->is_encrypted,
		.kind = strcmp(recording->source, "RecordVerb") == 0 ? CATALOG_KIND_VOICEMAIL
								     : CATALOG_KIND_RECORDING,
		.duration_secs = duration_of(recording->duration_secs),
		/* Either replaces the other if that is null. */
		.date_created_secs = recording->date_created_secs ? recording->date_created_secs
								  : recording->start_time_secs,
		.start_time_secs = recording->start_time_secs ? recording->start_time_secs
							      : recording->date_created_secs,
		.channels = recording->channels,
		.encryption_key_sid = recording->encryption_key_sid,
		.encryption_cek = recording->encryption_cek,
		.encryption_iv = recording->encryption_iv,
	};
}

void sync_convert_call(const struct twilio_call *call, struct catalog_call_input *ret_input)
{
	*ret_input = (struct catalog_call_input){
		.sid = call->sid,
		.from = call->from,
		.to = call->to,
		.direction = call->direction,
		.status = call->status,
		.start_secs = call->start_time_secs,
		.date_created_secs = call->date_created_secs,
		.duration_secs = duration_of(call->duration_secs),
		.is_finished = twilio_call_is_finished(call->status),
	};
}
