/*
 * Open files: recordings, which audio reads, and call logs, which are rendered once when they are
 * opened.
 *
 * Threads: any. fs->lock guards the two lists and the references of call logs.
 */
#pragma once

#include <stdatomic.h>
#include <sys/stat.h>

#include "catalog/tree.h"
#include "util/buf.h"
#include "util/list.h"

struct audio_file;
struct fs;

/* ---- calls.c: one version of a calls.csv, shared by all handles that opened that version ---- */

struct fs_calls {
	struct list link; /* fs->calls */
	int64_t folder_id, mtime_nsecs;
	unsigned refs;  /* fs->lock */
	struct buf csv; /* never changed */
};

/* The version that the node describes, if it is open; else NULL. The caller has a reference. */
struct fs_calls *fs_calls_find(struct fs *fs, const struct catalog_node *node);
/* Renders it, and updates *node to the version rendered. The caller has a reference. */
int fs_calls_render(struct fs *fs, struct catalog_node *node, struct fs_calls **ret_calls);
struct fs_calls *fs_calls_ref(struct fs *fs, struct fs_calls *calls);
void fs_calls_unref(struct fs *fs, struct fs_calls *calls);

/* ---- handle.c ---- */

/* The kernel has one reference until RELEASE, and each request that uses the handle has one. The
 * last one closes audio's file. */
struct fs_handle {
	struct list link; /* fs->handles; until RELEASE */
	atomic_uint refs;
	struct audio_file *audio; /* exactly one of these two is set */
	struct fs_calls *calls;
	struct stat st; /* for fstat after the file was removed */
};

/* Takes ownership of audio or calls, whichever is not NULL, also on failure (-ENOMEM). */
int fs_handle_new(struct fs *fs, const struct catalog_node *node, struct audio_file *audio,
		  struct fs_calls *calls, struct fs_handle **ret_handle);
struct fs_handle *fs_handle_ref(struct fs_handle *handle);
void fs_handle_unref(struct fs *fs, struct fs_handle *handle);
/* Drops the kernel's reference, and interrupts reads that still wait. */
void fs_handle_close(struct fs *fs, struct fs_handle *handle);
/* Attributes of a removed file that is still open. False: it is not open. */
bool fs_handles_stat(struct fs *fs, uint64_t inode, struct stat *ret_stat);
/* Closes what the kernel has not released. Only after all waits are gone. */
void fs_handles_close(struct fs *fs);
