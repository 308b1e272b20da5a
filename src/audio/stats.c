/* Counts the outcomes of requests, and collects the counters. */
#include "audio/stats.h"

#include "audio/audio-private.h"

void audio_stats_count(struct audio *audio, enum audio_from from, enum remote_kind kind)
{
	static const enum audio_outcome outcomes[] = {
		[REMOTE_OK] = AUDIO_OUTCOME_WORKED,
		[REMOTE_REJECTED] = AUDIO_OUTCOME_REFUSED,
		[REMOTE_NOT_FOUND] = AUDIO_OUTCOME_REFUSED,
		[REMOTE_BUSY] = AUDIO_OUTCOME_BUSY,
		[REMOTE_TRANSIENT] = AUDIO_OUTCOME_BROKEN,
		[REMOTE_UNCERTAIN] = AUDIO_OUTCOME_BROKEN,
		[REMOTE_INVALID] = AUDIO_OUTCOME_INVALID,
		[REMOTE_CANCELLED] = AUDIO_OUTCOME_DROPPED,
	};

	audio->stats.origins[from].requests[outcomes[kind]]++;
}

void audio_stats_get(struct audio *audio, struct audio_stats *ret_stats)
{
	pthread_mutex_lock(&audio->lock);
	*ret_stats = audio->stats;
	ret_stats->ahead_files = audio->ahead.fetched;
	ret_stats->ahead_hits = audio->ahead.hits;
	ret_stats->ahead_wasted_bytes = audio->ahead.wasted_bytes;
	ret_stats->memory_bytes = audio->store.used_bytes;
	ret_stats->memory_peak_bytes = audio->store.peak_bytes;
	ret_stats->memory_budget_bytes = audio->store.budget_bytes;
	ret_stats->reads_waiting = audio->turns.waiting_count;
	ret_stats->files_open = 0;
	list_for_each_entry(struct audio_recording, recording, &audio->recordings, link)
		ret_stats->files_open += recording->files;
	pthread_mutex_unlock(&audio->lock);
	audio_reasons_last(&audio->reasons, &ret_stats->last_failure);
	ret_stats->last_failure.offset_bytes = 0;
}
