#ifndef TONICFS_CATALOG_CALLS_CSV_H
#define TONICFS_CATALOG_CALLS_CSV_H

#include "catalog/data.h"

int64_t calls_csv_header_bytes(void); /* the length of calls.csv's first line */

#endif
