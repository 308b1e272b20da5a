/* A token bucket. */
#include "jobs/rate.h"

#define SEC_NSECS INT64_C(1000000000)
#define MSEC_NSECS INT64_C(1000000)

void rate_init(struct rate *rate, int64_t per_sec, int64_t burst_msecs)
{
	rate->per_sec = per_sec;
	rate->burst_msecs = burst_msecs;
	rate->paid_nsecs = INT64_MIN / 2;
}

int64_t rate_take(struct rate *rate, int64_t amount, int64_t now_msecs)
{
	int64_t now = now_msecs * MSEC_NSECS, least = now - rate->burst_msecs * MSEC_NSECS, ahead;

	if (!rate->per_sec)
		return 0;
	if (rate->paid_nsecs < least)
		rate->paid_nsecs = least;
	ahead = rate->paid_nsecs - now;
	rate->paid_nsecs += (int64_t)((double)amount / (double)rate->per_sec * (double)SEC_NSECS);
	return ahead > 0 ? (ahead + MSEC_NSECS - 1) / MSEC_NSECS : 0;
}
