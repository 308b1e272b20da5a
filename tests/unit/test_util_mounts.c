/* Whose mounts are looked at. Needs root and /dev/fuse: mounts two file systems of ours, that nobody serves, in a namespace of its own. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/mounts.h"

#define SOURCE "/home/some/catalog.db"

static char dir[] = "/tmp/tonicfs-unit-XXXXXX";

static void mount_as(const char *name, unsigned user)
{
	char path[64], options[128];
	int fd = open("/dev/fuse", O_RDWR);

	assert_true(fd >= 0);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=0", fd, user);
	assert_int_equal(mount(SOURCE, path, "fuse.tonicfs", MS_NOSUID | MS_NODEV, options), 0);
}

static void look(void)
{
	char mine[64], other[64], *inside, *source, **list;
	size_t count;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(77);
	mount_as("mine", getuid());
	mount_as("other", getuid() + 1);
	snprintf(mine, sizeof mine, "%s/mine", dir);
	snprintf(other, sizeof other, "%s/other/acme", dir);
	assert_int_equal(mounts_of(SOURCE, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0], mine);
	assert_int_equal(mounts_find(mine, &inside, &source), 0);
	assert_string_equal(inside, "");
	assert_string_equal(source, SOURCE);
	assert_int_not_equal(mounts_find(other, &inside, &source), 0);
}

static void test_util_mounts__another_users_mount_is_none_of_ours(void **state)
{
	char command[64];
	pid_t child;
	int status;

	(void)state;
	if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		look();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* a container that may not mount */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_mounts__another_users_mount_is_none_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
