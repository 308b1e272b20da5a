/*
 * A request that is answered later. Three events may come first: the answer, an interrupt, the end
 * of the mount. The first one claims the wait and answers; the others only drop their references.
 *
 * Once the answer is sent the kernel may release the handle, while the thread that began the
 * request still uses it. So the wait keeps a reference to its handle until its own last one is
 * dropped.
 *
 * Threads: any.
 */
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <stdatomic.h>

#include "catalog/tree.h"
#include "fs/xattr.h"
#include "util/list.h"
#include "util/pool.h"

struct fs;
struct fs_handle;

enum { FS_WAIT_BEGINS, FS_WAIT_MAY_BE_INTERRUPTED, FS_WAIT_WAS_INTERRUPTED };
struct fs_wait {
	struct list link; /* fs->waits */
	struct fs *fs;
	fuse_req_t req;
	atomic_bool is_claimed;
	atomic_int interrupt; /* FS_WAIT_… */
	atomic_uint refs;
	struct pool_task task;

	/* The request's own data; each kind of request uses some of it. */
	struct catalog_node node;
	struct fuse_file_info fi;
	struct fs_handle *handle; /* a reference, or NULL */
	bool has_listed;          /* the opening process has listed the folder */
	_Atomic uint64_t read_id; /* audio's; 0: not known yet */
	size_t size;              /* of getxattr's buffer */
	const struct fs_xattr *xattr;
	struct fs_xattr_change change;
};

/* node: may be NULL. NULL: out of memory, and the request was answered with ENOMEM. */
struct fs_wait *fs_wait_new(fuse_req_t req, const struct catalog_node *node);
struct fs_wait *fs_wait_ref(struct fs_wait *wait);
void fs_wait_unref(struct fs_wait *wait);
/* True: from here on an interrupt may answer with EINTR at any time. The kernel may then release
 * what the request uses, except for what the wait holds a reference to.
 * False: it was interrupted before, was answered, and one reference was dropped. */
bool fs_wait_interruptible(struct fs_wait *wait);
bool fs_wait_was_interrupted(const struct fs_wait *wait);
/* True: the caller must answer the request, now. */
bool fs_wait_claim(struct fs_wait *wait);
/* Claims, answers with 0 or -errno, drops a reference. */
void fs_wait_reply_err(struct fs_wait *wait, int err);
/* True: err is an error; fs_wait_reply_err() was called with it. */
bool fs_wait_fails(struct fs_wait *wait, int err);
/* Runs in one of the mount's pools; the task answers and drops the reference. */
void fs_wait_push(struct fs_wait *wait, struct pool *pool, void (*run)(struct pool_task *task));
/* Answers all unclaimed requests with EINTR. Only after the workers have ended. */
void fs_waits_interrupt(struct fs *fs);
/* Returns when the last wait is gone. */
void fs_waits_drain(struct fs *fs);
