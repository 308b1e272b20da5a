/* The HTTP server. One thread of libmicrohttpd serves all connections and never blocks: a complete
 * request is suspended until a thread of the pool has found its status and resumes it. */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hook/hook-private.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/pool.h"

#define IDLE_SECS 5
#define CONNECTION_MEMORY_BYTES 16384
#define HANDLERS 4
#define DRAIN_MSECS 500 /* for answers in flight, at the end */
#define FORM_TYPE "application/x-www-form-urlencoded"

struct hook {
	struct catalog *catalog;
	char *public_url; /* with a path; may be NULL */
	struct MHD_Daemon *daemon;
	struct connections connections;
	struct replays *replays;
	struct pool pool;
};

/* One request, from its first line to its answer. */
struct request {
	struct pool_task task;
	struct hook *hook;
	struct MHD_Connection *connection;
	char *uri, *host, *signature;
	struct buf body;
	bool has_begun, is_too_large;
	int status; /* of the answer; 0: not decided yet */
};

/* ---- answering ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, int status)
{
	static const char nothing[] = "";
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)nothing, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	/* One request per connection, so that the connection's time to live is the request's. */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
	result = MHD_queue_response(connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return result;
}

/* In the pool. The connection is suspended, so no other thread touches the request. */
static void find_status(struct pool_task *task)
{
	struct request *request = list_entry(task, struct request, task);
	const struct callback_request callback = {
		.uri = request->uri,
		.host = request->host,
		.signature = request->signature,
		.body = request->body.data,
		.body_len = request->body.len,
	};

	request->status = callback_handle(request->hook->catalog, request->hook->replays,
					  request->hook->public_url, &callback);
	MHD_resume_connection(request->connection);
}

/* ---- a request ---- */

