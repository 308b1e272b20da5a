#include "helper_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_CONNECTIONS 2048
#define MAX_REQUESTS 8192
#define HEAD_SIZE 65536

struct connection {
	struct helper_server *server;
	pthread_t thread;
	unsigned number;
	int fd;
};

struct helper_server {
	helper_handler *handler;
	void *arg;
	int listener;
	int stop_fd; /* readable once the server is being freed */
	unsigned port;
	pthread_t thread;
	pthread_mutex_t lock;
	/* under lock */
	struct connection connections[MAX_CONNECTIONS];
	unsigned connection_count, open, most_open;
	struct helper_request *requests[MAX_REQUESTS];
	unsigned request_count;
};

/* A request or -1 byte: waits for the peer or for the end of the server. */
static ssize_t receive(struct helper_server *server, int fd, void *space, size_t n)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = server->stop_fd, .events = POLLIN } };

	if (poll(fds, 2, -1) < 0 || fds[1].revents)
		return -1;
	return recv(fd, space, n, 0);
}

static void request_free(struct helper_request *request)
{
	free(request->head);
	free(request->body);
	free(request);
}

/* NULL: the connection is over. */
static struct helper_request *read_request(struct helper_server *server, int fd)
{
	struct helper_request *request = calloc(1, sizeof *request);
	const char *length;
	size_t have = 0;
	char *end;

	request->head = calloc(1, HEAD_SIZE);
	for (;;) {
		/* Byte by byte, so that nothing of the body or of the next request is taken. */
		if (have + 1 >= HEAD_SIZE || receive(server, fd, request->head + have, 1) != 1) {
			request_free(request);
			return NULL;
		}
		have++;
		if (have >= 4 && memcmp(request->head + have - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	request->head = realloc(request->head, have + 1);
	length = helper_header(request, "Content-Length");
	request->body_len = length ? strtoul(length, &end, 10) : 0;
	request->body = calloc(1, request->body_len + 1);
	for (size_t at = 0; at < request->body_len;) {
		ssize_t n = receive(server, fd, request->body + at, request->body_len - at);

		if (n <= 0) {
			request_free(request);
			return NULL;
		}
		at += (size_t)n;
	}
	return request;
}

static void *serve(void *arg)
{
	struct connection *connection = arg;
	struct helper_server *server = connection->server;
	enum helper_then then = HELPER_KEEP;
	int fd = connection->fd;

	while (then == HELPER_KEEP) {
		struct helper_request *request = read_request(server, fd);

		if (!request)
			break;
		request->connection = connection->number;
		pthread_mutex_lock(&server->lock);
		if (server->request_count == MAX_REQUESTS)
			abort();
		request->number = server->request_count;
		server->requests[server->request_count++] = request;
		pthread_mutex_unlock(&server->lock);
		then = server->handler(server, fd, request, server->arg);
	}
	if (then == HELPER_RESET) {
		struct linger linger = { .l_onoff = 1, .l_linger = 0 };

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	}
	pthread_mutex_lock(&server->lock);
	server->open--;
	pthread_mutex_unlock(&server->lock);
	close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct helper_server *server = arg;
	struct pollfd fds[2] = { { .fd = server->listener, .events = POLLIN },
				 { .fd = server->stop_fd, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		int fd = accept(server->listener, NULL, NULL);
		struct connection *connection;

		if (fd < 0)
			continue;
		pthread_mutex_lock(&server->lock);
		if (server->connection_count == MAX_CONNECTIONS)
			abort();
		connection = &server->connections[server->connection_count];
		connection->server = server;
		connection->number = server->connection_count++;
		connection->fd = fd;
		if (++server->open > server->most_open)
			server->most_open = server->open;
		pthread_create(&connection->thread, NULL, serve, connection);
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

struct helper_server *helper_server_new(helper_handler *handler, void *arg)
{
	struct helper_server *server = calloc(1, sizeof *server);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof address;

	server->handler = handler;
	server->arg = arg;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&server->lock, NULL);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(server->listener, 128), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &n), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, accept_all, server), 0);
	return server;
}

void helper_server_free(struct helper_server *server)
{
	uint64_t one = 1;

	assert_int_equal(write(server->stop_fd, &one, sizeof one), sizeof one);
	pthread_join(server->thread, NULL);
	for (unsigned i = 0; i < server->connection_count; i++)
		pthread_join(server->connections[i].thread, NULL);
	for (unsigned i = 0; i < server->request_count; i++)
		request_free(server->requests[i]);
	close(server->listener);
	close(server->stop_fd);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

unsigned helper_server_port(const struct helper_server *server)
{
	return server->port;
}

const char *helper_server_url(const struct helper_server *server, const char *path)
{
	static __thread char url[1024];

	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server->port, path);
	return url;
}

static unsigned locked(struct helper_server *server, const unsigned *value)
{
	unsigned copy;

	pthread_mutex_lock(&server->lock);
	copy = *value;
	pthread_mutex_unlock(&server->lock);
	return copy;
}

unsigned helper_server_requests(struct helper_server *server)
{
	return locked(server, &server->request_count);
}

unsigned helper_server_connections(struct helper_server *server)
{
	return locked(server, &server->connection_count);
}

unsigned helper_server_most_open(struct helper_server *server)
{
	return locked(server, &server->most_open);
}

const struct helper_request *helper_server_request(struct helper_server *server, unsigned number)
{
	const struct helper_request *request;

	pthread_mutex_lock(&server->lock);
	request = number < server->request_count ? server->requests[number] : NULL;
	pthread_mutex_unlock(&server->lock);
	assert_non_null(request);
	return request;
}

const char *helper_header(const struct helper_request *request, const char *name)
{
	static __thread char value[8192];
	size_t n = strlen(name);

	for (const char *line = strstr(request->head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			line += n + 1;
			line += strspn(line, " ");
			snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\r"), line);
			return value;
		}
	}
	return NULL;
}

bool helper_send(int fd, const void *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += (size_t)sent;
	}
	return true;
}

bool helper_send_str(int fd, const char *text)
{
	return helper_send(fd, text, strlen(text));
}

bool helper_answer(int fd, int status, const char *headers, const char *body)
{
	char head[4096];

	snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n", status,
		 body ? strlen(body) : 0, headers ? headers : "");
	return helper_send_str(fd, head) && helper_send_str(fd, body ? body : "");
}

void helper_server_sleep(struct helper_server *server, unsigned msecs)
{
	struct pollfd stop = { .fd = server->stop_fd, .events = POLLIN };

	poll(&stop, 1, (int)msecs);
}
