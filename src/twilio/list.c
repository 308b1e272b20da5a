/* Lists, page by page; single resources; deletes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "twilio/twilio-private.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/times.h"

#define PAGE_SIZE "1000"
#define MAX_EMPTY_PAGES 100 /* in a row, each with a new cursor: the server loops */

#define cleanup_reply cleanup_with(http_reply_release)
#define cleanup_page cleanup_with(twilio_page_release)

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

	for (size_t i = 0; i < seen->count; i++)
		if (seen->hashes[i] == hash)
			return -ELOOP;
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

static int no_memory(struct remote_error *ret_error)
{
	return remote_error_set(ret_error, REMOTE_INVALID, -ENOMEM, "out of memory");
}

/* Gets the page at url, and sets url to the next page, or leaves it empty. */
static int walk_page(struct twilio_client *client, const struct receiver *receiver, struct buf *url,
		     size_t *ret_count, struct left_out *left_out, struct remote_error *ret_error)
{
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	cleanup_page struct twilio_page page = TWILIO_PAGE_INIT;
	int err = twilio_perform(client, HTTP_GET, buf_str(url), &reply, ret_error);

	if (err < 0)
		return err;
	err = twilio_page_parse(reply.body, reply.body_len, receiver->kind, &page);
	if (err < 0)
		return remote_error_set(ret_error, REMOTE_INVALID, err,
					"Twilio: an answer that is no page of a list");
	*ret_count = page.count;
	left_out->skipped += page.skipped;
	left_out->oversized += page.oversized;
	err = receive(receiver, &page);
	if (err)
		return err;
	buf_reset(url);
	err = page.next_page_uri ? twilio_url_next(client, page.next_page_uri, url) : 0;
	return err < 0 ? remote_error_set(
				 ret_error, REMOTE_INVALID, err == -EINVAL ? -EIO : err,
				 "Twilio: the next page of a list is at another host, or nowhere")
		       : 0;
}

static int walk(struct twilio_client *client, const struct receiver *receiver, struct buf *url,
		struct remote_error *ret_error)
{
	cleanup_with(seen_release) struct seen seen = { NULL, 0 };
	struct left_out left_out = { 0, 0 };
	size_t empty = 0, count = 0;
	int err;

	do {
		if (buf_failed(url))
			return no_memory(ret_error);
		if (seen.count == client->pages_limit)
			return twilio_invalid(ret_error, "Twilio: a list of more than %u pages",
					      client->pages_limit);
		err = seen_add(&seen, buf_str(url));
		if (err == -ELOOP || empty > MAX_EMPTY_PAGES)
			return twilio_invalid(ret_error,
					      "Twilio: a list whose pages go in a circle");
		if (err < 0)
			return no_memory(ret_error);
		if (cancel_is_set(client->cancel))
			return remote_error_set(ret_error, REMOTE_CANCELLED, -ECANCELED,
						"cancelled");
		err = walk_page(client, receiver, url, &count, &left_out, ret_error);
		if (err)
			return err;
		empty = count ? 0 : empty + 1;
	} while (url->len);

	/* Reported at the end, so that one invalid element does not hide the others. */
	if (left_out.skipped)
		return twilio_invalid(ret_error, "Twilio: %zu elements of a list without a SID",
				      left_out.skipped);
	if (left_out.oversized)
		return twilio_invalid(
			ret_error,
			"Twilio: %zu rows of a list left out, with an encryption field that is too long",
			left_out.oversized);
	return 0;
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
	const struct receiver receiver = { TWILIO_LIST_RECORDINGS, fn, NULL, arg };
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
	const struct receiver receiver = { TWILIO_LIST_CALLS, NULL, fn, arg };
	cleanup_buf struct buf url = BUF_INIT;

	remote_error_clear(ret_error);
	twilio_url_account(client, &url);
	buf_add_str(&url, "Calls.json?PageSize=" PAGE_SIZE);
	add_window(&url, "StartTime", window);
	return walk(client, &receiver, &url, ret_error);
}

/* ---- single resources ---- */

/* <account>/<folder>/<sid><suffix> */
static void resource_url(const struct twilio_client *client, const char *folder, const char *prefix,
			 const struct sid *sid, const char *suffix, struct buf *url)
{
	char text[SID_SIZE];

	sid_format(sid, prefix, text);
	twilio_url_account(client, url);
	buf_addf(url, "%s/%s%s", folder, text, suffix);
}

static int fetch(struct twilio_client *client, const struct receiver *receiver,
		 const struct sid *sid, const struct buf *url, struct remote_error *ret_error)
{
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	cleanup_page struct twilio_page page = TWILIO_PAGE_INIT;
	const struct sid *found;
	int err;

	remote_error_clear(ret_error);
	if (buf_failed(url))
		return no_memory(ret_error);
	err = twilio_perform(client, HTTP_GET, buf_str(url), &reply, ret_error);
	if (err < 0)
		return err;
	err = twilio_resource_parse(reply.body, reply.body_len, receiver->kind, &page);
	found = page.calls ? &page.calls->sid : page.recordings ? &page.recordings->sid : NULL;
	if (err == 0 && (!found || !sid_equal(found, sid)))
		err = -EIO;
	if (err == 0)
		return receive(receiver, &page);
	return remote_error_set(ret_error, REMOTE_INVALID, err, "Twilio: %s",
				page.oversized
					? "a recording with an encryption field that is too long"
					: "an answer that is not the resource asked for");
}

int twilio_fetch_recording(struct twilio_client *client, const struct sid *sid,
			   twilio_recordings_fn *fn, void *arg, struct remote_error *ret_error)
{
	const struct receiver receiver = { TWILIO_LIST_RECORDINGS, fn, NULL, arg };
	cleanup_buf struct buf url = BUF_INIT;

	/* For 40 days after a delete Twilio answers with the status "deleted", instead of a 404. */
	resource_url(client, "Recordings", "RE", sid, ".json?IncludeSoftDeleted=true", &url);
	return fetch(client, &receiver, sid, &url, ret_error);
}

int twilio_fetch_call(struct twilio_client *client, const struct sid *sid, twilio_calls_fn *fn,
		      void *arg, struct remote_error *ret_error)
{
	const struct receiver receiver = { TWILIO_LIST_CALLS, NULL, fn, arg };
	cleanup_buf struct buf url = BUF_INIT;

	resource_url(client, "Calls", "CA", sid, ".json", &url);
	return fetch(client, &receiver, sid, &url, ret_error);
}

int twilio_delete_recording(struct twilio_client *client, const struct sid *sid,
			    struct remote_error *ret_error)
{
	cleanup_buf struct buf url = BUF_INIT;
	cleanup_reply struct http_reply reply = HTTP_REPLY_INIT;
	int err;

	remote_error_clear(ret_error);
	resource_url(client, "Recordings", "RE", sid, ".json", &url);
	if (buf_failed(&url))
		return no_memory(ret_error);
	err = twilio_perform(client, HTTP_DELETE, buf_str(&url), &reply, ret_error);
	/* Any other 2xx is not from Twilio: a page of a proxy, say. */
	if (!err && reply.head.status != 204)
		err = twilio_invalid(ret_error, "Twilio: HTTP %d in answer to a delete",
				     reply.head.status);
	return err;
}
