/* Finds the number of transfers at a time that a side can take, by hill climbing. */
#include "migrate/pace.h"

#include <string.h>

#define NEVER (INT64_MIN / 2)
#define WORK_PER_TRANSFER 65536 /* bytes that a transfer counts for, besides its own */
#define DOUBLE_WORTH 1.25
#define DOUBLE_IN_VAIN 1.05
#define DOUBLE_WINDOW_MSECS 150
#define WINDOW_MSECS 500
#define WINDOW_TRANSFERS 24 /* at least: fewer say too little */
#define WEATHER_CHANGES 0.75
#define REST_MOST 16
#define WARN_FIRST_MSECS 30000
#define WARN_MOST_MSECS (10 * 60 * 1000)

static void window_begin(struct pace *pace, unsigned settling, int64_t now)
{
	pace->since_msecs = now;
	pace->work = 0;
	pace->ended = 0;
	pace->settling = settling;
	pace->is_full = false;
}

void pace_init(struct pace *pace, unsigned most, int64_t now_msecs)
{
	memset(pace, 0, sizeof *pace);
	pace->most = most ? most : 1;
	pace->limit = pace->most < PACE_FIRST ? pace->most : PACE_FIRST;
	pace->rest_next = 1;
	pace->closed_until_msecs = pace->halved_msecs = pace->warned_until_msecs = NEVER;
	pace->warn_msecs = WARN_FIRST_MSECS;
	window_begin(pace, 0, now_msecs);
}

unsigned pace_limit(const struct pace *pace, int64_t now_msecs)
{
	return now_msecs < pace->closed_until_msecs ? 0 : pace->limit;
}

void pace_wanted(struct pace *pace)
{
	pace->is_full = true;
}

void pace_moved(struct pace *pace, uint64_t bytes)
{
	pace->work += bytes;
}

/* ---- judging a window ---- */

static unsigned highest(const struct pace *pace, int64_t now)
{
	unsigned most = pace->most;

	if (now < pace->warned_until_msecs && pace->warned_limit <= most)
		most = pace->warned_limit > 1 ? pace->warned_limit - 1 : 1;
	return most;
}

static unsigned step(const struct pace *pace)
{
	return (pace->base_limit + 5) / 6;
}

static void go(struct pace *pace, enum pace_phase phase, unsigned limit)
{
	pace->phase = phase;
	pace->limit = limit;
}

/* Begins a probe from the base, which was just measured: up or down, or the other way at an end. */
static void probe(struct pace *pace, bool up, int64_t now)
{
	unsigned most = highest(pace, now), more = pace->base_limit + step(pace);
	bool can_up = pace->base_limit < most, can_down = pace->base_limit > 1;

	if (can_up && (up || !can_down))
		go(pace, PACE_UP, more < most ? more : most);
	else if (can_down)
		go(pace, PACE_DOWN, pace->base_limit - step(pace));
	pace->was_up = pace->phase == PACE_UP;
}

static void take_as_base(struct pace *pace, double rate)
{
	pace->base_limit = pace->limit;
	pace->base_rate = rate;
	pace->phase = PACE_BASE;
}

static void judge_double(struct pace *pace, double rate, int64_t now)
{
	unsigned most = highest(pace, now);

	if (pace->base_rate && rate < pace->base_rate * DOUBLE_WORTH) {
		/* The knee is between the two limits, or below; probes find it. */
		go(pace, PACE_BASE,
		   rate < pace->base_rate * DOUBLE_IN_VAIN ? pace->base_limit
							   : (pace->base_limit + pace->limit) / 2);
		pace->base_limit = pace->limit;
		pace->base_rate = 0;
		return;
	}
	pace->base_limit = pace->limit;
	if (pace->limit >= most) {
		/* Measured on new connections: any other limit would look better than such a base. */
		pace->base_rate = 0;
		pace->phase = PACE_BASE;
		return;
	}
	pace->base_rate = rate;
	pace->limit = pace->limit < most / 2 ? pace->limit * 2 : most;
}

