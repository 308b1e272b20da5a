/*
 * What the files of this room share.
 *
 * There is no table of inodes: a nodeid is the catalog's inode, and every request is answered from
 * the catalog. What is kept are the requests that wait, the open handles and the calls.csv's that
 * somebody reads.
 *
 * Threads  Workers take requests from the kernel and never wait: reads and unknown sizes are
 * answered from audio's threads, changes of the catalog from a pool. A thread of its own tells the
 * kernel what to forget, holding no lock, for that may wait for a request that we have yet to
 * answer.
 */
#ifndef TONICFS_FS_PRIVATE_H
#define TONICFS_FS_PRIVATE_H

#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "audio/audio.h"
#include "catalog/tree.h"
#include "fs/fs.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/list.h"
#include "util/pool.h"

/* What the kernel may believe without asking. Changes of files are told to it (notify.c); of
 * folders it is only told what went, so they are asked for again. */
#define FS_FILE_TIMEOUT_SECS 1800.0
#define FS_FOLDER_TIMEOUT_SECS 1.0
#define FS_WORKERS 6

/* Who has listed which folder. */
struct fs_lister {
	pid_t pid;
	int64_t folder_id;
};
#define FS_LISTERS 256

#define FS_DEVICE_SIZE 32
struct fs {
	struct catalog *catalog;
	struct audio *audio;
	struct http *http;
	enum catalog_names names;
	char *refuse; /* NULL: nobody */
	void (*metrics)(void *arg, struct buf *out);
	void *metrics_arg;
	void (*ending)(const char *what); /* NULL: nobody */
	bool is_read_only;
	uid_t uid;
	gid_t gid;
	mode_t others;
	char *mountpoint;
	struct fuse_session *session;
	bool is_mounted; /* false also once it was unmounted while a copy elsewhere lives */
	char device[FS_DEVICE_SIZE]; /* of the mount, as mountinfo has it; "": not known */

	int wake_fd; /* eventfd: the loop is to end, or has ended */
	atomic_bool is_stopping;
	atomic_int loop_error;
	bool is_initialized; /* FUSE_INIT has been seen; set and read by the thread that serves it
			      */
	pthread_t workers[FS_WORKERS];
	unsigned worker_count;
	struct pool pool; /* changes of the catalog, calls.csv, invalidations that may wait */
	struct pool
		remote_pool; /* what asks S3, or a program for credentials: nothing else waits behind it */
	struct cancel cancel; /* ends what waits in remote_pool */
	pthread_t notifier;
	bool has_notifier;

	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t idle;  /* waits is empty */
	struct list waits;
	struct list handles;
	struct list tables;
	struct fs_lister listers[FS_LISTERS];
	unsigned next_lister;
};

/* ---- wait.c: a request that is answered later, once, by whoever comes first: the answer, the
 * interrupt, the end ---- */

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
	/* what the request needs to remember; each kind of request uses its own */
	fuse_ino_t ino;
	struct catalog_node node;
	struct fuse_file_info fi;
	struct fs_handle *handle; /* a reference; NULL: none */
	bool has_listed;
	_Atomic uint64_t read_id;
	int action;
	size_t size;
	unsigned restore_days;
	const char *restore_tier; /* a constant */
};
/* NULL: no memory (and the request has been answered). */
struct fs_wait *fs_wait_new(struct fs *fs, fuse_req_t req);
struct fs_wait *fs_wait_ref(struct fs_wait *wait);
void fs_wait_unref(struct fs_wait *wait);
/* True: from here on an interrupt may answer it with EINTR at any time, and whatever the answer lets
 * the kernel release may be gone, but for what the wait has a reference to. False: it was
 * interrupted before, has been answered, and one reference has been let go of. */
bool fs_wait_interruptible(struct fs_wait *wait);
bool fs_wait_was_interrupted(const struct fs_wait *wait);
/* True: the request is the caller's to answer, now. */
bool fs_wait_claim(struct fs_wait *wait);
void fs_wait_reply_err(struct fs_wait *wait,
		       int error); /* claims, answers with 0 or a negative errno, unrefs */
