/* A bucket's lifecycle rules: reading and editing the document, and the requests. */
#include "aws/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/xml.h"

#define ROOT "LifecycleConfiguration"
#define NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
#define MINIMUM_HEADER "x-amz-transition-default-minimum-object-size"

/* ---- the document ---- */

struct parser {
	struct xml_place place;
	size_t root_end; /* where the end tag of the root begins, in bytes */
	struct s3_lifecycle_rule rule;
	struct s3_transition transition;
	int (*on_rule)(void *arg, const struct s3_lifecycle_rule *rule,
		       const struct xml_place *place);
	void *arg;
};

static void take_value(struct parser *p, const char *name, const char *text)
{
	struct s3_lifecycle_rule *rule = &p->rule;

	if (strcmp(name, "ID") == 0)
		snprintf(rule->id, sizeof rule->id, "%s", text);
	else if (strcmp(name, "Status") == 0)
		rule->is_enabled = strcmp(text, "Enabled") == 0;
	else if (strcmp(name, "Prefix") == 0 || strcmp(name, "Filter/Prefix") == 0 ||
		 strcmp(name, "Filter/And/Prefix") == 0)
		snprintf(rule->prefix, sizeof rule->prefix, "%s", text);
	else if (strcmp(name, "Transition/Days") == 0)
		p->transition.days = atoi(text);
	else if (strcmp(name, "Transition/StorageClass") == 0)
		snprintf(p->transition.storage_class, sizeof p->transition.storage_class, "%s",
			 s3_storage_class(text));
	else if (strcmp(name, "Expiration/Days") == 0)
		rule->expiration_days = atoi(text);
	else if (strcmp(name, "Transition") == 0) {
		if (rule->transition_count < S3_TRANSITIONS_LIMIT)
			rule->transitions[rule->transition_count++] = p->transition;
		p->transition = (struct s3_transition){ .days = -1 };
	}
}

static int on_element(void *arg, const char *path, const char *text)
{
	struct parser *p = arg;
	const char *name = xml_below(path, ROOT), *value = name ? xml_below(name, "Rule") : NULL;
	int err = 0;

	/* The rules written here have no prefix, so a document with prefixes is refused. */
	if (p->place.has_prefix || !name)
		return -EBADMSG;
	if (value && *value) {
		take_value(p, value, text);
	} else if (value) {
		err = p->on_rule(p->arg, &p->rule, &p->place);
		memset(&p->rule, 0, sizeof p->rule);
	} else if (!*name) {
		p->root_end = p->place.end_tag;
	}
	return err;
}

static int parse(struct parser *p, const char *document, size_t n)
{
	p->transition.days = -1;
	return xml_parse(document, n, on_element, p, &p->place);
}

struct each {
	s3_lifecycle_fn *fn;
	void *arg;
};

static int each_rule(void *arg, const struct s3_lifecycle_rule *rule, const struct xml_place *place)
{
	const struct each *each = arg;

	return each->fn(each->arg, rule);
}

int s3_lifecycle_each(const char *document, size_t n, s3_lifecycle_fn *fn, void *arg)
{
	struct each each = { fn, arg };
	struct parser p = { .on_rule = each_rule, .arg = &each };

	return n ? parse(&p, document, n) : 0;
}

static void add_rule(struct buf *out, const struct s3_lifecycle_rule *rule)
{
	buf_add_str(out, "<Rule><ID>");
	xml_escape(out, rule->id);
	buf_add_str(out, "</ID><Filter><Prefix>");
	xml_escape(out, rule->prefix);
	buf_addf(out, "</Prefix></Filter><Status>%s</Status>",
		 rule->is_enabled ? "Enabled" : "Disabled");
	for (size_t i = 0; i < rule->transition_count; i++)
		buf_addf(out,
			 "<Transition><Days>%d</Days><StorageClass>%s</StorageClass></Transition>",
			 rule->transitions[i].days, rule->transitions[i].storage_class);
	buf_add_str(out, "</Rule>");
}

