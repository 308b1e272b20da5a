/* XML: paths, texts, places, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "util/buf.h"
#include "util/xml.h"

static int list(void *arg, const char *path, const char *text)
{
	buf_addf(arg, "%s=%s;", path, text);
	return 0;
}

static void assert_read(const char *document, const char *expected)
{
	cleanup_buf struct buf read = BUF_INIT;

	assert_int_equal(xml_parse(document, strlen(document), list, &read, NULL), 0);
	assert_string_equal(buf_str(&read), expected);
}

static void test_util_xml__elements_come_with_their_path_and_text(void **state)
{
	assert_read("<a>1<b>2</b>3</a>", "a/b=2;a=3;");
	assert_read("<x:a xmlns:x='y'><x:b>&lt;&#65;</x:b></x:a>", "a/b=<A;a=;");
	assert_read(" \r\n\t<?xml version='1.0'?><a/>", "a=;");
}

static int count(void *arg, const char *path, const char *text)
{
	(void)path, (void)text;
	++*(unsigned *)arg;
	return 0;
}

static int parse(const char *document, size_t n, unsigned *count_elements)
{
	*count_elements = 0;
	return xml_parse(document, n, count, count_elements, NULL);
}

static void test_util_xml__what_is_too_long_too_deep_or_of_a_type_is_refused(void **state)
{
	static const char doctype[] = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
	cleanup_buf struct buf text = BUF_INIT;
	unsigned n;

	buf_add_str(&text, "<a>");
	for (unsigned i = 0; i < 20000; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "</a>");
	assert_int_equal(parse(text.data, text.len, &n), -EBADMSG);
	assert_int_equal(n, 0);
	buf_reset(&text);
	for (unsigned i = 0; i < 100000; i++)
		buf_add_str(&text, "<a>");
	assert_int_equal(parse(text.data, text.len, &n), -EBADMSG);
	assert_int_equal(n, 0);
	assert_int_equal(parse("<a>&b;</a>", 10, &n), -EBADMSG);
	assert_int_equal(parse(doctype, sizeof doctype - 1, &n), -EBADMSG);
	assert_int_equal(parse("", 0, &n), -EBADMSG);
	/* What was complete before the end of a cut document has been told. */
	assert_int_equal(parse("<a><b/><c/>", 11, &n), -EBADMSG);
	assert_int_equal(n, 2);
}

struct spot {
	const char *path;
	struct xml_place place, found;
};

static int note_place(void *arg, const char *path, const char *text)
{
	struct spot *spot = arg;

	if (strcmp(path, spot->path) == 0)
		spot->found = spot->place;
	return 0;
}

static struct xml_place place_of(const char *document, const char *path)
{
	struct spot spot = { .path = path };

	assert_int_equal(xml_parse(document, strlen(document), note_place, &spot, &spot.place), 0);
	return spot.found;
}

static void test_util_xml__the_place_of_an_element_is_known(void **state)
{
	const char *document = " <a><b>\xc3\xa4</b><c/></a>";
	struct xml_place place = place_of(document, "a/b");

	assert_memory_equal(document + place.begin, "<b>", 3);
	assert_memory_equal(document + place.end_tag, "</b>", 4);
	assert_memory_equal(document + place.end, "<c/>", 4);
	assert_false(place.has_prefix);
	place = place_of(document, "a");
	assert_int_equal(place.begin, 1);
	assert_memory_equal(document + place.end_tag, "</a>", 5);
	assert_int_equal(place.end, strlen(document));
	assert_false(place_of("<a><x:b xmlns:x='y'/></a>", "b").has_prefix);
	assert_true(place_of("<a><x:b xmlns:x='y'/></a>", "a").has_prefix);
}

static int stop_at_b(void *arg, const char *path, const char *text)
{
	(void)arg, (void)text;
	return strcmp(path, "a/b") == 0 ? -ENOSPC : 0;
}

static void test_util_xml__a_callbacks_value_ends_the_parsing(void **state)
{
	assert_int_equal(xml_parse("<a><b/></a", 10, stop_at_b, NULL, NULL), -ENOSPC);
}

static void test_util_xml__text_is_escaped(void **state)
{
	cleanup_buf struct buf text = BUF_INIT;

	xml_escape(&text, "a<b>&\"c");
	assert_string_equal(buf_str(&text), "a&lt;b&gt;&amp;\"c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_xml__elements_come_with_their_path_and_text),
		cmocka_unit_test(test_util_xml__what_is_too_long_too_deep_or_of_a_type_is_refused),
		cmocka_unit_test(test_util_xml__the_place_of_an_element_is_known),
		cmocka_unit_test(test_util_xml__a_callbacks_value_ends_the_parsing),
		cmocka_unit_test(test_util_xml__text_is_escaped),
	};

	return cmocka_run_group_tests_name("util_xml", tests, NULL, NULL);
}
