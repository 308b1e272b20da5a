/* util/log and util/remote: one line per event, and what a message can hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"
#include "util/remote.h"

static int pipe_fds[2];

static int set_up(void **state)
{
	unsetenv("JOURNAL_STREAM");
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	log_set_fd(pipe_fds[1]);
	log_set_level(LOG_LEVEL_WARNING);
	return 0;
}

static int tear_down(void **state)
{
	log_set_fd(STDERR_FILENO);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

/* What was written since the last call. */
static const char *written(void)
{
	static char text[8192];
	ssize_t n = read(pipe_fds[0], text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_util_log__lines_above_the_level_are_dropped(void **state)
{
	log_info("quiet");
	log_debug("quiet");
	assert_string_equal(written(), "");
	log_warning("heard %d", 1);
	assert_string_equal(written(), "tonicfs: warning: heard 1\n");
	log_error("heard %s", "too");
	assert_string_equal(written(), "tonicfs: error: heard too\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("now");
	assert_string_equal(written(), "tonicfs: now\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("quiet");
	assert_string_equal(written(), "");
}

static void test_util_log__a_line_stays_one_line(void **state)
{
	log_error("a\nb\r\x1b[2Jc\x7f"
		  "d\xc2\x9b"
		  "2Je");
	assert_string_equal(written(), "tonicfs: error: a?b??[2Jc?d?2Je\n");
}

static void test_util_log__a_long_line_is_cut_and_ends(void **state)
{
	char text[3000];
	const char *line;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_error("%s", text);
	line = written();
	assert_true(strlen(line) < 1100 && strlen(line) > 900);
	assert_string_equal(line + strlen(line) - 5, "x...\n");
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_util_log__the_journal_gets_a_priority(void **state)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(pipe_fds[1], &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error("x");
	assert_string_equal(written(), "<3>tonicfs: error: x\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_error("x");
	assert_string_equal(written(), "tonicfs: error: x\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_error("x");
	assert_string_equal(written(), "tonicfs: error: x\n");
	unsetenv("JOURNAL_STREAM");
}

static void test_util_log__errno_is_left_alone(void **state)
{
	log_set_fd(pipe_fds[0]); /* cannot be written to */
	errno = ENOTDIR;
	log_error("lost");
	assert_int_equal(errno, ENOTDIR);
}

static void test_util_remote__message_is_cut_and_terminated(void **state)
{
	struct remote_error e = REMOTE_ERROR_INIT;
	char text[1000];

	memset(text, 'm', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	e.status = 503;
	remote_error_set(&e, REMOTE_BUSY, -EBUSY, "%s", text);
	assert_int_equal(e.kind, REMOTE_BUSY);
	assert_int_equal(e.error, -EBUSY);
	assert_int_equal(e.status, 503);
	assert_int_equal(strlen(e.message), sizeof e.message - 1);
	remote_error_clear(&e);
	assert_int_equal(e.kind, REMOTE_OK);
	assert_int_equal(e.retry_after_msecs, -1);
	assert_string_equal(e.message, "");
}

static void test_util_remote__every_kind_has_a_name_of_its_own(void **state)
{
	for (int i = REMOTE_OK; i <= REMOTE_CANCELLED; i++) {
		assert_string_not_equal(remote_kind_name((enum remote_kind)i), "unknown");
		for (int j = REMOTE_OK; j < i; j++)
			assert_string_not_equal(remote_kind_name((enum remote_kind)i),
						remote_kind_name((enum remote_kind)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_util_log__lines_above_the_level_are_dropped,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_util_log__a_line_stays_one_line, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_util_log__a_long_line_is_cut_and_ends, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_util_log__the_journal_gets_a_priority, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_util_log__errno_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test(test_util_remote__message_is_cut_and_terminated),
		cmocka_unit_test(test_util_remote__every_kind_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
