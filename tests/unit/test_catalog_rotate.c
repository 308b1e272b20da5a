/* Another key for a catalog: what opens it afterwards, whoever looks on, wherever it was cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/rekey.h"
#include "catalog/rotate.h"
#include "util/times.h"

static char dir[64], path[128], key_path[160], message[CATALOG_MESSAGE_SIZE];
static const struct catalog_rotation in_place;

static int setup(void **state)
{
	cleanup_key struct db_key key;

	strcpy(dir, "/tmp/tonicfs-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/c.db", dir);
	snprintf(key_path, sizeof key_path, "%s.key", path);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(catalog_key_file_create(key_path, &key), 0);
	assert_int_equal(catalog_create(path, &key, message), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static const char *suffixed(const char *suffix)
{
	static char name[4][192];
	static unsigned next;
	char *p = name[next++ % 4];

	snprintf(p, sizeof name[0], "%s%s", path, suffix);
	return p;
}

static bool exists(const char *suffix)
{
	return access(suffixed(suffix), F_OK) == 0;
}

static struct catalog *open_now(void)
{
	struct catalog *catalog = NULL;

	assert_int_equal(catalog_open_found(path, NULL, &catalog, message), 0);
	return catalog;
}

static int rotate(const struct catalog_rotation *rotation)
{
	cleanup_key_place struct catalog_key_place place = { .path = NULL };

	return catalog_rotate(path, NULL, rotation, &place, message);
}

static struct db_key key_of(const char *file)
{
	struct db_key key;

	assert_int_equal(catalog_key_file_load(file, &key, message), 0);
	return key;
}

static int try_key(const struct db_key *key)
{
	struct catalog *catalog = NULL;
	int err = catalog_open(path, key, &catalog, message);

	catalog_close(catalog);
	return err;
}

static void test_catalog_rotate__the_new_key_opens_it_and_the_old_one_does_not(void **state)
{
	struct db_key old = key_of(key_path), new;
	struct catalog *catalog = open_now();
	char *value;

	assert_int_equal(catalog_setting_set(catalog, "migrate_workers", "7"), 0);
	catalog_close(catalog);
	assert_int_equal(rotate(&in_place), 0);
	new = key_of(key_path);
	assert_memory_not_equal(old.bytes, new.bytes, sizeof old.bytes);
	assert_int_equal(try_key(&old), -EKEYREJECTED);
	assert_int_equal(try_key(&new), 0);
	/* Not by the fingerprint alone. */
	assert_int_equal(unlink(suffixed(".keyid")), 0);
	assert_int_equal(try_key(&old), -EKEYREJECTED);
	catalog = open_now();
	assert_int_equal(catalog_setting_get(catalog, "migrate_workers", &value), 0);
	assert_string_equal(value, "7");
	free(value);
	assert_int_equal(catalog_setting_set(catalog, "migrate_workers", "8"), 0);
	catalog_close(catalog);
	assert_false(exists(".key.new") || exists(".rotate") || exists("-wal") ||
		     exists(".keyid.tmp"));
}

