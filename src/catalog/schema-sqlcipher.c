/* The tables of a catalog in SQLCipher: version 1, and the steps from each version to the next. A
 * step never changes once it has been released, so its numbers are literal; a change is another
 * step, behind it. Triggers keep the counters and the lengths of calls.csv. */
#include "catalog/schema.h"

#include "catalog/folder-private.h"
#include "catalog/recording-private.h"

/* A line of SQL stays a line: */
/* clang-format off */

static const char version_1[] =
	"CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_msecs INTEGER NOT"
	" NULL) WITHOUT ROWID;"

	"CREATE TABLE workspace ("
	"  id INTEGER PRIMARY KEY,"
	"  name TEXT NOT NULL,"
	"  inode INTEGER NOT NULL,"
	"  account_sid BLOB NOT NULL,"
	"  api_key_sid TEXT NOT NULL DEFAULT '',"
	"  secret TEXT NOT NULL,"
	"  twilio_url TEXT NOT NULL DEFAULT '',"
	"  twilio_plain_http INTEGER NOT NULL DEFAULT 0,"
	"  delete_s3 INTEGER NOT NULL DEFAULT 0,"
	"  delete_twilio INTEGER NOT NULL DEFAULT 0,"
	"  migrate_new INTEGER NOT NULL DEFAULT 0,"
	"  keep_at_twilio INTEGER NOT NULL DEFAULT 0,"
	"  verify_readback INTEGER NOT NULL DEFAULT 0,"
	"  poll_secs INTEGER NOT NULL DEFAULT 300,"
	"  mtime_nsecs INTEGER NOT NULL,"
	"  last_poll_secs INTEGER NOT NULL DEFAULT 0,"
	"  last_sweep_secs INTEGER NOT NULL DEFAULT 0,"
	"  listed_until_secs INTEGER NOT NULL DEFAULT 0,"
	"  removed INTEGER NOT NULL DEFAULT 0);"
	"CREATE UNIQUE INDEX workspace_name ON workspace (name) WHERE removed = 0;"
	"CREATE UNIQUE INDEX workspace_account ON workspace (account_sid) WHERE removed = 0;"
	"CREATE UNIQUE INDEX workspace_inode ON workspace (inode) WHERE removed = 0;"

	"CREATE TABLE storage ("
	"  workspace_id INTEGER PRIMARY KEY REFERENCES workspace (id),"
	"  bucket TEXT NOT NULL, region TEXT NOT NULL, endpoint TEXT NOT NULL, prefix TEXT NOT"
	" NULL,"
	"  access_key TEXT NOT NULL, secret_key TEXT NOT NULL,"
	"  path_style INTEGER NOT NULL, plain_http INTEGER NOT NULL,"
	"  encryption INTEGER NOT NULL, kms_key_id TEXT NOT NULL, storage_class TEXT NOT NULL,"
	" ca_file TEXT NOT NULL,"
	"  enabled INTEGER NOT NULL);"