static void judge_base(struct pace *pace, double rate, int64_t now)
{
	if (pace->base_rate && rate < pace->base_rate * WEATHER_CHANGES)
		pace->rest = pace->rest_next = 0;
	/* The mean of old and new, so that one lucky window is soon forgotten. */
	else if (rate * WEATHER_CHANGES < pace->base_rate)
		rate = (rate + pace->base_rate) / 2;
	take_as_base(pace, rate);
	if (pace->rest)
		pace->rest--;
	else
		probe(pace, !pace->was_up, now);
}

static void judge_probe(struct pace *pace, double rate, int64_t now)
{
	double more = (double)pace->limit / pace->base_limit - 1; /* negative: fewer */
	double worth = pace->phase == PACE_UP ? PACE_WORTH_MORE : PACE_WORTH_FEWER;

	if (rate >= pace->base_rate * (1 + worth * more)) {
		/* The probe pays: go on in the same direction. */
		pace->rest_next = 1;
		take_as_base(pace, rate);
		probe(pace, pace->was_up, now);
		return;
	}
	go(pace, PACE_BASE, pace->base_limit);
	pace->rest = pace->rest_next;
	if (pace->rest_next < REST_MOST)
		pace->rest_next = pace->rest_next ? pace->rest_next * 2 : 1;
}

static void judge(struct pace *pace, int64_t now)
{
	double rate = (double)pace->work / (double)(now - pace->since_msecs);
	unsigned before = pace->limit;
	bool was_doubling = pace->phase == PACE_DOUBLE, is_settled;

	switch (pace->phase) {
	case PACE_DOUBLE:
		judge_double(pace, rate, now);
		break;
	case PACE_BASE:
		judge_base(pace, rate, now);
		break;
	default:
		judge_probe(pace, rate, now);
	}
	/* While doubling, each window is as mixed as the one before, so none needs to settle. */
	is_settled = pace->phase == PACE_DOUBLE || (!was_doubling && pace->limit == before);
	window_begin(pace, is_settled ? 0 : pace->limit, now);
}

void pace_ended(struct pace *pace, int64_t now_msecs)
{
	bool is_doubling = pace->phase == PACE_DOUBLE;
	unsigned least =
		pace->limit > WINDOW_TRANSFERS || is_doubling ? pace->limit : WINDOW_TRANSFERS;

	if (pace->settling) {
		if (--pace->settling == 0) {
			bool was_full = pace->is_full;

			window_begin(pace, 0, now_msecs);
			pace->is_full = was_full;
		}
		return;
	}
	pace->work += WORK_PER_TRANSFER;
	pace->ended++;
	/* Whole rounds only: transfers that began together end together, and part of such a burst
	 * would be judged by chance. */
	if (pace->ended < least || pace->ended % pace->limit ||
	    now_msecs - pace->since_msecs < (is_doubling ? DOUBLE_WINDOW_MSECS : WINDOW_MSECS))
		return;
	if (pace->is_full)
		judge(pace, now_msecs);
	else
		window_begin(pace, 0, now_msecs);
}

/* ---- refusals ---- */

void pace_busy(struct pace *pace, int64_t began_msecs, int64_t retry_after_msecs, int64_t now_msecs)
{
	int64_t pause = retry_after_msecs;

	if (pause > PACE_RETRY_AFTER_LIMIT_MSECS)
		pause = PACE_RETRY_AFTER_LIMIT_MSECS;
	if (pause > 0 && now_msecs + pause > pace->closed_until_msecs)
		pace->closed_until_msecs = now_msecs + pause;
	if (began_msecs <= pace->halved_msecs)
		return; /* it was in flight when the others were refused */
	if (now_msecs < pace->warned_until_msecs + pace->warn_msecs)
		pace->warn_msecs = pace->warn_msecs < WARN_MOST_MSECS / 2 ? pace->warn_msecs * 2
									  : WARN_MOST_MSECS;
	else
		pace->warn_msecs = WARN_FIRST_MSECS;
	pace->warned_until_msecs = now_msecs + pace->warn_msecs;
	pace->warned_limit = pace->limit;
	pace->halved_msecs = now_msecs;
	go(pace, PACE_BASE, pace->limit > 1 ? pace->limit / 2 : 1);
	pace->base_limit = pace->limit;
	pace->base_rate = 0;
	pace->was_up = false;
	pace->rest = 0;
	pace->rest_next = 1;
	window_begin(pace, pace->limit, now_msecs);
}
