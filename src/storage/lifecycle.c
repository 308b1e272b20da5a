/* Reads, sets and removes the lifecycle rule of a prefix; keeps a copy in the catalog. */
#include "storage/lifecycle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/crypto.h"

#define LIFECYCLE_ID_SIZE 32

/* "tonicfs-" and 16 hex digits of a hash of the prefix. 0 or -errno. */
static int id_of(const char *prefix, char ret_id[LIFECYCLE_ID_SIZE])
{
	char hex[CRYPTO_HEX_SIZE(CRYPTO_SHA256_SIZE)];
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int err = crypto_sha256(prefix, strlen(prefix), digest);

	if (err)
		return err;
	crypto_hex(digest, sizeof digest, hex);
	snprintf(ret_id, LIFECYCLE_ID_SIZE, "tonicfs-%.16s", hex);
	return 0;
}

/* ---- on the server ---- */

struct looking {
	const char *id;
	struct storage_lifecycle *found;
};

static int look_at(void *arg, const struct s3_lifecycle_rule *rule)
{
	struct looking *looking = arg;

	if (strcmp(rule->id, looking->id) == 0) {
		looking->found->is_set = true;
		looking->found->rule = *rule;
	} else {
		looking->found->foreign++;
	}
	return 0;
}

static int fail(struct remote_error *ret_error, int error, const char *text)
{
	return remote_error_set(ret_error, REMOTE_INVALID, error, "%s", text);
}

static int load(struct s3_client *s3, const char *prefix, struct s3_lifecycle *lifecycle,
		char ret_id[LIFECYCLE_ID_SIZE], struct storage_lifecycle *ret_found,
		struct remote_error *ret_error)
{
	struct looking looking = { ret_id, ret_found };
	int err = id_of(prefix, ret_id);

	memset(ret_found, 0, sizeof *ret_found);
	remote_error_clear(ret_error);
	if (err)
		return fail(ret_error, err, "out of memory");
	err = s3_lifecycle_get(s3, lifecycle, ret_error);
	if (err)
		return err;
	err = s3_lifecycle_each(lifecycle->document->data, lifecycle->document->len, look_at,
				&looking);
	return err ? fail(ret_error, -EIO, "S3: malformed lifecycle document") : 0;
}

int storage_lifecycle_get(struct s3_client *s3, const char *prefix,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error)
{
	cleanup_buf struct buf document = BUF_INIT;
	struct s3_lifecycle lifecycle = { .document = &document };
	char id[LIFECYCLE_ID_SIZE];

	return load(s3, prefix, &lifecycle, id, ret_lifecycle, ret_error);
}

static bool has_transitions(const struct s3_lifecycle_rule *rule,
			    const struct s3_transition *transitions, size_t count)
{
	size_t found = 0;

	/* In any order: Ceph reorders them. */
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rule->transition_count; j++)
			found += rule->transitions[j].days == transitions[i].days &&
				 strcmp(rule->transitions[j].storage_class,
					transitions[i].storage_class) == 0;
	return found == count && rule->transition_count == count && rule->is_enabled;
}

static int check_transitions(const struct s3_transition *transitions, size_t count)
{
	if (!count || count > S3_TRANSITIONS_LIMIT)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (transitions[i].days < 0 ||
		    (i && transitions[i].days <= transitions[i - 1].days))
			return -EINVAL;
	return 0;
}

static int rule_make(const char *prefix, const char *id, const struct s3_transition *transitions,
		     size_t count, struct s3_lifecycle_rule *ret_rule)
{
	memset(ret_rule, 0, sizeof *ret_rule);
	snprintf(ret_rule->id, sizeof ret_rule->id, "%s", id);
	if ((size_t)snprintf(ret_rule->prefix, sizeof ret_rule->prefix, "%srecordings/", prefix) >=
	    sizeof ret_rule->prefix)
		return -ENAMETOOLONG;
	ret_rule->is_enabled = true;
	memcpy(ret_rule->transitions, transitions, count * sizeof *transitions);
	ret_rule->transition_count = count;
	return 0;
}

int storage_lifecycle_set(struct s3_client *s3, const char *prefix,
			  const struct s3_transition *transitions, size_t count,
			  struct storage_lifecycle *ret_lifecycle, struct remote_error *ret_error)
{
	cleanup_buf struct buf document = BUF_INIT, edited = BUF_INIT;
	struct s3_lifecycle lifecycle = { .document = &document };
	struct storage_lifecycle before;
	char id[LIFECYCLE_ID_SIZE];
	size_t left;
	bool found;
	int err = check_transitions(transitions, count);

