/* A mount in the background. The fork comes first, with one thread and no handle of SQLite, curl or
 * OpenSSL: the child opens them. The parent's exit status says whether the tree answers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/mounting.h"
#include "util/log.h"

#define READY 'R'

static void go_to_background(void *arg)
{
	const int *status_fd = arg; /* the parent reads the other end */
	char ready = READY;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Not earlier: until here a key command may ask on the terminal, and Ctrl-C ends both. */
	setsid();
	log_to_syslog();
	if (null >= 0) {
		for (int fd = 0; fd <= 2; fd++)
			dup2(null, fd);
		if (null > 2)
			close(null);
	}
	/* A failure means that the parent was killed, which does not matter. */
	while (write(*status_fd, &ready, 1) < 0 && errno == EINTR)
		;
	close(*status_fd);
}

static int wait_ready(pid_t child, int fd)
{
	char answer = 0;
	int status;
	ssize_t n;

	do
		n = read(fd, &answer, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1 && answer == READY)
		return CLI_DONE;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return CLI_FAILED;
	if (WIFEXITED(status)) {
		cli_json_took_over(); /* the child has said why */
		return WEXITSTATUS(status) ? WEXITSTATUS(status) : CLI_FAILED;
	}
	return cli_error("the mount's process was ended by signal %d", WTERMSIG(status));
}

int mount_daemon(struct mount_request *request)
{
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return cli_error("%s", strerror(errno));
	fflush(stdout);
	fflush(stderr);
	child = fork();
	if (child < 0) {
		cli_error("no process for the mount: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return CLI_FAILED;
	}
	if (child == 0) {
		close(ends[0]);
		request->on_ready = go_to_background;
		request->arg = &ends[1];
		return mount_serve(request);
	}
	close(ends[1]);
	status = wait_ready(child, ends[0]);
	close(ends[0]);
	return status;
}
