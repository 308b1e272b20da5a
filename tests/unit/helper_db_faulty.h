/*
 * A driver for tests: wraps another one, whose operations then fail, take time, or lose the answer,
 * as a seed decides. The same seed and the same operations, on one thread, give the same faults.
 * Files as a whole (db_create, db_copy) are left alone.
 */
#pragma once

#include "db/driver.h"

enum db_fault {
	DB_FAULT_BUSY,    /* a statement, begin or commit: -EAGAIN, the transaction is undone */
	DB_FAULT_LOST,    /* the same: -ENOTCONN, and the connection is gone */
	DB_FAULT_IO,      /* the same: -EIO, not to be tried again */
	DB_FAULT_UNKNOWN, /* a commit: -ECONNABORTED; it has happened */
	DB_FAULT_UNDONE,  /* a commit: -ECONNABORTED; it has not happened */
	DB_FAULT_SLOW,    /* a statement, begin or commit: takes some milliseconds */
	DB_FAULT_COUNT
};

struct db_faulty;

/* inner stays the caller's. NULL for lack of memory. Without faults until db_faulty_set. */
struct db_faulty *db_faulty_new(const struct db_driver *inner, uint64_t seed);
void db_faulty_free(struct db_faulty *faulty); /* after the last connection */
const struct db_driver *db_faulty_driver(struct db_faulty *faulty);
/* From now on the fault strikes this share of the operations that it can strike. Any thread. */
void db_faulty_set(struct db_faulty *faulty, enum db_fault fault, unsigned per_thousand);
/* How often it has struck. */
unsigned long db_faulty_count(struct db_faulty *faulty, enum db_fault fault);
