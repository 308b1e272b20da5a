/* The memory that all transfers share; each reserves its buffer before it begins. Any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/cancel.h"

struct budget {
	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;
	size_t total_bytes, used_bytes;
	bool is_overdrawn; /* by one transfer, see budget_more */
};

void budget_init(struct budget *budget, size_t total_bytes);
void budget_release(struct budget *budget);
/* Takes them at once or not at all. A request that is larger than the total takes all of it.
 * *ret_bytes: how many were taken. */
bool budget_try(struct budget *budget, size_t bytes, size_t *ret_bytes);
/* For a transfer that has memory and needs more: waits until there is. Transfers that all wait for
 * each other would wait for ever, so one at a time may overdraw: *overdrawn is set for that one,
 * and is handed to budget_give. False: cancelled. */
bool budget_more(struct budget *budget, size_t bytes, const struct cancel *cancel, bool *overdrawn);
void budget_give(struct budget *budget, size_t bytes, bool overdrawn);