	if (err)
		return fail(ret_error, err, "the classes are not in the order of their days");
	err = load(s3, prefix, &lifecycle, id, &before, ret_error);
	if (err)
		return err;
	err = rule_make(prefix, id, transitions, count, &ret_lifecycle->rule);
	if (err == 0)
		err = s3_lifecycle_edit(document.data, document.len, id, &ret_lifecycle->rule,
					&edited, &left, &found);
	if (err)
		return fail(ret_error, err, "the rule cannot be added to the bucket's rules");
	lifecycle.document = &edited;
	err = s3_lifecycle_put(s3, &lifecycle, ret_error);
	if (err == 0)
		err = storage_lifecycle_get(s3, prefix, ret_lifecycle, ret_error);
	if (err == 0 &&
	    (!ret_lifecycle->is_set || !has_transitions(&ret_lifecycle->rule, transitions, count)))
		err = fail(ret_error, -EIO, "S3 accepted the rule, but shows a different one");
	if (err == 0 && ret_lifecycle->foreign < before.foreign)
		err = fail(ret_error, -EIO, "S3 accepted the rule, but other rules are missing");
	return err;
}

int storage_lifecycle_remove(struct s3_client *s3, const char *prefix, bool *ret_found,
			     struct remote_error *ret_error)
{
	cleanup_buf struct buf document = BUF_INIT, edited = BUF_INIT;
	struct s3_lifecycle lifecycle = { .document = &document };
	struct storage_lifecycle before;
	char id[LIFECYCLE_ID_SIZE];
	size_t left;
	int err = load(s3, prefix, &lifecycle, id, &before, ret_error);

	*ret_found = before.is_set;
	if (err || !before.is_set)
		return err;
	err = s3_lifecycle_edit(document.data, document.len, id, NULL, &edited, &left, ret_found);
	if (err)
		return fail(ret_error, err, "the rule cannot be removed from the bucket's rules");
	/* S3 refuses a document without rules. */
	if (!left)
		return s3_lifecycle_delete(s3, ret_error);
	lifecycle.document = &edited;
	return s3_lifecycle_put(s3, &lifecycle, ret_error);
}

/* ---- in the catalog ---- */

static void setting_name(int64_t workspace_id, char ret_name[64])
{
	snprintf(ret_name, 64, "lifecycle:%" PRId64, workspace_id);
}

int storage_lifecycle_note(struct catalog *catalog, int64_t workspace_id,
			   const struct s3_lifecycle_rule *rule)
{
	cleanup_buf struct buf text = BUF_INIT;
	char name[64];

	for (size_t i = 0; rule && i < rule->transition_count; i++)
		buf_addf(&text, "%s%s=%d", i ? "," : "", rule->transitions[i].storage_class,
			 rule->transitions[i].days);
	if (buf_failed(&text))
		return -ENOMEM;
	setting_name(workspace_id, name);
	return catalog_setting_set(catalog, name, text.len ? buf_str(&text) : NULL);
}

static int by_days(const void *a, const void *b)
{
	const struct s3_transition *x = a, *y = b;

	return (x->days > y->days) - (x->days < y->days);
}

int storage_lifecycle_noted(struct catalog *catalog, int64_t workspace_id,
			    struct s3_transition ret_transitions[S3_TRANSITIONS_LIMIT],
			    size_t *ret_count)
{
	cleanup_free char *text = NULL;
	char name[64], *rest, *word;
	int err;

	*ret_count = 0;
	setting_name(workspace_id, name);
	err = catalog_setting_get(catalog, name, &text);
	if (err)
		return err;
	for (word = strtok_r(text, ",", &rest); word && *ret_count < S3_TRANSITIONS_LIMIT;
	     word = strtok_r(NULL, ",", &rest)) {
		struct s3_transition *t = &ret_transitions[*ret_count];
		char *equals = strchr(word, '=');

		if (!equals || (size_t)(equals - word) >= sizeof t->storage_class)
			return -EINVAL;
		snprintf(t->storage_class, sizeof t->storage_class, "%.*s", (int)(equals - word),
			 word);
		t->days = atoi(equals + 1);
		++*ret_count;
	}
	qsort(ret_transitions, *ret_count, sizeof *ret_transitions, by_days);
	return *ret_count ? 0 : -ENOENT;
}
