/* The one place where expat is set up. */
#include "util/xml.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <expat.h>

#include "util/buf.h"

#define DEPTH_LIMIT 12
#define PATH_LIMIT_BYTES 512
#define TEXT_LIMIT_BYTES (16 * 1024)

struct parser {
	XML_Parser expat;
	xml_fn *on_end;
	void *arg;
	struct xml_place *place;
	unsigned depth;
	size_t skipped, begins[DEPTH_LIMIT + 1]; /* of the open elements, the root at 1 */
	bool has_prefix;
	struct buf path, text;
	int result;
};

static void stop(struct parser *p, int result)
{
	if (!p->result)
		p->result = result;
	XML_StopParser(p->expat, XML_FALSE);
}

/* Expat 2.9 has other names for these, and deprecates the old ones. */
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
#define byte_index XML_GetCurrentByteIndex64
#define byte_count XML_GetCurrentByteCount64
#else
#define byte_index XML_GetCurrentByteIndex
#define byte_count XML_GetCurrentByteCount
#endif

/* Where the current event begins and ends, in bytes. */
static size_t event_begin(const struct parser *p)
{
	return p->skipped + (size_t)byte_index(p->expat);
}

static size_t event_end(const struct parser *p)
{
	return event_begin(p) + (size_t)byte_count(p->expat);
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
	const char *colon = strrchr(name, ':');

	if (colon && colon[1])
		name = colon + 1;
	p->has_prefix |= colon != NULL;
	if (++p->depth > DEPTH_LIMIT || p->path.len + strlen(name) + 1 > PATH_LIMIT_BYTES) {
		stop(p, -EBADMSG);
		return;
	}
	p->begins[p->depth] = event_begin(p);
	if (p->depth > 1)
		buf_add_char(&p->path, '/');
	buf_add_str(&p->path, name);
	buf_reset(&p->text);
	if (buf_failed(&p->path))
		stop(p, -ENOMEM);
}

static void XMLCALL on_text(void *arg, const XML_Char *bytes, int n)
{
	struct parser *p = arg;

	if (p->text.len + (size_t)n > TEXT_LIMIT_BYTES) {
		stop(p, -EBADMSG);
		return;
	}
	buf_add(&p->text, bytes, (size_t)n);
	if (buf_failed(&p->text))
		stop(p, -ENOMEM);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct parser *p = arg;
	char *slash;
	int err;

	if (p->result)
		return;
	if (p->place)
		*p->place = (struct xml_place){ p->begins[p->depth], event_begin(p), event_end(p),
						p->has_prefix };
	err = p->on_end(p->arg, buf_str(&p->path), p->text.len ? buf_str(&p->text) : "");
	if (err)
		stop(p, err);
	slash = strrchr(p->path.data, '/');
	p->path.len = slash ? (size_t)(slash - p->path.data) : 0;
	p->path.data[p->path.len] = '\0';
	p->depth--;
	buf_reset(&p->text);
}

int xml_parse(const char *bytes, size_t n, xml_fn *fn, void *arg, struct xml_place *place)
{
	struct parser p = {
		.on_end = fn, .arg = arg, .place = place, .path = BUF_INIT, .text = BUF_INIT
	};
	enum XML_Status status;

	/* A server that needs long for a request sends white space meanwhile, and then the
	 * document with its XML declaration, which expat accepts only at the very beginning. */
	while (p.skipped < n && strchr(" \t\r\n", bytes[p.skipped]) && bytes[p.skipped])
		p.skipped++;
	bytes += p.skipped;
	n -= p.skipped;
	if (n > INT32_MAX)
		return -EBADMSG;
	p.expat = XML_ParserCreate(NULL);
	if (!p.expat)
		return -ENOMEM;
	XML_SetUserData(p.expat, &p);
	XML_SetElementHandler(p.expat, on_start, on_end);
	XML_SetCharacterDataHandler(p.expat, on_text);
	XML_SetStartDoctypeDeclHandler(p.expat, on_doctype);
	status = XML_Parse(p.expat, bytes, (int)n, XML_TRUE);
	if (!p.result && status != XML_STATUS_OK)
		p.result = XML_GetErrorCode(p.expat) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
	XML_ParserFree(p.expat);
	buf_release(&p.path);
	buf_release(&p.text);
	return p.result;
}

const char *xml_below(const char *path, const char *element)
{
	size_t n = strlen(element);

	if (strncmp(path, element, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n + (path[n] == '/');
}

void xml_escape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buf_add_str(out, "&amp;");
		else if (*text == '<')
			buf_add_str(out, "&lt;");
		else if (*text == '>')
			buf_add_str(out, "&gt;");
		else
			buf_add_char(out, *text);
	}
}
