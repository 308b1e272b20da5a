/* Lists: one page of XML after the other, and their entries in order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3-private.h"
#include "util/array.h"
#include "util/text.h"
#include "util/times.h"
#include "util/xml.h"

/* The longest page: a thousand entries of the longest keys, every byte of them encoded. */
#define PAGE_LIMIT_BYTES (8 * 1024 * 1024)
#define PAGES_LIMIT 100000

struct page {
	enum s3_list_kind kind;
	struct s3_list_entry *entries; /* each owns its strings */
	size_t count;
	struct s3_list_entry current;
	bool is_truncated, is_encoded, is_list;
	const char *next_key, *next_other; /* markers, or a continuation token in next_other */
};

static void entry_release(struct s3_list_entry *e)
{
	free((char *)e->key);
	free((char *)e->etag);
	free((char *)e->storage_class);
	free((char *)e->upload_id);
	free((char *)e->version_id);
	*e = (struct s3_list_entry){ .key = NULL };
}

static void page_release(struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		entry_release(&page->entries[i]);
	entry_release(&page->current);
	free(page->entries);
	free((char *)page->next_key);
	free((char *)page->next_other);
}

#define cleanup_page cleanup_with(page_release)

static int set(const char **text, const char *value)
{
	free((char *)*text);
	*text = strdup(value);
	return *text ? 0 : -ENOMEM;
}

static int set_etag(struct s3_list_entry *e, const char *value)
{
	char etag[S3_ETAG_SIZE];

	s3_copy_etag(etag, sizeof etag, value);
	return set(&e->etag, etag);
}

static int end_entry(struct page *page, bool is_delete_marker, bool is_folder)
{
	struct s3_list_entry *e = &page->current;

	if (!e->key || !*e->key)
		return -EBADMSG;
	e->is_delete_marker = is_delete_marker;
	e->is_folder = is_folder;
	if ((!e->storage_class && set(&e->storage_class, "")) ||
	    (!e->etag && page->kind != S3_UPLOADS && set(&e->etag, "")))
		return -ENOMEM;
	if (array_push(&page->entries, &page->count, &page->current))
		return -ENOMEM;
	page->current = (struct s3_list_entry){ .key = NULL };
	return 0;
}

static int set_number(int64_t *number, const char *value)
{
	char *end;

	errno = 0;
	*number = strtoll(value, &end, 10);
	return *value < '0' || *value > '9' || *end || errno ? -EBADMSG : 0;
}

static int on_entry_element(struct page *page, const char *name, const char *text)
{
	struct s3_list_entry *e = &page->current;

	if (strcmp(name, "Key") == 0 || strcmp(name, "Prefix") == 0)
		return set(&e->key, text);
	if (strcmp(name, "Size") == 0)
		return set_number(&e->size_bytes, text);
	if (strcmp(name, "ETag") == 0)
		return set_etag(e, text);
	if (strcmp(name, "StorageClass") == 0)
		return set(&e->storage_class, s3_storage_class(text));
	if (strcmp(name, "UploadId") == 0)
		return set(&e->upload_id, text);
	if (strcmp(name, "VersionId") == 0)
		return set(&e->version_id, text);
	if ((strcmp(name, "LastModified") == 0 || strcmp(name, "Initiated") == 0) &&
	    time_parse_iso8601(text, &e->last_modified_secs) < 0)
		e->last_modified_secs = 0;
	return 0;
}

/* path: without the root element. */
static int on_list_element(struct page *page, const char *path, const char *text)
{
	static const char *const containers[] = { "Contents", "Version", "DeleteMarker", "Upload",
						  "CommonPrefixes" };

	for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
		const char *name = xml_below(path, containers[i]);

		if (name && (i != 4 || page->kind == S3_FOLDER))
			return *name ? on_entry_element(page, name, text)
				     : end_entry(page, i == 2, i == 4);
	}
	if (strcmp(path, "IsTruncated") == 0)
		page->is_truncated = strcmp(text, "true") == 0;
	else if (strcmp(path, "EncodingType") == 0)
		page->is_encoded = strcmp(text, "url") == 0;
	else if (strcmp(path, "NextKeyMarker") == 0)
		return set(&page->next_key, text);
	else if (strcmp(path, "NextContinuationToken") == 0 ||
		 strcmp(path, "NextVersionIdMarker") == 0 ||
		 strcmp(path, "NextUploadIdMarker") == 0)
		return set(&page->next_other, text);
	return 0;
}

static int on_element(void *arg, const char *path, const char *text)
{
	static const char *const roots[] = { "ListBucketResult", "ListBucketResult",
					     "ListVersionsResult", "ListMultipartUploadsResult" };
	struct page *page = arg;
	const char *name = xml_below(path, roots[page->kind]);

	if (name && *name)
		return on_list_element(page, name, text);
	page->is_list |= name != NULL;
	return 0;
}

/* In place. Every server encodes a plus as %2B. A NUL would end the key early: another key. */
static int decode(char *text)
{
	ptrdiff_t len = text_url_decode(text, strlen(text));

	return len >= 0 && strlen(text) == (size_t)len ? 0 : -EBADMSG;
}

