/* One callback: finds the workspace, verifies the signature, notes the recording in the catalog. */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catalog/callback.h"
#include "hook/form.h"
#include "hook/hook-private.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/times.h"

enum {
	STATUS_NOTED = 204,
	STATUS_BAD = 400,
	STATUS_REFUSED = 403,
	STATUS_FAILED = 500,
	STATUS_BUSY = 503,
};

/* ---- logging refusals, at a limited rate ---- */

#define LINES_PER_MINUTE 20

static bool may_log(void)
{
	static atomic_int_fast64_t minute;
	static atomic_uint lines;
	int64_t now = time_mono_msecs() / 60000;
	unsigned line;

	if (atomic_exchange(&minute, now) != now)
		atomic_store(&lines, 0);
	line = atomic_fetch_add(&lines, 1);
	if (line == LINES_PER_MINUTE)
		log_warning("callback: more are refused; not logged until the next minute");
	return line < LINES_PER_MINUTE;
}

__attribute__((format(printf, 2, 3))) static int refuse(int status, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	if (may_log())
		log_warning("callback: %s%s", status == STATUS_REFUSED ? "refused: " : "", why);
	return status;
}

/* ---- the URL that was signed ---- */

int callback_public_url(const char *text, char **ret_url)
{
	size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
			: strncasecmp(text, "http://", 7) == 0 ? 7
							       : 0;
	size_t host = scheme ? strcspn(text + scheme, "/?#") : 0;
	const char *path = text + scheme + host;

	if (!host || strpbrk(path, "?#"))
		return -EINVAL;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return -EINVAL;
	if (strcmp(path, "") != 0 && strcmp(path, "/") != 0) {
		*ret_url = strdup(text);
		return *ret_url ? 0 : -ENOMEM;
	}
	if (asprintf(ret_url, "%.*s%s", (int)(scheme + host), text, HOOK_PATH) < 0) {
		*ret_url = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int check_url(const char *token, const char *base, const char *host,
		     const struct callback_request *request, const struct form *form)
{
	cleanup_buf struct buf url = BUF_INIT;
	const char *query = strchr(request->uri, '?');

	buf_add_str(&url, base);
	if (host)
		buf_addf(&url, "%s%s", host, HOOK_PATH);
	buf_add_str(&url, query ? query : "");
	if (buf_failed(&url))
		return -ENOMEM;
	return twilio_signature_check(token, buf_str(&url), form->fields, form->count,
				      request->signature);
}

/* Without a public URL the signed URL is the one of the request's Host header. https is tried
 * first, because a proxy that keeps the Host header may have ended the TLS. */
static int check_signature(const char *token, const char *public_url,
			   const struct callback_request *request, const struct form *form)
{
	int err;

	if (public_url)
		return check_url(token, public_url, NULL, request, form);
	if (!*request->host)
		return -EACCES;
	err = check_url(token, "https://", request->host, request, form);
	return err == -EACCES ? check_url(token, "http://", request->host, request, form) : err;
}

/* ---- the content ---- */

static int note(struct catalog *catalog, struct replays *replays,
		const struct catalog_workspace *workspace, const char *signature,
		const struct form *form)
{
	const char *status = form_value(form, "RecordingStatus");
	const char *text = form_value(form, "RecordingSid");
	char sid_text[SID_SIZE];
	struct sid sid;
	int err;

	if (!text || sid_parse(text, "RE", &sid) < 0)
		return refuse(STATUS_BAD, "workspace %s: no RecordingSid", workspace->name);
	/* These have no audio yet, or never will. Unknown words are treated as completed. */
	if (status && (strcmp(status, "in-progress") == 0 || strcmp(status, "absent") == 0 ||
		       strcmp(status, "failed") == 0))
		return STATUS_NOTED;
	/* The same request again: a retry by Twilio, or a replay. */
	if (replays_has(replays, signature))
		return STATUS_NOTED;
	err = catalog_callback_add(catalog, workspace->id, &sid);
	sid_format(&sid, "RE", sid_text);
	if (err < 0) {
		log_error(
			"callback: workspace %s: %s is not noted, the next listing will find it: %s",
			workspace->name, sid_text, strerror(-err));
		return STATUS_BUSY;
	}
	replays_add(replays, signature);
	log_debug("callback: workspace %s: %s", workspace->name, sid_text);
	return STATUS_NOTED;
}

int callback_handle(struct catalog *catalog, struct replays *replays, const char *public_url,
		    const struct callback_request *request)
{
	cleanup_free struct form *form = malloc(sizeof *form);
	cleanup_secret char *token = NULL;
	struct catalog_workspace workspace;
	struct sid account_sid;
	const char *account;
	int err;

	if (!form)
		return STATUS_FAILED;
	if (!*request->signature)
		return refuse(STATUS_REFUSED, "no signature");
	if (form_parse(request->body, request->body_len, form) < 0)
		return refuse(STATUS_REFUSED, "malformed form");
	account = form_value(form, "AccountSid");
	if (!account || sid_parse(account, "AC", &account_sid) < 0)
		return refuse(STATUS_REFUSED, "no AccountSid");
	err = catalog_callback_account(catalog, &account_sid, &workspace, &token);
	if (err == -ENOENT)
		return refuse(STATUS_REFUSED, "no workspace has this account");
	if (err == -ENOKEY)
		return refuse(STATUS_REFUSED,
			      "workspace %s signs in with an API key, and has no auth token to "
			      "check signatures with: workspace set … --auth-token-file",
			      workspace.name);
	if (err == 0)
		err = check_signature(token, public_url, request, form);
	if (err == -EACCES)
		return refuse(STATUS_REFUSED,
			      "the signature is not that of workspace %s, or it covers another "
			      "address than this",
			      workspace.name);
	if (err < 0) {
		log_error("callback: the signature cannot be checked: %s", strerror(-err));
		return err == -ENOMEM ? STATUS_FAILED : STATUS_BUSY;
	}
	return note(catalog, replays, &workspace, request->signature, form);
}
