/* A circuit breaker for an origin. */
#include "audio/breaker.h"

static void pause_for(struct breaker *b, int64_t msecs, int64_t now_msecs)
{
	b->pause_msecs = msecs < BREAKER_PAUSE_LIMIT_MSECS ? msecs : BREAKER_PAUSE_LIMIT_MSECS;
	b->until_msecs = now_msecs + b->pause_msecs;
}

int breaker_check(struct breaker *b, int64_t now_msecs)
{
	if (!b->is_open)
		return 0;
	if (now_msecs < b->until_msecs)
		return b->err;
	/* The probe. If it has no answer within a pause, another one is sent. */
	b->is_probed = true;
	b->until_msecs = now_msecs + b->pause_msecs;
	return 0;
}

void breaker_failed(struct breaker *b, int err, int64_t now_msecs)
{
	b->err = err;
	if (!b->is_open) {
		if (!b->failures++)
			b->since_msecs = now_msecs;
		b->is_open = b->failures >= BREAKER_FAILURES &&
			     now_msecs - b->since_msecs >= BREAKER_SPAN_MSECS;
		if (b->is_open)
			pause_for(b, BREAKER_PAUSE_MSECS, now_msecs);
	} else if (b->is_probed) {
		b->is_probed = false;
		pause_for(b, b->pause_msecs * 2, now_msecs);
	}
	/* Else it was in flight when the breaker opened, and says nothing new. */
}

void breaker_worked(struct breaker *b)
{
	*b = (struct breaker){ .failures = 0 };
}
