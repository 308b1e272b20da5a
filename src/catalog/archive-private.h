/* Which objects are archived, for the catalog's queries. */
#pragma once

#include "catalog/sql.h"

#define ARCHIVE_CLASSES "('GLACIER', 'DEEP_ARCHIVE')"
/* Of object o, storage s; now_secs: the parameter. */
#define IS_ARCHIVED(now_secs) \
	"o.storage_class IN " ARCHIVE_CLASSES " AND coalesce(s.archive_readable, -1) <> 1" \
	" AND NOT (o.restore = " SQL_RESTORE_DONE " AND o.restored_until_secs > " now_secs ")"
