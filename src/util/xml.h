/*
 * XML documents of a few pages, as S3 and Twilio send them, by expat. A DOCTYPE is refused: without
 * one there are no entities but the five of XML, so nothing expands and nothing is fetched.
 */
#ifndef TONICFS_UTIL_XML_H
#define TONICFS_UTIL_XML_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Where an element stands in the document, in bytes: its start tag begins, its end tag begins and
 * ends. The two last are the same for an empty-element tag such as <a/>. */
struct xml_place {
	size_t begin, end_tag, end;
	bool has_prefix; /* this element or one before it has a namespace prefix */
};

/* Called at the end of each element, in document order. path: the names from the root, without
 * namespace prefixes ("ListBucketResult/Contents/Key"); text: its own, behind its last child. A
 * value other than 0 ends the parsing. */
typedef int xml_fn(void *arg, const char *path, const char *text);

/* place (may be NULL) is set before each call. White space before the document is skipped, also
 * before an XML declaration. 0, -EBADMSG (not well-formed, a DOCTYPE, too deep, too long a text),
 * -ENOMEM, or the callback's value. */
int xml_parse(const char *bytes, size_t n, xml_fn *fn, void *arg, struct xml_place *place);

/* Appends text as it stands in an element. */
void xml_escape(struct buf *out, const char *text);

#endif
