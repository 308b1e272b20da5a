/* The memory that all transfers share. */
#include "migrate/budget.h"

#include "util/wait.h"

void budget_init(struct budget *budget, size_t total_bytes)
{
	pthread_mutex_init(&budget->mutex, NULL);
	cond_init(&budget->cond);
	budget->total_bytes = total_bytes;
	budget->used_bytes = 0;
	budget->is_overdrawn = false;
}

void budget_release(struct budget *budget)
{
	pthread_mutex_destroy(&budget->mutex);
	pthread_cond_destroy(&budget->cond);
}

bool budget_try(struct budget *budget, size_t bytes, size_t *ret_bytes)
{
	bool taken;

	if (bytes > budget->total_bytes)
		bytes = budget->total_bytes;
	pthread_mutex_lock(&budget->mutex);
	taken = budget->used_bytes + bytes <= budget->total_bytes;
	*ret_bytes = taken ? bytes : 0;
	budget->used_bytes += *ret_bytes;
	pthread_mutex_unlock(&budget->mutex);
	return taken;
}

bool budget_more(struct budget *budget, size_t bytes, const struct cancel *cancel, bool *overdrawn)
{
	bool taken = false;

	pthread_mutex_lock(&budget->mutex);
	while (!cancel_is_set(cancel) && !taken) {
		taken = budget->used_bytes + bytes <= budget->total_bytes;
		if (!taken && !budget->is_overdrawn)
			taken = budget->is_overdrawn = *overdrawn = true;
		if (!taken)
			cond_wait_until(&budget->cond, &budget->mutex, WAIT_NO_DEADLINE, cancel);
	}
	if (taken)
		budget->used_bytes += bytes;
	pthread_mutex_unlock(&budget->mutex);
	return taken;
}

void budget_give(struct budget *budget, size_t bytes, bool overdrawn)
{
	pthread_mutex_lock(&budget->mutex);
	budget->used_bytes -= bytes;
	if (overdrawn)
		budget->is_overdrawn = false;
	pthread_cond_broadcast(&budget->cond);
	pthread_mutex_unlock(&budget->mutex);
}
