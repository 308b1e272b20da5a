#include "aws/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "aws/s3-private.h"
#include "util/crypto.h"

#define ROOT "LifecycleConfiguration"
#define NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
#define MINIMUM_HEADER "x-amz-transition-default-minimum-object-size"
#define DEPTH_LIMIT 12
#define TEXT_LIMIT_BYTES 4096

/* ---- the document ---- */

struct parser {
	XML_Parser expat;
	unsigned depth;
	char names[DEPTH_LIMIT + 1][48]; /* of the open elements, the root at 1 */
	struct buf text;
	long rule_begin, root_end; /* in bytes; the document is short */
	struct s3_lifecycle_rule rule;
	struct s3_transition transition;
	/* What is made of each rule: a callback for its bytes and what was read of it. */
	int (*on_rule)(void *arg, const struct s3_lifecycle_rule *rule, long begin, long end);
	void *arg;
	int result;
};

static void stop(struct parser *p, int result)
{
	if (!p->result)
		p->result = result;
	XML_StopParser(p->expat, XML_FALSE);
}

/* Where the current event begins and ends, in bytes. Expat 2.9 has other names for it, and deprecates the old ones. */
static long event_begin(XML_Parser expat)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
	return (long)XML_GetCurrentByteIndex64(expat);
#else
	return XML_GetCurrentByteIndex(expat);
#endif
}

static long event_end(XML_Parser expat)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
	return event_begin(expat) + (long)XML_GetCurrentByteCount64(expat);
#else
	return event_begin(expat) + XML_GetCurrentByteCount(expat);
#endif
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
			       const XML_Char *public_id, int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	stop(arg, -EBADMSG);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct parser *p = arg;

	(void)attributes;
	if (p->depth == DEPTH_LIMIT || strlen(name) >= sizeof p->names[0] ||
	    (p->depth == 0 && strcmp(name, ROOT) != 0)) {
		stop(p, -EBADMSG);
		return;
	}
	snprintf(p->names[++p->depth], sizeof p->names[0], "%s", name);
	buf_reset(&p->text);
	if (p->depth == 2 && strcmp(name, "Rule") == 0) {
		p->rule_begin = event_begin(p->expat);
		memset(&p->rule, 0, sizeof p->rule);
	}
	if (p->depth == 3 && strcmp(name, "Transition") == 0)
		p->transition = (struct s3_transition){ .days = -1 };
}

static void XMLCALL on_text(void *arg, const XML_Char *bytes, int n)
{
	struct parser *p = arg;

	if (p->text.len + (size_t)n > TEXT_LIMIT_BYTES)
		stop(p, -EBADMSG);
	else
		buf_add(&p->text, bytes, (size_t)n);
}

static bool is_at(const struct parser *p, const char *parent, const char *name)
{
	return strcmp(p->names[p->depth], name) == 0 && strcmp(p->names[p->depth - 1], parent) == 0;
}

static void take_value(struct parser *p)
{
	struct s3_lifecycle_rule *r = &p->rule;
	const char *text = buf_str(&p->text);

	if (is_at(p, "Rule", "ID"))
		snprintf(r->id, sizeof r->id, "%s", text);
	else if (is_at(p, "Rule", "Status"))
		r->is_enabled = strcmp(text, "Enabled") == 0;
	else if (is_at(p, "Rule", "Prefix") || is_at(p, "Filter", "Prefix") ||
		 is_at(p, "And", "Prefix"))
		snprintf(r->prefix, sizeof r->prefix, "%s", text);
	else if (is_at(p, "Transition", "Days"))
		p->transition.days = atoi(text);
	else if (is_at(p, "Transition", "StorageClass"))
		snprintf(p->transition.storage_class, sizeof p->transition.storage_class, "%s",
			 s3_storage_class(text));
	else if (is_at(p, "Expiration", "Days"))
		r->expiration_days = atoi(text);
	else if (is_at(p, "Rule", "Transition") && r->transition_count < S3_TRANSITIONS_LIMIT)
		r->transitions[r->transition_count++] = p->transition;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct parser *p = arg;
	int r = 0;

	if (p->result)
		return;
	if (p->depth > 2)
		take_value(p);
	else if (p->depth == 2 && strcmp(name, "Rule") == 0)
		r = p->on_rule(p->arg, &p->rule, p->rule_begin, event_end(p->expat));
	else if (p->depth == 1)
		p->root_end = event_begin(p->expat);
	p->depth--;
	buf_reset(&p->text);
	if (r)
		stop(p, r);
}

static int parse(struct parser *p, const char *document, size_t n)
{
	enum XML_Status status;

	if (n > INT32_MAX)
		return -EBADMSG;
	/* No names of namespaces: a document that has prefixes is left alone. */
	p->expat = XML_ParserCreate("UTF-8");
	if (!p->expat)
		return -ENOMEM;
	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, on_start, on_end);
	XML_SetCharacterDataHandler(p->expat, on_text);
	XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
	status = XML_Parse(p->expat, document, (int)n, XML_TRUE);
	if (!p->result && status != XML_STATUS_OK)
		p->result = -EBADMSG;
	if (!p->result && buf_failed(&p->text))
		p->result = -ENOMEM;
	XML_ParserFree(p->expat);
	buf_release(&p->text);
	return p->result;
}

struct each {
	s3_lifecycle_fn *fn;
	void *arg;
};

static int each_rule(void *arg, const struct s3_lifecycle_rule *rule, long begin, long end)
{
	const struct each *each = arg;

	(void)begin, (void)end;
	return each->fn(each->arg, rule);
}

