/* Pauses before a retry. */
#include "net/retry.h"

#include "util/crypto.h"
#include "util/fault.h"
#include "util/times.h"
#include "util/wait.h"

#define DEFAULT_TRIES 5
#define BASE_MSECS 500
#define LIMIT_MSECS 15000

void retry_init(struct retry *retry, unsigned tries, unsigned total_msecs)
{
	retry->tries_left = tries ? tries : DEFAULT_TRIES;
	retry->base_msecs = (unsigned)fault_hurry(BASE_MSECS);
	retry->limit_msecs = (unsigned)fault_hurry(LIMIT_MSECS);
	retry->deadline_msecs = time_mono_msecs() + total_msecs;
	retry->tried = 0;
}

/* A random pause, up to this try's limit: clients that failed together come back apart. */
static unsigned jitter_msecs(const struct retry *retry)
{
	unsigned limit = retry->base_msecs, random;

	for (unsigned i = 1; i < retry->tried && limit < retry->limit_msecs; i++)
		limit *= 2;
	if (limit > retry->limit_msecs)
		limit = retry->limit_msecs;
	if (crypto_random(&random, sizeof random) < 0)
		return limit;
	return random % (limit + 1);
}

static bool may_send_again(const struct remote_error *error, bool idempotent)
{
	return error->kind == REMOTE_BUSY || error->kind == REMOTE_TRANSIENT ||
	       (error->kind == REMOTE_UNCERTAIN && idempotent);
}

bool retry_next(struct retry *retry, const struct remote_error *error, bool idempotent,
		unsigned *ret_pause_msecs)
{
	int64_t pause;

	if (retry->tries_left)
		retry->tries_left--;
	retry->tried++;
	if (!retry->tries_left || !may_send_again(error, idempotent))
		return false;
	pause = jitter_msecs(retry);
	if (error->retry_after_msecs > 0)
		pause += error->retry_after_msecs;
	if (time_mono_msecs() + pause >= retry->deadline_msecs)
		return false;
	*ret_pause_msecs = (unsigned)pause;
	return true;
}

bool retry_wait(struct retry *retry, const struct remote_error *error, bool idempotent,
		const struct cancel *cancel)
{
	unsigned pause_msecs;

	return retry_next(retry, error, idempotent, &pause_msecs) &&
	       sleep_msecs(pause_msecs, cancel);
}
