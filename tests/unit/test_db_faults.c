/* What an error means, what is repeated, what is undone: by a driver that fails as it is told. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper_db.h"
#include "helper_db_faulty.h"
#include "util/cleanup.h"

static struct db_faulty *faulty;

static int setup(void **state)
{
	int err = db_fixture_setup(state);

	faulty = db_faulty_new(&db_sqlcipher, 1);
	assert_non_null(faulty);
	db_fixture_reopen(*state, db_faulty_driver(faulty));
	return err;
}

static int teardown(void **state)
{
	int err = db_fixture_teardown(state);

	db_faulty_free(faulty);
	return err;
}

/* Its first calls meet the fault: at their statement, or at the commit. */
struct flaky {
	enum db_fault fault;
	unsigned faulty_calls, calls;
	int64_t value;
};

static int add_flaky(struct db_conn *conn, void *arg)
{
	struct flaky *flaky = arg;
	bool is_of_commits = flaky->fault == DB_FAULT_UNKNOWN || flaky->fault == DB_FAULT_UNDONE;
	int err;

	if (flaky->calls++ < flaky->faulty_calls)
		db_faulty_set(faulty, flaky->fault, 1000);
	err = db_fixture_add(conn, &flaky->value);
	if (!is_of_commits)
		db_faulty_set(faulty, flaky->fault, 0);
	return err;
}

static void test_db__a_conflict_is_tried_again(void **state)
{
	struct db_fixture *f = *state;
	struct flaky flaky = { DB_FAULT_BUSY, 3, 0, 7 };

	assert_int_equal(db_write(f->db, add_flaky, &flaky), 0);
	assert_int_equal(flaky.calls, 4);
	assert_int_equal(db_fixture_count(f->db), 1);
}

static void test_db__a_conflict_that_stays_is_an_error_after_some_tries(void **state)
{
	struct db_fixture *f = *state;
	struct flaky flaky = { DB_FAULT_BUSY, 1000, 0, 7 };

	assert_int_equal(db_write(f->db, add_flaky, &flaky), -EAGAIN);
	assert_in_range(flaky.calls, 5, 50);
	assert_int_equal(db_fixture_count(f->db), 0);
}

static void test_db__a_lost_connection_is_opened_anew(void **state)
{
	struct db_fixture *f = *state;
	struct flaky flaky = { DB_FAULT_LOST, 1, 0, 7 };

	assert_int_equal(db_write(f->db, add_flaky, &flaky), 0);
	assert_int_equal(flaky.calls, 2);
	assert_true(db_fixture_has(f->db, 7));
}

static void test_db__an_error_that_would_come_again_is_not_tried_again(void **state)
{
	struct db_fixture *f = *state;
	struct flaky flaky = { DB_FAULT_IO, 1, 0, 7 };

	assert_int_equal(db_write(f->db, add_flaky, &flaky), -EIO);
	assert_int_equal(flaky.calls, 1);
	assert_int_equal(db_fixture_count(f->db), 0);
}

static void test_db__a_commit_without_an_answer_is_not_repeated(void **state)
{
	static const enum db_fault faults[] = { DB_FAULT_UNKNOWN, DB_FAULT_UNDONE };
	struct db_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct flaky flaky = { faults[i], 1, 0, 7 + (int64_t)i };

		assert_int_equal(db_write(f->db, add_flaky, &flaky), -ECONNABORTED);
		db_faulty_set(faulty, faults[i], 0);
		assert_int_equal(flaky.calls, 1);
		assert_int_equal(db_fixture_has(f->db, flaky.value), faults[i] == DB_FAULT_UNKNOWN);
		/* The next one finds a connection. */
		flaky.value += 100;
		assert_int_equal(db_write(f->db, add_flaky, &flaky), 0);
	}
}

static int add_twice(struct db_conn *conn, void *arg)
{
	int64_t other = *(int64_t *)arg + 1;
	int err = db_fixture_add(conn, arg);

	if (err)
		return err;
	assert_int_equal(db_fixture_add(conn, arg), -EEXIST);
	assert_int_equal(conn->failure, DB_FAILURE_CONSTRAINT);
	/* As if nothing had been. */
	assert_int_equal(db_fixture_add(conn, &other), -EEXIST);
	return 0;
}

