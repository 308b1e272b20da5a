/* Sets of SIDs. */
#include <stdlib.h>
#include <string.h>

#include "sync/sync-private.h"
#include "util/array.h"

int sync_sids_add(struct sync_sids *sids, const struct sid *sid)
{
	sids->is_sorted = false;
	return array_push(&sids->values, &sids->count, sid);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sid));
}

void sync_sids_sort(struct sync_sids *sids)
{
	if (sids->count)
		qsort(sids->values, sids->count, sizeof *sids->values, compare);
	sids->is_sorted = true;
}

bool sync_sids_has(const struct sync_sids *sids, const struct sid *sid)
{
	return sids->is_sorted && sids->count &&
	       bsearch(sid, sids->values, sids->count, sizeof *sid, compare);
}

void sync_sids_release(struct sync_sids *sids)
{
	free(sids->values);
	*sids = (struct sync_sids){ NULL, 0, false };
}
