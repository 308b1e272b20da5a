/* Waiting for changes, by this process and by another one. The other one is forked before anything
 * is open here. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper_db.h"
#include "util/times.h"
#include "util/wait.h"

#define FAR_MSECS 20000
#define SOON_MSECS 3000 /* a second by contract; less than a look that inotify did not ask for */

/* ---- another process ---- */

struct other {
	pid_t pid;
	int commands, answers; /* pipes */
};

/* Obeys: '+' adds an item, 'c' empties the WAL, 'x' asks for the file alone. Answers 1: done, 0:
 * refused. */
static void serve(const struct db_fixture *f, int commands, int answers)
{
	struct db *db = db_fixture_open(f);
	struct db_conn *alone;
	int64_t value = getpid();
	char command;
	bool answer;

	while (read(commands, &command, 1) == 1) {
		switch (command) {
		case '+':
			value++;
			answer = db_write(db, db_fixture_add, &value) == 0 ? 1 : 0;
			break;
		case 'c':
			answer = db_exec(db_writer(db), "PRAGMA wal_checkpoint(TRUNCATE)") == 0 ? 1
												: 0;
			break;
		default:
			db_close(db);
			answer = db_open_alone(f->path, &f->key, &alone) == 0 ? 1 : 0;
			if (answer)
				db_conn_close(alone);
			db = db_fixture_open(f);
		}
		if (write(answers, &answer, 1) != 1)
			break;
	}
	db_close(db);
	_exit(0);
}

static struct other other_start(struct db_fixture *f)
{
	struct other other;
	int commands[2], answers[2];

	db_close(f->db);
	assert_int_equal(pipe(commands), 0);
	assert_int_equal(pipe(answers), 0);
	other.pid = fork();
	assert_true(other.pid >= 0);
	if (!other.pid) {
		close(commands[1]);
		close(answers[0]);
		serve(f, commands[0], answers[1]);
	}
	close(commands[0]);
	close(answers[1]);
	other.commands = commands[1];
	other.answers = answers[0];
	f->db = db_fixture_open(f);
	return other;
}

static bool other_does(const struct other *other, char command)
{
	bool answer;

	assert_int_equal(write(other->commands, &command, 1), 1);
	assert_int_equal(read(other->answers, &answer, 1), 1);
	return answer;
}

static void other_end(struct other *other)
{
	int status;

	close(other->commands);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	assert_int_equal(status, 0);
	close(other->answers);
}

/* ---- tests ---- */

/* Until nothing has changed for a while: the latest change is known. */
static void settle(struct db *db, uint64_t *generation)
{
	while (db_wait(db, generation, 200) == 0)
		;
}

static void test_db_watch__a_commit_of_another_process_is_seen(void **state)
{
	struct db_fixture *f = *state;
	struct other other = other_start(f);
	uint64_t generation = 0;

	settle(f->db, &generation);
	for (int i = 0; i < 5; i++) {
		int64_t before, count = db_fixture_count(f->db);

		assert_true(other_does(&other, '+'));
		before = time_mono_msecs();
		assert_int_equal(db_wait(f->db, &generation, FAR_MSECS), 0);
		assert_true(time_mono_msecs() - before <= SOON_MSECS);
		assert_int_equal(db_fixture_count(f->db), count + 1);
	}
	other_end(&other);
}

static void test_db_watch__a_commit_is_seen_after_the_wal_was_emptied(void **state)
{
	struct db_fixture *f = *state;
	struct other other = other_start(f);
	uint64_t generation = 0;
	int64_t before;

	settle(f->db, &generation);
	for (int i = 0; i < 3; i++) {
		assert_true(other_does(&other, 'c'));
		settle(f->db, &generation);
		assert_true(other_does(&other, '+'));
		before = time_mono_msecs();
		assert_int_equal(db_wait(f->db, &generation, FAR_MSECS), 0);
		assert_true(time_mono_msecs() - before <= SOON_MSECS);
		assert_int_equal(db_fixture_count(f->db), i + 1);
	}
	other_end(&other);
}

static void test_db_watch__none_of_many_commits_is_missed(void **state)
{
	struct db_fixture *f = *state;
	struct other other = other_start(f);
	uint64_t generation = 0;
	int64_t deadline;

	assert_int_equal(db_wait(f->db, &generation, 0), 0);
	for (int i = 0; i < 200; i++)
		assert_true(other_does(&other, '+'));
	/* The last one, at the latest, ends a wait; all are there then. */
	deadline = time_mono_msecs() + SOON_MSECS;
	while (time_mono_msecs() < deadline && db_wait(f->db, &generation, 100) != 0)
		;
	assert_int_equal(db_fixture_count(f->db), 200);
	other_end(&other);
}

