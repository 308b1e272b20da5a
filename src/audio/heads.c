/* A cache of recordings' first blocks. */
#include "audio/heads.h"

#include "audio/audio-private.h"

void audio_heads_init(struct audio_heads *heads)
{
	list_init(&heads->kept);
	heads->count = 0;
}

static void let_go(struct audio_recording *recording)
{
	list_remove(&recording->head_link);
	recording->is_head = false;
	recording->audio->heads.count--;
}

void audio_heads_drop(struct audio_recording *recording)
{
	let_go(recording);
	audio_recording_end(recording);
}

static void drop_first(struct audio_heads *heads)
{
	audio_heads_drop(list_entry(heads->kept.next, struct audio_recording, head_link));
}

bool audio_heads_keep(struct audio_recording *recording)
{
	struct audio_heads *heads = &recording->audio->heads;

	if (recording->audio->is_stopping || !recording->read_bytes ||
	    recording->read_bytes > AUDIO_HEAD_BLOCKS * AUDIO_BLOCK_BYTES ||
	    !audio_blocks_bytes(&recording->blocks))
		return false;
	audio_recording_end_streams(recording);
	audio_blocks_keep(&recording->blocks, AUDIO_HEAD_BLOCKS);
	if (heads->count == AUDIO_HEADS)
		drop_first(heads);
	recording->is_head = true;
	recording->is_noted = recording->was_fetched = false;
	recording->read_bytes = 0;
	list_add(&heads->kept, &recording->head_link);
	heads->count++;
	return true;
}

void audio_heads_open(struct audio_recording *recording)
{
	if (recording->is_head)
		let_go(recording);
}

void audio_heads_release(struct audio *audio)
{
	while (audio->heads.count)
		drop_first(&audio->heads);
}
