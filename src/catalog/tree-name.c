/* The name of a folder in the tree: decided when it is added, and kept in its row. A copy on a
 * file system that does not tell case apart must not merge two folders, so the one that comes
 * second has escapes for as many of its letters as it takes. Escapes of a letter's two cases
 * differ, so that there always is such a name. */
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "catalog/campaign.h"
#include "catalog/folder-private.h"
#include "util/cleanup.h"
#include "util/text.h"

#define SHARP_S 0xdf

static locale_t unicode;

static void unicode_init(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* One character for another, as Unicode's simple case mapping has it, of every script; ASCII only
 * where libc has no such locale. */
static uint32_t fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
	return unicode ? (uint32_t)towlower_l(towupper_l((wint_t)c, unicode), unicode) : c;
}

/* Two names with equal folds are one name where case is ignored. Returns the number of
 * characters. */
static size_t fold_name(const char *name, uint32_t ret_folded[CATALOG_NAME_SIZE])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t count = 0;

	pthread_once(&once, unicode_init);
	while (*name && count < CATALOG_NAME_SIZE) {
		uint32_t c = 0;
		size_t len = text_utf8(name, &c);

		c = fold(c);
		/* Its capitals are SS, and macOS takes the two for one name. */
		if (c == SHARP_S && count + 1 < CATALOG_NAME_SIZE) {
			ret_folded[count++] = 's';
			c = 's';
		}
		ret_folded[count++] = c;
		name += len ? len : 1;
	}
	return count;
}

/*
 * Is there a folder with this name in any case? Compared here, not in SQL: engines fold
 * differently. Within a write nobody else adds a name between this and the row that takes the name.
 */
static int is_taken(struct db_conn *conn, int64_t workspace_id, const char *tree_name,
		    bool *ret_taken)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	uint32_t wanted[CATALOG_NAME_SIZE], other[CATALOG_NAME_SIZE];
	size_t length = fold_name(tree_name, wanted);
	int err = workspace_id ? db_query(conn, &stmt,
					  "SELECT tree_name FROM folder WHERE workspace_id = ?1"
					  " AND removed = 0 AND tree_name <> ''",
					  "i", workspace_id)
			       : db_query(conn, &stmt,
					  "SELECT tree_name FROM workspace WHERE removed = 0"
					  " AND tree_name <> ''",
					  "");

	*ret_taken = false;
	while (!*ret_taken && db_next(stmt, &err))
		*ret_taken = fold_name(db_text(stmt, 0), other) == length &&
			     memcmp(wanted, other, length * sizeof *wanted) == 0;
	return err;
}

static int name_new(struct db_conn *conn, int64_t workspace_id, const char *name, unsigned rules,
		    char ret_tree_name[CATALOG_NAME_SIZE])
{
	size_t len = strlen(name);
	bool taken = true;
	int err = 0;

	for (size_t letters = 0; letters <= len && taken && err == 0; letters++) {
		err = name_encode(name, rules, letters, ret_tree_name);
		if (err == 0)
			err = is_taken(conn, workspace_id, ret_tree_name, &taken);
	}
	return err ? err : taken ? -EEXIST : 0;
}

int tree_name_new(struct db_conn *conn, int64_t workspace_id, const char *name,
		  char ret_tree_name[CATALOG_NAME_SIZE])
{
	return name_new(conn, workspace_id, name, NAME_START | NAME_DECOMPOSED, ret_tree_name);
}

/* ---- catalogs that have none yet ---- */

/* A name that was safe stays. Where there is no room for the escapes it stays, too. */
static int name_of_old(struct db_conn *conn, int64_t workspace_id, const char *name,
		       char ret_tree_name[CATALOG_NAME_SIZE])
{
	int err = name_new(conn, workspace_id, name, NAME_START, ret_tree_name);

	return err == -ENAMETOOLONG ? name_encode(name, 0, 0, ret_tree_name) : err;
}

static int fill(struct db_conn *conn, const char *ids_sql, const char *load_sql,
		const char *store_sql)
{
	cleanup_free int64_t *ids = NULL;
	size_t count = 0;
	int err = db_query_ids(conn, &ids, &count, ids_sql, "");

	for (size_t i = 0; i < count && err == 0; i++) {
		char name[CATALOG_NAME_SIZE], tree_name[CATALOG_NAME_SIZE] = CATALOG_UNASSIGNED;
		cleanup_stmt struct db_stmt *stmt = NULL;
		int64_t workspace_id;

		err = db_query_row(conn, &stmt, load_sql, "i", ids[i]);
		if (err)
			return err;
		workspace_id = db_int64(stmt, 0);
		db_text_copy(stmt, 1, name, sizeof name);
		db_stmt_release(&stmt);
		err = *name ? name_of_old(conn, workspace_id, name, tree_name) : 0;
		if (err == 0)
			err = db_run(conn, store_sql, "is", ids[i], tree_name);
	}
	return err;
}

/* Those that are gone come last: listings that are under way know where they go on by them, and
 * they stand in nobody's way. */
int tree_names_fill(struct db_conn *conn)
{
	int err = fill(conn, "SELECT id FROM workspace ORDER BY removed, id",
		       "SELECT 0, name FROM workspace WHERE id = ?",
		       "UPDATE workspace SET tree_name = ?2 WHERE id = ?1");

	if (err == 0)
		err = fill(conn, "SELECT id FROM folder ORDER BY removed, name IS NOT NULL, id",
			   "SELECT workspace_id, name FROM folder WHERE id = ?",
			   "UPDATE folder SET tree_name = ?2 WHERE id = ?1");
	return err;
}
