/* Reading secrets: from files, standard input and the terminal. */
#include "util/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/files.h"

#define SECRET_LIMIT_BYTES 4096

/* Set by a signal handler while the echo of the terminal is off. */
static volatile sig_atomic_t caught_signal;

static void catch_signal(int number)
{
	caught_signal = number;
}

/* The signals are blocked except during this wait, so that none is lost between the check and
 * the read. */
static int wait_readable(int fd, const sigset_t *mask)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (!mask)
		return 0;
	return ppoll(&wait, 1, NULL, mask) < 0 ? -1 : 0;
}

/* Reads byte by byte, so that the bytes after the line stay for the next reader of standard input.
 * The buffer has its final size from the start: growing would leave copies behind. Where mask is
 * given, it is the signal mask while waiting, and a caught signal ends the wait. */
static int read_line(int fd, const sigset_t *mask, char **ret_secret)
{
	char *line = secret_alloc(SECRET_LIMIT_BYTES + 2); /* one for "\r", one for the NUL */
	size_t len = 0;
	int err = -EINVAL;

	if (!line)
		return -ENOMEM;
	for (;;) {
		char c;
		ssize_t n = wait_readable(fd, mask);

		if (n == 0)
			n = read(fd, &c, 1);
		if (n < 0) {
			if (errno == EINTR && !(mask && caught_signal))
				continue;
			err = -errno;
			goto out;
		}
		if (n == 0 || c == '\n')
			break;
		if (c == '\0' || len > SECRET_LIMIT_BYTES)
			goto out;
		line[len++] = c;
	}
	if (len && line[len - 1] == '\r')
		line[--len] = '\0';
	if (len == 0 || len > SECRET_LIMIT_BYTES)
		goto out;
	*ret_secret = secret_dup(line);
	err = *ret_secret ? 0 : -ENOMEM;
out:
	secret_release(line, SECRET_LIMIT_BYTES + 2);
	return err;
}

/* A signal that ends the program must not leave the terminal without echo: the handler only notes
 * it, the echo is restored, and then the signal is raised again with the previous handler. */
static int ask_terminal(const char *prompt, char **ret_secret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction catching = { .sa_handler = catch_signal }, before[ARRAY_SIZE(signals)];
	cleanup_fd int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	sigset_t blocked, mask;
	struct termios shown, hidden;
	int err;

	if (fd < 0)
		return errno == ENXIO || errno == ENOENT ? -ENOTTY : -errno;
	if (tcgetattr(fd, &shown) < 0)
		return -ENOTTY;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL | ICANON;
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;

	caught_signal = 0;
	sigemptyset(&catching.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&blocked, signals[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, &mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &catching, &before[i]);

	if (tcsetattr(fd, TCSAFLUSH, &hidden) < 0) {
		err = -errno;
	} else {
		err = files_write_all(fd, prompt, strlen(prompt));
		if (err == 0)
			err = read_line(fd, &mask, ret_secret);
		tcsetattr(fd, TCSAFLUSH, &shown);
	}

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (caught_signal) {
		if (err == 0) {
			secret_free(*ret_secret);
			*ret_secret = NULL;
		}
		err = -EINTR;
		raise(caught_signal);
	}
	return err;
}

int secret_read(const char *path, const char *prompt, char **ret_secret)
{
	cleanup_fd int fd = -1;

	if (!path)
		return ask_terminal(prompt ? prompt : "", ret_secret);
	if (strcmp(path, "-") == 0)
		return read_line(STDIN_FILENO, NULL, ret_secret);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return read_line(fd, NULL, ret_secret);
}