struct edit {
	const char *document, *id;
	struct buf *out;
	size_t kept_until; /* the document up to here is in out, or left out */
	size_t left;
	bool found;
};

static int edit_rule(void *arg, const struct s3_lifecycle_rule *rule, const struct xml_place *place)
{
	struct edit *e = arg;

	if (strcmp(rule->id, e->id) != 0) {
		e->left++;
		return 0;
	}
	e->found = true;
	buf_add(e->out, e->document + e->kept_until, place->begin - e->kept_until);
	e->kept_until = place->end;
	return 0;
}

int s3_lifecycle_edit(const char *document, size_t n, const char *id,
		      const struct s3_lifecycle_rule *rule, struct buf *ret_document,
		      size_t *ret_left, bool *ret_found)
{
	static const char empty[] = "<" ROOT " xmlns=\"" NAMESPACE "\"></" ROOT ">";
	struct edit e = { .id = id, .out = ret_document };
	struct parser p = { .on_rule = edit_rule, .arg = &e };
	int err;

	if (!n) {
		document = empty;
		n = sizeof empty - 1;
	}
	e.document = document;
	err = parse(&p, document, n);
	if (err)
		return err;
	/* "<LifecycleConfiguration/>" has no end tag before which a rule could be put. */
	if (strncmp(document + p.root_end, "</", 2) != 0)
		return s3_lifecycle_edit("", 0, id, rule, ret_document, ret_left, ret_found);
	buf_add(ret_document, document + e.kept_until, p.root_end - e.kept_until);
	if (rule)
		add_rule(ret_document, rule);
	buf_add(ret_document, document + p.root_end, n - p.root_end);
	*ret_left = e.left + (rule != NULL);
	*ret_found = e.found;
	return buf_failed(ret_document) ? -ENOMEM : 0;
}

/* ---- requests ---- */

int s3_lifecycle_get(struct s3_client *client, struct s3_lifecycle *ret_lifecycle,
		     struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };
	int err = s3_call_get_document(client, &call, "lifecycle", ret_error);
	const char *minimum = http_response_header(&call.reply.head, MINIMUM_HEADER);

	snprintf(ret_lifecycle->minimum_size, sizeof ret_lifecycle->minimum_size, "%s",
		 minimum ? minimum : "");
	if (err)
		return err;
	buf_add(ret_lifecycle->document, call.reply.body, call.reply.body_len);
	return buf_failed(ret_lifecycle->document)
		       ? s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory")
		       : 0;
}

int s3_lifecycle_put(struct s3_client *client, const struct s3_lifecycle *lifecycle,
		     struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_PUT };

	if (lifecycle->minimum_size[0])
		s3_pairs_add(&call.headers, MINIMUM_HEADER, lifecycle->minimum_size);
	buf_add(&call.document, lifecycle->document->data, lifecycle->document->len);
	return s3_call_put_document(client, &call, "lifecycle", ret_error);
}

static int count_rule(void *arg, const struct s3_lifecycle_rule *rule)
{
	++*(size_t *)arg;
	return 0;
}

int s3_lifecycle_delete(struct s3_client *client, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_DELETE, .is_on_bucket = true };
	cleanup_buf struct buf document = BUF_INIT;
	struct s3_lifecycle there = { .document = &document };
	size_t rules = 0;
	int err = s3_lifecycle_get(client, &there, ret_error);

	if (err || !document.len)
		return err;
	/* Any other 200 may come from anywhere: nothing is deleted then. */
	if (s3_lifecycle_each(document.data, document.len, count_rule, &rules) || !rules)
		return s3_fail(ret_error, REMOTE_INVALID, -EIO,
			       "the answer is not a lifecycle document");
	s3_pairs_add(&call.query, "lifecycle", "");
	return s3_call_run(client, &call, ret_error);
}
