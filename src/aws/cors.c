/* A bucket's CORS rules: parsing, writing, and what they allow. */
#include "aws/cors.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/s3-private.h"
#include "util/array.h"
#include "util/xml.h"

#define MAX_AGE_SECS 3000

static const char *const methods[] = { "GET", "HEAD" }; /* of reading */

/* ---- rules ---- */

static void words_release(struct s3_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct s3_words){ NULL, 0 };
}

static int words_add(struct s3_words *words, const char *word)
{
	char **slot = array_add(&words->items, &words->count);

	if (slot)
		*slot = strdup(word);
	return slot && *slot ? 0 : -ENOMEM;
}

static void rule_release(struct s3_cors_rule *rule)
{
	free(rule->id);
	words_release(&rule->origins);
	words_release(&rule->methods);
	words_release(&rule->headers);
	words_release(&rule->exposed);
	*rule = (struct s3_cors_rule){ .max_age_secs = -1 };
}

void s3_cors_release(struct s3_cors *cors)
{
	for (size_t i = 0; i < cors->count; i++)
		rule_release(&cors->rules[i]);
	free(cors->rules);
	*cors = (struct s3_cors){ NULL, 0 };
}

static int rule_add(struct s3_cors *cors, struct s3_cors_rule *rule)
{
	int err = array_push(&cors->rules, &cors->count, rule);

	if (!err)
		*rule = (struct s3_cors_rule){ .max_age_secs = -1 };
	return err;
}

/* ---- parsing ---- */

struct parser {
	struct s3_cors *cors;
	struct s3_cors_rule rule; /* the rule that is being parsed */
	bool is_configuration;
};

static int set_max_age(struct s3_cors_rule *rule, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < 0 || value > INT_MAX)
		return -EBADMSG;
	rule->max_age_secs = (int)value;
	return 0;
}

static int on_rule_element(struct s3_cors_rule *rule, const char *name, const char *text)
{
	if (strcmp(name, "ID") == 0) {
		free(rule->id);
		rule->id = *text ? strdup(text) : NULL;
		return *text && !rule->id ? -ENOMEM : 0;
	}
	if (strcmp(name, "AllowedOrigin") == 0)
		return words_add(&rule->origins, text);
	if (strcmp(name, "AllowedMethod") == 0)
		return words_add(&rule->methods, text);
	if (strcmp(name, "AllowedHeader") == 0)
		return words_add(&rule->headers, text);
	if (strcmp(name, "ExposeHeader") == 0)
		return words_add(&rule->exposed, text);
	if (strcmp(name, "MaxAgeSeconds") == 0)
		return set_max_age(rule, text);
	return -ENOTSUP;
}

static int on_element(void *arg, const char *path, const char *text)
{
	const char *name = xml_below(path, "CORSConfiguration/CORSRule");
	struct parser *p = arg;

	if (name)
		return *name ? on_rule_element(&p->rule, name, text) : rule_add(p->cors, &p->rule);
	p->is_configuration = strcmp(path, "CORSConfiguration") == 0;
	return p->is_configuration ? 0 : -ENOTSUP;
}

int s3_cors_parse(const char *bytes, size_t n, struct s3_cors *ret_cors)
{
	struct parser p = { .cors = ret_cors, .rule = { .max_age_secs = -1 } };
	int err;

	*ret_cors = (struct s3_cors){ NULL, 0 };
	err = xml_parse(bytes, n, on_element, &p, NULL);
	rule_release(&p.rule);
	if (!err && !p.is_configuration)
		err = -EBADMSG;
	if (err)
		s3_cors_release(ret_cors);
	return err;
}

/* ---- writing ---- */

static void add_element(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "<%s>", name);
	xml_escape(out, text);
	buf_addf(out, "</%s>", name);
}

static void add_elements(struct buf *out, const char *name, const struct s3_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		add_element(out, name, words->items[i]);
}

int s3_cors_format(const struct s3_cors *cors, struct buf *ret_text)
{
	buf_add_str(ret_text,
		    "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (size_t i = 0; i < cors->count; i++) {
		const struct s3_cors_rule *rule = &cors->rules[i];

		buf_add_str(ret_text, "<CORSRule>");
		if (rule->id)
			add_element(ret_text, "ID", rule->id);
		add_elements(ret_text, "AllowedOrigin", &rule->origins);
		add_elements(ret_text, "AllowedMethod", &rule->methods);
		add_elements(ret_text, "AllowedHeader", &rule->headers);
		if (rule->max_age_secs >= 0)
			buf_addf(ret_text, "<MaxAgeSeconds>%d</MaxAgeSeconds>", rule->max_age_secs);
		add_elements(ret_text, "ExposeHeader", &rule->exposed);
		buf_add_str(ret_text, "</CORSRule>");
	}
	buf_add_str(ret_text, "</CORSConfiguration>");
	return buf_failed(ret_text) ? -ENOMEM : 0;
}