/* The marker is the last key of the page; AWS encodes it, Ceph does not. */
static int decode_marker(struct page *page)
{
	cleanup_free char *copy = NULL;

	if (!page->next_key ||
	    (page->count && strcmp(page->next_key, page->entries[page->count - 1].key) == 0))
		return 0;
	copy = strdup(page->next_key);
	if (!copy)
		return -ENOMEM;
	if (decode(copy) == 0) {
		free((char *)page->next_key);
		page->next_key = steal_pointer(&copy);
	}
	return 0;
}

static int decode_page(struct page *page)
{
	int err = 0;

	for (size_t i = 0; i < page->count && !err; i++)
		err = decode((char *)page->entries[i].key);
	return err ? err : decode_marker(page);
}

/* Key and marker of the next page; NULL: the first page. */
struct position {
	const char *key, *other;
};

static void position_release(struct position *position)
{
	free((char *)position->key);
	free((char *)position->other);
}

#define cleanup_position cleanup_with(position_release)

static void add_query(struct s3_pairs *query, enum s3_list_kind kind, const char *prefix,
		      const struct position *position)
{
	static const char *const other_names[] = { "continuation-token", "continuation-token",
						   "version-id-marker", "upload-id-marker" };

	if (kind == S3_OBJECTS || kind == S3_FOLDER)
		s3_pairs_add(query, "list-type", "2");
	else
		s3_pairs_add(query, kind == S3_VERSIONS ? "versions" : "uploads", "");
	/* XML cannot hold every byte of a key. In a list of uploads Ceph would encode the keys
	 * without saying so. */
	if (kind != S3_UPLOADS)
		s3_pairs_add(query, "encoding-type", "url");
	if (prefix && *prefix)
		s3_pairs_add(query, "prefix", prefix);
	if (kind == S3_FOLDER)
		s3_pairs_add(query, "delimiter", "/");
	if (position->key && kind != S3_OBJECTS && kind != S3_FOLDER)
		s3_pairs_add(query, "key-marker", position->key);
	if (position->other)
		s3_pairs_add(query, other_names[kind], position->other);
}

/* 0, -EBADMSG (not such a list) or -ENOMEM. */
static int page_parse(struct page *page, const char *bytes, size_t n)
{
	int err = xml_parse(bytes, n, on_element, page, NULL);

	if (!err && !page->is_list)
		err = -EBADMSG;
	return err || !page->is_encoded ? err : decode_page(page);
}

static int fetch_page(struct s3_client *client, const char *prefix, const struct position *position,
		      struct page *page, struct remote_error *ret_error)
{
	cleanup_call struct s3_call call = { .method = HTTP_GET, .is_on_bucket = true };
	int err;

	call.limit_bytes = PAGE_LIMIT_BYTES;
	add_query(&call.query, page->kind, prefix, position);
	err = s3_call_run(client, &call, ret_error);
	if (err)
		return err;
	err = page_parse(page, call.reply.body, call.reply.body_len);
	if (err == -ENOMEM)
		return s3_fail(ret_error, REMOTE_TRANSIENT, err, "out of memory");
	if (err)
		return s3_fail(ret_error, REMOTE_INVALID, -EIO, "the answer is not a list");
	return 0;
}

static int emit(const struct page *page, s3_list_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; i < page->count && !err; i++)
		err = fn(arg, &page->entries[i]);
	return err;
}

int s3_list_parse(enum s3_list_kind kind, const char *bytes, size_t n, s3_list_fn *fn, void *arg)
{
	cleanup_page struct page page = { .kind = kind };
	int err = page_parse(&page, bytes, n);

	return err ? err : emit(&page, fn, arg);
}

/* Detects a cycle of pages without remembering all of them: each page is compared with one
 * earlier page, which is replaced by the current page whenever the number of pages has doubled
 * (Brent). */
struct circle {
	uint64_t hash;
	unsigned pages, until;
};

static uint64_t hash_position(const struct position *position)
{
	const char *const texts[] = { position->key, position->other };
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < 2; i++) {
		for (const char *c = texts[i]; c && *c; c++)
			hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
		hash = (hash ^ (texts[i] ? 1 : 2)) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* False: the server leads back to an earlier page, for ever. */
static bool advance(struct position *position, struct page *page, struct circle *circle)
{
	uint64_t hash;

	if (!page->next_key && !page->next_other)
		return false;
	position_release(position);
	position->key = steal_pointer(&page->next_key);
	position->other = steal_pointer(&page->next_other);
	hash = hash_position(position);
	if (circle->pages && hash == circle->hash)
		return false;
	if (++circle->pages > PAGES_LIMIT)
		return false;
	if (circle->pages > circle->until) {
		circle->hash = hash;
		circle->until = 2 * circle->pages;
	}
	return true;
}

int s3_list(struct s3_client *client, enum s3_list_kind kind, const char *prefix, s3_list_fn *fn,
	    void *arg, struct remote_error *ret_error)
{
	cleanup_position struct position position = { NULL, NULL };
	struct circle circle = { 0, 0, 0 };

	remote_error_clear(ret_error);
	for (;;) {
		cleanup_page struct page page = { .kind = kind };
		int err = fetch_page(client, prefix, &position, &page, ret_error);

		if (!err)
			err = emit(&page, fn, arg);
		if (err || !page.is_truncated)
			return err;
		if (!advance(&position, &page, &circle))
			return s3_fail(
				ret_error, REMOTE_INVALID, -EIO,
				"the list does not name its next page, or repeats its pages");
	}
}
