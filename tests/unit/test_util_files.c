/* util/files and util/secret, in a folder of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/files.h"
#include "util/list.h"
#include "util/secret.h"

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int set_up(void **state)
{
	strcpy(folder, "/tmp/test_util_files.XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	return chdir("/") == 0 ? nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void put(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void test_util_files__missing_folders_are_made_and_the_others_are_left(void **state)
{
	struct stat st;

	assert_int_equal(files_mkdir_parents("a//b/c", 0700), 0);
	assert_true(is_folder("a/b/c"));
	assert_int_equal(stat("a/b", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(files_mkdir_parents("a/b/c", 0755), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(files_mkdir_parents("a/d/", 0700), 0);
	assert_true(is_folder("a/d"));
	assert_int_equal(files_mkdir_parents("/proc/self", 0700), 0);
	assert_int_equal(files_mkdir_parents("/", 0700), 0);
	put("plain", "", 0);
	assert_int_equal(files_mkdir_parents("plain", 0700), -ENOTDIR);
	assert_int_equal(files_mkdir_parents("plain/x/y", 0700), -ENOTDIR);
	assert_int_equal(files_mkdir_parents("/proc/no/such", 0700), -ENOENT);
	assert_int_equal(files_mkdir_parents("", 0700), -ENOENT);
}

static void test_util_files__new_private_file_never_replaces(void **state)
{
	cleanup_free char *bytes = NULL;
	struct stat st;
	size_t len;

	assert_int_equal(files_write_new_private("key", "one\0two", 7), 0);
	assert_int_equal(stat("key", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(files_write_new_private("key", "other", 5), -EEXIST);
	assert_int_equal(symlink("elsewhere", "link"), 0);
	assert_int_equal(files_write_new_private("link", "other", 5), -EEXIST);
	assert_int_equal(access("elsewhere", F_OK), -1);
	assert_int_equal(files_write_new_private("no/folder", "x", 1), -ENOENT);
	assert_int_equal(files_read("key", 7, &bytes, &len), 0);
	assert_int_equal(len, 7);
	assert_memory_equal(bytes, "one\0two", 8);
}

static void test_util_files__a_write_cut_short_leaves_no_file_behind(void **state)
{
	struct rlimit before, tight;
	static char big[8192];
	int err;

	/* The limit on a file's size stands in for a full disk. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	err = files_write_new_private("half", big, sizeof big);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(access("half", F_OK), -1);
}

static void test_util_files__a_replaced_file_leads_nowhere_else(void **state)
{
	cleanup_free char *bytes = NULL;
	struct stat st;
	size_t len;

	put("key", "precious", 8);
	/* Names that somebody else may have guessed, and the name itself. */
	assert_int_equal(symlink("key", "counters.new"), 0);
	assert_int_equal(symlink("key", "counters.tmp"), 0);
	assert_int_equal(symlink("key", "counters"), 0);
	umask(077);
	assert_int_equal(files_replace_public("counters", "1", 1), 0);
	umask(022);
	assert_int_equal(lstat("counters", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(files_replace_private("counters", "22", 2), 0);
	assert_int_equal(lstat("counters", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(stat("key", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(files_read("key", 100, &bytes, &len), 0);
	assert_string_equal(bytes, "precious");
	/* Nothing is left behind, also where it fails. */
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_true(files_replace_private("folder", "x", 1) < 0);
	assert_int_equal(system("test $(ls | wc -l) = 5"), 0);
}

static void test_util_files__a_name_stays_that_of_the_link(void **state)
{
	cleanup_free char *path = NULL;
	char expected[128];

	assert_int_equal(mkdir("real", 0700), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(symlink("key", "real/counters"), 0);
	put("real/key", "", 0);
	assert_int_equal(files_absolute_name("link/counters", &path), 0);
	snprintf(expected, sizeof expected, "%s/real/counters", folder);
	assert_string_equal(path, expected);
	free(steal_pointer(&path));
	assert_int_equal(files_absolute_name("counters", &path), 0);
	snprintf(expected, sizeof expected, "%s/counters", folder);
	assert_string_equal(path, expected);
	free(steal_pointer(&path));
	assert_int_equal(files_absolute_name("/counters", &path), 0);
	assert_string_equal(path, "/counters");
	free(steal_pointer(&path));
	assert_int_equal(files_absolute_name("real/", &path), -EISDIR);
	assert_int_equal(files_absolute_name("real/..", &path), -EISDIR);
}

static void test_util_files__read_minds_its_limit(void **state)
{
	static char big[200000];
	char *bytes = NULL;
	size_t len = 0;

	memset(big, 'b', sizeof big);
	put("big", big, sizeof big);
	assert_int_equal(files_read("big", sizeof big - 1, &bytes, &len), -EFBIG);
	assert_null(bytes);
	assert_int_equal(files_read("big", sizeof big, &bytes, &len), 0);
	assert_int_equal(len, sizeof big);
	assert_memory_equal(bytes, big, sizeof big);
	free(bytes);
	put("empty", "", 0);
	assert_int_equal(files_read("empty", 0, &bytes, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(bytes, "");
	free(bytes);
	assert_int_equal(files_read("none", 10, &bytes, &len), -ENOENT);
	assert_int_equal(files_read(".", 10, &bytes, &len), -EISDIR);
}

static void assert_absolute(const char *path, const char *expected)
{
	cleanup_free char *real = NULL;
	char full[512];

	assert_int_equal(files_absolute(path, &real), 0);
	if (expected[0] == '/')
		snprintf(full, sizeof full, "%s", expected);
	else
		snprintf(full, sizeof full, "%s%s%s", folder, *expected ? "/" : "", expected);
	assert_string_equal(real, full);
}

static void test_util_files__absolute_resolves_as_far_as_the_path_exists(void **state)
{
	char *path;

	assert_int_equal(mkdir("real", 0700), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	put("file", "", 0);
	assert_absolute(".", "");
	assert_absolute("link", "real");
	assert_absolute("link/", "real");
	assert_absolute("link/../file", "file");
	assert_absolute("new", "new");
	assert_absolute("link/new//sub/./x", "real/new/sub/x");
	assert_absolute("link/new/../other", "real/other");
	assert_absolute("new/../../../../../../..", "/");
	assert_absolute("dangling", "dangling");
	assert_absolute("/", "/");
	assert_absolute("/no-such-folder-here/x", "/no-such-folder-here/x");
	assert_absolute("//no-such-folder-here", "/no-such-folder-here");
	assert_int_equal(files_absolute("", &path), -ENOENT);
	assert_int_equal(files_absolute("file/x", &path), -ENOTDIR);
}

static void test_util_secret__first_line_of_a_file(void **state)
{
	char *secret = NULL;

	put("s", "to ken\nsecond\n", 14);
	assert_int_equal(secret_read("s", NULL, &secret), 0);
	assert_string_equal(secret, "to ken");
	secret_free(secret);
	put("s", "windows\r\n", 9);
	assert_int_equal(secret_read("s", NULL, &secret), 0);
	assert_string_equal(secret, "windows");
	secret_free(secret);
	put("s", "no end", 6);
	assert_int_equal(secret_read("s", NULL, &secret), 0);
	assert_string_equal(secret, "no end");
	secret_free(secret);
	secret_free(NULL);
}

static void test_util_secret__refuses_empty_long_and_binary(void **state)
{
	char text[5000], *secret = NULL;

	put("s", "", 0);
	assert_int_equal(secret_read("s", NULL, &secret), -EINVAL);
	put("s", "\nx", 2);
	assert_int_equal(secret_read("s", NULL, &secret), -EINVAL);
	put("s", "\r\nx", 3);
	assert_int_equal(secret_read("s", NULL, &secret), -EINVAL);
	put("s", "a\0b\n", 4);
	assert_int_equal(secret_read("s", NULL, &secret), -EINVAL);
	memset(text, 's', sizeof text);
	put("s", text, 4097);
	assert_int_equal(secret_read("s", NULL, &secret), -EINVAL);
	assert_int_equal(secret_read("none", NULL, &secret), -ENOENT);
	assert_int_equal(secret_read(".", NULL, &secret), -EISDIR);
	assert_null(secret);
	text[4096] = '\r';
	text[4097] = '\n';
	put("s", text, 4098);
	assert_int_equal(secret_read("s", NULL, &secret), 0);
	assert_int_equal(strlen(secret), 4096);
	secret_free(secret);
}

static void test_util_secret__standard_input_keeps_what_follows_the_line(void **state)
{
	int saved = dup(STDIN_FILENO), fds[2];
	char *first = NULL, *second = NULL;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "one\ntwo\n", 8), 8);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	assert_int_equal(secret_read("-", NULL, &first), 0);
	assert_int_equal(secret_read("-", NULL, &second), 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_string_equal(first, "one");
	assert_string_equal(second, "two");
	secret_free(first);
	secret_free(second);
}

static void test_util_secret__no_terminal_is_said(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char *secret;

		setsid(); /* no controlling terminal any more */
		_exit(secret_read(NULL, "Token: ", &secret) == -ENOTTY ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Reads from the terminal's master until text has been seen, for 10 s at most. */
static void await(int master, const char *text, char *seen, size_t size)
{
	size_t len = strlen(seen);

	while (!strstr(seen, text)) {
		struct pollfd wait = { .fd = master, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&wait, 1, 10000), 1);
		n = read(master, seen + len, size - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		seen[len] = '\0';
	}
}

/* A child that asks on a terminal of its own; returns its process and the terminal's other end. */
static pid_t child_asks(int *ret_master)
{
	pid_t child = forkpty(ret_master, NULL, NULL, NULL);

	assert_true(child >= 0);
	if (child == 0) {
		char *secret = NULL;
		struct termios now;
		bool right =
			secret_read(NULL, "Token: ", &secret) == 0 && strcmp(secret, "hush") == 0;

		secret_free(secret);
		_exit(right && tcgetattr(0, &now) == 0 && (now.c_lflag & ECHO) ? 0 : 1);
	}
	return child;
}

static void test_util_secret__terminal_is_asked_without_echo(void **state)
{
	char seen[256] = "";
	int master, status;
	pid_t child = child_asks(&master);

	await(master, "Token: ", seen, sizeof seen);
	assert_int_equal(write(master, "hush\n", 5), 5);
	await(master, "\n", seen, sizeof seen);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_null(strstr(seen, "hush"));
	close(master);
}

static void test_util_secret__ctrl_c_ends_the_program_with_the_echo_restored(void **state)
{
	char seen[256] = "";
	struct termios now;
	int master, status;
	pid_t child = child_asks(&master);

	await(master, "Token: ", seen, sizeof seen);
	assert_int_equal(tcgetattr(master, &now), 0);
	assert_false(now.c_lflag & ECHO);
	assert_int_equal(write(master, "hu\003", 3), 3);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(tcgetattr(master, &now), 0);
	assert_true(now.c_lflag & ECHO);
	close(master);
}

struct item {
	int value;
	struct list link;
};

static void test_util_list__keeps_order_and_lets_members_go(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[4];
	int sum = 0;

	assert_true(list_empty(&head));
	for (int i = 0; i < 4; i++) {
		items[i].value = i;
		list_add(&head, &items[i].link);
	}
	list_for_each(pos, &head)
		sum = sum * 10 + list_entry(pos, struct item, link)->value;
	assert_int_equal(sum, 123);
	list_for_each_safe(pos, &head)
		if (list_entry(pos, struct item, link)->value % 2)
			list_remove(pos);
	list_remove(&items[1].link); /* a second time does no harm */
	assert_ptr_equal(head.next, &items[0].link);
	assert_ptr_equal(head.next->next, &items[2].link);
	assert_ptr_equal(head.prev, &items[2].link);
	list_remove(&items[0].link);
	list_remove(&items[2].link);
	assert_true(list_empty(&head));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_util_files__missing_folders_are_made_and_the_others_are_left),
		IN_FOLDER(test_util_files__new_private_file_never_replaces),
		IN_FOLDER(test_util_files__a_write_cut_short_leaves_no_file_behind),
		IN_FOLDER(test_util_files__a_replaced_file_leads_nowhere_else),
		IN_FOLDER(test_util_files__a_name_stays_that_of_the_link),
		IN_FOLDER(test_util_files__read_minds_its_limit),
		IN_FOLDER(test_util_files__absolute_resolves_as_far_as_the_path_exists),
		IN_FOLDER(test_util_secret__first_line_of_a_file),
		IN_FOLDER(test_util_secret__refuses_empty_long_and_binary),
		IN_FOLDER(test_util_secret__standard_input_keeps_what_follows_the_line),
		IN_FOLDER(test_util_secret__no_terminal_is_said),
		IN_FOLDER(test_util_secret__terminal_is_asked_without_echo),
		IN_FOLDER(test_util_secret__ctrl_c_ends_the_program_with_the_echo_restored),
		cmocka_unit_test(test_util_list__keeps_order_and_lets_members_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
