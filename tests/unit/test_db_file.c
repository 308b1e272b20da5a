/* A database in a file: made whole or not at all, copied under another key, checked. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_db.h"

static const struct db_key other_key = { { 1, 2, 3 } };

static void beside(const struct db_fixture *f, const char *name, char ret_path[128])
{
	snprintf(ret_path, 128, "%s/%s", f->folder, name);
}

/* Makes a table and fails where arg says so. */
static int fill(struct db_conn *conn, void *arg)
{
	const int *result = arg;

	assert_int_equal(db_exec(conn, "CREATE TABLE item (id INTEGER PRIMARY KEY)"), 0);
	return *result;
}

static void test_db_file__what_fails_leaves_no_file(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	struct db_fixture *f = *state;
	char path[128], name[160];
	int result = -ESTALE;
	struct stat st;

	beside(f, "new.db", path);
	assert_int_equal(db_create(path, &f->key, fill, &result), -ESTALE);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		assert_int_equal(stat(name, &st), -1);
	}
	result = 0;
	assert_int_equal(db_create(path, &f->key, fill, &result), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* One that is there stays. */
	result = -ESTALE;
	assert_int_equal(db_create(path, &f->key, fill, &result), -EEXIST);
	assert_int_equal(stat(path, &st), 0);
}

static void test_db_file__only_a_file_that_nobody_has_open_is_had_alone(void **state)
{
	struct db_fixture *f = *state;
	struct db_conn *alone;
	struct db *db;

	assert_int_equal(db_open_alone(f->path, &f->key, &alone), -EBUSY);
	db_close(f->db);
	assert_int_equal(db_open_alone(f->path, &f->key, &alone), 0);
	db_conn_close(alone);
	assert_int_equal(db_open_alone(f->path, &other_key, &alone), -EUCLEAN);
	assert_int_equal(db_open(f->path, &other_key, &db), -EUCLEAN);
	f->db = db_fixture_open(f);
}

static void damage(const char *path)
{
	char byte;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 5000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 5000), 1);
	close(fd);
}

static void test_db_file__a_copy_is_the_same_under_another_key(void **state)
{
	struct db_fixture *f = *state;
	const struct db_format wanted = DB_FIXTURE_FORMAT;
	struct db_format format;
	struct db_conn *alone;
	int64_t value = 7;
	struct db *copy;
	char path[128];

	beside(f, "copy.db", path);
	assert_int_equal(db_write(f->db, db_fixture_add, &value), 0);
	db_close(f->db);
	assert_int_equal(db_open_alone(f->path, &f->key, &alone), 0);
	assert_int_equal(db_copy(alone, path, &other_key), 0);
	assert_int_equal(db_copy(alone, path, &other_key), -EEXIST);
	assert_int_equal(db_copy_check(alone, path, &other_key), 0);
	assert_int_equal(db_copy_check(alone, path, &f->key), -EUCLEAN);

	assert_int_equal(db_open(path, &other_key, &copy), 0);
	assert_int_equal(db_format_get(db_writer(copy), &format), 0);
	assert_memory_equal(&format, &wanted, sizeof wanted);
	assert_int_equal(db_start(copy, wanted.schema_version), 0);
	assert_true(db_fixture_has(copy, 7));
	db_close(copy);

	damage(path);
	assert_int_equal(db_copy_check(alone, path, &other_key), -EUCLEAN);
	assert_false(db_is_moved(alone));
	assert_int_equal(rename(path, f->path), 0);
	assert_true(db_is_moved(alone));
	db_conn_close(alone);
	db_file_remove(f->path);
	beside(f, "test.db", f->path);
	assert_int_equal(db_create(f->path, &f->key, fill, &(int){ 0 }), 0);
	assert_int_equal(db_open(f->path, &f->key, &f->db), 0);
}

static void test_db_file__a_copy_that_lacks_something_is_refused(void **state)
{
	struct db_fixture *f = *state;
	struct db_conn *alone, *copy;
	char path[128];

	beside(f, "copy.db", path);
	db_close(f->db);
	assert_int_equal(db_open_alone(f->path, &f->key, &alone), 0);
	assert_int_equal(db_copy(alone, path, &other_key), 0);
	assert_int_equal(db_open_alone(path, &other_key, &copy), 0);
	assert_int_equal(db_exec(copy, "DROP TABLE item"), 0);
	db_conn_close(copy);
	assert_int_equal(db_copy_check(alone, path, &other_key), -EUCLEAN);
	db_conn_close(alone);
	f->db = db_fixture_open(f);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_db_file__##name, db_fixture_setup, db_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_fails_leaves_no_file),
		TEST(only_a_file_that_nobody_has_open_is_had_alone),
		TEST(a_copy_is_the_same_under_another_key),
		TEST(a_copy_that_lacks_something_is_refused),
	};

	return cmocka_run_group_tests_name("db_file", tests, NULL, NULL);
}