/* A campaign is a folder; each workspace has one more, its name NULL: the calls of no campaign. */
	"CREATE TABLE folder ("
	"  id INTEGER PRIMARY KEY,"
	"  workspace_id INTEGER NOT NULL REFERENCES workspace (id),"
	"  name TEXT,"
	"  inode INTEGER NOT NULL,"
	"  mtime_nsecs INTEGER NOT NULL,"
	"  csv_bytes INTEGER NOT NULL DEFAULT 0," /* rows only, without the header */
	"  csv_mtime_nsecs INTEGER NOT NULL,"
	"  calls INTEGER NOT NULL DEFAULT 0," /* rows of calls.csv */
	"  removed INTEGER NOT NULL DEFAULT 0);"
	"CREATE UNIQUE INDEX folder_name ON folder (workspace_id, coalesce(name, '')) WHERE"
	" removed = 0;"
	"CREATE UNIQUE INDEX folder_inode ON folder (inode) WHERE removed = 0;"

	"CREATE TABLE campaign_number ("
	"  workspace_id INTEGER NOT NULL, number TEXT NOT NULL, folder_id INTEGER NOT NULL"
	" REFERENCES folder (id),"
	"  PRIMARY KEY (workspace_id, number)) WITHOUT ROWID;"
	"CREATE INDEX campaign_number_folder ON campaign_number (folder_id);"

	"CREATE TABLE call ("
	"  id INTEGER PRIMARY KEY,"
	"  sid BLOB NOT NULL UNIQUE,"
	"  workspace_id INTEGER NOT NULL,"
	"  folder_id INTEGER NOT NULL,"
	"  known INTEGER NOT NULL," /* 0: only named by a recording so far */
	"  finished INTEGER NOT NULL,"
	"  removed INTEGER NOT NULL DEFAULT 0,"
	"  from_number TEXT NOT NULL DEFAULT '', to_number TEXT NOT NULL DEFAULT '',"
	"  direction TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '',"
	"  start_secs INTEGER NOT NULL DEFAULT 0,"
	"  duration_secs INTEGER NOT NULL DEFAULT -1,"
	"  csv_len INTEGER NOT NULL DEFAULT 0);" /* 0: no row */
	"CREATE INDEX call_folder ON call (folder_id, start_secs, id);"
	"CREATE INDEX call_unknown ON call (workspace_id) WHERE known = 0;"
	"CREATE INDEX call_unfinished ON call (workspace_id, start_secs) WHERE finished = 0;"
	/* calls.csv's length and number of rows are kept by the rows themselves. */
	"CREATE TRIGGER call_csv_update AFTER UPDATE OF csv_len, folder_id ON call"
	"  WHEN old.csv_len <> new.csv_len OR old.folder_id <> new.folder_id BEGIN"
	"  UPDATE folder SET csv_bytes = csv_bytes - old.csv_len, calls = calls - (old.csv_len >"
	" 0) WHERE id = old.folder_id AND old.csv_len > 0;"
	"  UPDATE folder SET csv_bytes = csv_bytes + new.csv_len, calls = calls + (new.csv_len >"
	" 0) WHERE id = new.folder_id AND new.csv_len > 0;"
	"END;"

	/* inode begins with the SID's first 63 bits, so it finds a recording by its SID, too. Rows
	 * are never deleted: a removed recording's row keeps it away. */
	"CREATE TABLE recording ("
	"  id INTEGER PRIMARY KEY,"
	"  inode INTEGER NOT NULL UNIQUE,"
	"  sid BLOB NOT NULL,"
	"  workspace_id INTEGER NOT NULL,"
	"  folder_id INTEGER NOT NULL,"
	"  call_id INTEGER NOT NULL," /* 0: a conference without a call */
	"  state INTEGER NOT NULL," /* enum catalog_state */
	"  migration INTEGER NOT NULL DEFAULT 0," /* enum catalog_migration */
	"  listed INTEGER NOT NULL DEFAULT 0,"
	/* 0 not yet; 1 completed; 2 will never be (absent, failed, deleted) */
	"  completed INTEGER NOT NULL DEFAULT 0,"
	"  flags INTEGER NOT NULL DEFAULT 0,"
	"  size_bytes INTEGER NOT NULL DEFAULT -1,"
	"  duration_secs INTEGER NOT NULL DEFAULT -1,"
	"  sort_key INTEGER NOT NULL DEFAULT 0,"
	"  date_created_secs INTEGER NOT NULL,"
	"  start_secs INTEGER NOT NULL," /* the recording's own */
	"  channels_requested INTEGER NOT NULL DEFAULT 0,"
	"  channels_stored INTEGER NOT NULL DEFAULT 0,"
	"  party TEXT NOT NULL DEFAULT '',"
	"  removed_secs INTEGER NOT NULL DEFAULT 0,"
	/* 1 delete_s3, 2 delete_twilio, as they were when it was removed */
	"  removed_policy INTEGER NOT NULL DEFAULT 0);"
	/* Covers a listing: one read of the index, none of the rows. */
	"CREATE INDEX recording_listing ON recording"
	"  (folder_id, sort_key, inode, size_bytes, flags, party, sid) WHERE listed = 1;"
	"CREATE UNIQUE INDEX recording_sort ON recording (sort_key) WHERE sort_key > 0;"
	"CREATE INDEX recording_call ON recording (call_id);"
	"CREATE INDEX recording_sizes ON recording (folder_id) WHERE listed = 1 AND size_bytes < 0;"
	"CREATE INDEX recording_unfinished ON recording (workspace_id, date_created_secs) WHERE"
	" completed = 0;"

	"CREATE TABLE object ("
	"  recording_id INTEGER PRIMARY KEY REFERENCES recording (id),"
	"  bucket TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, version_id TEXT NOT NULL,"
	"  sha256 TEXT NOT NULL, checksum_sha256 TEXT NOT NULL,"
	"  encryption TEXT NOT NULL, kms_key_id TEXT NOT NULL, storage_class TEXT NOT NULL,"
	"  size_bytes INTEGER NOT NULL, stored_secs INTEGER NOT NULL);"

	"CREATE TABLE encryption ("
	"  recording_id INTEGER PRIMARY KEY REFERENCES recording (id),"
	"  key_sid TEXT NOT NULL, cek TEXT NOT NULL, iv TEXT NOT NULL);"

