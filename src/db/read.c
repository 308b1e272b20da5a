/* The connections for reading: opened when they are needed, kept, lent to one thread at a time. */
#include <errno.h>

#include "db/db-private.h"
#include "util/cleanup.h"
#include "util/times.h"
#include "util/wait.h"

/* One less is open: another one may be opened. */
static void forget(struct db *db)
{
	pthread_mutex_lock(&db->read_mutex);
	db->reader_count--;
	pthread_cond_signal(&db->read_cond);
	pthread_mutex_unlock(&db->read_mutex);
}

int db_read_begin(struct db *db, struct db_conn **ret_conn)
{
	int64_t deadline = time_mono_msecs() + DB_DEADLINE_MSECS;
	struct db_conn *conn = NULL;
	bool in_time = true;
	int err = 0;

	pthread_mutex_lock(&db->read_mutex);
	while (!db->reader_idle && db->reader_count == DB_READERS_LIMIT && in_time)
		in_time = cond_wait_until(&db->read_cond, &db->read_mutex, deadline, NULL);
	if (db->reader_idle)
		conn = db->readers[--db->reader_idle];
	else if (db->reader_count < DB_READERS_LIMIT)
		db->reader_count++;
	else
		err = -EBUSY;
	pthread_mutex_unlock(&db->read_mutex);
	if (err)
		return err;
	if (!conn) {
		err = db_connect(db->driver, db->path, db->key, DB_ACCESS_READ, &conn);
		if (err) {
			forget(db);
			return err;
		}
	}
	conn->owner = db;
	*ret_conn = conn;
	return 0;
}

void db_read_end(struct db_conn **conn)
{
	struct db_conn *mine = steal_pointer(conn);
	struct db *db = mine ? mine->owner : NULL;

	if (!db)
		return;
	db_roll_back(mine);
	if (mine->is_lost) {
		db_conn_close(mine);
		forget(db);
		return;
	}
	pthread_mutex_lock(&db->read_mutex);
	db->readers[db->reader_idle++] = mine;
	pthread_cond_signal(&db->read_cond);
	pthread_mutex_unlock(&db->read_mutex);
}
