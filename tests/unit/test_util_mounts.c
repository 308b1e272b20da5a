/* The mount table, and probes of mounts that may hang. The test of another user's mounts needs root
 * and /dev/fuse: it mounts in a namespace of its own. */
#include <errno.h>
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
#include "util/times.h"

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

static int probe_hangs(const char *mountpoint)
{
	if (strcmp(mountpoint, "/hangs") == 0)
		pause();
	return 4711;
}

static int probe_fails(const char *mountpoint)
{
	return strcmp(mountpoint, "/mount") == 0 ? -ENOTCONN : 0;
}

static int probe_dies(const char *mountpoint)
{
	_exit(0);
}

static void test_util_mounts__a_probe_that_hangs_is_given_up(void **state)
{
	int64_t begin = time_mono_msecs();

	assert_int_equal(mounts_probe("/hangs", probe_hangs, 100), -ETIMEDOUT);
	assert_in_range(time_mono_msecs() - begin, 100, 900);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_util_mounts__a_probe_returns_its_number_or_error(void **state)
{
	assert_int_equal(mounts_probe("/answers", probe_hangs, 5000), 4711);
	assert_int_equal(mounts_probe("/mount", probe_fails, 5000), -ENOTCONN);
	assert_int_equal(mounts_probe("/mount", probe_dies, 5000), -EIO);
}

/* A fusermount3 of the test's own, first in PATH. */
static int unmount_by(const char *script, char *message, size_t size)
{
	char folder[] = "/tmp/tonicfs-unit-XXXXXX", path[64], command[128];
	const char *before = getenv("PATH");
	FILE *file;
	int err;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/fusermount3", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(command, sizeof command, "%s:/usr/bin:/bin", folder);
	assert_int_equal(setenv("PATH", command, 1), 0);
	err = mounts_unmount("/some where", false, message, size);
	assert_int_equal(setenv("PATH", before ? before : "/usr/bin:/bin", 1), 0);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return err;
}

static void test_util_mounts__what_fusermount_says_is_the_message(void **state)
{
	char message[40];

	assert_int_equal(unmount_by("exit 0", message, sizeof message), 0);
	assert_int_equal(unmount_by("echo \"$1 $2 $3: not mounted\" >&2; exit 1", message,
				    sizeof message),
			 -EIO);
	assert_string_equal(message, "-u -- /some where: not mounted\n");
	assert_int_equal(unmount_by("echo 'Device or resource busy' >&2; exit 1", message,
				    sizeof message),
			 -EBUSY);
	assert_int_equal(unmount_by("yes | head -c 100000 >&2; exit 1", message, sizeof message),
			 -EIO);
	assert_int_equal(strlen(message), sizeof message - 1);
}

static int collect(void *arg, const struct mounts_entry *entry)
{
	return strcmp(entry->mountpoint, "/proc") == 0 ? strcmp(entry->type, arg) == 0 : 0;
}

static void test_util_mounts__a_mount_is_found_by_its_mountpoint_and_device(void **state)
{
	char device[32];
	bool has;

	if (mounts_each(collect, (void *)"proc") != 1)
		skip();
	assert_int_equal(mounts_has_type("/proc", "proc", &has, device, sizeof device), 0);
	assert_true(has);
	assert_int_equal(mounts_has_device(device), 1);
	assert_int_equal(mounts_has_device("no:device"), 0);
	assert_int_equal(mounts_has_type("/proc", "pro", &has, device, sizeof device), 0);
	assert_false(has);
	assert_string_equal(device, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_util_mounts__another_users_mount_is_none_of_ours),
		cmocka_unit_test(test_util_mounts__a_probe_that_hangs_is_given_up),
		cmocka_unit_test(test_util_mounts__a_probe_returns_its_number_or_error),
		cmocka_unit_test(test_util_mounts__what_fusermount_says_is_the_message),
		cmocka_unit_test(test_util_mounts__a_mount_is_found_by_its_mountpoint_and_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
