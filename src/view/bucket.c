/* A workspace's bucket and its lifecycle rule. */
#include "view/bucket.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/storage.h"
#include "storage/test.h"

int view_bucket_load(const struct catalog_workspace *workspace,
		     const struct catalog_storage *settings, struct view_bucket *ret_bucket)
{
	*ret_bucket = (struct view_bucket){ .settings = *settings };
	snprintf(ret_bucket->workspace, sizeof ret_bucket->workspace, "%s", workspace->name);
	return storage_origins(&ret_bucket->settings, &ret_bucket->origins_memory,
			       &ret_bucket->origins, &ret_bucket->origin_count);
}

json_t *view_bucket_json(const struct view_bucket *bucket)
{
	const struct catalog_storage *s = &bucket->settings;
	json_t *origins = json_array();

	for (size_t i = 0; i < bucket->origin_count; i++)
		json_array_append_new(origins, json_string(bucket->origins[i]));
	return json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:b, s:o, "
		"s:b, s:o, s:s}",
		"workspace", view_name_json(bucket->workspace), "provider", s->provider, "bucket",
		s->bucket, "region", s->region, "endpoint", s->endpoint, "path_style",
		(int)s->path_style, "prefix", s->prefix, "access_key", s->access_key, "credentials",
		s->credentials, "encryption", storage_encryption_name(s->encryption),
		"require_encryption", (int)s->require_encryption, "kms_key_id", s->kms_key_id,
		"storage_class", s->storage_class, "ca_file", s->ca_file, "allow_http",
		(int)s->plain_http, "origins", origins, "enabled", (int)s->enabled, "tested",
		view_time_json(s->tested_secs), "tested_encryption", s->tested_encryption);
}

void view_bucket_release(struct view_bucket *bucket)
{
	free(bucket->origins_memory);
}

json_t *view_transitions_json(const struct s3_transition *transitions, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
				      json_pack("{s:i, s:s}", "days", transitions[i].days,
						"storage_class", transitions[i].storage_class));
	return array;
}

json_t *view_lifecycle_json(const char *workspace, const struct storage_lifecycle *lifecycle)
{
	const struct s3_lifecycle_rule *rule = &lifecycle->rule;

	return json_pack("{s:o, s:b, s:s, s:s, s:o, s:I}", "workspace", view_name_json(workspace),
			 "set", (int)lifecycle->is_set, "id", rule->id, "prefix", rule->prefix,
			 "transitions",
			 view_transitions_json(rule->transitions,
					       lifecycle->is_set ? rule->transition_count : 0),
			 "foreign_rules", (json_int_t)lifecycle->foreign);
}
