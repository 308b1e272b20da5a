/*
 * Extended attributes, user.tonicfs.<name>, as one table: getxattr, listxattr, setxattr and
 * removexattr read it, and a test compares it with the manual page.
 *
 * Listed attributes are stable and no secret, so that a backup sees no change where there is none.
 * The exception is `why`, which is listed while there is a reason. All others are read by name
 * only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "catalog/archive.h"
#include "catalog/campaign.h"
#include "catalog/object.h"
#include "catalog/status.h"
#include "catalog/tree.h"
#include "catalog/workspace.h"

struct buf;
struct fs;
struct fs_subject;

#define FS_XATTR_PREFIX "user.tonicfs."

enum {
	FS_XATTR_LISTED = 1,
	FS_XATTR_NUMBER = 2,  /* a caller's number: absent with names=sid */
	FS_XATTR_LINES = 4,   /* the value keeps its control characters */
	FS_XATTR_GRANTS = 8,  /* the value grants access: readable by the mount's owner only */
	FS_XATTR_NETWORK = 16 /* reading may wait for S3 or a program that gives credentials */
};

/* The parsed request of a setxattr. */
struct fs_xattr_change {
	catalog_migrate_fn *migrate;
	unsigned restore_days;
	const char *restore_tier; /* a constant */
};

/* The row of the catalog that a value is made from. */
enum fs_row {
	FS_ROW_NONE,
	FS_ROW_WORKSPACE,
	FS_ROW_CAMPAIGN,
	FS_ROW_RECORDING,
	FS_ROW_CALL,
	FS_ROW_OBJECT,
	FS_ROW_ENCRYPTION,
	FS_ROW_ARCHIVE,
	FS_ROW_COUNT,
};

struct fs_xattr {
	const char *name; /* without FS_XATTR_PREFIX */
	unsigned on;      /* the kinds of nodes that have it: bits of enum catalog_node_kind */
	unsigned flags;   /* FS_XATTR_… */
	enum fs_row row;  /* without this row there is no value */
	/* Appends the value, or nothing where there is none. NULL: the text at text_offset of the
	 * subject is the value. 0, -ENOENT (there is none), -errno. */
	int (*get)(struct fs_subject *subject, struct buf *out);
	size_t text_offset;
	/* setxattr: parses (-EINVAL), then applies in fs->pool. NULL: cannot be set. */
	int (*parse)(const char *value, size_t size, struct fs_xattr_change *ret_change);
	int (*apply)(struct fs *fs, const struct catalog_node *node,
		     const struct fs_xattr_change *change);
};

/* ---- xattr-table.c ---- */

extern const struct fs_xattr fs_xattrs[];
extern const size_t fs_xattr_count;

/* By its full name. NULL: not an attribute of this file system. */
const struct fs_xattr *fs_xattr_find(const char *name);
bool fs_xattr_is_on(const struct fs_xattr *xattr, const struct catalog_node *node);
/* Appends the value. -ENODATA: there is none. Blocks where the attribute has FS_XATTR_NETWORK. */
int fs_xattr_value(struct fs *fs, const struct catalog_node *node, const struct fs_xattr *xattr,
		   struct buf *out);
/* Appends the full names of the listed attributes that have a value, each with its NUL. */
int fs_xattr_names(struct fs *fs, const struct catalog_node *node, struct buf *out);

/* ---- the getters' and setters' view; other files of the table's ---- */

/* The node that is asked about, and its rows. A row is loaded when a getter first needs it. */
struct fs_subject {
	struct fs *fs;
	const struct catalog_node *node;
	bool is_loaded[FS_ROW_COUNT];
	int errs[FS_ROW_COUNT];
	struct catalog_workspace workspace;
	struct catalog_campaign campaign;
	struct catalog_recording recording;
	struct catalog_call call;
	struct catalog_object object;
	struct catalog_encryption encryption;
	struct catalog_archive archive;
};

/* xattr-remote.c */
int fs_xattr_get_url(struct fs_subject *s, struct buf *out);
int fs_xattr_get_restore(struct fs_subject *s, struct buf *out);
int fs_xattr_get_retention(struct fs_subject *s, struct buf *out);

/* xattr-set.c */
int fs_xattr_parse_migrate(const char *value, size_t size, struct fs_xattr_change *ret_change);
int fs_xattr_apply_migrate(struct fs *fs, const struct catalog_node *node,
			   const struct fs_xattr_change *change);
int fs_xattr_parse_restore(const char *value, size_t size, struct fs_xattr_change *ret_change);
int fs_xattr_apply_restore(struct fs *fs, const struct catalog_node *node,
			   const struct fs_xattr_change *change);
