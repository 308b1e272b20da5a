/*
 * An HTTP server in threads of this process, on loopback, that does what a handler says: well or
 * badly. It reads a whole request (Content-Length bodies), records it, and lets the handler write
 * to the socket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct helper_server;

struct helper_request {
	char *head; /* request line and headers as they came, NUL behind them, with the empty line
		     */
	char *body;
	size_t body_len;
	unsigned connection; /* from 0, in order of accept */
	unsigned number;     /* from 0, over all connections, in order of arrival */
};

enum helper_then {
	HELPER_KEEP,  /* wait for the next request on this connection */
	HELPER_CLOSE, /* in good order */
	HELPER_RESET, /* with a TCP reset */
};

typedef enum helper_then helper_handler(struct helper_server *server, int fd,
					const struct helper_request *request, void *arg);

struct helper_server *helper_server_new(helper_handler *handler, void *arg);
/* Ends every connection, waits for the threads. */
void helper_server_free(struct helper_server *server);
unsigned helper_server_port(const struct helper_server *server);
/* "http://127.0.0.1:PORT<path>"; lives until the next call from this thread. */
const char *helper_server_url(const struct helper_server *server, const char *path);
unsigned helper_server_requests(struct helper_server *server);
unsigned helper_server_connections(struct helper_server *server);
/* The most connections that were open at one time. */
unsigned helper_server_most_open(struct helper_server *server);
/* Valid until helper_server_free. Fails the test where there is none. */
const struct helper_request *helper_server_request(struct helper_server *server, unsigned number);
/* The value of a header of a request's head, or NULL; lives until the next call from this thread.
 */
const char *helper_header(const struct helper_request *request, const char *name);

/* For handlers: writes it all; false where the peer is gone. */
bool helper_send(int fd, const void *bytes, size_t n);
bool helper_send_str(int fd, const char *text);
/* A complete answer. headers: "Name: value\r\n"…, NULL for none; Content-Length is added. */
bool helper_answer(int fd, int status, const char *headers, const char *body);
/* Sleeps; returns at once when the server is being freed. */
void helper_server_sleep(struct helper_server *server, unsigned msecs);