/* Counters, kept by triggers: a million rows are not counted at each look. */
	"CREATE TABLE folder_count ("
	"  folder_id INTEGER NOT NULL, listed INTEGER NOT NULL, state INTEGER NOT NULL, migration"
	" INTEGER NOT NULL, n INTEGER NOT NULL,"
	"  PRIMARY KEY (folder_id, listed, state, migration)) WITHOUT ROWID;"
	"CREATE TRIGGER recording_count_insert AFTER INSERT ON recording BEGIN"
	"  INSERT INTO folder_count VALUES (new.folder_id, new.listed, new.state, new.migration,"
	" 1) ON CONFLICT DO UPDATE SET n = n + 1;"
	"END;"
	"CREATE TRIGGER recording_count_update AFTER UPDATE OF folder_id, listed, state,"
	" migration ON recording"
	"  WHEN old.folder_id <> new.folder_id OR old.listed <> new.listed OR old.state <>"
	" new.state OR old.migration <> new.migration BEGIN"
	"  UPDATE folder_count SET n = n - 1 WHERE folder_id = old.folder_id AND listed ="
	" old.listed AND state = old.state AND migration = old.migration;"
	"  INSERT INTO folder_count VALUES (new.folder_id, new.listed, new.state, new.migration,"
	" 1) ON CONFLICT DO UPDATE SET n = n + 1;"
	"END;"

	"CREATE TABLE job ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  kind INTEGER NOT NULL," /* enum catalog_job_kind */
	"  recording_id INTEGER NOT NULL REFERENCES recording (id),"
	"  workspace_id INTEGER NOT NULL,"
	"  state INTEGER NOT NULL," /* 0 queued, 1 running, 2 failed for good, 3 paused */
	/* queued: not before; running: the lease's end; failed: INT64_MAX */
	"  due_msecs INTEGER NOT NULL,"
	"  owner TEXT NOT NULL DEFAULT '',"
	"  attempts INTEGER NOT NULL DEFAULT 0,"
	"  was_sent INTEGER NOT NULL DEFAULT 0,"
	"  done_bytes INTEGER NOT NULL DEFAULT 0, total_bytes INTEGER NOT NULL DEFAULT 0,"
	"  reason TEXT NOT NULL DEFAULT '');"
	"CREATE UNIQUE INDEX job_recording ON job (recording_id, kind);"
	/* Which job is due next, by workspace, so that a workspace that is slow, or whose storage
	 * is disabled, does not hide the jobs of others. */
	"CREATE INDEX job_due ON job (workspace_id, kind, due_msecs, id);"
	"CREATE INDEX job_workspace ON job (workspace_id, kind, state);"

	"CREATE TABLE change ("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  at_secs INTEGER NOT NULL, kind INTEGER NOT NULL, inode INTEGER NOT NULL, parent"
	" INTEGER NOT NULL,"
	"  name TEXT NOT NULL, sid_name TEXT NOT NULL);"

