/* Numbers that follow from a seed (splitmix64): the same ones each time, on every machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* From 0 to limit - 1; limit > 0. */
static inline int64_t dice_below(struct dice *dice, int64_t limit)
{
	return (int64_t)(dice_next(dice) % (uint64_t)limit);
}

static inline bool dice_percent(struct dice *dice, unsigned percent)
{
	return dice_below(dice, 100) < (int64_t)percent;
}
