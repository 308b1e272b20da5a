/* Where the key comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/guard.h"
#include "catalog/key.h"
#include "catalog/rotate.h"
#include "util/times.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char dir[64], catalog[128], message[CATALOG_MESSAGE_SIZE];

static int setup(void **state)
{
	strcpy(dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(catalog, sizeof catalog, "%s/c.db", dir);
	unsetenv("CREDENTIALS_DIRECTORY");
	message[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static int key_find(const char *catalog_path, const char *key_file, struct db_key *ret_key,
		    char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_place struct catalog_key_place place = { .path = NULL };

	assert_int_equal(catalog_key_locate(catalog_path, key_file, &place), 0);
	return catalog_key_load(&place, ret_key, ret_message);
}

static const char *put(const char *name, const char *text, mode_t mode)
{
	const char *path = in_dir(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void assert_is_hex_key(const struct db_key *key)
{
	for (int i = 0; i < DB_KEY_SIZE; i++)
		assert_int_equal(key->bytes[i], i);
}

static void test_catalog_key__a_new_file_is_private_and_holds_the_key(void **state)
{
	struct db_key made, read, other;
	const char *path = in_dir("key");
	struct stat st;

	assert_int_equal(catalog_key_file_create(path, &made), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(catalog_key_file_load(path, &read, message), 0);
	assert_memory_equal(&made, &read, sizeof made);
	assert_int_equal(catalog_key_file_create(path, &other), -EEXIST);
	assert_int_equal(catalog_key_file_create(in_dir("key2"), &other), 0);
	assert_memory_not_equal(&made, &other, sizeof made);
}

static void test_catalog_key__a_file_that_others_can_read_is_refused(void **state)
{
	struct db_key key;

	assert_int_equal(catalog_key_file_load(put("a", HEX, 0640), &key, message), -EACCES);
	assert_non_null(strstr(message, "chmod"));
	assert_int_equal(catalog_key_file_load(put("b", HEX, 0604), &key, message), -EACCES);
	assert_int_equal(catalog_key_file_load(put("d", HEX, 0620), &key, message), -EACCES);
	assert_non_null(strstr(message, "may be written by others"));
	assert_int_equal(catalog_key_file_load(put("c", " \n" HEX "\t\r\n\n", 0400), &key, message),
			 0);
	assert_is_hex_key(&key);
}

static void test_catalog_key__what_is_no_key_is_refused_and_not_repeated(void **state)
{
	const char *const bad[] = { "", "\n", "00", HEX "0", HEX "00", "g" HEX, HEX " " HEX };
	struct db_key key;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(catalog_key_file_load(put("key", bad[i], 0600), &key, message),
				 -EINVAL);
		assert_null(strstr(message, "0001"));
	}
	assert_int_equal(catalog_key_file_load(in_dir("nothing"), &key, message), -ENOENT);
	assert_non_null(strstr(message, "nothing"));
}

static void test_catalog_key__a_command_prints_the_key(void **state)
{
	struct db_key key;

	assert_int_equal(catalog_key_command_run("echo " HEX, &key, message), 0);
	assert_is_hex_key(&key);
	assert_int_equal(catalog_key_command_run("cat; echo " HEX, &key, message),
			 0); /* its input is empty */
	assert_int_equal(catalog_key_command_run("echo " HEX "; exit 3", &key, message), -EACCES);
	assert_non_null(strstr(message, "3"));
	assert_int_equal(catalog_key_command_run("echo nonsense", &key, message), -EINVAL);
	assert_int_equal(catalog_key_command_run("true", &key, message), -EINVAL);
	assert_int_equal(catalog_key_command_run("yes", &key, message),
			 -EINVAL); /* and it is not waited for */
	assert_true(catalog_key_command_run("kill -9 $$", &key, message) < 0);
	assert_non_null(strstr(message, "signal 9"));
}

static void test_catalog_key__is_looked_for_in_the_order_that_is_written_down(void **state)
{
	struct db_key key;
	const char *beside, *given;

	assert_int_equal(key_find(catalog, NULL, &key, message), -ENOENT);
	assert_non_null(strstr(message, "c.db.key"));
	beside = put("c.db.key", HEX, 0600);
	assert_int_equal(key_find(catalog, NULL, &key, message), 0);
	assert_is_hex_key(&key);

	/* A systemd credential goes before it, whatever its mode, which systemd decides. */
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(key_find(catalog, NULL, &key, message), 0);
	put("tonicfs.key", "nonsense", 0440);
	assert_int_equal(key_find(catalog, NULL, &key, message), -EINVAL);
	put("tonicfs.key", HEX, 0460);
	assert_int_equal(key_find(catalog, NULL, &key, message), -EACCES);
	put("tonicfs.key", HEX, 0440);
	assert_int_equal(unlink(beside), 0);
	assert_int_equal(key_find(catalog, NULL, &key, message), 0);

	/* A saved command before that, a file that was named before all. */
	assert_int_equal(catalog_key_command_save(in_dir("c.db.key-command"), "exit 9"), 0);
	assert_int_equal(catalog_key_command_save(in_dir("c.db.key-command"), "exit 8"), -EEXIST);
	assert_int_equal(key_find(catalog, NULL, &key, message), -EACCES);
	assert_non_null(strstr(message, "9"));
	given = put("given", HEX, 0600);
	assert_int_equal(key_find(catalog, given, &key, message), 0);
	assert_is_hex_key(&key);
}