/* Each deletion: its recording, time, policy and outcome. */
	"CREATE TABLE audit ("
	"  id INTEGER PRIMARY KEY, at_secs INTEGER NOT NULL, action TEXT NOT NULL,"
	"  workspace_id INTEGER NOT NULL, recording_id INTEGER NOT NULL, note TEXT NOT NULL);";

/* Recordings that Twilio's callbacks have named and nobody has asked for yet; and the auth token of
 * a workspace that signs in with an API key, which cannot prove a callback. */
static const char callbacks[] =
	"ALTER TABLE workspace ADD COLUMN callback_token TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE callback ("
	"  sid BLOB PRIMARY KEY,"
	"  workspace_id INTEGER NOT NULL,"
	"  due_msecs INTEGER NOT NULL," /* not before; taken: the lease's end */
	"  owner TEXT NOT NULL DEFAULT '',"
	"  attempts INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"CREATE INDEX callback_due ON callback (due_msecs);";
/* Paused jobs, bytes beside the counts, and recordings that wait for a bucket. */
static const char queue_for_users[] =
	/* New recordings that a workspace with migrate_new has no enabled bucket for: queued once
	 * it has one. */
	"CREATE TABLE arrived ("
	"  workspace_id INTEGER NOT NULL, recording_id INTEGER NOT NULL REFERENCES recording (id),"
	"  PRIMARY KEY (workspace_id, recording_id)) WITHOUT ROWID;"

	"ALTER TABLE job ADD COLUMN pause_asked INTEGER NOT NULL DEFAULT 0;" /* of one that runs */
	"CREATE INDEX job_problem ON job (workspace_id, kind, state, reason) WHERE reason <> '';"

	"ALTER TABLE folder_count ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
	"DROP TRIGGER recording_count_insert;"
	"CREATE TRIGGER recording_count_insert AFTER INSERT ON recording BEGIN"
	"  INSERT INTO folder_count VALUES (new.folder_id, new.listed, new.state, new.migration,"
	" 1, " RECORDING_BYTES("new") ")"
	"  ON CONFLICT DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
	"END;"
	"DROP TRIGGER recording_count_update;"
	"CREATE TRIGGER recording_count_update AFTER UPDATE OF folder_id, listed, state, migration,"
	"  size_bytes, duration_secs, channels_stored, channels_requested ON recording"
	"  WHEN old.folder_id <> new.folder_id OR old.listed <> new.listed OR old.state <>"
	" new.state OR old.migration <> new.migration"
	"  OR " RECORDING_BYTES("old") " <> " RECORDING_BYTES("new") " BEGIN"
	"  UPDATE folder_count SET n = n - 1, bytes = bytes - (" RECORDING_BYTES("old") ")"
	"  WHERE folder_id = old.folder_id AND listed = old.listed AND state = old.state AND"
	" migration = old.migration;"
	"  INSERT INTO folder_count VALUES (new.folder_id, new.listed, new.state, new.migration,"
	" 1, " RECORDING_BYTES("new") ")"
	"  ON CONFLICT DO UPDATE SET n = n + 1, bytes = bytes + excluded.bytes;"
	"END;"
	"INSERT INTO folder_count SELECT folder_id, listed, state, migration, count(*), sum("
	RECORDING_BYTES("r") ")"
	"  FROM recording r WHERE true GROUP BY 1, 2, 3, 4 ON CONFLICT DO UPDATE SET bytes ="
	" excluded.bytes;";

