/* After a 404 for media: has the recording not spread to all servers yet, or is it gone? */
#include <errno.h>
#include <string.h>

#include "twilio/twilio-private.h"
#include "util/times.h"
#include "util/wait.h"

#define FRESH_SECS 600 /* completed so recently, a 404 means that it has not spread yet */
#define SPREAD_TRIES_FRESH 10
#define SPREAD_TRIES 2
#define SPREAD_PAUSE_MSECS 1000
#define SPREAD_PAUSE_LIMIT_MSECS 8000

struct fate {
	bool is_gone, is_unfinished, is_external, is_fresh;
	int64_t now_secs;
	const struct twilio_client *client;
};

static int on_fate(void *arg, const struct twilio_recording *recordings, size_t count)
{
	const struct twilio_recording *recording = recordings;
	struct fate *fate = arg;
	int64_t touched = recording->date_updated_secs > recording->date_created_secs
				  ? recording->date_updated_secs
				  : recording->date_created_secs;

	switch (recording->status) {
	case TWILIO_RECORDING_DELETED:
	case TWILIO_RECORDING_ABSENT:
	case TWILIO_RECORDING_FAILED:
		fate->is_gone = true;
		break;
	case TWILIO_RECORDING_COMPLETED:
		break;
	default:
		fate->is_unfinished = true;
	}
	if (strncmp(recording->media_url, "http", 4) == 0 &&
	    !http_url_same_origin(recording->media_url, fate->client->origin) &&
	    !strstr(recording->media_url, ".twilio.com/"))
		fate->is_external = true;
	fate->is_fresh = touched > fate->now_secs - FRESH_SECS;
	return 0;
}

unsigned twilio_judge_missing(struct twilio_client *client, const struct sid *sid,
			      struct remote_error *ret_error)
{
	struct fate fate = { .client = client };
	struct remote_error error = REMOTE_ERROR_INIT;
	int err;

	twilio_client_now(client, &fate.now_secs);
	err = twilio_fetch_recording(client, sid, on_fate, &fate, &error);
	if (err < 0) {
		if (error.kind != REMOTE_NOT_FOUND)
			*ret_error = error;
		return 0;
	}
	if (fate.is_unfinished)
		remote_error_set(ret_error, REMOTE_BUSY, -EBUSY,
				 "Twilio: the recording is not completed yet");
	else if (fate.is_gone || fate.is_external)
		remote_error_set(ret_error, REMOTE_NOT_FOUND, -ENOENT,
				 "Twilio: the recording is %s",
				 fate.is_gone ? "deleted" : "in external storage");
	else
		return fate.is_fresh ? SPREAD_TRIES_FRESH : SPREAD_TRIES;
	return 0;
}

bool twilio_pause_spreading(const struct twilio_client *client, unsigned tried,
			    int64_t deadline_msecs)
{
	int64_t pause_msecs = (int64_t)SPREAD_PAUSE_MSECS << (tried < 4 ? tried : 4);

	if (pause_msecs > SPREAD_PAUSE_LIMIT_MSECS)
		pause_msecs = SPREAD_PAUSE_LIMIT_MSECS;
	return time_mono_msecs() + pause_msecs < deadline_msecs &&
	       sleep_msecs(pause_msecs, client->cancel);
}