static void
test_catalog_key__a_saved_command_that_others_could_have_written_is_not_run(void **state)
{
	struct db_key key;

	assert_int_equal(catalog_key_command_save(in_dir("c.db.key-command"), "echo " HEX), 0);
	assert_int_equal(key_find(catalog, NULL, &key, message), 0);
	assert_int_equal(chmod(in_dir("c.db.key-command"), 0622), 0);
	assert_int_equal(key_find(catalog, NULL, &key, message), -EACCES);
	assert_non_null(strstr(message, "chmod go-w"));
	assert_int_equal(chmod(in_dir("c.db.key-command"), 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(in_dir("c.db.key-command"), 65534, 65534), 0);
		assert_int_equal(key_find(catalog, NULL, &key, message), -EACCES);
		assert_non_null(strstr(message, "another user"));
	}
	assert_int_equal(unlink(in_dir("c.db.key-command")), 0);
	assert_int_equal(mkfifo(in_dir("c.db.key-command"), 0600), 0);
	assert_int_equal(key_find(catalog, NULL, &key, message),
			 -EINVAL); /* and nobody waits for a writer */
}

static atomic_bool is_swapping;

/* As whoever may write the folder could: now the user's file, now another one. */
static void *swap(void *arg)
{
	char good[160], bad[160], path[160], link_path[160];

	snprintf(good, sizeof good, "%s/good", dir);
	snprintf(bad, sizeof bad, "%s/bad", dir);
	snprintf(path, sizeof path, "%s/c.db.key-command", dir);
	snprintf(link_path, sizeof link_path, "%s/link", dir);
	for (unsigned i = 0; is_swapping; i++) {
		if (link(i % 2 ? good : bad, link_path) || rename(link_path, path))
			return arg;
		unlink(link_path); /* a rename of two names of one file does nothing */
	}
	return NULL;
}

static void
test_catalog_key__a_command_that_is_swapped_while_it_is_looked_at_is_not_run(void **state)
{
	struct db_key key;
	unsigned refused = 0, run = 0;
	void *failed;
	pthread_t thread;
	char text[256];

	put("good", "echo " HEX, 0600);
	snprintf(text, sizeof text, "touch %s; echo " HEX, in_dir("evil"));
	put("bad", text, 0622);
	put("c.db.key-command", "echo " HEX, 0600);
	is_swapping = true;
	assert_int_equal(pthread_create(&thread, NULL, swap, dir), 0);
	/* Refusing is quick: both of it has to happen often. */
	for (int i = 0; i < 1000000 && (run < 200 || refused < 200); i++) {
		int err = key_find(catalog, NULL, &key, message);

		assert_true(err == 0 || err == -EACCES);
		refused += err == -EACCES;
		run += err == 0;
	}
	is_swapping = false;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_true(access(in_dir("evil"), F_OK) < 0);
	assert_true(refused && run);
}

static void test_catalog_guard__a_folder_that_others_may_write_is_refused(void **state)
{
	static const mode_t bad[] = { 0720, 0702, 0777, 01777 },
			    good[] = { 0700, 0755, 0750, 01755 };
	struct db_key key = { { 1 } };
	struct catalog *opened;

	assert_int_equal(catalog_create(catalog, &key, message), 0);
	assert_int_equal(catalog_key_command_save(in_dir("c.db.key-command"), "echo nonsense"), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(chmod(dir, bad[i]), 0);
		assert_int_equal(catalog_open_found(catalog, NULL, &opened, message), -EACCES);
		assert_non_null(strstr(message, "run: chmod go-w '/tmp/tonicfs-unit-"));
		assert_int_equal(catalog_create(in_dir("other.db"), &key, message), -EACCES);
		assert_true(access(in_dir("other.db"), F_OK) < 0);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(chmod(dir, good[i]), 0);
		assert_int_equal(catalog_open_found(catalog, NULL, &opened, message),
				 -EINVAL); /* of the command */
	}
	assert_int_equal(catalog_guard_folder(in_dir("none/c.db"), message), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 65534, 65534), 0);
		assert_int_equal(catalog_open_found(catalog, NULL, &opened, message), -EACCES);
		assert_non_null(strstr(message, "another user"));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_catalog_key__a_new_file_is_private_and_holds_the_key),
		TEST(test_catalog_key__a_file_that_others_can_read_is_refused),
		TEST(test_catalog_key__what_is_no_key_is_refused_and_not_repeated),
		TEST(test_catalog_key__a_command_prints_the_key),
		TEST(test_catalog_key__is_looked_for_in_the_order_that_is_written_down),
		TEST(test_catalog_key__a_saved_command_that_others_could_have_written_is_not_run),
		TEST(test_catalog_key__a_command_that_is_swapped_while_it_is_looked_at_is_not_run),
		TEST(test_catalog_guard__a_folder_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
