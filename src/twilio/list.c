/* Lists, page by page; single resources; deletes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/twilio-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/times.h"

#define PAGE_SIZE "1000"
/* Limit of successive pages without an element, each with a new cursor: the server loops. */
#define MAX_EMPTY_PAGES 100

/* The callback of a list. */
struct receiver {
	enum twilio_list_kind kind;
	twilio_recordings_fn *recordings_fn;
	twilio_calls_fn *calls_fn;
	void *arg;
};

static int receive(const struct receiver *receiver, const struct twilio_page *page)
{
	if (!page->count)
		return 0;
	if (receiver->kind == TWILIO_LIST_RECORDINGS)
		return receiver->recordings_fn(receiver->arg, page->recordings, page->count);
	return receiver->calls_fn(receiver->arg, page->calls, page->count);
}

/* ---- cursors seen so far ---- */

struct seen {
	uint64_t *hashes;
	size_t count;
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* 0, -ELOOP, -ENOMEM */
static int seen_add(struct seen *seen, const char *url)
{
	uint64_t hash = hash_text(url);

	for (size_t i = 0; i < seen->count; i++) {
		if (seen->hashes[i] == hash)
			return -ELOOP;
	}
	return array_push(&seen->hashes, &seen->count, &hash);
}

static void seen_release(struct seen *seen)
{
	free(seen->hashes);
}

/* ---- walking a list ---- */

struct left_out {
	size_t skipped, oversized;
};

/* Gets the page at url, and sets url to the next page, or leaves it empty. */
static int walk_page(struct twilio_client *client, const struct receiver *receiver, struct buf *url,
		     size_t *ret_count, struct left_out *left_out, struct remote_error *ret_error)
{
	struct http_reply reply = HTTP_REPLY_INIT;
	struct twilio_page page = TWILIO_PAGE_INIT;
	int err = twilio_perform(client, HTTP_GET, buf_str(url), &reply, ret_error);

	if (err < 0)
		return err;
	err = twilio_page_parse(reply.body, reply.body_len, receiver->kind, &page);
	if (err < 0) {
		remote_error_set(ret_error, REMOTE_INVALID, err,
				 "Twilio: an answer that is no page of a list");
		goto out;
	}
	*ret_count = page.count;
	left_out->skipped += page.skipped;
	left_out->oversized += page.oversized;
	err = receive(receiver, &page);
	if (err)
		goto out;
	buf_reset(url);
	if (page.next_page_uri) {
		err = twilio_url_next(client, page.next_page_uri, url);
		if (err == -EINVAL)
			err = -EIO;
		if (err < 0)
			remote_error_set(
				ret_error, REMOTE_INVALID, err,
				"Twilio: the next page of a list is at another host, or nowhere");
	}
out:
	twilio_page_release(&page);
	http_reply_release(&reply);
	return err;
}

static int walk(struct twilio_client *client, const struct receiver *receiver, struct buf *url,
		struct remote_error *ret_error)
{
	cleanup_with(seen_release) struct seen seen = { NULL, 0 };
	struct left_out left_out = { 0, 0 };
	size_t empty = 0, count = 0;
	int err;

	do {
		if (buf_failed(url)) {
			remote_error_set(ret_error, REMOTE_INVALID, -ENOMEM, "out of memory");
			return -ENOMEM;
		}
		if (seen.count == client->pages_limit) {
			remote_error_set(ret_error, REMOTE_INVALID, -EIO,
					 "Twilio: a list of more than %u pages",
					 client->pages_limit);
			return -EIO;
		}
		err = seen_add(&seen, buf_str(url));
		if (err == -ELOOP || empty > MAX_EMPTY_PAGES) {
			remote_error_set(ret_error, REMOTE_INVALID, -EIO,
					 "Twilio: a list whose pages go in a circle");
			return -EIO;
		}
		if (err < 0) {
			remote_error_set(ret_error, REMOTE_INVALID, err, "out of memory");
			return err;
		}
		if (cancel_is_set(client->cancel)) {
			remote_error_set(ret_error, REMOTE_CANCELLED, -ECANCELED, "cancelled");
			return -ECANCELED;
		}
		err = walk_page(client, receiver, url, &count, &left_out, ret_error);
		if (err)
			return err;
		empty = count ? 0 : empty + 1;
	} while (url->len);

	/* Reported at the end, so that one invalid element does not hide the others. */
	if (left_out.skipped)
		remote_error_set(ret_error, REMOTE_INVALID, -EIO,
				 "Twilio: %zu elements of a list without a SID", left_out.skipped);
	else if (left_out.oversized)
		remote_error_set(
			ret_error, REMOTE_INVALID, -EIO,
			"Twilio: %zu rows of a list left out, with an encryption field that is too long",
			left_out.oversized);
	return left_out.skipped || left_out.oversized ? -EIO : 0;
}

/* "DateCreated>" becomes DateCreated%3E= */
static void add_bound(struct buf *url, const char *name, const char *sign, int64_t secs)
{
	char text[TIME_ISO8601_SIZE];

	if (!secs)
		return;
	time_format_iso8601(secs, text);
	buf_addf(url, "&%s%s=", name, sign);
	http_url_encode(url, text, strlen(text), false);
}

static void add_window(struct buf *url, const char *name, const struct twilio_window *window)
{
	if (!window)
		return;
	add_bound(url, name, "%3E", window->since_secs);
	add_bound(url, name, "%3C", window->until_secs);
}

int twilio_list_recordings(struct twilio_client *client, const struct twilio_window *window,
			   bool with_deleted, twilio_recordings_fn *fn, void *arg,
			   struct remote_error *ret_error)
{
	const struct receiver receiver = { .kind = TWILIO_LIST_RECORDINGS,
					   .recordings_fn = fn,
					   .arg = arg };
	cleanup_buf struct buf url = BUF_INIT;

