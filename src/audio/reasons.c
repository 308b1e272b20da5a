/* The latest reasons why recordings could not be read. */
#include "audio/reasons.h"

void audio_reasons_init(struct audio_reasons *r)
{
	*r = (struct audio_reasons){ .noted = 0 };
	pthread_mutex_init(&r->lock, NULL);
}

void audio_reasons_release(struct audio_reasons *r)
{
	pthread_mutex_destroy(&r->lock);
}

static bool has_any(const struct audio_reasons *r)
{
	return atomic_load_explicit(&r->count, memory_order_relaxed);
}

/* AUDIO_REASONS_LIMIT: not found. */
static unsigned find(const struct audio_reasons *r, int64_t recording_id)
{
	unsigned i = 0;

	while (i < AUDIO_REASONS_LIMIT && r->ids[i] != recording_id)
		i++;
	return i;
}

/* A free slot, or the oldest. */
static unsigned slot_to_take(const struct audio_reasons *r)
{
	unsigned oldest = 0;

	for (unsigned i = 1; i < AUDIO_REASONS_LIMIT; i++)
		if (r->numbers[i] < r->numbers[oldest])
			oldest = i;
	return oldest;
}

void audio_reasons_note(struct audio_reasons *r, int64_t recording_id,
			const struct audio_reason *reason)
{
	unsigned i;

	pthread_mutex_lock(&r->lock);
	i = find(r, recording_id);
	if (i == AUDIO_REASONS_LIMIT)
		i = slot_to_take(r);
	if (!r->ids[i])
		atomic_fetch_add(&r->count, 1);
	r->ids[i] = recording_id;
	r->numbers[i] = ++r->noted;
	r->list[i] = *reason;
	r->last = i;
	pthread_mutex_unlock(&r->lock);
}

bool audio_reasons_get(struct audio_reasons *r, int64_t recording_id,
		       struct audio_reason *ret_reason)
{
	unsigned i;

	if (!has_any(r))
		return false;
	pthread_mutex_lock(&r->lock);
	i = find(r, recording_id);
	if (i < AUDIO_REASONS_LIMIT)
		*ret_reason = r->list[i];
	pthread_mutex_unlock(&r->lock);
	return i < AUDIO_REASONS_LIMIT;
}

bool audio_reasons_last(struct audio_reasons *r, struct audio_reason *ret_reason)
{
	bool was_any;

	pthread_mutex_lock(&r->lock);
	was_any = r->noted > 0;
	if (was_any)
		*ret_reason = r->list[r->last];
	pthread_mutex_unlock(&r->lock);
	return was_any;
}

void audio_reasons_clear(struct audio_reasons *r, int64_t recording_id, int64_t begin_bytes,
			 int64_t end_bytes)
{
	int64_t at;
	unsigned i;

	if (!has_any(r))
		return;
	pthread_mutex_lock(&r->lock);
	i = find(r, recording_id);
	at = i < AUDIO_REASONS_LIMIT ? r->list[i].offset_bytes : INT64_MAX;
	if (at < 0 || (at >= begin_bytes && at < end_bytes)) {
		r->ids[i] = 0;
		r->numbers[i] = 0;
		atomic_fetch_sub(&r->count, 1);
	}
	pthread_mutex_unlock(&r->lock);
}
