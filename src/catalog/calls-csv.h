/* calls.csv: the call log of a folder as RFC 4180, with a header, CRLF, one row per call. */
#pragma once

#include "catalog/recording.h"

struct buf;

#define CATALOG_CALLS_NAME "calls.csv"

/* Calls are in the order of their start. The length is what the CALLS node of catalog/tree.h says
 * as long as nothing changes in between. CATALOG_NAMES_SID leaves out the numbers, also in files'
 * names. */
int catalog_calls_render(struct catalog *catalog, int64_t folder_id, enum catalog_names names,
			 struct buf *ret_csv);
/* One cell: quoted where needed; an apostrophe before what a spreadsheet would compute, '?' for
 * what is not printable. For tests. */
void catalog_csv_cell(struct buf *out, const char *text);
