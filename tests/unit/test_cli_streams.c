/* What reaches a terminal, whoever prints it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/cli.h"

static void everything(void)
{
	struct cli_table table = { 0 };
	char letters[4096];

	printf("plain\ttext \xe2\x80\xa6\n");
	printf("%s\n", "\x1b]0;owned\a \xc2\x9b"
		       "31m \x9b"
		       "0m \x7f \r.");
	cli_table_row(&table, "%s\t%s", "one\nline", "two\x1b[2J");
	cli_table_print(&table, stdout);
	/* A character that a buffer's end cuts in two. */
	for (size_t i = 0; i < sizeof letters / 2; i++)
		memcpy(letters + 2 * i, "\xc3\xbc", 2);
	putchar('.');
	for (int i = 0; i < 4; i++)
		fwrite(letters, 1, sizeof letters, stdout);
	putchar('\n');
	fflush(stdout);
	fprintf(stderr, "%s\n", "\x1b[31m");
	cli_error("%s", "no\nsuch \xc2\x85 name");
}

static void as_json(void)
{
	cli_streams_json();
	cli_json_print(json_pack("{s:s}", "key",
				 "a\x1b\n\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\xbf\xbf\xc3\xbc"));
	fflush(stdout);
}

/* What it prints in a process of its own. */
static size_t printed(void (*print)(void), char *ret_text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		cli_streams_init();
		print();
		_exit(0);
	}
	close(ends[1]);
	while (len < size - 1 && (n = read(ends[0], ret_text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret_text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return len;
}

static void test_cli_streams__nothing_that_drives_a_terminal_is_printed(void **state)
{
	static char text[65536];
	size_t len = printed(everything, text, sizeof text);

	assert_memory_equal(
		text,
		"plain\ttext \xe2\x80\xa6\n?]0;owned? ?31m ?0m ? ?.\none?line  two?[2J\n.\xc3\xbc",
		strlen("plain\ttext \xe2\x80\xa6\n?]0;owned? ?31m ?0m ? ?.\none?line  two?[2J\n.\xc3\xbc"));
	assert_non_null(strstr(text, "\xc3\xbc\n?[31m\ntonicfs: no?such ? name\n"));
	assert_null(strstr(strstr(text, "\n."), "?\xc3"));
	assert_int_equal(len, strlen(text));
}

static void test_cli_streams__json_keeps_such_characters_as_escapes(void **state)
{
	char text[512];
	json_t *document;
	size_t len = printed(as_json, text, sizeof text);

	for (size_t i = 0; i < len; i++)
		assert_true((unsigned char)text[i] >= ' ' || text[i] == '\n');
	assert_non_null(strstr(text, "\\u007f\\u009b\\u202e\\ud83f\\udfff\xc3\xbc"));
	document = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(document, "key")),
			    "a\x1b\n\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\xbf\xbf\xc3\xbc");
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli_streams__nothing_that_drives_a_terminal_is_printed),
		cmocka_unit_test(test_cli_streams__json_keeps_such_characters_as_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
