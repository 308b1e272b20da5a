/* A workspace's bucket: its settings without a secret, and its lifecycle rule. */
#pragma once

#include "catalog/storage.h"
#include "storage/lifecycle.h"
#include "view/view.h"

struct view_bucket {
	char workspace[CATALOG_NAME_SIZE];
	struct catalog_storage settings;
	const char **origins; /* pages that may play recordings; none: CORS is left alone */
	size_t origin_count;
	char *origins_memory;
};
int view_bucket_load(const struct catalog_workspace *workspace,
		     const struct catalog_storage *settings, struct view_bucket *ret_bucket);
struct json_t *view_bucket_json(const struct view_bucket *bucket);
void view_bucket_release(struct view_bucket *bucket);
#define cleanup_view_bucket __attribute__((cleanup(view_bucket_release)))

/* Of a rule that the server has told. */
struct json_t *view_lifecycle_json(const char *workspace,
				   const struct storage_lifecycle *lifecycle);
struct json_t *view_transitions_json(const struct s3_transition *transitions, size_t count);