static void test_catalog_rotate__is_refused_while_the_catalog_is_open(void **state)
{
	struct db_key key = key_of(key_path), after;
	struct catalog_rekey *rekey;
	pid_t child;
	int ends[2], status;
	char byte;

	/* In another process, as a mount is. */
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct catalog *catalog;

		if (catalog_open(path, &key, &catalog, message) || write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(catalog_rekey_begin(path, &key, &rekey, message), -EBUSY);
	assert_int_equal(rotate(&in_place), -EBUSY);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(ends[0]);
	close(ends[1]);
	after = key_of(key_path);
	assert_memory_equal(key.bytes, after.bytes, sizeof key.bytes);
	assert_int_equal(rotate(&in_place), 0);
}

/* The child has the catalog's file open. */
static bool has_open(pid_t child)
{
	char folder[64], link[512], target[512];
	bool found = false;
	struct dirent *entry;
	DIR *fds;

	snprintf(folder, sizeof folder, "/proc/%d/fd", child);
	fds = opendir(folder);
	assert_non_null(fds);
	while ((entry = readdir(fds))) {
		ssize_t n;

		snprintf(link, sizeof link, "%s/%s", folder, entry->d_name);
		n = readlink(link, target, sizeof target - 1);
		target[n > 0 ? n : 0] = '\0';
		found |= strcmp(target, path) == 0;
	}
	closedir(fds);
	return found;
}

static void test_catalog_rotate__who_waited_for_the_file_does_not_get_the_old_one(void **state)
{
	struct db_key old = key_of(key_path), new = { { 42 } };
	struct catalog_rekey *rekey;
	bool is_new;
	pid_t child;
	int status, tries;

	child = fork();
	if (child == 0) {
		struct catalog *catalog;

		raise(SIGSTOP);
		_exit(-catalog_open(path, &old, &catalog, message));
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_int_equal(catalog_rekey_begin(path, &old, &rekey, message), 0);
	kill(child, SIGCONT);
	for (tries = 0; tries < 2000 && !has_open(child); tries++)
		usleep(10000);
	assert_true(tries < 2000);
	assert_int_equal(catalog_rekey_run(rekey, &new, &is_new, message), 0);
	assert_true(is_new);
	catalog_rekey_end(rekey);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EBUSY);
	assert_false(exists("-wal"));
	assert_int_equal(try_key(&new), 0);
}

static void test_catalog_rotate__a_successor_that_counts_takes_its_place(void **state)
{
	struct db_key key = key_of(key_path), after, other;

	/* As a kill -9 leaves it when the catalog has its new key and the key file has not. */
	assert_int_equal(rename(key_path, suffixed(".key.new")), 0);
	assert_int_equal(catalog_key_file_create(key_path, &other), 0);
	assert_int_equal(unlink(suffixed(".keyid")), 0);
	catalog_close(open_now());
	after = key_of(key_path);
	assert_memory_equal(key.bytes, after.bytes, sizeof key.bytes);
	assert_false(exists(".key.new"));
	assert_true(exists(".keyid"));
	catalog_close(open_now());
}

static void test_catalog_rotate__a_successor_that_never_counted_is_ignored(void **state)
{
	struct db_key key = key_of(key_path), after, other;

	assert_int_equal(catalog_key_file_create(suffixed(".key.new"), &other), 0);
	catalog_close(open_now());
	after = key_of(key_path);
	assert_memory_equal(key.bytes, after.bytes, sizeof key.bytes);
	assert_int_equal(rotate(&in_place), 0);
	after = key_of(key_path);
	assert_memory_not_equal(other.bytes, after.bytes, sizeof after.bytes);
	assert_false(exists(".key.new"));
}

static void test_catalog_rotate__the_key_it_has_is_no_new_one(void **state)
{
	const struct catalog_rotation same = { .new_file = key_path };

	assert_int_equal(rotate(&same), -EINVAL);
	catalog_close(open_now());
}

static void
test_catalog_rotate__a_key_that_a_command_prints_needs_to_be_told_where_to_go(void **state)
{
	char command[256];
	const struct catalog_rotation to_command = { .new_command = command };
	const struct catalog_rotation fails = { .new_command = "exit 3" };
	cleanup_key struct db_key other;

	assert_int_equal(catalog_key_file_create(suffixed(".other"), &other), 0);
	snprintf(command, sizeof command, "cat %s", suffixed(".other"));
	assert_int_equal(rotate(&fails), -EACCES);
	assert_false(exists(".key-command") || exists(".key-command.new"));
	assert_int_equal(rotate(&to_command), 0);
	assert_true(exists(".key-command"));
	catalog_close(open_now());
	assert_int_equal(try_key(&other), 0);
	assert_int_equal(rotate(&in_place), -EINVAL);
	catalog_close(open_now());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_catalog_rotate__the_new_key_opens_it_and_the_old_one_does_not),
		TEST(test_catalog_rotate__is_refused_while_the_catalog_is_open),
		TEST(test_catalog_rotate__who_waited_for_the_file_does_not_get_the_old_one),
		TEST(test_catalog_rotate__a_successor_that_counts_takes_its_place),
		TEST(test_catalog_rotate__a_successor_that_never_counted_is_ignored),
		TEST(test_catalog_rotate__the_key_it_has_is_no_new_one),
		TEST(test_catalog_rotate__a_key_that_a_command_prints_needs_to_be_told_where_to_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
