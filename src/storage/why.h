/* Why a recording cannot be read, as far as the catalog knows: missing, archived or removed. */
#pragma once

#include "catalog/recording.h"

struct buf;

/* Appends a sentence without number, call SID, credential or URL; nothing if it can be read. */
void storage_why(struct catalog *catalog, const struct catalog_recording *recording,
		 struct buf *out);
