/* Computes the time windows of lists. */
#include "sync/sync-private.h"

/* Twilio's first year; nothing is older. */
#define EPOCH_SECS INT64_C(1199145600) /* 2008-01-01 */
#define MONTH_SECS (30 * SYNC_DAY_SECS)
#define MONTHS 24
/* A call may last a day. Calls that stay unfinished for longer are left to the daily sweep: they
 * would make every poll long. */
#define UNFINISHED_LIMIT_SECS (2 * SYNC_DAY_SECS)

int64_t sync_plan_since(int64_t listed_until_secs, int64_t oldest_unfinished_secs)
{
	int64_t since = listed_until_secs;

	if (since <= 0)
		return 0;
	if (oldest_unfinished_secs > 0 && oldest_unfinished_secs < since) {
		int64_t limit = since - UNFINISHED_LIMIT_SECS;

		since = oldest_unfinished_secs > limit ? oldest_unfinished_secs : limit;
	}
	since -= SYNC_OVERLAP_SECS;
	return since > 0 ? since : 0;
}

bool sync_plan_full_is_due(const struct catalog_sync_state *state, int64_t now_secs)
{
	return state->last_sweep_secs <= 0 || state->listed_until_secs <= 0 ||
	       now_secs - state->last_sweep_secs >= SYNC_DAY_SECS ||
	       state->last_sweep_secs - now_secs > SYNC_OVERLAP_SECS;
}

int64_t sync_plan_backoff(int64_t first_msecs, unsigned failures, int64_t limit_msecs)
{
	int64_t msecs = first_msecs << (failures < 16 ? failures : 16);

	return msecs < limit_msecs ? msecs : limit_msecs;
}

static int64_t midnight(int64_t secs)
{
	return secs - secs % SYNC_DAY_SECS;
}

/* Bounds are midnights, because a server may compare dates only. Each window but the last ends an
 * hour late, so that it does not matter whether the server takes "<" as "<=". */
static size_t cut(const struct twilio_window *window, const int64_t *bounds, size_t bound_count,
		  struct twilio_window *ret_windows)
{
	size_t count = 0;
	int64_t since = window->since_secs;

	for (size_t i = 0; i < bound_count; i++) {
		if (bounds[i] <= since || (window->until_secs && bounds[i] >= window->until_secs))
			continue;
		ret_windows[count].since_secs = since;
		ret_windows[count++].until_secs = bounds[i] + SYNC_OVERLAP_SECS;
		since = bounds[i];
	}
	if (!count)
		return 0;
	ret_windows[count].since_secs = since;
	ret_windows[count++].until_secs = window->until_secs;
	return count;
}

size_t sync_plan_split(const struct twilio_window *window, size_t parts, int64_t now_secs,
		       struct twilio_window ret_windows[SYNC_MAX_PARTS])
{
	int64_t bounds[SYNC_MAX_PARTS];
	int64_t since = window->since_secs > EPOCH_SECS ? window->since_secs : EPOCH_SECS;
	int64_t until = window->until_secs ? window->until_secs - SYNC_OVERLAP_SECS : now_secs;
	int64_t length;
	size_t count = 0;

	if (!window->since_secs && !window->until_secs) {
		for (int64_t i = MONTHS; i > 0; i--)
			bounds[count++] = midnight(now_secs) - i * MONTH_SECS;
		return cut(window, bounds, count, ret_windows);
	}
	if (parts > SYNC_MAX_PARTS)
		parts = SYNC_MAX_PARTS;
	if (parts < 2 || until - since < 2 * SYNC_DAY_SECS)
		return 0;
	length = (until - since) / (int64_t)parts;
	if (length < SYNC_DAY_SECS)
		length = SYNC_DAY_SECS;
	for (size_t i = 1; i < parts; i++) {
		int64_t bound = midnight(since + (int64_t)i * length);

		if (bound <= since || bound >= until || (count && bound <= bounds[count - 1]))
			continue;
		bounds[count++] = bound;
	}
	return cut(window, bounds, count, ret_windows);
}