/* Runs in the pool; the task answers and unrefs. */
void fs_wait_push(struct fs_wait *wait, void (*run)(struct pool_task *task));
/* The same in the pool of what waits for the network. */
void fs_wait_push_remote(struct fs_wait *wait, void (*run)(struct pool_task *task));
/* The workers have ended: what nobody has answered ends with EINTR. */
void fs_waits_interrupt(struct fs *fs);
/* Until the last is gone, and the handles that they used. */
void fs_waits_drain(struct fs *fs);

/* ---- entry.c ---- */

/* The one place where an errno changes its sign. */
void fs_reply_err(fuse_req_t req, int error);
void fs_node_stat(const struct fs *fs, const struct catalog_node *node, struct stat *ret_stat);
void fs_node_entry(const struct fs *fs, const struct catalog_node *node,
		   struct fuse_entry_param *ret_entry);
static inline struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}
static inline bool fs_node_is_folder(const struct catalog_node *node)
{
	return node->kind != CATALOG_NODE_RECORDING && node->kind != CATALOG_NODE_CALLS;
}

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void fs_statfs(fuse_req_t req, fuse_ino_t ino);

/* ---- dir.c ---- */

void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);

/* ---- lister.c: rsync, cp, tar and programs that walk a tree list a folder, then open its files ---- */

void fs_lister_note(struct fs *fs, fuse_req_t req, int64_t folder_id);
/* Is it the same process? Of the latest ones. */
bool fs_lister_is(struct fs *fs, fuse_req_t req, int64_t folder_id);

/* ---- remove.c ---- */

void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* ---- file.c ---- */

/* A calls.csv as it was when somebody opened it; those who open the same version share it. */
struct fs_table {
	struct list link; /* fs->tables */
	int64_t folder_id, mtime_nsecs;
	unsigned refs;  /* fs->lock */
	struct buf csv; /* never changed */
};

/* An open file of the kernel's. One reference is for that, until RELEASE, and one for each request
 * that uses it: the last closes audio's file. */
struct fs_handle {
	struct list link; /* fs->handles; until RELEASE */
	atomic_uint refs;
	struct audio_file *audio; /* one of the two */
	struct fs_table *table;
	struct stat st; /* for who asks after it has been removed */
};

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
/* Of what has been removed while it is open. */
bool fs_handles_stat(struct fs *fs, fuse_ino_t ino, struct stat *ret_stat);
/* What the kernel has not released; nobody waits any more. */
void fs_handles_close(struct fs *fs);
void fs_handle_unref(struct fs *fs, struct fs_handle *handle);

/* ---- xattr.c ---- */

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags);
void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* getxattr(2): size 0 asks how much there is. */
void fs_reply_xattr(fuse_req_t req, const struct buf *bytes, size_t size);

/* ---- xattr-values.c: attributes that are answered at once ---- */

#define FS_XATTR_PREFIX "user.tonicfs."
int fs_xattr_find(const char *name); /* without the prefix; -1: none of them */
/* Appends it. -ENODATA: there is none. */
int fs_xattr_value(struct fs *fs, fuse_ino_t ino, int index, struct buf *out);
/* Of those that are listed and have a value, each with its NUL. */
int fs_xattr_names(struct fs *fs, fuse_ino_t ino, struct buf *out);

/* ---- xattr-remote.c: attributes that are answered later ---- */

int fs_xattr_remote_find(const char *name); /* without the prefix; -1: none of them */
void fs_xattr_remote_get(fuse_req_t req, fuse_ino_t ino, int index, size_t size);

/* ---- notify.c ---- */

int fs_notify_start(struct fs *fs);
void fs_notify_stop(struct fs *fs);

/* ---- mount.c ---- */

/* Makes way on the mountpoint. */
int fs_mountpoint_clear(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE]);
/* Notes fs->device, once it is mounted. */
void fs_mount_note(struct fs *fs);
/* Until fs_stop, the end of the workers, or the unmount. */
void fs_mount_wait_end(struct fs *fs);
/* -ENOTEMPTY: there is something in it. */
int fs_mountpoint_check(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE]);
/* The last thing that libfuse complained about; "" none. */
void fs_log_install(void);
void fs_log_last(char ret_text[CATALOG_MESSAGE_SIZE]);

/* ---- refuse.c ---- */
/* Whoever asks may not open recordings. */
bool fs_refuses(const struct fs *fs, fuse_req_t req);

#endif