int s3_lifecycle_each(const char *document, size_t n, s3_lifecycle_fn *fn, void *arg)
{
	struct each each = { fn, arg };
	struct parser p = { .text = BUF_INIT, .on_rule = each_rule, .arg = &each };

	return n ? parse(&p, document, n) : 0;
}

static void add_rule(struct buf *out, const struct s3_lifecycle_rule *rule)
{
	buf_add_str(out, "<Rule><ID>");
	s3_xml_escape(out, rule->id);
	buf_add_str(out, "</ID><Filter><Prefix>");
	s3_xml_escape(out, rule->prefix);
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
	long kept_until; /* bytes of the document that are in out, or left out */
	size_t left;
	bool found;
};

static int edit_rule(void *arg, const struct s3_lifecycle_rule *rule, long begin, long end)
{
	struct edit *e = arg;

	if (strcmp(rule->id, e->id) != 0) {
		e->left++;
		return 0;
	}
	e->found = true;
	buf_add(e->out, e->document + e->kept_until, (size_t)(begin - e->kept_until));
	e->kept_until = end;
	return 0;
}

int s3_lifecycle_edit(const char *document, size_t n, const char *id,
		      const struct s3_lifecycle_rule *rule, struct buf *ret_document,
		      size_t *ret_left, bool *ret_found)
{
	static const char empty[] = "<" ROOT " xmlns=\"" NAMESPACE "\"></" ROOT ">";
	struct edit e = { .id = id, .out = ret_document };
	struct parser p = { .text = BUF_INIT, .on_rule = edit_rule, .arg = &e };
	int r;

	if (!n) {
		document = empty;
		n = sizeof empty - 1;
	}
	e.document = document;
	r = parse(&p, document, n);
	if (r)
		return r;
	/* "<LifecycleConfiguration/>" has no end that something could be put before. */
	if (strncmp(document + p.root_end, "</", 2) != 0)
		return s3_lifecycle_edit("", 0, id, rule, ret_document, ret_left, ret_found);
	buf_add(ret_document, document + e.kept_until, (size_t)(p.root_end - e.kept_until));
	if (rule)
		add_rule(ret_document, rule);
	buf_add(ret_document, document + p.root_end, n - (size_t)p.root_end);
	*ret_left = e.left + (rule != NULL);
	*ret_found = e.found;
	return buf_failed(ret_document) ? -ENOMEM : 0;
}

/* ---- requests ---- */

int s3_lifecycle_get(struct s3_client *client, struct s3_lifecycle *ret_lifecycle,
		     struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };
	struct http_reply reply;
	const char *minimum;
	int r;

	ret_lifecycle->minimum_size[0] = '\0';
	s3_pairs_add(&call.query, "lifecycle", "");
	r = s3_call_run(client, &call, &reply, ret_error);
	if (r && strcmp(ret_error->code, "NoSuchLifecycleConfiguration") == 0) {
		remote_error_clear(ret_error);
		return 0;
	}
	if (r)
		return r;
	minimum = http_reply_header(&reply, MINIMUM_HEADER);
	snprintf(ret_lifecycle->minimum_size, sizeof ret_lifecycle->minimum_size, "%s",
		 minimum ? minimum : "");
	buf_add(ret_lifecycle->document, reply.body, reply.body_len);
	http_reply_release(&reply);
	return buf_failed(ret_lifecycle->document)
		       ? s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory")
		       : 0;
}

int s3_lifecycle_put(struct s3_client *client, const struct s3_lifecycle *lifecycle,
		     struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_PUT };
	char md5[CRYPTO_BASE64_SIZE(CRYPTO_MD5_SIZE)];
	uint8_t digest[CRYPTO_MD5_SIZE];
	struct http_reply reply;
	int r;

	if (crypto_md5(lifecycle->document->data, lifecycle->document->len, digest))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	crypto_base64(digest, sizeof digest, md5);
	s3_pairs_add(&call.query, "lifecycle", "");
	s3_pairs_add(&call.headers, "Content-Type", "application/xml");
	s3_pairs_add(&call.headers, "Content-MD5", md5);
	if (lifecycle->minimum_size[0])
		s3_pairs_add(&call.headers, MINIMUM_HEADER, lifecycle->minimum_size);
	call.body = lifecycle->document->data;
	call.body_len = lifecycle->document->len;
	r = s3_call_run(client, &call, &reply, ret_error);
	http_reply_release(&reply);
	return r;
}

static int count_rule(void *arg, const struct s3_lifecycle_rule *rule)
{
	(void)rule;
	++*(size_t *)arg;
	return 0;
}

int s3_lifecycle_delete(struct s3_client *client, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_DELETE };
	cleanup_buf struct buf document = BUF_INIT;
	struct s3_lifecycle there = { .document = &document };
	struct http_reply reply;
	size_t rules = 0;
	int r = s3_lifecycle_get(client, &there, ret_error);

	if (r || !document.len)
		return r;
	/* Anything else in a 200 comes from who knows what: nothing is deleted on its word. */
	if (s3_lifecycle_each(document.data, document.len, count_rule, &rules) || !rules)
		return s3_fail(ret_error, REMOTE_INVALID, -EIO,
			       "the answer is no lifecycle document");
	s3_pairs_add(&call.query, "lifecycle", "");
	r = s3_call_run(client, &call, &reply, ret_error);
	http_reply_release(&reply);
	return r;
}
