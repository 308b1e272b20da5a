/*
 * The mount and its requests: the struct that all files of this room share, and the handlers that
 * fs.c registers with libfuse.
 *
 * There is no table of inodes: a nodeid is the catalog's inode, and every request is answered from
 * the catalog. The mount keeps waiting requests (wait.h), open files (handle.h) and open call logs.
 *
 * Threads  Six workers take requests from the kernel and never wait. Reads and unknown sizes are
 *          answered from audio's threads, changes of the catalog from a pool. The notifier tells
 *          the kernel what to invalidate. It holds no lock while it does, because the kernel may
 *          first wait for another request of this mount.
 */
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>

#include "catalog/tree.h"
#include "fs/fs.h"
#include "util/buf.h"
#include "util/cancel.h"
#include "util/list.h"
#include "util/pool.h"

#define FS_WORKERS 6

/* A process that has listed a folder. */
struct fs_lister {
	pid_t pid;
	int64_t folder_id;
};
#define FS_LISTERS 256

#define FS_DEVICE_SIZE 32
struct fs {
	struct catalog *catalog;
	struct audio *audio;
	struct fs_settings settings;
	enum catalog_names names; /* of settings */
	uid_t uid;
	gid_t gid;
	struct fuse_session *session;
	bool is_mounted;             /* false after an unmount that left a copy elsewhere */
	char device[FS_DEVICE_SIZE]; /* the mount's "0:57" of mountinfo; "": unknown */

	int wake_fd; /* eventfd: fs_stop was called, or a worker has ended */
	atomic_bool is_stopping;
	atomic_int loop_err;
	bool is_initialized; /* FUSE_INIT was answered; used by the thread that serves it only */
	pthread_t workers[FS_WORKERS];
	unsigned worker_count;
	struct pool pool; /* changes of the catalog, call logs, invalidations that may wait */
	struct pool remote_pool; /* requests to S3 and programs that give credentials */
	struct cancel cancel;    /* ends requests in remote_pool */
	pthread_t notifier;
	bool has_notifier;

	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t idle;  /* waits is empty */
	struct list waits;    /* wait.h */
	struct list handles;  /* handle.h */
	struct list calls;    /* handle.h */
	struct fs_lister listers[FS_LISTERS];
	unsigned next_lister;
};

static inline struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The one place where an errno changes its sign. */
static inline void fs_reply_err(fuse_req_t req, int err)
{
	fuse_reply_err(req, -err);
}

/* True: err is an error, and the request has been answered with it. */
static inline bool fs_fails(fuse_req_t req, int err)
{
	if (err)
		fs_reply_err(req, err);
	return err;
}

static inline int fs_node_get(const struct fs *fs, fuse_ino_t ino, struct catalog_node *ret_node)
{
	return catalog_node_get(fs->catalog, ino, fs->names, ret_node);
}

/* ---- entry.c ---- */
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

/* ---- file.c ---- */
void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* ---- remove.c ---- */
void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* ---- xattr.c ---- */
void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags);
void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* ---- process.c ---- */
/* rsync, cp, tar and tree walkers list a folder, then open its files. */
void fs_lister_note(struct fs *fs, fuse_req_t req, int64_t folder_id);
/* True if the requesting process is among the latest that have listed the folder. */
bool fs_lister_is(struct fs *fs, fuse_req_t req, int64_t folder_id);
/* True if the requesting program may not open recordings. */
bool fs_refuses(const struct fs *fs, fuse_req_t req);

/* ---- notify.c ---- */
int fs_notify_start(struct fs *fs);
void fs_notify_stop(struct fs *fs);

/* ---- mount.c ---- */
/* Removes a dead mount of ours. -EBUSY: it is mounted. */
int fs_mountpoint_clear(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE]);
/* -ENOTEMPTY: the folder has entries, which a mount would hide. */
int fs_mountpoint_check(const char *mountpoint, char ret_message[CATALOG_MESSAGE_SIZE]);
/* Sets fs->device after mounting. */
void fs_mount_note(struct fs *fs);
/* Returns at fs_stop, when a worker has ended, or after the unmount. */
void fs_mount_wait_end(struct fs *fs);
/* Keeps libfuse's warnings; fs_log_last returns the latest, or "". */
void fs_log_install(void);
void fs_log_last(char ret_text[CATALOG_MESSAGE_SIZE]);
