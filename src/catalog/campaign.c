/* Campaigns: folders of a workspace, and the tracking numbers that fill them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/folder-private.h"
#include "util/cleanup.h"
#include "util/times.h"

/* ---- reading ---- */

#define CAMPAIGN_COLUMNS \
	"f.id, f.workspace_id, coalesce(f.name, '" CATALOG_UNASSIGNED "'), " SQL_BOOL( \
		"f.name IS NULL") ", " \
				  "(SELECT coalesce(sum(c.n), 0) FROM folder_count c WHERE c.folder_id = f.id AND c.listed = 1), f.tree_name"

static int campaign_from_row(struct db_stmt *stmt, struct catalog_campaign *c)
{
	memset(c, 0, sizeof *c);
	c->id = db_int64(stmt, 0);
	c->workspace_id = db_int64(stmt, 1);
	if (!db_text_copy(stmt, 2, c->name, sizeof c->name))
		return -EIO;
	c->is_unassigned = db_int(stmt, 3);
	c->recordings = db_int64(stmt, 4);
	db_text_copy(stmt, 5, c->folder, sizeof c->folder);
	return 0;
}

int catalog_campaign_find(struct catalog *catalog, int64_t workspace_id, const char *name,
			  struct catalog_campaign *ret_campaign)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err;

	if (!*name)
		return -ENOENT;
	err = db_read_row(catalog->db, &stmt,
			  "SELECT " CAMPAIGN_COLUMNS " FROM folder f"
			  " WHERE f.workspace_id = ?1 AND (f.name = ?2 OR f.tree_name = ?2)"
			  " AND f.removed = 0"
			  " ORDER BY " SQL_BOOL("coalesce(f.name, '') <> ?2") " LIMIT 1",
			  "is", workspace_id, name);
	return err ? err : campaign_from_row(stmt, ret_campaign);
}

int catalog_campaign_get(struct catalog *catalog, int64_t folder_id,
			 struct catalog_campaign *ret_campaign)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read_row(catalog->db, &stmt,
			      "SELECT " CAMPAIGN_COLUMNS " FROM folder f WHERE f.id = ?1", "i",
			      folder_id);

	return err ? err : campaign_from_row(stmt, ret_campaign);
}

int catalog_campaign_each(struct catalog *catalog, int64_t workspace_id, catalog_campaign_fn *fn,
			  void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT " CAMPAIGN_COLUMNS
			  " FROM folder f WHERE f.workspace_id = ?1 AND f.removed = 0 "
			  "ORDER BY " SQL_BOOL("f.name IS NULL") ", f.name",
			  "i", workspace_id);

	while (db_next(stmt, &err)) {
		struct catalog_campaign campaign;

		err = campaign_from_row(stmt, &campaign);
		if (err == 0)
			err = fn(arg, &campaign);
	}
	return err;
}

int catalog_campaign_numbers(struct catalog *catalog, int64_t folder_id, catalog_number_fn *fn,
			     void *arg)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	int err = db_read(catalog->db, &stmt,
			  "SELECT number FROM campaign_number WHERE folder_id = ?1 ORDER BY number",
			  "i", folder_id);

	while (db_next(stmt, &err)) {
		char number[CATALOG_NUMBER_SIZE];

		if (!db_text_copy(stmt, 0, number, sizeof number))
			return -EIO;
		err = fn(arg, number);
	}
	return err;
}

/* ---- adding ---- */

#define NUMBER_DIGITS_MIN 5  /* the shortest that some countries have, with their code */
#define NUMBER_DIGITS_MAX 15 /* E.164 */

/* "+1 (555) 123-4567" -> "+15551234567" */
static int number_normalize(const char *text, char ret_number[CATALOG_NUMBER_SIZE])
{
	size_t len = 0;

	for (const char *s = text; *s; s++) {
		if (strchr(" .-()[]", *s))
			continue;
		if (len == 0 ? *s != '+' : *s < '0' || *s > '9')
			return -EINVAL;
		if (len > NUMBER_DIGITS_MAX)
			return -EINVAL;
		ret_number[len++] = *s;
	}
	ret_number[len] = '\0';
	return len > NUMBER_DIGITS_MIN && ret_number[1] != '0' ? 0 : -EINVAL;
}

struct campaign_args {
	int64_t workspace_id;
	const char *name;
	char (*numbers)[CATALOG_NUMBER_SIZE];
	size_t number_count;
	int64_t id;
	char *message;
};