static void test_db__an_error_that_is_swallowed_undoes_all_the_same(void **state)
{
	struct db_fixture *f = *state;
	int64_t value = 7;

	assert_int_equal(db_write(f->db, add_twice, &value), -EEXIST);
	assert_int_equal(db_fixture_count(f->db), 0);
	assert_int_equal(db_write(f->db, db_fixture_add, &value), 0);
	assert_int_equal(db_fixture_count(f->db), 1);
}

static void test_db__a_reader_that_lost_its_connection_gets_another_one_next_time(void **state)
{
	struct db_fixture *f = *state;

	for (unsigned i = 0; i < 2 * DB_READERS_LIMIT; i++) {
		cleanup_db_read struct db_conn *read = NULL;
		int64_t count;

		db_faulty_set(faulty, DB_FAULT_LOST, 1000);
		assert_int_equal(db_read_begin(f->db, &read), 0);
		assert_int_equal(db_query_int(read, &count, "SELECT count(*) FROM item", ""),
				 -ENOTCONN);
		assert_int_equal(read->failure, DB_FAILURE_RETRY);
		db_faulty_set(faulty, DB_FAULT_LOST, 0);
	}
	assert_int_equal(db_fixture_count(f->db), 0);
}

/* ---- many at a time ---- */

#define WRITERS 6
#define WRITES 40

struct writer {
	struct db *db;
	pthread_t thread;
	int64_t first;
	int results[WRITES];
};

struct item {
	int64_t value;
	bool is_refused;
};

/* A function that refuses has changed something before. */
static int add_or_refuse(struct db_conn *conn, void *arg)
{
	struct item *item = arg;
	int err = db_fixture_add(conn, &item->value);

	return err ? err : item->is_refused ? -ESTALE : 0;
}

static void *write_many(void *arg)
{
	struct writer *writer = arg;

	for (int i = 0; i < WRITES; i++) {
		struct item item = { writer->first + i, i % 7 == 3 };

		writer->results[i] = db_write(writer->db, add_or_refuse, &item);
	}
	return NULL;
}

static void check_written(struct db *db, const struct writer *writer)
{
	for (int i = 0; i < WRITES; i++) {
		bool is_there = db_fixture_has(db, writer->first + i);

		switch (writer->results[i]) {
		case 0:
			assert_true(is_there);
			break;
		case -ECONNABORTED:
			break;
		default:
			assert_false(is_there);
		}
		if (i % 7 == 3)
			assert_false(is_there);
	}
}

static void test_db__each_of_many_writers_is_told_what_became_of_its_own(void **state)
{
	static const enum db_fault faults[] = { DB_FAULT_BUSY, DB_FAULT_LOST, DB_FAULT_IO,
						DB_FAULT_UNKNOWN, DB_FAULT_UNDONE };
	struct db_fixture *f = *state;
	struct writer writers[WRITERS];
	unsigned long struck = 0;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		db_faulty_set(faulty, faults[i], faults[i] == DB_FAULT_UNKNOWN ? 150 : 20);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .db = f->db, .first = 1000 * (i + 1) };
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]),
				 0);
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struck += db_faulty_count(faulty, faults[i]);
		db_faulty_set(faulty, faults[i], 0);
	}
	assert_true(struck > 0);
	for (int i = 0; i < WRITERS; i++)
		check_written(f->db, &writers[i]);
}

static void test_db__a_database_that_was_brought_up_meanwhile_is_not_written(void **state)
{
	struct db_fixture *f = *state;
	struct db_format format = DB_FIXTURE_FORMAT;
	int64_t value = 7;

	format.schema_version++;
	assert_int_equal(db_format_set(db_writer(f->db), &format), 0);
	assert_int_equal(db_write(f->db, db_fixture_add, &value), -EPROTONOSUPPORT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_db__##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_conflict_is_tried_again),
		TEST(a_conflict_that_stays_is_an_error_after_some_tries),
		TEST(a_lost_connection_is_opened_anew),
		TEST(an_error_that_would_come_again_is_not_tried_again),
		TEST(a_commit_without_an_answer_is_not_repeated),
		TEST(an_error_that_is_swallowed_undoes_all_the_same),
		TEST(a_reader_that_lost_its_connection_gets_another_one_next_time),
		TEST(each_of_many_writers_is_told_what_became_of_its_own),
		TEST(a_database_that_was_brought_up_meanwhile_is_not_written),
	};

	return cmocka_run_group_tests_name("db_faults", tests, NULL, NULL);
}
