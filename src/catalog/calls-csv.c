/* calls.csv: the call log of a folder, RFC 4180. Each call keeps the length of its row, and how
 * much of it names=sid leaves out; the folder keeps the sums. Triggers keep both up to date and
 * follow a recording's state, so that a stat is exact without a scan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/calls-csv.h"
#include "catalog/recording-private.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/text.h"
#include "util/times.h"

/* New columns come behind: scripts count them. */
static const char header[] =
	"call_sid,started_utc,duration,direction,from,to,status,recording_sids,files,"
	"recording_durations,recording_kinds,recording_states\r\n";

int64_t calls_csv_header_bytes(void)
{
	return sizeof header - 1;
}

/* ---- cells ---- */

static bool is_number(const char *text)
{
	return (*text == '+' || *text == '-') && text[1] &&
	       !text[1 + strspn(text + 1, "0123456789")];
}

/* Blanks and quotes, which spreadsheets skip before they look for a formula. */
static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '"' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* = + - @, their full-width and small forms, and the minus sign. */
static bool is_formula(const char *text)
{
	uint32_t c = 0;
	size_t len;

	while ((len = text_utf8(text, &c)) && is_blank(c))
		text += len;
	return len && c &&
	       (c < 0x80
			? strchr("=+-@", (int)c) != NULL
			: c == 0xff1d || c == 0xff0b || c == 0xff0d || c == 0xff20 || c == 0xfe66 ||
				  c == 0xfe62 || c == 0xfe63 || c == 0xfe6b || c == 0x2212);
}

void catalog_csv_cell(struct buf *out, const char *text)
{
	bool quote = strpbrk(text, ",\";") != NULL, begins = !is_number(text);

	if (quote)
		buf_add_char(out, '"');
	while (*text) {
		uint32_t c = 0;
		size_t len = text_utf8(text, &c);

		/* An apostrophe makes it text. A semicolon begins a cell where the decimal point is
		 * a comma. */
		if (begins && is_formula(text))
			buf_add_char(out, '\'');
		if (c == '"')
			buf_add_char(out, '"');
		if (len && text_is_printable(c))
			buf_add(out, text, len);
		else
			buf_add_char(out, '?');
		begins = c == ';';
		text += len ? len : 1;
	}
	if (quote)
		buf_add_char(out, '"');
}

/* ---- rows ---- */

static void list_add(struct buf *list, const char *text)
{
	if (list->len)
		buf_add_char(list, ' ');
	buf_add_str(list, text);
}

/* Does not say where the bytes are: moving a recording must change no file, or a backup would copy
 * it again. The schema has the words' lengths. */
static const char *state_word(const struct catalog_recording *r)
{
	return r->state == CATALOG_STATE_MISSING ? "missing"
	       : r->is_listed                    ? "available"
						 : "unavailable";
}

/* The call's recordings, in order, in five columns, without removed ones. A recording that is not a
 * file has no entry in `files`. */
static int add_recordings(struct db_conn *conn, int64_t call_id, enum catalog_names names,
			  struct buf *row, size_t *hidden)
{
	cleanup_buf struct buf sids = BUF_INIT, files = BUF_INIT, durations = BUF_INIT,
			       kinds = BUF_INIT, states = BUF_INIT;
	const struct buf *const columns[] = { &sids, &files, &durations, &kinds, &states };
	cleanup_stmt struct db_stmt *stmt = NULL;
	char text[CATALOG_FILE_NAME_SIZE];
	int err = db_query(conn, &stmt,
			   "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.call_id = ?"
			   " AND r.state <> " SQL_STATE_DELETED " ORDER BY r.sort_key, r.id",
			   "i", call_id);

	while (db_next(stmt, &err)) {
		struct catalog_recording r;

		recording_from_row(stmt, &r);
		sid_format(&r.sid, "RE", text);
		list_add(&sids, text);
		list_add(&kinds, catalog_kind_name(r.kind));
		list_add(&states, state_word(&r));
		if (r.duration_secs < 0)
			snprintf(text, sizeof text, "unknown");
		else
			snprintf(text, sizeof text, "%lld", (long long)r.duration_secs);
		list_add(&durations, text);
		if (!r.is_listed)
			continue;
		catalog_recording_name(&r, names, text);
		list_add(&files, text);
		*hidden += strlen(r.party) + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		buf_add_char(row, ',');
		buf_add(row, buf_str(columns[i]), columns[i]->len);
		if (buf_failed(columns[i]))
			err = -ENOMEM;
	}
	return err;
}

#define CALL_COLUMNS "id, sid, start_secs, duration_secs, direction, from_number, to_number, status"
enum { COLUMN_DIRECTION = 4, COLUMN_FROM, COLUMN_TO, COLUMN_STATUS };

/* *ret_hidden: how many bytes of the row CATALOG_NAMES_SID leaves out. */
static int add_row(struct db_conn *conn, struct db_stmt *stmt, enum catalog_names names,
		   struct buf *out, size_t *ret_hidden)
{
	char sid_text[SID_SIZE], started[TIME_ISO8601_SIZE] = "";
	int64_t start_secs = db_int64(stmt, 2), duration_secs = db_int64(stmt, 3);
	struct sid sid;
	int err;

