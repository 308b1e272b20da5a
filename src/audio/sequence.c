/* Finds out in which order a folder is read, and what comes next in it. */
#include "audio/sequence.h"

#include <stdlib.h>
#include <string.h>

#include "audio/audio-private.h"

void audio_sequences_init(struct audio_sequences *s, struct audio *audio,
			  void (*on_guess)(struct audio_sequences *sequences),
			  void (*on_answer)(struct audio_sequences *sequences))
{
	s->audio = audio;
	s->on_guess = on_guess;
	s->on_answer = on_answer;
	list_init(&s->task.link);
}

/* ---- asking the catalog ---- */

struct answer {
	struct audio_next next[AUDIO_SEQUENCE_FILES];
	size_t count;
};

static int add_next(void *arg, const struct catalog_recording *recording, bool is_archived)
{
	bool is_readable = recording->state != CATALOG_STATE_MISSING && !is_archived &&
			   audio_size_is_possible(recording);
	struct answer *answer = arg;

	answer->next[answer->count++] = (struct audio_next){
		.id = recording->id,
		.workspace_id = recording->workspace_id,
		.size_bytes = is_readable ? recording->size_bytes : -1,
		.sid = recording->sid,
		.is_at_twilio = recording->state == CATALOG_STATE_TWILIO ||
				recording->state == CATALOG_STATE_UPLOADING,
	};
	return 0;
}

static int ask_order(struct audio_sequences *s, enum catalog_order order, struct answer *answer)
{
	struct audio_sequence *sequence = &s->orders[order];
	struct audio *audio = s->audio;
	bool is_start, is_first = false;
	unsigned generation;
	size_t room;
	int64_t id;
	int err;

	pthread_mutex_lock(&audio->lock);
	generation = s->generation;
	is_start = s->was_listed && !s->current && !sequence->count;
	id = s->asked_ids[order];
	s->asked_ids[order] = 0;
	room = AUDIO_SEQUENCE_FILES - sequence->count;
	pthread_mutex_unlock(&audio->lock);
	if (!id || !room)
		return 0;
	answer->count = 0;
	err = catalog_recordings_after(audio->catalog, id, order, room, add_next, answer);
	if (err == 0 && is_start)
		err = catalog_recording_is_first(audio->catalog, id, order, &is_first);
	if (err)
		return err;
	pthread_mutex_lock(&audio->lock);
	if (generation == s->generation) {
		memcpy(sequence->next + sequence->count, answer->next,
		       answer->count * sizeof *answer->next);
		sequence->count += answer->count;
		sequence->is_at_end = answer->count < room;
		if (is_first && !s->current) {
			s->current = sequence;
			s->is_guessed = true;
			s->on_guess(s);
		}
	}
	pthread_mutex_unlock(&audio->lock);
	return 0;
}

static void run(struct pool_task *task)
{
	struct audio_sequences *s = list_entry(task, struct audio_sequences, task);
	struct audio *audio = s->audio;
	struct answer *answer = calloc(1, sizeof *answer);

	/* If the catalog fails, there is no read-ahead; reads will report the failure. */
	for (int order = 0; answer && order < CATALOG_ORDER_COUNT; order++)
		if (ask_order(s, (enum catalog_order)order, answer))
			break;
	pthread_mutex_lock(&audio->lock);
	s->is_asking = false;
	s->on_answer(s);
	pthread_mutex_unlock(&audio->lock);
	free(answer);
}

static void ask_after(struct audio_sequences *s, const struct audio_sequence *sequence,
		      int64_t recording_id)
{
	s->asked_ids[sequence - s->orders] = recording_id;
	if (s->is_asking)
		return;
	s->task.run = run;
	s->is_asking = pool_push(&s->audio->starters, &s->task) == 0;
}

void audio_sequences_start(struct audio_sequences *s, int64_t recording_id, bool was_listed)
{
	s->current = NULL;
	s->is_guessed = false;
	s->was_listed = was_listed;
	s->passed_count = 0;
	s->generation++;
	for (int i = 0; i < CATALOG_ORDER_COUNT; i++) {
		s->orders[i].count = s->orders[i].begun = 0;
		s->orders[i].is_at_end = false;
		ask_after(s, &s->orders[i], recording_id);
	}
}

void audio_sequences_refill(struct audio_sequences *s, int64_t recording_id)
{
	const struct audio_sequence *sequence = s->current;

	if (sequence->count < AUDIO_SEQUENCE_FILES / 2 && !sequence->is_at_end && !s->is_asking)
		ask_after(s, sequence,
			  sequence->count ? sequence->next[sequence->count - 1].id : recording_id);
}

/* ---- what readers do ---- */

static bool advance(struct audio_sequences *s, struct audio_sequence *sequence, int64_t id,
		    size_t near)
{
	for (size_t i = 0; i < sequence->count && i < near; i++) {
		if (sequence->next[i].id != id)
			continue;
		for (size_t k = 0; k < i; k++)
			s->passed[s->passed_count++ % AUDIO_SEQUENCE_PASSED] = sequence->next[k].id;
		i++;
		memmove(sequence->next, sequence->next + i,
			(sequence->count - i) * sizeof *sequence->next);
		sequence->count -= i;
		sequence->begun = sequence->begun > i ? sequence->begun - i : 0;
		return true;
	}
	return false;
}

enum audio_advance audio_sequences_advance(struct audio_sequences *s, int64_t recording_id,
					   size_t near)
{
	if (s->current && advance(s, s->current, recording_id, near)) {
		s->is_guessed = false;
		return AUDIO_ADVANCE_SAME;
	}
	if (s->current && !s->is_guessed)
		return AUDIO_ADVANCE_NONE;
	for (int i = 0; i < CATALOG_ORDER_COUNT; i++) {
		struct audio_sequence *sequence = &s->orders[i];
		bool was_guessed = s->current;

		if (sequence == s->current || !advance(s, sequence, recording_id, near))
			continue;
		s->current = sequence;
		s->is_guessed = false;
		return was_guessed ? AUDIO_ADVANCE_OTHER : AUDIO_ADVANCE_SAME;
	}
	return AUDIO_ADVANCE_NONE;
}

bool audio_sequences_was_passed(const struct audio_sequences *s, int64_t recording_id)
{
	for (unsigned i = 0; i < AUDIO_SEQUENCE_PASSED && i < s->passed_count; i++)
		if (s->passed[i] == recording_id)
			return true;
	return false;
}

const struct audio_next *audio_sequences_next(const struct audio_sequences *s)
{
	const struct audio_sequence *sequence = s->current;

	return sequence && sequence->begun < sequence->count ? &sequence->next[sequence->begun]
							     : NULL;
}

void audio_sequences_skip(struct audio_sequences *s)
{
	s->current->begun++;
}
