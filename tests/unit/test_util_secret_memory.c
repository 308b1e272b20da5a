/* The memory that secrets are kept in, as the kernel sees it; each case in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"
#include "util/process.h"
#include "util/secret.h"

/* Whether the mapping that holds p has the flag, such as "lo" (locked), in /proc/self/smaps. */
static bool has_flag(const void *p, const char *flag)
{
	uintptr_t address = (uintptr_t)p, first, last;
	bool is_there = false, found = false;
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512];

	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			is_there = address >= first && address < last;
		else if (is_there && strncmp(line, "VmFlags:", 8) == 0)
			found |= strstr(line, flag) != NULL;
	}
	if (file)
		fclose(file);
	return found;
}

static int in_child(int (*function)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(function());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int secrets_are_locked(void)
{
	char *secret, *copy;

	process_harden();
	secret = secret_alloc(100);
	if (!secret || secret[0] || secret[99])
		return 1;
	if (!has_flag(secret, " lo") || !has_flag(secret, " dd"))
		return 2;
	copy = secret_dup("token");
	if (!copy || strcmp(copy, "token") != 0 || !has_flag(copy, " lo"))
		return 3;
	/* Its page stays mapped, so that what is in it can be seen; the heap links free blocks by their first bytes. */
	memset(secret, 'k', 100);
	secret_release(secret, 100);
	for (int i = 32; i < 100; i++) {
		if (((const volatile char *)secret)[i] == 'k')
			return 4;
	}
	secret_free(copy);
	secret_free(strdup("of malloc"));
	secret_free(NULL);
	return 0;
}

static void test_util_secret__memory_is_locked_not_dumped_and_wiped(void **state)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (limit.rlim_max < (1 << 20) && geteuid() != 0)
		skip();
	assert_int_equal(in_child(secrets_are_locked), 0);
}

static int all_secrets_are_kept(void)
{
	/* More than the locked memory holds: the rest is in ordinary memory. */
	for (int i = 0; i < 2000; i++) {
		char *secret = secret_alloc(1000);

		if (!secret)
			return 1;
		memset(secret, 'k', 999);
	}
	return 0;
}

static void test_util_secret__more_than_fits_is_kept_all_the_same(void **state)
{
	assert_int_equal(in_child(all_secrets_are_kept), 0);
}

static int warnings_without_locking(void)
{
	const struct rlimit none = { 0, 0 };
	char text[4096];
	int ends[2], count = 0;
	ssize_t n;

	if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 || pipe(ends) < 0)
		return 100;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		return 101;
	log_set_fd(ends[1]);
	for (int i = 0; i < 3; i++) {
		char *secret = secret_dup("token");

		if (!secret || strcmp(secret, "token") != 0)
			return 102;
		secret_free(secret);
	}
	close(ends[1]);
	n = read(ends[0], text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; (at = strstr(at, "lock memory")); at++)
		count++;
	return count;
}

static void test_util_secret__where_memory_cannot_be_locked_that_is_said_once(void **state)
{
	assert_int_equal(in_child(warnings_without_locking), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_secret__memory_is_locked_not_dumped_and_wiped),
		cmocka_unit_test(test_util_secret__more_than_fits_is_kept_all_the_same),
		cmocka_unit_test(test_util_secret__where_memory_cannot_be_locked_that_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
