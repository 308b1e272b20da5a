/* Parsing of small XML documents, as S3 and Twilio send them, with expat. A DOCTYPE is refused:
 * without one there are no entities but the five of XML, so nothing expands and nothing is fetched.
 * Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The place of an element in the document, in bytes: the beginning of its start tag, and the
 * beginning and the end of its end tag. For an empty-element tag such as <a/> the last two are
 * equal. */
struct xml_place {
	size_t begin, end_tag, end;
	bool has_prefix; /* this element or one before it has a namespace prefix */
};

/* Called at the end of each element, in document order. path: the names from the root, without
 * namespace prefixes ("ListBucketResult/Contents/Key"); text: its own text after its last child.
 * A value other than 0 ends the parsing. */
typedef int xml_fn(void *arg, const char *path, const char *text);

/* place (may be NULL) is set before each call. White space before the document is skipped, also
 * before an XML declaration. 0, -EBADMSG (not well-formed, a DOCTYPE, too deep, too long a text),
 * -ENOMEM, or the callback's value. */
int xml_parse(const char *bytes, size_t n, xml_fn *fn, void *arg, struct xml_place *place);

/* The rest of the path below an element: "" for the element itself; NULL: it is elsewhere. */
const char *xml_below(const char *path, const char *element);

/* Appends text as it stands in an element. */
void xml_escape(struct buf *out, const char *text);
