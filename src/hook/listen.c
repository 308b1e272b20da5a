/* Parses "ADDRESS:PORT" and opens a listening socket. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hook/hook-private.h"
#include "util/cleanup.h"

#define BACKLOG 512

/* Numeric addresses only, so that there is no wait for a resolver. */
static int address_parse(const char *text, struct addrinfo **ret_info)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	const char *colon = strrchr(text, ':');
	const char *begin = text, *end = colon;
	char host[64];

	if (!colon || colon == text || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtoul(colon + 1, NULL, 10) > 65535)
		return -EINVAL;
	if (*begin == '[' && end[-1] == ']') {
		begin++;
		end--;
	} else if (memchr(begin, ':', (size_t)(end - begin))) {
		return -EINVAL; /* an IPv6 address without brackets is ambiguous */
	}
	if ((size_t)(end - begin) >= sizeof host)
		return -EINVAL;
	snprintf(host, sizeof host, "%.*s", (int)(end - begin), begin);
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	return getaddrinfo(host, colon + 1, &hints, ret_info) == 0 ? 0 : -EINVAL;
}

static int address_format(int fd, char ret_address[HOOK_ADDRESS_SIZE])
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof address;
	char host[64], port[8];

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	if (getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV))
		return -EINVAL;
	snprintf(ret_address, HOOK_ADDRESS_SIZE,
		 address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return 0;
}

static int listen_on(const struct addrinfo *info, int *ret_fd)
{
	cleanup_fd int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int hook_listen(const char *text, int *ret_fd, char ret_address[HOOK_ADDRESS_SIZE])
{
	struct addrinfo *info = NULL;
	int err = address_parse(text, &info);

	if (err < 0)
		return err;
	err = listen_on(info, ret_fd);
	freeaddrinfo(info);
	if (err == 0) {
		err = address_format(*ret_fd, ret_address);
		if (err < 0)
			close(*ret_fd);
	}
	return err;
}