static void test_db_watch__the_watch_costs_no_lock(void **state)
{
	struct db_fixture *f = *state;
	struct other other = other_start(f);
	uint64_t generation = 0;

	assert_int_equal(db_wait(f->db, &generation, 0), 0);
	assert_true(other_does(&other, '+'));
	assert_int_equal(db_wait(f->db, &generation, FAR_MSECS), 0);
	/* A process that has the file open is in the way of one that wants it alone. */
	assert_false(other_does(&other, 'x'));
	db_close(f->db);
	assert_true(other_does(&other, 'x'));
	f->db = db_fixture_open(f);
	other_end(&other);
}

static void *add_later(void *arg)
{
	struct db_fixture *f = arg;
	int64_t value = 1;

	sleep_msecs(100, NULL);
	return db_write(f->db, db_fixture_add, &value) ? arg : NULL;
}

static void test_db_watch__a_write_of_this_process_is_seen_at_once(void **state)
{
	struct db_fixture *f = *state;
	uint64_t generation = 0;
	pthread_t thread;
	void *result;

	settle(f->db, &generation);
	assert_int_equal(pthread_create(&thread, NULL, add_later, f), 0);
	assert_int_equal(db_wait(f->db, &generation, FAR_MSECS), 0);
	assert_int_equal(db_fixture_count(f->db), 1);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
}

/* Of the thread of that name, which must be there. */
static long voluntary_switches(const char *name)
{
	char path[320], line[128], comm[32];
	struct dirent *entry;
	long count = -1;
	DIR *tasks = opendir("/proc/self/task");

	assert_non_null(tasks);
	while (count < 0 && (entry = readdir(tasks))) {
		FILE *status;

		snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
		status = fopen(path, "r");
		comm[0] = '\0';
		while (status && fgets(line, sizeof line, status)) {
			sscanf(line, "Name: %31[^\n]", comm);
			if (strcmp(comm, name) == 0)
				sscanf(line, "voluntary_ctxt_switches: %ld", &count);
		}
		if (status)
			fclose(status);
	}
	closedir(tasks);
	assert_true(count >= 0);
	return count;
}

static void test_db_watch__nothing_wakes_up_while_nothing_happens(void **state)
{
	struct db_fixture *f = *state;
	uint64_t generation = 0;
	long before;

	settle(f->db, &generation);
	sleep_msecs(4000, NULL); /* commits that began before are expected for a while */
	before = voluntary_switches("db watch");
	assert_int_equal(db_wait(f->db, &generation, 3000), -ETIMEDOUT);
	assert_in_range(voluntary_switches("db watch") - before, 0, 1);
}

static unsigned watch_opens, failing_opens;

static int open_failing(const struct db_driver *driver, const char *path, const struct db_key *key,
			struct db_watch **ret_watch)
{
	return watch_opens++ < failing_opens
		       ? -EMFILE
		       : db_sqlcipher.watch_open(driver, path, key, ret_watch);
}

static void test_db_watch__a_watch_that_cannot_be_started_is_started_later(void **state)
{
	struct db_fixture *f = *state;
	struct db_driver driver = db_sqlcipher;
	struct db *other;
	uint64_t generation = 0;
	int64_t value = 1, end = time_mono_msecs() + 15000;

	failing_opens = 1;
	driver.watch_open = open_failing;
	db_fixture_reopen(f, &driver);
	other = db_fixture_open(f);
	for (int i = 0; i < 50; i++)
		db_wait(f->db, &generation, 1);
	assert_int_equal(watch_opens, 1);
	assert_int_equal(db_write(other, db_fixture_add, &value), 0);
	/* Once there is one, what has been committed until then ends a wait. */
	while (watch_opens == 1 && time_mono_msecs() < end)
		if (db_wait(f->db, &generation, 10) == 0)
			end = 0;
	assert_int_equal(watch_opens, 2);
	assert_int_equal(end, 0);
	db_close(other);
	db_fixture_reopen(f, NULL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(test_db_watch__##name, db_fixture_setup, \
					db_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_of_another_process_is_seen),
		TEST(a_commit_is_seen_after_the_wal_was_emptied),
		TEST(none_of_many_commits_is_missed),
		TEST(the_watch_costs_no_lock),
		TEST(a_write_of_this_process_is_seen_at_once),
		TEST(nothing_wakes_up_while_nothing_happens),
		TEST(a_watch_that_cannot_be_started_is_started_later),
	};

	return cmocka_run_group_tests_name("db_watch", tests, NULL, NULL);
}
