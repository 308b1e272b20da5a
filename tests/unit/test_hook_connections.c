/* Who gives way where there are too many connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hook/hook-private.h"

#define COUNT 242 /* one more than may wait, and one whose request has come */

static bool is_cut(int peer)
{
	char byte;

	return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_hook__the_oldest_whose_request_has_not_come_gives_way(void **state)
{
	struct connections connections;
	struct connection *all[COUNT];
	int pairs[COUNT][2];

	assert_int_equal(connections_init(&connections), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
		all[i] = connections_add(&connections, pairs[i][0]);
		assert_non_null(all[i]);
		if (i == 0)
			connections_complete(&connections, all[0]);
		if (i == COUNT - 3)
			assert_false(is_cut(pairs[1][1]));
	}
	assert_false(is_cut(pairs[0][1]));
	assert_true(is_cut(pairs[1][1]));
	assert_true(is_cut(pairs[2][1]));
	for (unsigned i = 3; i < COUNT; i++)
		assert_false(is_cut(pairs[i][1]));
	for (unsigned i = 0; i < COUNT; i++) {
		connections_remove(&connections, all[i]);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	connections_release(&connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook__the_oldest_whose_request_has_not_come_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
