/*
 * Inodes of recordings and folders. A recording gets the first free inode of a sequence that its
 * SID alone decides: 63 bits of the SID and the INODE_NEAR - 1 numbers behind them, then hashes of
 * the SID with a counter, without an end. Rows of recordings, folders and workspaces are never
 * deleted, so that a search along the sequence may stop at the first inode that nothing ever had.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/folder-private.h"
#include "catalog/recording-private.h"
#include "catalog/tree.h"
#include "util/cleanup.h"
#include "util/crypto.h"

static int inode_is_taken(struct db_conn *conn, int64_t inode, int64_t *ret_taken)
{
	*ret_taken = inode <= CATALOG_ROOT_INODE;
	if (*ret_taken)
		return 0;
	return db_query_int(
		conn, ret_taken,
		"SELECT " SQL_BOOL(
			"EXISTS (SELECT 1 FROM recording WHERE inode = ?1)"
			" OR EXISTS (SELECT 1 FROM folder WHERE inode IN (?1, ?2) AND removed = 0)"
			" OR EXISTS (SELECT 1 FROM workspace WHERE inode = ?1 AND removed = 0)"),
		"ii", inode, inode ^ (int64_t)CALLS_INODE_XOR);
}

/* ---- recordings ---- */

int64_t inode_base(const struct sid *sid)
{
	uint64_t inode = sid_inode(sid);

	return inode > INT64_MAX - INODE_NEAR ? INT64_MAX - INODE_NEAR : (int64_t)inode;
}

int recording_hash(const struct sid *sid, uint64_t counter, int64_t *ret_hash)
{
	static const char label[] = "tonicfs recording";
	uint8_t text[sizeof label + sizeof sid->bytes + 8], digest[CRYPTO_SHA256_SIZE];
	uint64_t hash = 0;
	int err;

	memcpy(text, label, sizeof label);
	memcpy(text + sizeof label, sid->bytes, sizeof sid->bytes);
	for (size_t i = 0; i < 8; i++)
		text[sizeof label + sizeof sid->bytes + i] = (uint8_t)(counter >> (56 - 8 * i));
	err = crypto_sha256(text, sizeof text, digest);
	for (size_t i = 0; i < 8; i++)
		hash = hash << 8 | digest[i];
	*ret_hash = (int64_t)(hash & INT64_MAX);
	return err;
}

int inode_for_recording(struct db_conn *conn, const struct sid *sid, int64_t *ret_inode)
{
	int64_t base = inode_base(sid), taken;
	int err;

	*ret_inode = base;
	err = inode_is_taken(conn, base, &taken);
	for (uint64_t n = 1; err == 0 && taken; n++) {
		if (n < INODE_NEAR)
			*ret_inode = base + (int64_t)n;
		else
			err = recording_hash(sid, n - INODE_NEAR, ret_inode);
		if (err == 0)
			err = inode_is_taken(conn, *ret_inode, &taken);
	}
	return err;
}

/* By a folder or a workspace, also by a removed one. */
static int was_taken(struct db_conn *conn, int64_t inode, int64_t *ret_taken)
{
	*ret_taken = inode <= CATALOG_ROOT_INODE;
	if (*ret_taken)
		return 0;
	return db_query_int(conn, ret_taken,
			    "SELECT " SQL_BOOL(
				    "EXISTS (SELECT 1 FROM folder WHERE inode IN (?1, ?2))"
				    " OR EXISTS (SELECT 1 FROM workspace WHERE inode = ?1)"),
			    "ii", inode, inode ^ (int64_t)CALLS_INODE_XOR);
}

int recording_id_far(struct db_conn *conn, const struct sid *sid, int64_t *ret_id)
{
	int64_t base = inode_base(sid), inode, found;
	/* Only where there was no room near by is an inode far away. */
	int err = db_query_int(conn, &found,
			       "SELECT 1 FROM recording WHERE inode >= ? AND inode < ? LIMIT 1",
			       "ii", base, base + INODE_NEAR);

	for (uint64_t counter = 0; err == 0; counter++) {
		err = recording_hash(sid, counter, &inode);
		if (err)
			return err;
		err = db_query_int(conn, ret_id,
				   "SELECT id FROM recording WHERE inode = ?1 AND sid = ?2", "ib",
				   inode, sid);
		if (err != -ENOENT)
			return err;
		err = db_query_int(conn, &found, "SELECT 1 FROM recording WHERE inode = ?", "i",
				   inode);
		if (err != -ENOENT)
			continue;
		err = was_taken(conn, inode, &found);
		if (err == 0 && !found)
			err = -ENOENT;
	}
	return err;
}

int recording_id_by_sid(struct db_conn *conn, const struct sid *sid, int64_t *ret_id)
{
	int64_t base = inode_base(sid);
	int err = db_query_int(
		conn, ret_id,
		"SELECT id FROM recording WHERE inode >= ?1 AND inode < ?2 AND sid = ?3", "iib",
		base, base + INODE_NEAR, sid);

	return err == -ENOENT ? recording_id_far(conn, sid, ret_id) : err;
}

/* ---- folders ---- */

int inode_for_folder(struct db_conn *conn, const char *workspace, const char *campaign,
		     uint64_t *ret_inode)
{
	cleanup_free char *text = NULL;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	uint64_t inode = 0;
	int64_t taken;
	int err, len = asprintf(&text, "tonicfs folder%c%s%c%s", 0, workspace, 0,
				campaign ? campaign : "");

	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	err = crypto_sha256(text, (size_t)len, digest);
	if (err)
		return err;
	for (int i = 0; i < 8; i++)
		inode = inode << 8 | digest[i];
	for (inode &= INT64_MAX;; inode = (inode + 1) & INT64_MAX) {
		err = inode_is_taken(conn, (int64_t)inode, &taken);
		if (err == 0 && !taken)
			err = inode_is_taken(conn, (int64_t)(inode ^ CALLS_INODE_XOR), &taken);
		if (err || !taken)
			break;
	}
	*ret_inode = inode;
	return err;
}
