/* What a node of the catalog becomes for the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/fs-private.h"
#include "fs/node.h"

static const struct fs fs = { .uid = 1000, .gid = 100 };

static struct catalog_node node_of(enum catalog_node_kind kind, int64_t size_bytes)
{
	return (struct catalog_node){ .kind = kind,
				      .inode = 77,
				      .parent = 5,
				      .size_bytes = size_bytes,
				      .mtime_nsecs = INT64_C(1772360100123456789),
				      .link_count = 3 };
}

static void test_fs__a_recording_is_a_private_file(void **state)
{
	struct catalog_node node = node_of(CATALOG_NODE_RECORDING, 1000);
	struct stat st;

	fs_node_stat(&fs, &node, &st);
	/* Writable by its mode: rm would ask, and setxattr be refused, else. */
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_ino, 77);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_size, 1000);
	assert_int_equal(st.st_blocks, 2);
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 100);
}

static void test_fs__a_folder_is_a_private_folder(void **state)
{
	struct catalog_node node = node_of(CATALOG_NODE_WORKSPACE, 0);
	struct stat st;

	fs_node_stat(&fs, &node, &st);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(st.st_nlink, 3);
}

static void test_fs__all_times_are_the_catalogs_to_the_nanosecond(void **state)
{
	struct catalog_node node = node_of(CATALOG_NODE_RECORDING, 1);
	struct stat st;

	fs_node_stat(&fs, &node, &st);
	assert_int_equal(st.st_mtim.tv_sec, 1772360100);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_memory_equal(&st.st_ctim, &st.st_mtim, sizeof st.st_mtim);
	assert_memory_equal(&st.st_atim, &st.st_mtim, sizeof st.st_mtim);
	node.mtime_nsecs = -1;
	fs_node_stat(&fs, &node, &st);
	assert_int_equal(st.st_mtim.tv_sec, -1);
	assert_int_equal(st.st_mtim.tv_nsec, 999999999);
}

static void test_fs__an_unknown_size_is_never_kept(void **state)
{
	struct catalog_node known = node_of(CATALOG_NODE_RECORDING, 9),
			    unknown = node_of(CATALOG_NODE_RECORDING, -1);
	struct fuse_entry_param entry;

	fs_node_entry(&fs, &known, &entry);
	assert_true(entry.attr_timeout > 5);
	assert_true(entry.entry_timeout > 5);
	fs_node_entry(&fs, &unknown, &entry);
	assert_int_equal(entry.attr.st_size, 0);
	assert_true(entry.attr_timeout == 0);
}

static void test_fs__what_changes_by_itself_is_asked_for_within_5_seconds(void **state)
{
	static const enum catalog_node_kind kinds[] = { CATALOG_NODE_ROOT, CATALOG_NODE_WORKSPACE,
							CATALOG_NODE_CAMPAIGN, CATALOG_NODE_CALLS };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct catalog_node node = node_of(kinds[i], 10);
		struct fuse_entry_param entry;

		fs_node_entry(&fs, &node, &entry);
		assert_true(entry.attr_timeout <= 1);
		assert_true(entry.entry_timeout <= 1);
	}
}

static void test_fs__a_folder_without_a_mount_needs_no_clearing(void **state)
{
	char message[CATALOG_MESSAGE_SIZE] = "";

	assert_int_equal(fs_mountpoint_clear("/usr/share", message), 0);
	/* Not ours: whatever is mounted there stays. */
	assert_int_equal(fs_mountpoint_clear("/proc", message), 0);
	assert_string_equal(message, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fs__a_recording_is_a_private_file),
		cmocka_unit_test(test_fs__a_folder_is_a_private_folder),
		cmocka_unit_test(test_fs__all_times_are_the_catalogs_to_the_nanosecond),
		cmocka_unit_test(test_fs__an_unknown_size_is_never_kept),
		cmocka_unit_test(test_fs__what_changes_by_itself_is_asked_for_within_5_seconds),
		cmocka_unit_test(test_fs__a_folder_without_a_mount_needs_no_clearing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