/* ---- requests ---- */

int s3_get_cors(struct s3_client *client, struct s3_cors *ret_cors, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET };
	int err = s3_call_get_document(client, &call, "cors", ret_error);

	*ret_cors = (struct s3_cors){ NULL, 0 };
	if (err || !call.reply.body)
		return err;
	err = s3_cors_parse(call.reply.body, call.reply.body_len, ret_cors);
	if (err == -ENOTSUP)
		return s3_fail(ret_error, REMOTE_REJECTED, err,
			       "the CORS rules of the bucket have an unknown element");
	return err ? s3_fail(ret_error, REMOTE_INVALID, err, "the answer has no CORS rules") : 0;
}

int s3_put_cors(struct s3_client *client, const struct s3_cors *cors,
		struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_PUT };

	if (s3_cors_format(cors, &call.document))
		return s3_fail(ret_error, REMOTE_TRANSIENT, -ENOMEM, "out of memory");
	return s3_call_put_document(client, &call, "cors", ret_error);
}

/* ---- what rules allow ---- */

/* Whether `pattern` covers everything that `wanted` covers; each may hold one '*'. */
static bool pattern_covers(const char *pattern, const char *wanted)
{
	const char *star = strchr(pattern, '*');
	size_t before, behind, n = strlen(wanted);

	if (!star)
		return strcasecmp(pattern, wanted) == 0;
	before = (size_t)(star - pattern);
	behind = strlen(star + 1);
	return n >= before + behind && strncasecmp(pattern, wanted, before) == 0 &&
	       strcasecmp(star + 1, wanted + n - behind) == 0;
}

static bool words_cover(const struct s3_words *words, const char *wanted)
{
	for (size_t i = 0; i < words->count; i++)
		if (pattern_covers(words->items[i], wanted))
			return true;
	return false;
}

bool s3_cors_lets_read(const struct s3_cors *cors, const char *origin)
{
	bool is_allowed[ARRAY_SIZE(methods)] = { false };

	for (size_t i = 0; i < cors->count; i++) {
		const struct s3_cors_rule *rule = &cors->rules[i];

		/* Range requests need the header Range to be allowed. */
		if (!words_cover(&rule->origins, origin) || !words_cover(&rule->headers, "range"))
			continue;
		for (size_t m = 0; m < ARRAY_SIZE(methods); m++)
			is_allowed[m] |= words_cover(&rule->methods, methods[m]);
	}
	return is_allowed[0] && is_allowed[1];
}

static int rule_fill(struct s3_cors_rule *rule, const char *id, const char *const *origins,
		     size_t origin_count)
{
	static const char *const exposed[] = { "Accept-Ranges", "Content-Length", "Content-Range",
					       "Content-Type", "ETag" };
	int err = 0;

	rule->max_age_secs = MAX_AGE_SECS;
	rule->id = strdup(id);
	if (!rule->id)
		return -ENOMEM;
	for (size_t i = 0; i < origin_count && !err; i++)
		err = words_add(&rule->origins, origins[i]);
	for (size_t i = 0; i < ARRAY_SIZE(methods) && !err; i++)
		err = words_add(&rule->methods, methods[i]);
	for (size_t i = 0; i < ARRAY_SIZE(exposed) && !err; i++)
		err = words_add(&rule->exposed, exposed[i]);
	return err ? err : words_add(&rule->headers, "*");
}

int s3_cors_set_reading(struct s3_cors *cors, const char *id, const char *const *origins,
			size_t origin_count)
{
	struct s3_cors_rule rule = { .max_age_secs = -1 };
	int err = rule_fill(&rule, id, origins, origin_count);

	for (size_t i = 0; i < cors->count && !err; i++)
		if (cors->rules[i].id && strcmp(cors->rules[i].id, id) == 0) {
			rule_release(&cors->rules[i]);
			cors->rules[i] = rule;
			return 0;
		}
	if (!err)
		err = rule_add(cors, &rule);
	rule_release(&rule);
	return err;
}
