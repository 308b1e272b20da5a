/*
 * The signatures that were accepted lately, as a table of hashes: a full row drops its oldest
 * entry. A signature that was dropped, or was accepted before a restart, is handled like a new one.
 */
#include <stdlib.h>
#include <string.h>

#include "hook/hook-private.h"
#include "util/crypto.h"

#define ROWS 4096
#define WAYS 4
#define HASH_SIZE 16

struct row {
	uint8_t hashes[WAYS][HASH_SIZE]; /* zeroes: unused */
	unsigned next;
};

struct replays {
	pthread_mutex_t lock;
	struct row rows[ROWS];
};

static struct row *row_of(struct replays *replays, const uint8_t *hash)
{
	/* By bytes of the hash that has() does not compare. */
	return &replays->rows[(hash[HASH_SIZE] << 8 | hash[HASH_SIZE + 1]) % ROWS];
}

static bool has(const struct row *row, const uint8_t *hash)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (memcmp(row->hashes[i], hash, HASH_SIZE) == 0)
			return true;
	return false;
}

struct replays *replays_new(void)
{
	struct replays *replays = calloc(1, sizeof *replays);

	if (replays)
		pthread_mutex_init(&replays->lock, NULL);
	return replays;
}

void replays_free(struct replays *replays)
{
	if (replays)
		pthread_mutex_destroy(&replays->lock);
	free(replays);
}

/* True: the signature was there. Else adds it if `add` is set. */
static bool find(struct replays *replays, const char *signature, bool add)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct row *row;
	bool is_there;

	if (crypto_sha256(signature, strlen(signature), hash))
		return false;
	pthread_mutex_lock(&replays->lock);
	row = row_of(replays, hash);
	is_there = has(row, hash);
	if (add && !is_there)
		memcpy(row->hashes[row->next++ % WAYS], hash, HASH_SIZE);
	pthread_mutex_unlock(&replays->lock);
	return is_there;
}

bool replays_has(struct replays *replays, const char *signature)
{
	return find(replays, signature, false);
}

void replays_add(struct replays *replays, const char *signature)
{
	find(replays, signature, true);
}
