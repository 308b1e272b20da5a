/*
 * calls.csv: the call log of a folder, RFC 4180. Each call keeps the length of its row, the folder their sum (by a trigger), so that a stat is exact
 * and costs nothing.
 */
#include <errno.h>
#include <string.h>

#include "catalog/calls-csv.h"
#include "util/buf.h"
#include "util/times.h"

static const char header[] = "call_sid,started,duration,direction,from,to,status,recording_sids,files\r\n";

int64_t calls_csv_header_bytes(void)
{
	return sizeof header - 1;
}

static bool is_number(const char *text)
{
	if (*text != '+' && *text != '-')
		return false;
	for (text++; *text; text++)
		if (*text < '0' || *text > '9')
			return false;
	return true;
}

void catalog_csv_cell(struct buf *out, const char *text)
{
	bool quote = strpbrk(text, ",\"\r\n") != NULL, harmless;

	/* A spreadsheet takes such a cell for a formula; an apostrophe makes it text. */
	harmless = !strchr("=@\t\r+-", text[0]) || !text[0] || is_number(text);
	if (quote)
		buf_add_char(out, '"');
	if (!harmless)
		buf_add_char(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	if (quote)
		buf_add_char(out, '"');
}

/* The call's recordings, in order, in both columns; removed ones are left out, those gone at Twilio are named without a file. */
static int add_recordings(struct conn *conn, int64_t call_id, struct buf *row)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	cleanup_buf struct buf files = BUF_INIT;
	char text[CATALOG_FILE_NAME_SIZE];
	bool first = true, first_file = true;
	int err = conn_query(conn, &stmt, "SELECT " RECORDING_COLUMNS " FROM recording r WHERE r.call_id = ?"
			     " AND r.state <> 6 ORDER BY r.sort_key, r.id", "i", call_id);

	if (err)
		return err;
	while ((err = conn_step(conn, stmt)) > 0) {
		struct catalog_recording r;

		recording_from_row(stmt, &r);
		sid_format(&r.sid, "RE", text);
		if (!first)
			buf_add_char(row, ' ');
		first = false;
		buf_add(row, text, SID_LENGTH);
		if (!r.is_listed)
			continue;
		catalog_recording_name(&r, CATALOG_NAMES_NUMBER, text);
		if (!first_file)
			buf_add_char(&files, ' ');
		first_file = false;
		buf_add_str(&files, text);
	}
	buf_add_char(row, ',');
	buf_add(row, buf_str(&files), files.len);
	return err < 0 ? err : buf_failed(&files) ? -ENOMEM : 0;
}

#define CALL_COLUMNS "id, sid, start_secs, duration_secs, direction, from_number, to_number, status"

static int add_row(struct conn *conn, sqlite3_stmt *stmt, struct buf *out)
{
	char sid_text[SID_SIZE], started[TIME_ISO8601_SIZE] = "";
	int64_t start_secs = sqlite3_column_int64(stmt, 2), duration_secs = sqlite3_column_int64(stmt, 3);
	struct sid sid;
	int err;

	column_sid(stmt, 1, &sid);
	sid_format(&sid, "CA", sid_text);
	if (start_secs > 0)
		time_format_iso8601(start_secs, started);
	buf_addf(out, "%s,%s,", sid_text, started);
	if (duration_secs >= 0)
		buf_addf(out, "%lld", (long long)duration_secs);
	for (int column = 4; column < 8; column++) {
		const char *text = (const char *)sqlite3_column_text(stmt, column);

		buf_add_char(out, ',');
		catalog_csv_cell(out, text ? text : "");
	}
	buf_add_char(out, ',');
	err = add_recordings(conn, sqlite3_column_int64(stmt, 0), out);
	buf_add_str(out, "\r\n");
	return err;
}

int calls_row_changed(struct conn *conn, int64_t call_id)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	cleanup_buf struct buf row = BUF_INIT;
	int64_t folder_id, old_len;
	bool shown;
	int err = conn_query(conn, &stmt, "SELECT " CALL_COLUMNS ", known AND NOT removed, folder_id, csv_len FROM call"
			     " WHERE id = ?", "i", call_id);

	if (err == 0)
		err = conn_step(conn, stmt);
	if (err <= 0)
		return err;
	shown = sqlite3_column_int(stmt, 8);
	folder_id = sqlite3_column_int64(stmt, 9);
	old_len = sqlite3_column_int64(stmt, 10);
	if (shown) {
		err = add_row(conn, stmt, &row);
		if (err)
			return err;
		if (buf_failed(&row))
			return -ENOMEM;
	}
	conn_stmt_release(&stmt);
	if (old_len == 0 && row.len == 0)
		return 0;
	if (old_len != (int64_t)row.len)
		err = conn_run(conn, "UPDATE call SET csv_len = ?2 WHERE id = ?1", "ii", call_id, (int64_t)row.len);
	else
		err = 0;
	if (err == 0)
		err = conn_run(conn, "UPDATE folder SET csv_mtime_nsecs = max(csv_mtime_nsecs + 1, ?2) WHERE id = ?1", "ii",
			       folder_id, time_now_nsecs());
	return err;
}

int catalog_calls_render(struct catalog *catalog, int64_t folder_id, struct buf *ret_csv)
{
	cleanup_conn struct conn_guard read = { catalog, NULL };
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int64_t rows_bytes;
	int err = catalog_read_begin(catalog, &read.conn);

	if (err)
		return err;
	/* One snapshot for all of it. */
	err = conn_run(read.conn, "BEGIN", "");
	if (err)
		return err;
	err = conn_query_int(read.conn, &rows_bytes, "SELECT csv_bytes FROM folder WHERE id = ? AND removed = 0", "i",
			     folder_id);
	if (err == 0)
		err = buf_reserve(ret_csv, (size_t)(rows_bytes + calls_csv_header_bytes()));
	if (err == 0) {
		buf_add(ret_csv, header, sizeof header - 1);
		err = conn_query(read.conn, &stmt, "SELECT " CALL_COLUMNS " FROM call WHERE folder_id = ? AND known = 1"
				 " AND removed = 0 ORDER BY start_secs, id", "i", folder_id);
	}
	while (err == 0 && (err = conn_step(read.conn, stmt)) > 0)
		err = add_row(read.conn, stmt, ret_csv);
	conn_stmt_release(&stmt);
	conn_run(read.conn, "COMMIT", "");
	if (err == 0 && buf_failed(ret_csv))
		err = -ENOMEM;
	return err;
}
