/*
 * The FUSE layer (low-level libfuse3): validates, asks catalog and audio, replies once. No handler
 * waits for the network.
 */
#ifndef TONICFS_FS_FS_H
#define TONICFS_FS_FS_H

#include <stdbool.h>

#include "audio/audio.h"
#include "catalog/tree.h"

struct fs;
struct fs_settings {
	struct http *http; /* for what is asked of S3 itself: URLs, restores, retentions */
	const char *mountpoint; /* absolute */
	bool read_only;		/* -o ro: no deleting, no migrating */
	bool allow_other;
	enum catalog_names names;   /* -o names=sid */
	const char *const *options; /* further -o words for libfuse/the kernel (nodev, nosuid,
				       fsname=…); NULL-terminated, may be NULL */
};
/* Mounts. A stale mount of our own type (ENOTCONN) on the mountpoint is unmounted lazily first.
 * message: a sentence for the user on failure. */
int fs_mount(struct catalog *catalog, struct audio *audio, const struct fs_settings *settings,
	     struct fs **ret_fs, char ret_message[CATALOG_MESSAGE_SIZE]);
/* Serves until unmounted or fs_stop (signals are the caller's). on_ready(arg) is called once, when
 * FUSE_INIT has been answered. What waits for the network when it ends is interrupted, and so is
 * whatever else `audio` is used for. 0 or -errno. */
int fs_run(struct fs *fs, void (*on_ready)(void *arg), void *arg);
void fs_stop(struct fs *fs); /* async-signal-safe */
void fs_unmount_and_free(struct fs *fs);

#endif
