/* Group commit: what several threads write at once, where one of them fails. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "catalog/catalog-private.h"
#include "db/db-private.h"
#include "helper_queue.h"

#define WRITERS 4
#define WAIT_STEPS 20000 /* of a millisecond */

static void pause_msec(void)
{
	struct timespec msec = { 0, 1000000 };

	nanosleep(&msec, NULL);
}

/* ---- the one who leads while the others come ---- */

static unsigned count_waiting(struct catalog *catalog)
{
	unsigned count = 0;

	pthread_mutex_lock(&catalog->db->write_mutex);
	for (struct write_op *const *op = &catalog->db->write_first; op != catalog->db->write_last;
	     count++)
		op = (struct write_op *const *)*op; /* its first member */
	pthread_mutex_unlock(&catalog->db->write_mutex);
	return count;
}

struct leader {
	struct catalog *catalog;
	pthread_t thread;
	bool is_leading;
	int result;
};

static int lead(struct db_conn *conn, void *arg)
{
	struct leader *leader = arg;

	__atomic_store_n(&leader->is_leading, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < WAIT_STEPS; i++) {
		if (count_waiting(leader->catalog) == WRITERS)
			return 0;
		pause_msec();
	}
	return -ETIMEDOUT;
}

static void *run_leader(void *arg)
{
	struct leader *leader = arg;

	leader->result = db_write(leader->catalog->db, lead, leader);
	return NULL;
}

/* ---- the others ---- */

struct writer {
	struct catalog *catalog;
	pthread_t thread;
	int64_t number;
	int to_return, result;
	unsigned calls;
};

static int add_audit(struct db_conn *conn, void *arg)
{
	struct writer *writer = arg;
	int err = db_run(conn,
			 "INSERT INTO audit (at_secs, action, workspace_id, recording_id, note)"
			 " VALUES (0, 'test', 0, ?, '')",
			 "i", writer->number);

	writer->calls++;
	return err ? err : writer->to_return;
}

static void *run_writer(void *arg)
{
	struct writer *writer = arg;

	writer->result = db_write(writer->catalog->db, add_audit, writer);
	return NULL;
}

static int64_t count_audit(struct catalog *catalog, int64_t number)
{
	cleanup_db_read struct db_conn *read = NULL;
	int64_t count;

	assert_int_equal(db_read_begin(catalog->db, &read), 0);
	assert_int_equal(
		db_query_int(read, &count,
			     "SELECT count(*) FROM audit WHERE action = 'test' AND recording_id = ?",
			     "i", number),
		0);
	return count;
}

/* All in one batch. */
static void write_at_once(struct queue_fixture *f, struct writer writers[WRITERS])
{
	struct leader leader = { .catalog = f->catalog };

	assert_int_equal(pthread_create(&leader.thread, NULL, run_leader, &leader), 0);
	while (!__atomic_load_n(&leader.is_leading, __ATOMIC_ACQUIRE))
		pause_msec();
	for (int i = 0; i < WRITERS; i++) {
		writers[i].catalog = f->catalog;
		writers[i].number = i + 1;
		assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]),
				 0);
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
	assert_int_equal(pthread_join(leader.thread, NULL), 0);
	assert_int_equal(leader.result, 0);
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(writers[i].result, writers[i].to_return);
		assert_int_equal(count_audit(f->catalog, i + 1), writers[i].to_return == 0);
	}
}

static void test_catalog_write__what_may_run_twice_runs_once_where_none_fails(void **state)
{
	struct writer writers[WRITERS] = { 0 };

	write_at_once(*state, writers);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(writers[i].calls, 1);
}

static void test_catalog_write__one_that_fails_takes_no_other_along(void **state)
{
	struct writer writers[WRITERS] = { 0 };

	writers[2].to_return = -ESTALE;
	write_at_once(*state, writers);
	assert_int_equal(writers[2].calls, 2);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_catalog_write__##name, queue_fixture_setup, \
					queue_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_may_run_twice_runs_once_where_none_fails),
		TEST(one_that_fails_takes_no_other_along),
	};

	return cmocka_run_group_tests_name("catalog_write", tests, NULL, NULL);
}
