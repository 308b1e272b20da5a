/* The table of extended attributes, and the manual page's list of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/xattr.h"
#include "util/cleanup.h"
#include "util/files.h"

static const struct fs_xattr *find(const char *name)
{
	char full[128];

	snprintf(full, sizeof full, FS_XATTR_PREFIX "%s", name);
	return fs_xattr_find(full);
}

static void test_fs__every_attribute_is_found_by_its_own_name(void **state)
{
	for (size_t i = 0; i < fs_xattr_count; i++)
		assert_ptr_equal(find(fs_xattrs[i].name), &fs_xattrs[i]);
	assert_null(find("nonsense"));
	assert_null(fs_xattr_find("state"));
	assert_null(fs_xattr_find("user.tonicfs"));
}

static void test_fs__listed_attributes_neither_grant_access_nor_need_the_network(void **state)
{
	for (size_t i = 0; i < fs_xattr_count; i++)
		if (fs_xattrs[i].flags & FS_XATTR_LISTED)
			assert_false(fs_xattrs[i].flags & (FS_XATTR_GRANTS | FS_XATTR_NETWORK));
}

static void test_fs__every_attribute_has_one_source_and_a_place(void **state)
{
	for (size_t i = 0; i < fs_xattr_count; i++) {
		const struct fs_xattr *x = &fs_xattrs[i];

		assert_true(!x->get == !!x->text_offset);
		assert_true(x->get || x->row != FS_ROW_NONE);
		assert_true(!x->parse == !x->apply);
		assert_int_not_equal(x->on, 0);
		/* Rows of recordings exist for recordings only. */
		if (x->row >= FS_ROW_RECORDING)
			assert_int_equal(x->on, 1U << CATALOG_NODE_RECORDING);
	}
}

static void test_fs__callers_numbers_are_marked(void **state)
{
	for (size_t i = 0; i < fs_xattr_count; i++) {
		const char *name = fs_xattrs[i].name;

		assert_int_equal(!!(fs_xattrs[i].flags & FS_XATTR_NUMBER),
				 strcmp(name, "from") == 0 || strcmp(name, "to") == 0);
	}
}

static int parse(const char *name, const char *value, struct fs_xattr_change *ret_change)
{
	return find(name)->parse(value, strlen(value), ret_change);
}

static void test_fs__a_restore_takes_days_and_a_tier_in_any_order(void **state)
{
	struct fs_xattr_change change;

	assert_int_equal(parse("restore", "7 bulk", &change), 0);
	assert_int_equal(change.restore_days, 7);
	assert_string_equal(change.restore_tier, "Bulk");
	assert_int_equal(parse("restore", "standard 3\n", &change), 0);
	assert_int_equal(change.restore_days, 3);
	assert_string_equal(change.restore_tier, "Standard");
	assert_int_equal(parse("restore", "now", &change), 0);
	assert_int_equal(parse("restore", "0", &change), -EINVAL);
	assert_int_equal(parse("restore", "7d", &change), -EINVAL);
	assert_int_equal(parse("restore", "soon", &change), -EINVAL);
}

static void test_fs__a_migration_takes_one_exact_word(void **state)
{
	static const char *const wrong[] = { "", "NOW", "yes", "now ", "nowhere", "no" };
	struct fs_xattr_change change;

	assert_int_equal(parse("migrate", "now", &change), 0);
	assert_ptr_equal(change.migrate, catalog_migrate_queue);
	assert_int_equal(parse("migrate", "pause", &change), 0);
	assert_ptr_equal(change.migrate, catalog_migrate_pause);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse("migrate", wrong[i], &change), -EINVAL);
}

/* ---- the manual page: ".B user.tonicfs.NAME" or ".BR user.tonicfs. { NAME , NAME }" ---- */

/* Calls fn for every name of the section's headings. Returns their number. */
static size_t each_documented(char *section, void (*fn)(const char *name, bool *found), bool *found)
{
	size_t count = 0;
	char *rest;

	for (char *line = strtok_r(section, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *words = strstr(line, " " FS_XATTR_PREFIX), *rest_words;

		if (strncmp(line, ".B", 2) != 0 || !words)
			continue;
		words += strlen(" " FS_XATTR_PREFIX);
		for (char *word = strtok_r(words, " {},", &rest_words); word;
		     word = strtok_r(NULL, " {},", &rest_words), count++)
			fn(word, found);
	}
	return count;
}

static void mark(const char *name, bool *found)
{
	const struct fs_xattr *xattr = find(name);

	if (!xattr)
		fail_msg("the manual page has an attribute that does not exist: %s", name);
	if (found[xattr - fs_xattrs])
		fail_msg("the manual page lists twice: %s", name);
	found[xattr - fs_xattrs] = true;
}

/* Run from the top folder, as make does. */
static void test_fs__the_manual_page_lists_every_attribute_once(void **state)
{
	cleanup_free char *page = NULL;
	cleanup_free bool *found = calloc(fs_xattr_count, sizeof *found);
	char *section, *end;
	size_t page_len;

	assert_int_equal(files_read("src/cli/tonicfs.1", 1 << 20, &page, &page_len), 0);
	section = strstr(page, ".SH EXTENDED ATTRIBUTES\n");
	assert_non_null(section);
	end = strstr(section + 1, "\n.SH ");
	assert_non_null(end);
	*end = '\0';
	assert_true(each_documented(section, mark, found) > 0);
	for (size_t i = 0; i < fs_xattr_count; i++)
		if (!found[i])
			fail_msg("the manual page does not list %s", fs_xattrs[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fs__every_attribute_is_found_by_its_own_name),
		cmocka_unit_test(
			test_fs__listed_attributes_neither_grant_access_nor_need_the_network),
		cmocka_unit_test(test_fs__every_attribute_has_one_source_and_a_place),
		cmocka_unit_test(test_fs__callers_numbers_are_marked),
		cmocka_unit_test(test_fs__a_restore_takes_days_and_a_tier_in_any_order),
		cmocka_unit_test(test_fs__a_migration_takes_one_exact_word),
		cmocka_unit_test(test_fs__the_manual_page_lists_every_attribute_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
