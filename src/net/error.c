/* Turns failures of curl into a remote_error. A message names the origin, never more of the URL. */
#include <errno.h>
#include <string.h>

#include "net/http-private.h"
#include "util/cleanup.h"

#define FAIL(curl, kind, error, code, text) { CURLE_##curl, REMOTE_##kind, -(error), code, text }
#define TLS(curl, code, text) FAIL(curl, REJECTED, EACCES, code, text)
static const struct {
	CURLcode curl;
	enum remote_kind kind;
	int error;
	const char *code, *text;
} failures[] = {
	FAIL(COULDNT_RESOLVE_HOST, TRANSIENT, EHOSTUNREACH, "resolve", "no such host"),
	FAIL(COULDNT_RESOLVE_PROXY, TRANSIENT, EHOSTUNREACH, "proxy", "no such proxy"),
	FAIL(COULDNT_CONNECT, TRANSIENT, EHOSTUNREACH, "connect", "cannot connect"),
	FAIL(PROXY, TRANSIENT, EHOSTUNREACH, "proxy", "the proxy refused"),
	TLS(PEER_FAILED_VERIFICATION, "certificate", "the certificate is not trusted"),
	TLS(SSL_CERTPROBLEM, "certificate", "the certificate cannot be used"),
	TLS(SSL_CACERT_BADFILE, "ca-file", "the file of trusted certificates cannot be read"),
	TLS(SSL_ISSUER_ERROR, "certificate", "the certificate's issuer is not trusted"),
	TLS(SSL_INVALIDCERTSTATUS, "certificate", "the certificate has been revoked"),
	FAIL(SSL_CONNECT_ERROR, TRANSIENT, EIO, "tls", "the TLS handshake failed"),
	FAIL(PARTIAL_FILE, TRANSIENT, EIO, "short", "the answer ended early"),
	FAIL(RECV_ERROR, TRANSIENT, EIO, "receive", "the connection broke"),
	FAIL(SEND_ERROR, TRANSIENT, EIO, "send", "the connection broke"),
	FAIL(GOT_NOTHING, TRANSIENT, EIO, "empty", "the connection was closed without an answer"),
	FAIL(SEND_FAIL_REWIND, TRANSIENT, EIO, "send", "the connection broke"),
	FAIL(UNSUPPORTED_PROTOCOL, INVALID, EIO, "protocol", "the answer is not HTTP"),
	FAIL(WEIRD_SERVER_REPLY, INVALID, EIO, "protocol", "the answer is not HTTP"),
	FAIL(BAD_CONTENT_ENCODING, INVALID, EIO, "encoding", "the answer has a wrong encoding"),
	FAIL(URL_MALFORMAT, REJECTED, EINVAL, "url", "malformed URL"),
	FAIL(OUT_OF_MEMORY, TRANSIENT, ENOMEM, "memory", "out of memory"),
	FAIL(FAILED_INIT, TRANSIENT, ENOMEM, "memory", "curl cannot be initialised"),
};

bool http_transfer_may_have_acted(const struct http_transfer *t)
{
	/* A peer does not act on a body that was cut off: its length was announced. */
	return t->request.method != HTTP_GET && t->request.method != HTTP_HEAD &&
	       t->request.method != HTTP_OPTIONS && t->is_connected &&
	       t->body_sent == t->request.body_len;
}

static bool is_lost_answer(CURLcode code)
{
	return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
	       code == CURLE_PARTIAL_FILE;
}

void http_error_timeout(const struct http_transfer *t, const char *what,
			struct remote_error *ret_error)
{
	remote_fail(ret_error,
		    http_transfer_may_have_acted(t) ? REMOTE_UNCERTAIN : REMOTE_TRANSIENT,
		    -ETIMEDOUT, "timeout", "%s: %s", t->url.origin, what);
}

static void set_failure(const struct http_transfer *t, CURLcode code,
			struct remote_error *ret_error)
{
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		bool is_tls = failures[i].error == -EACCES || code == CURLE_SSL_CONNECT_ERROR;
		/* For TLS problems the text of curl says which one it was, and holds no URL. */
		const char *more = is_tls ? t->curl_text : "";

		if (failures[i].curl != code)
			continue;
		remote_fail(ret_error, failures[i].kind, failures[i].error, failures[i].code,
			    "%s: %s%s%s", t->url.origin, failures[i].text, *more ? ": " : "", more);
		if (is_lost_answer(code) && http_transfer_may_have_acted(t))
			ret_error->kind = REMOTE_UNCERTAIN;
		return;
	}
	snprintf(name, sizeof name, "curl-%d", (int)code);
	remote_fail(ret_error,
		    http_transfer_may_have_acted(t) ? REMOTE_UNCERTAIN : REMOTE_TRANSIENT, -EIO,
		    name, "%s: %s", t->url.origin, curl_easy_strerror(code));
}

void http_error_from_curl(const struct http_transfer *t, CURLcode code,
			  struct remote_error *ret_error)
{
	remote_error_clear(ret_error);
	/* curl takes a head that was cut off for a complete one. */
	if (code == CURLE_OK && !t->head_seen)
		code = CURLE_GOT_NOTHING;
	if (code == CURLE_OK)
		return;
	if (t->is_aborted)
		remote_fail(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled", "%s: cancelled",
			    t->url.origin);
	else if (t->head_error)
		remote_fail(ret_error, REMOTE_INVALID, -EIO, "head",
			    "%s: the headers of the answer cannot be kept (%s)", t->url.origin,
			    t->head_error == -EFBIG ? "too large" : "out of memory");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		http_error_timeout(t,
				   t->is_connected ? "no answer in time" : "no connection in time",
				   ret_error);
	else
		set_failure(t, code, ret_error);
}
