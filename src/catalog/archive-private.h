/* What archived means, for the catalog's queries. */
#ifndef TONICFS_CATALOG_ARCHIVE_PRIVATE_H
#define TONICFS_CATALOG_ARCHIVE_PRIVATE_H

#define ARCHIVE_CLASSES "('GLACIER', 'DEEP_ARCHIVE')"
/* recording r, object o, storage s; ?3 is now in seconds */
#define IS_ARCHIVED \
	"o.storage_class IN " ARCHIVE_CLASSES " AND coalesce(s.archive_readable, -1) <> 1" \
	" AND NOT (o.restore = 3 AND o.restored_until_secs > ?3)"

#endif