/* Messages count the numbers instead of showing them: they may end in a log. */
static int number_add(struct db_conn *conn, const struct campaign_args *args, size_t index)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	const char *number = args->numbers[index];
	int err = db_query_row(
		conn, &stmt,
		"SELECT n.folder_id, f.name FROM campaign_number n JOIN folder f ON f.id = n.folder_id "
		"WHERE n.workspace_id = ?1 AND n.number = ?2",
		"is", args->workspace_id, number);

	if (err == 0) {
		const char *name = db_text(stmt, 1);

		if (db_int64(stmt, 0) == args->id)
			return 0; /* given twice */
		return catalog_fail(-EEXIST, args->message,
				    "number %zu of those given belongs to campaign '%s' already",
				    index + 1, name ? name : CATALOG_UNASSIGNED);
	}
	if (err != -ENOENT)
		return err;
	return db_run(
		conn,
		"INSERT INTO campaign_number (workspace_id, number, folder_id) VALUES (?1, ?2, ?3)",
		"isi", args->workspace_id, number, args->id);
}

static int add_in_write(struct db_conn *conn, void *arg)
{
	struct campaign_args *args = arg;
	cleanup_stmt struct db_stmt *stmt = NULL;
	char workspace_name[CATALOG_NAME_SIZE], tree_name[CATALOG_NAME_SIZE];
	uint64_t inode = 0;
	int64_t count;
	int err = db_query_row(conn, &stmt,
			       "SELECT name FROM workspace WHERE id = ?1 AND removed = 0", "i",
			       args->workspace_id);

	args->message[0] = '\0';
	if (err)
		return err;
	db_text_copy(stmt, 0, workspace_name, sizeof workspace_name);

	err = db_query_int(
		conn, &count,
		"SELECT count(*) FROM folder WHERE workspace_id = ?1 AND coalesce(name, '') = ?2 AND removed = 0",
		"is", args->workspace_id, args->name);
	if (err < 0)
		return err;
	if (count)
		return catalog_fail(-EEXIST, args->message, "there is a campaign '%s' already",
				    args->name);
	err = tree_name_new(conn, args->workspace_id, args->name, tree_name);
	if (err == 0)
		err = inode_for_folder(conn, workspace_name, args->name, &inode);
	if (err < 0)
		return err;
	err = db_insert(
		conn, &args->id,
		"INSERT INTO folder (workspace_id, name, inode, mtime_nsecs, csv_mtime_nsecs, tree_name) "
		"VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
		"isiis", args->workspace_id, args->name, (int64_t)inode, time_now_nsecs(),
		tree_name);
	for (size_t i = 0; i < args->number_count && err == 0; i++)
		err = number_add(conn, args, i);
	if (err == 0)
		err = workspace_touch(conn, args->workspace_id);
	return err ? err : calls_reassign(conn, args->workspace_id);
}

int catalog_campaign_add(struct catalog *catalog, int64_t workspace_id, const char *name,
			 const char *const *numbers, size_t number_count, int64_t *ret_id,
			 char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_free char (*normalized)[CATALOG_NUMBER_SIZE] =
		calloc(number_count + 1, sizeof *normalized);
	struct campaign_args args = { workspace_id, name, normalized, number_count, 0, ret_message };
	int err;

	ret_message[0] = '\0';
	if (!normalized)
		return -ENOMEM;
	err = name_check(name, "campaign", ret_message);
	if (err)
		return err;
	if (strcmp(name, CATALOG_UNASSIGNED) == 0)
		return catalog_fail(-EEXIST, ret_message,
				    "'" CATALOG_UNASSIGNED
				    "' is the folder of the calls that belong to no campaign");
	if (number_count == 0)
		return catalog_fail(-EINVAL, ret_message, "a campaign needs at least one number");
	for (size_t i = 0; i < number_count; i++)
		if (number_normalize(numbers[i], normalized[i]) < 0)
			return catalog_fail(
				-EINVAL, ret_message,
				"number %zu of those given is not in the form +15551234567", i + 1);
	err = db_write(catalog->db, add_in_write, &args);
	if (err == -ENOENT && !ret_message[0])
		catalog_fail(err, ret_message, "there is no such workspace");
	if (err == 0)
		*ret_id = args.id;
	return err;
}