/* Of a bucket: whether a connection test has passed with these very settings, what the server said
 * then of encryption, and more settings. A bucket that is in use counts as tested. */
static const char storage_tested[] =
	"ALTER TABLE storage ADD COLUMN provider TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE storage ADD COLUMN credentials TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE storage ADD COLUMN require_encryption INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE storage ADD COLUMN origins TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE storage ADD COLUMN tested_secs INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE storage ADD COLUMN tested_encryption TEXT NOT NULL DEFAULT '';"
	"UPDATE storage SET tested_secs = 1 WHERE enabled = 1;";

/* Of an object after it was stored: restores from archived classes, locks. Recordings and bytes by
 * storage class, counted as they change, of those in S3 (states 3, 4). */
static const char archive[] =
	/* enum catalog_restore */
	"ALTER TABLE object ADD COLUMN restore INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN restore_days INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN restore_tier TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE object ADD COLUMN restore_since_secs INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN restored_until_secs INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN restore_due_msecs INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN restore_reason TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE object ADD COLUMN bucket_key INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN lock_mode TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE object ADD COLUMN retain_until_secs INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE object ADD COLUMN legal_hold INTEGER NOT NULL DEFAULT 0;"
	/* 1, 0; -1 not known */
	"ALTER TABLE storage ADD COLUMN archive_readable INTEGER NOT NULL DEFAULT -1;"
	"UPDATE object SET storage_class = 'STANDARD' WHERE storage_class = '';"
	"CREATE INDEX object_restore ON object (restore_due_msecs) WHERE restore IN (1, 2);"
	"CREATE INDEX object_archived ON object (recording_id) WHERE storage_class IN ('GLACIER',"
	" 'DEEP_ARCHIVE');"
	"CREATE INDEX object_locked ON object (recording_id) WHERE retain_until_secs > 0 OR"
	" legal_hold = 1;"
	"CREATE TABLE class_count ("
	"  workspace_id INTEGER NOT NULL, storage_class TEXT NOT NULL, n INTEGER NOT NULL,"
	" size_bytes INTEGER NOT NULL,"
	"  PRIMARY KEY (workspace_id, storage_class)) WITHOUT ROWID;"
	"INSERT INTO class_count SELECT r.workspace_id, o.storage_class, count(*),"
	" sum(o.size_bytes) FROM object o"
	"  JOIN recording r ON r.id = o.recording_id WHERE r.state IN (3, 4) GROUP BY 1, 2;"
#define CLASS_COUNT(sign, recording, class, size) \
	"  INSERT INTO class_count SELECT workspace_id, " class ", " sign "1, " sign size \
	" FROM recording" \
	"  WHERE id = " recording " AND state IN (3, 4)" \
	"  ON CONFLICT DO UPDATE SET n = n + excluded.n," \
	" size_bytes = size_bytes + excluded.size_bytes;"
	"CREATE TRIGGER object_class_insert AFTER INSERT ON object BEGIN"
	CLASS_COUNT("", "new.recording_id", "new.storage_class", "new.size_bytes")
	"END;"
	"CREATE TRIGGER object_class_delete AFTER DELETE ON object BEGIN"
	CLASS_COUNT("-", "old.recording_id", "old.storage_class", "old.size_bytes")
	"END;"
	"CREATE TRIGGER object_class_update AFTER UPDATE OF storage_class, size_bytes ON object"
	"  WHEN old.storage_class <> new.storage_class OR old.size_bytes <> new.size_bytes BEGIN"
	CLASS_COUNT("-", "old.recording_id", "old.storage_class", "old.size_bytes")
	CLASS_COUNT("", "new.recording_id", "new.storage_class", "new.size_bytes")
	"END;"
	"CREATE TRIGGER recording_class_update AFTER UPDATE OF state ON recording"
	"  WHEN (old.state IN (3, 4)) <> (new.state IN (3, 4)) BEGIN"
	"  INSERT INTO class_count SELECT new.workspace_id, storage_class, CASE WHEN new.state IN"
	" (3, 4) THEN 1 ELSE -1 END,"
	"  CASE WHEN new.state IN (3, 4) THEN size_bytes ELSE -size_bytes END FROM object WHERE"
	" recording_id = new.id"
	"  ON CONFLICT DO UPDATE SET n = n + excluded.n, size_bytes = size_bytes +"
	" excluded.size_bytes;"
	"END;";

