/*
 * Makes a catalog of COUNT recordings of known size, through the catalog's own door, so that the benchmarks need not wait for
 * a sync. The same COUNT gives the same calls. The account is nobody's and its address leads nowhere.
 * usage: fill CATALOG COUNT      the key goes to CATALOG.key
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/key.h"
#include "catalog/size.h"
#include "catalog/sync.h"
#include "catalog/workspace.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/times.h"

#define PAGE 1000
#define CAMPAIGNS 3
#define FIRST_SECS INT64_C(1735689600) /* 2025-01-01 */

static void check(int err, const char *what)
{
	if (err < 0) {
		fprintf(stderr, "fill: %s: %s\n", what, strerror(-err));
		exit(1);
	}
}

/* splitmix64: spread like a real SID's bits, the same in every run */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static struct sid make_sid(uint64_t kind, uint64_t i)
{
	uint64_t bits[2] = { mix(kind << 56 | i), mix(mix(i) + kind) };
	struct sid sid;

	memcpy(sid.bytes, bits, sizeof sid.bytes);
	return sid;
}

struct sizes {
	struct catalog_size items[10 * PAGE];
	size_t count;
};

static int add_size(void *arg, const struct catalog_recording *recording)
{
	struct sizes *sizes = arg;

	sizes->items[sizes->count++] = (struct catalog_size){
		.recording_id = recording->id,
		.size_bytes = 44 + recording->duration_secs * 32000,
		.channels_requested = 2,
		.channels_stored = 2,
	};
	return 0;
}

static void set_sizes(struct catalog *catalog, int64_t workspace_id)
{
	static struct sizes sizes;

	for (;;) {
		sizes.count = 0;
		check(catalog_sizes_unknown(catalog, workspace_id, ARRAY_SIZE(sizes.items),
					    add_size, &sizes),
		      "list what has no size");
		if (sizes.count == 0)
			return;
		check(catalog_sizes_set(catalog, sizes.items, sizes.count), "set sizes");
	}
}

static void add_page(struct catalog *catalog, int64_t workspace_id, uint64_t first, size_t count)
{
	static struct catalog_call_input calls[PAGE];
	static struct catalog_recording_input recordings[PAGE];
	static char callers[PAGE][CATALOG_NUMBER_SIZE];
	static char tracked[CAMPAIGNS][CATALOG_NUMBER_SIZE];
	struct catalog_apply_stats stats = { 0 };

	for (size_t i = 0; i < CAMPAIGNS; i++)
		snprintf(tracked[i], sizeof tracked[i], "+1555010000%zu", i);
	for (size_t i = 0; i < count; i++) {
		uint64_t n = first + i;
		int64_t start = FIRST_SECS + (int64_t)n * 20,
			duration = 5 + (int64_t)(mix(n) % 295);

		snprintf(callers[i], sizeof callers[i], "+1212%07u",
			 (unsigned)(mix(n + 7) % 10000000));
		calls[i] = (struct catalog_call_input){
			.sid = make_sid(1, n),
			.from = callers[i],
			.to = tracked[n % CAMPAIGNS],
			.direction = "inbound",
			.status = "completed",
			.start_secs = start,
			.date_created_secs = start,
			.duration_secs = duration + 2,
			.is_finished = true,
		};
		recordings[i] = (struct catalog_recording_input){
			.sid = make_sid(2, n),
			.call_sid = calls[i].sid,
			.is_completed = true,
			.kind = n % 10 ? CATALOG_KIND_RECORDING : CATALOG_KIND_VOICEMAIL,
			.duration_secs = duration,
			.date_created_secs = start + duration,
			.start_time_secs = start,
			.channels = 2,
		};
	}
	check(catalog_calls_apply(catalog, workspace_id, calls, count, &stats), "add calls");
	check(catalog_recordings_apply(catalog, workspace_id, recordings, count, &stats),
	      "add recordings");
	if (stats.recordings_listed != (int64_t)count) {
		fprintf(stderr, "fill: %lld of %zu recordings are listed\n",
			(long long)stats.recordings_listed, count);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct catalog_workspace workspace = {
		.name = "bench",
		.twilio_url = "http://127.0.0.1:9",
		.poll_secs = 0,
	};
	struct catalog_sync_state synced;
	char message[CATALOG_MESSAGE_SIZE] = "";
	cleanup_buf struct buf key_path = BUF_INIT;
	cleanup_key struct db_key key;
	struct catalog *catalog;
	uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	int64_t id, campaign_id;

	if (count == 0) {
		fprintf(stderr, "usage: fill CATALOG COUNT\n");
		return 2;
	}
	buf_addf(&key_path, "%s.key", argv[1]);
	check(catalog_key_file_create(buf_str(&key_path), &key), "make the key");
	check(catalog_create(argv[1], &key, message), message);
	check(catalog_open(argv[1], &key, &catalog, message), message);

	workspace.account_sid = make_sid(0, 0);
	check(catalog_workspace_add(catalog, &workspace, "no secret", &id, message), message);
	for (int i = 0; i < CAMPAIGNS; i++) {
		char name[32], number[CATALOG_NUMBER_SIZE];
		const char *numbers[] = { number };

		snprintf(name, sizeof name, "campaign-%d", i);
		snprintf(number, sizeof number, "+1555010000%d", i);
		check(catalog_campaign_add(catalog, id, name, numbers, 1, &campaign_id, message),
		      message);
	}
	for (uint64_t done = 0; done < count; done += PAGE)
		add_page(catalog, id, done, count - done < PAGE ? (size_t)(count - done) : PAGE);
	set_sizes(catalog, id);
	synced = (struct catalog_sync_state){ time_now_secs(), time_now_secs(), time_now_secs() };
	check(catalog_sync_state_set(catalog, id, &synced), "say that it is synced");
	catalog_close(catalog);
	return 0;
}
