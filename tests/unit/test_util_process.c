/* Commands that users name: what they print, how they end, and that they end. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/buf.h"
#include "util/process.h"
#include "util/times.h"

static int run(const char *command, size_t limit_bytes, unsigned timeout_msecs, struct buf *out,
	       int *ret_status)
{
	buf_reset(out);
	return process_read_shell(command, limit_bytes, timeout_msecs, NULL, out, ret_status);
}

static void test_util__a_command_s_output_and_status_are_given(void **state)
{
	cleanup_buf_secret struct buf out = BUF_INIT;
	int status;

	assert_int_equal(run("printf 'a b'; cat", 100, 20000, &out, &status), 0);
	assert_string_equal(buf_str(&out), "a b");
	assert_int_equal(run("echo half; exit 7", 100, 20000, &out, &status), -EACCES);
	assert_int_equal(status, 7);
	assert_int_equal(run("kill -TERM $$", 100, 20000, &out, &status), -EACCES);
	assert_int_equal(status, 128 + SIGTERM);
	assert_int_equal(run("exit 0", 100, 20000, &out, &status), 0);
	assert_int_equal(out.len, 0);
}

static void test_util__a_command_that_prints_too_much_is_ended(void **state)
{
	cleanup_buf_secret struct buf out = BUF_INIT;
	int status;

	assert_int_equal(run("yes", 1000, 20000, &out, &status), -EFBIG);
}

/* What it has started goes with it: the pipe's other end would stay open else. */
static void test_util__a_command_that_hangs_is_ended_with_all_that_it_started(void **state)
{
	cleanup_buf_secret struct buf out = BUF_INIT;
	char path[] = "/tmp/tonicfs-process-XXXXXX", command[128];
	int fd = mkstemp(path), status;
	char digits[32] = "";
	int64_t end;

	assert_true(fd >= 0);
	snprintf(command, sizeof command, "sleep 600 & echo $! >%s; wait", path);
	assert_int_equal(run(command, 100, 500, &out, &status), -ETIMEDOUT);
	assert_true(pread(fd, digits, sizeof digits - 1, 0) > 0);
	end = time_mono_msecs() + 10000;
	/* It may be a zombie for a moment, until whoever adopted it has looked. */
	while (kill(atoi(digits), 0) == 0 && time_mono_msecs() < end) {
		char proc[64], line[256] = "";
		FILE *file;

		snprintf(proc, sizeof proc, "/proc/%d/stat", atoi(digits));
		file = fopen(proc, "r");
		if (file && fgets(line, sizeof line, file) && strstr(line, ") Z "))
			end = 0;
		if (file)
			fclose(file);
		usleep(10000);
	}
	assert_true(end == 0 || kill(atoi(digits), 0) < 0);
	close(fd);
	unlink(path);
}

static void test_util__a_command_that_has_closed_its_output_and_goes_on_is_ended(void **state)
{
	cleanup_buf_secret struct buf out = BUF_INIT;
	int64_t began = time_mono_msecs();
	int status;

	assert_int_equal(run("echo said; exec >&-; sleep 600", 100, 300, &out, &status),
			 -ETIMEDOUT);
	assert_true(time_mono_msecs() - began < 60000);
}

static void test_util__a_command_s_end_is_waited_for_until_a_deadline(void **state)
{
	int status = 0;
	pid_t pid;

	assert_int_equal(process_spawn_shell("sleep 600", STDOUT_FILENO, true, &pid), 0);
	assert_int_equal(process_wait_end(pid, time_mono_msecs() + 50, &status), -ETIMEDOUT);
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(process_wait_end(pid, time_mono_msecs() + 60000, &status), 0);
	assert_true(WIFSIGNALED(status));
}

static void test_util__a_command_is_ended_when_it_is_cancelled(void **state)
{
	cleanup_buf_secret struct buf out = BUF_INIT;
	const struct cancel cancel = { true };
	int status;

	assert_int_equal(process_read_shell("sleep 600", 100, 600000, &cancel, &out, &status),
			 -ECANCELED);
	buf_reset(&out);
	assert_int_equal(process_read_shell("exec >&-; sleep 600", 100, 600000, &cancel, &out,
					    &status),
			 -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util__a_command_s_output_and_status_are_given),
		cmocka_unit_test(test_util__a_command_that_prints_too_much_is_ended),
		cmocka_unit_test(test_util__a_command_that_hangs_is_ended_with_all_that_it_started),
		cmocka_unit_test(
			test_util__a_command_that_has_closed_its_output_and_goes_on_is_ended),
		cmocka_unit_test(test_util__a_command_s_end_is_waited_for_until_a_deadline),
		cmocka_unit_test(test_util__a_command_is_ended_when_it_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
