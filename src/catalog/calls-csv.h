#ifndef TONICFS_CATALOG_CALLS_CSV_H
#define TONICFS_CATALOG_CALLS_CSV_H

#include "catalog/data.h"

int64_t calls_csv_header_bytes(void); /* the length of calls.csv's first line */
/* Measures every row again, after rows have got another form. */
int calls_csv_measure(struct db_conn *conn);

#endif