	*ret_hidden = 0;
	db_sid(stmt, 1, &sid);
	sid_format(&sid, "CA", sid_text);
	if (start_secs > 0)
		time_format_table(start_secs, started);
	buf_addf(out, "%s,%s,", sid_text, started);
	if (duration_secs >= 0)
		buf_addf(out, "%lld", (long long)duration_secs);
	for (int column = COLUMN_DIRECTION; column <= COLUMN_STATUS; column++) {
		const char *text = db_text(stmt, column);
		bool is_number = column == COLUMN_FROM || column == COLUMN_TO;
		size_t before;

		buf_add_char(out, ',');
		before = out->len;
		if (text && !(is_number && names == CATALOG_NAMES_SID))
			catalog_csv_cell(out, text);
		if (is_number)
			*ret_hidden += out->len - before;
	}
	err = add_recordings(conn, db_int64(stmt, 0), names, out, ret_hidden);
	buf_add_str(out, "\r\n");
	return err;
}

/* ---- lengths ---- */

#define HAS_ROW SQL_BOOL("known = 1 AND removed = 0")
#define NEW_MTIME(now) SQL_LATER("csv_mtime_nsecs", now)

/* *ret_folder_id: the folder whose calls.csv has, or had, the row; 0: it has none. */
static int row_measure(struct db_conn *conn, int64_t call_id, int64_t *ret_folder_id)
{
	cleanup_stmt struct db_stmt *stmt = NULL;
	cleanup_buf struct buf row = BUF_INIT;
	int64_t old_len, old_hidden;
	size_t hidden = 0;
	int err = db_query(conn, &stmt,
			   "SELECT " CALL_COLUMNS ", " HAS_ROW ", folder_id, csv_len, csv_hidden"
			   " FROM call WHERE id = ?",
			   "i", call_id);

	*ret_folder_id = 0;
	if (err == 0)
		err = db_step(stmt);
	if (err <= 0)
		return err;
	old_len = db_int64(stmt, 10);
	old_hidden = db_int64(stmt, 11);
	if (db_int(stmt, 8)) {
		err = add_row(conn, stmt, CATALOG_NAMES_NUMBER, &row, &hidden);
		if (err < 0)
			return err;
		if (buf_failed(&row))
			return -ENOMEM;
	}
	if (old_len || row.len)
		*ret_folder_id = db_int64(stmt, 9);
	db_stmt_release(&stmt);
	if (old_len == (int64_t)row.len && old_hidden == (int64_t)hidden)
		return 0;
	return db_run(conn, "UPDATE call SET csv_len = ?2, csv_hidden = ?3 WHERE id = ?1", "iii",
		      call_id, (int64_t)row.len, (int64_t)hidden);
}

int calls_csv_touch(struct db_conn *conn, int64_t folder_id)
{
	return db_run(conn, "UPDATE folder SET csv_mtime_nsecs = " NEW_MTIME("?2") " WHERE id = ?1",
		      "ii", folder_id, time_now_nsecs());
}

int calls_row_changed(struct db_conn *conn, int64_t call_id)
{
	int64_t folder_id;
	int err = row_measure(conn, call_id, &folder_id);

	return err || !folder_id ? err : calls_csv_touch(conn, folder_id);
}

int calls_csv_measure(struct db_conn *conn)
{
	cleanup_free int64_t *ids = NULL;
	int64_t folder_id;
	size_t count = 0;
	int err = db_query_ids(conn, &ids, &count, "SELECT id FROM call WHERE csv_len > 0", "");

	for (size_t i = 0; i < count && err == 0; i++)
		err = row_measure(conn, ids[i], &folder_id);
	return err ? err
		   : db_run(conn, "UPDATE folder SET csv_mtime_nsecs = " NEW_MTIME("?1"), "i",
			    time_now_nsecs());
}

int catalog_calls_render(struct catalog *catalog, int64_t folder_id, enum catalog_names names,
			 struct buf *ret_csv)
{
	cleanup_db_read struct db_conn *read = NULL;
	cleanup_stmt struct db_stmt *stmt = NULL;
	int64_t rows_bytes;
	size_t hidden;
	int err = db_read_begin(catalog->db, &read);

	if (err)
		return err;
	/* One snapshot for all of it. */
	err = db_snapshot_begin(read);
	if (err)
		return err;
	err = db_query_int(read, &rows_bytes,
			   "SELECT csv_bytes FROM folder WHERE id = ? AND removed = 0", "i",
			   folder_id);
	if (err == 0)
		err = buf_reserve(ret_csv, (size_t)(rows_bytes + calls_csv_header_bytes()));
	if (err == 0) {
		buf_add(ret_csv, header, sizeof header - 1);
		err = db_query(read, &stmt,
			       "SELECT " CALL_COLUMNS " FROM call WHERE folder_id = ? AND known = 1"
			       " AND removed = 0 ORDER BY start_secs, id",
			       "i", folder_id);
	}
	while (db_next(stmt, &err))
		err = add_row(read, stmt, names, ret_csv, &hidden);
	if (err == 0 && buf_failed(ret_csv))
		err = -ENOMEM;
	return err;
}