/* calls.csv has the recordings' states, and hides numbers where a mount's names do: the bytes of a
 * row that names=sid leaves out, and rows whose length follows a recording's state. The lengths are
 * those of state_word() in calls-csv.c. */
static const char calls_csv_states[] =
	"ALTER TABLE call ADD COLUMN csv_hidden INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE folder ADD COLUMN csv_hidden_bytes INTEGER NOT NULL DEFAULT 0;"
	"DROP TRIGGER call_csv_update;"
	"CREATE TRIGGER call_csv_update AFTER UPDATE OF csv_len, csv_hidden ON call WHEN"
	" old.folder_id = new.folder_id"
	"  AND (old.csv_len <> new.csv_len OR old.csv_hidden <> new.csv_hidden) BEGIN"
	"  UPDATE folder SET csv_bytes = csv_bytes + new.csv_len - old.csv_len,"
	"  csv_hidden_bytes = csv_hidden_bytes + new.csv_hidden - old.csv_hidden,"
	"  calls = calls + (new.csv_len > 0) - (old.csv_len > 0) WHERE id = new.folder_id;"
	"END;"
	"CREATE TRIGGER call_csv_move AFTER UPDATE OF folder_id ON call WHEN old.folder_id <>"
	" new.folder_id BEGIN"
	"  UPDATE folder SET csv_bytes = csv_bytes - old.csv_len, csv_hidden_bytes ="
	" csv_hidden_bytes - old.csv_hidden,"
	"  calls = calls - (old.csv_len > 0) WHERE id = old.folder_id;"
	"  UPDATE folder SET csv_bytes = csv_bytes + new.csv_len, csv_hidden_bytes ="
	" csv_hidden_bytes + new.csv_hidden,"
	"  calls = calls + (new.csv_len > 0) WHERE id = new.folder_id;"
	"END;"
#define STATE_BYTES(state) "CASE WHEN " state " = 5 THEN 7 WHEN new.listed THEN 9 ELSE 11 END"
/* A removal measures its rows itself. The time is in milliseconds: SQLite has no finer one. */
	"CREATE TRIGGER recording_csv_state AFTER UPDATE OF state ON recording"
	"  WHEN old.state <> new.state AND (old.state = 5 OR new.state = 5) AND old.state <> 6"
	" AND new.state <> 6"
	"  AND new.call_id > 0 BEGIN"
	"  UPDATE call SET csv_len = csv_len + " STATE_BYTES("new.state") " - "
	STATE_BYTES("old.state")
	"  WHERE id = new.call_id AND csv_len > 0;"
	"  UPDATE folder SET csv_mtime_nsecs = max(csv_mtime_nsecs + 1,"
	"  CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000) WHERE id ="
	" new.folder_id;"
	"END;";

/* Names of folders in the tree, see tree-name.c. */
static const char tree_names[] =
	"ALTER TABLE workspace ADD COLUMN tree_name TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE folder ADD COLUMN tree_name TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX folder_tree_name ON folder (workspace_id, tree_name) WHERE removed = 0;";

/* clang-format on */

const struct schema_step schema_sqlcipher[SCHEMA_VERSION] = {
	{ version_1, NULL },
	{ callbacks, NULL },
	{ queue_for_users, NULL },
	{ storage_tested, NULL },
	{ archive, NULL },
	{ calls_csv_states, calls_csv_measure },
	{ tree_names, tree_names_fill },
};