static bool is_our_path(const char *uri)
{
	size_t len = strlen(HOOK_PATH);

	return strncmp(uri, HOOK_PATH, len) == 0 && (uri[len] == '\0' || uri[len] == '?');
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

static bool is_form(const char *type)
{
	size_t len = strlen(FORM_TYPE);

	return strncasecmp(type, FORM_TYPE, len) == 0 && strchr(" \t;", type[len]);
}

/* The status if the head alone decides it, else 0. */
static int judge_head(const struct request *request, const char *method)
{
	const char *length = header(request->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (!is_our_path(request->uri))
		return MHD_HTTP_NOT_FOUND;
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	if (!is_form(header(request->connection, MHD_HTTP_HEADER_CONTENT_TYPE)))
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (!*length)
		return MHD_HTTP_LENGTH_REQUIRED;
	if (strlen(length) > 9 || strtoul(length, NULL, 10) > HOOK_BODY_LIMIT_BYTES)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	return 0;
}

static enum MHD_Result begin(struct request *request, struct MHD_Connection *connection,
			     const char *method)
{
	int status;

	request->has_begun = true;
	request->connection = connection;
	status = judge_head(request, method);
	if (status)
		return answer(connection, status);
	request->host = strdup(header(connection, MHD_HTTP_HEADER_HOST));
	request->signature = strdup(header(connection, "X-Twilio-Signature"));
	return request->host && request->signature ? MHD_YES : MHD_NO;
}

static enum MHD_Result take(struct request *request, const char *data, size_t *len)
{
	if (request->body.len + *len > HOOK_BODY_LIMIT_BYTES)
		request->is_too_large = true;
	else
		buf_add(&request->body, data, *len);
	*len = 0;
	return buf_failed(&request->body) ? MHD_NO : MHD_YES;
}

/* The socket has no context if connections_add() was out of memory. */
static void mark_complete(struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (info && info->socket_context)
		connections_complete(&request->hook->connections, info->socket_context);
}

static enum MHD_Result finish(struct request *request)
{
	struct MHD_Connection *connection = request->connection;

	if (request->status)
		return answer(connection, request->status);
	if (request->is_too_large)
		return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE);
	if (buf_reserve(&request->body, 1) < 0)
		return MHD_NO;
	mark_complete(request);
	request->task.run = find_status;
	MHD_suspend_connection(connection);
	if (pool_push(&request->hook->pool, &request->task) < 0) {
		request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		MHD_resume_connection(connection);
	}
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **request_arg)
{
	struct request *request = *request_arg;

	if (!request)
		return MHD_NO;
	if (!request->has_begun)
		return begin(request, connection, method);
	return *data_len ? take(request, data, data_len) : finish(request);
}

/* Called first for a request, with the URI as it was sent: the signature covers it. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct request *request = calloc(1, sizeof *request);

	if (!request)
		return NULL;
	request->hook = arg;
	request->uri = strdup(uri);
	if (!request->uri)
		free(steal_pointer(&request));
	return request;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request_arg,
			 enum MHD_RequestTerminationCode code)
{
	struct request *request = *request_arg;

	*request_arg = NULL;
	if (!request)
		return;
	buf_release(&request->body);
	free(request->uri);
	free(request->host);
	free(request->signature);
	free(request);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **connection_arg,
			  enum MHD_ConnectionNotificationCode code)
{
	struct hook *hook = arg;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*connection_arg)
			connections_remove(&hook->connections, *connection_arg);
		*connection_arg = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*connection_arg = info ? connections_add(&hook->connections, info->connect_fd) : NULL;
}

/* ---- start and end ---- */

static int daemon_start(struct hook *hook, int fd)
{
	hook->daemon =
		MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
				 NULL, on_request, hook, MHD_OPTION_LISTEN_SOCKET, fd,
				 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECS,
				 MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				 (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_URI_LOG_CALLBACK,
				 on_uri, hook, MHD_OPTION_NOTIFY_COMPLETED, on_completed, hook,
				 MHD_OPTION_NOTIFY_CONNECTION, on_connection, hook, MHD_OPTION_END);
	return hook->daemon ? 0 : -ENOMEM;
}

static void hook_free(struct hook *hook)
{
	free(hook->public_url);
	replays_free(hook->replays);
	free(hook);
}

/* Starts the threads. On failure none is left. */
static int start_threads(struct hook *hook, int fd)
{
	int err = connections_init(&hook->connections);

	if (err < 0)
		return err;
	pool_init(&hook->pool, "hook", HANDLERS);
	err = daemon_start(hook, fd);
	if (err == 0)
		return 0;
	pool_release(&hook->pool);
	connections_release(&hook->connections);
	return err;
}

/* Parses the settings and opens the listening socket. */
static int prepare(struct hook *hook, const struct hook_settings *settings, int *ret_fd,
		   char ret_address[HOOK_ADDRESS_SIZE], char ret_message[CATALOG_MESSAGE_SIZE])
{
	int err = 0;

	if (settings->public_url)
		err = callback_public_url(settings->public_url, &hook->public_url);
	if (err == -EINVAL)
		snprintf(
			ret_message, CATALOG_MESSAGE_SIZE,
			"the callbacks' address must be http or https and without a query, not '%s'",
			settings->public_url);
	if (err < 0)
		return err;
	err = hook_listen(settings->listen, ret_fd, ret_address);
	if (err == -EINVAL)
		snprintf(
			ret_message, CATALOG_MESSAGE_SIZE,
			"'%s' is not an ADDRESS:PORT to listen on, such as 127.0.0.1:8080 or [::]:8080",
			settings->listen);
	return err;
}

int hook_start(struct catalog *catalog, const struct hook_settings *settings,
	       struct hook **ret_hook, char ret_address[HOOK_ADDRESS_SIZE],
	       char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct hook *hook = calloc(1, sizeof *hook);
	int fd = -1, err;

	ret_message[0] = '\0';
	if (!hook)
		return -ENOMEM;
	hook->catalog = catalog;
	hook->replays = replays_new();
	err = hook->replays ? prepare(hook, settings, &fd, ret_address, ret_message) : -ENOMEM;
	if (err == 0)
		err = start_threads(hook, fd);
	if (err == 0) {
		*ret_hook = hook;
		return 0;
	}
	if (!ret_message[0])
		snprintf(ret_message, CATALOG_MESSAGE_SIZE, "listening on %s: %s", settings->listen,
			 strerror(-err));
	if (fd >= 0)
		close(fd);
	hook_free(hook);
	return err;
}

void hook_stop(struct hook *hook)
{
	MHD_socket fd;

	if (!hook)
		return;
	fd = MHD_quiesce_daemon(hook->daemon);
	connections_drain(&hook->connections, DRAIN_MSECS);
	/* No connection may be suspended when the daemon ends: pool_stop runs what resumes them. */
	pool_stop(&hook->pool);
	MHD_stop_daemon(hook->daemon);
	if (fd >= 0)
		close(fd);
	pool_release(&hook->pool);
	connections_release(&hook->connections);
	hook_free(hook);
}