	remote_error_clear(ret_error);
	twilio_url_account(client, &url);
	buf_add_str(&url, "Recordings.json?PageSize=" PAGE_SIZE);
	if (with_deleted)
		buf_add_str(&url, "&IncludeSoftDeleted=true");
	add_window(&url, "DateCreated", window);
	return walk(client, &receiver, &url, ret_error);
}

int twilio_list_calls(struct twilio_client *client, const struct twilio_window *window,
		      twilio_calls_fn *fn, void *arg, struct remote_error *ret_error)
{
	const struct receiver receiver = { .kind = TWILIO_LIST_CALLS, .calls_fn = fn, .arg = arg };
	cleanup_buf struct buf url = BUF_INIT;

	remote_error_clear(ret_error);
	twilio_url_account(client, &url);
	buf_add_str(&url, "Calls.json?PageSize=" PAGE_SIZE);
	add_window(&url, "StartTime", window);
	return walk(client, &receiver, &url, ret_error);
}

/* ---- single resources ---- */

static int fetch(struct twilio_client *client, const struct receiver *receiver,
		 const struct sid *sid, const char *url, struct remote_error *ret_error)
{
	struct http_reply reply = HTTP_REPLY_INIT;
	struct twilio_page page = TWILIO_PAGE_INIT;
	int err = twilio_perform(client, HTTP_GET, url, &reply, ret_error);

	if (err < 0)
		return err;
	err = twilio_resource_parse(reply.body, reply.body_len, receiver->kind, &page);
	if (err == 0) {
		const struct sid *found = page.calls ? &page.calls[0].sid : &page.recordings[0].sid;

		if (!sid_equal(found, sid))
			err = -EIO;
	}
	if (err < 0 && page.oversized)
		remote_error_set(ret_error, REMOTE_INVALID, err,
				 "Twilio: a recording with an encryption field that is too long");
	else if (err < 0)
		remote_error_set(ret_error, REMOTE_INVALID, err,
				 "Twilio: an answer that is not the resource asked for");
	else
		err = receive(receiver, &page);
	twilio_page_release(&page);
	http_reply_release(&reply);
	return err;
}

/* <account>/<folder>/<sid><suffix> */
static int resource_url(const struct twilio_client *client, const char *folder, const char *prefix,
			const struct sid *sid, const char *suffix, struct buf *url,
			struct remote_error *ret_error)
{
	char text[SID_SIZE];

	remote_error_clear(ret_error);
	sid_format(sid, prefix, text);
	twilio_url_account(client, url);
	buf_addf(url, "%s/%s%s", folder, text, suffix);
	if (!buf_failed(url))
		return 0;
	remote_error_set(ret_error, REMOTE_INVALID, -ENOMEM, "out of memory");
	return -ENOMEM;
}

int twilio_fetch_recording(struct twilio_client *client, const struct sid *sid,
			   twilio_recordings_fn *fn, void *arg, struct remote_error *ret_error)
{
	const struct receiver receiver = { .kind = TWILIO_LIST_RECORDINGS,
					   .recordings_fn = fn,
					   .arg = arg };
	cleanup_buf struct buf url = BUF_INIT;
	/* For 40 days after a delete Twilio answers with the status "deleted", instead of a 404. */
	int err = resource_url(client, "Recordings", "RE", sid, ".json?IncludeSoftDeleted=true",
			       &url, ret_error);

	return err ? err : fetch(client, &receiver, sid, buf_str(&url), ret_error);
}

int twilio_fetch_call(struct twilio_client *client, const struct sid *sid, twilio_calls_fn *fn,
		      void *arg, struct remote_error *ret_error)
{
	const struct receiver receiver = { .kind = TWILIO_LIST_CALLS, .calls_fn = fn, .arg = arg };
	cleanup_buf struct buf url = BUF_INIT;
	int err = resource_url(client, "Calls", "CA", sid, ".json", &url, ret_error);

	return err ? err : fetch(client, &receiver, sid, buf_str(&url), ret_error);
}

int twilio_delete_recording(struct twilio_client *client, const struct sid *sid,
			    struct remote_error *ret_error)
{
	cleanup_buf struct buf url = BUF_INIT;
	struct http_reply reply = HTTP_REPLY_INIT;
	int err = resource_url(client, "Recordings", "RE", sid, ".json", &url, ret_error);

	if (!err)
		err = twilio_perform(client, HTTP_DELETE, buf_str(&url), &reply, ret_error);
	if (err < 0)
		return err;
	/* Any other 2xx is not from Twilio: a page of a proxy, say. */
	if (reply.status != 204) {
		remote_error_set(ret_error, REMOTE_INVALID, -EIO,
				 "Twilio: HTTP %d in answer to a delete", reply.status);
		err = -EIO;
	}
	http_reply_release(&reply);
	return err;
}
