/*
 * The FUSE layer (low-level libfuse3): validates, asks catalog and audio, replies once. No handler
 * waits for the network.
 */
#ifndef TONICFS_FS_FS_H
#define TONICFS_FS_FS_H

#include <stdbool.h>
#include <sys/types.h>

#include "audio/audio.h"
#include "catalog/recording.h"

struct buf;
struct fs;
struct fs_settings {
	struct http *http;      /* for what is asked of S3 itself: URLs, restores, retentions */
	const char *mountpoint; /* absolute */
	bool read_only;         /* -o ro: no deleting, no migrating */
	bool allow_other;
	bool nonempty; /* mount on a folder that is not empty, too */
	mode_t others; /* what group and others may do: of 0055; files are without the x */
	enum catalog_names names; /* -o names=sid */
	/* Names of programs, with colons between, that may not open recordings (EACCES): indexers and
	 * the like. As the kernel knows them (/proc/PID/comm): no protection from anybody. NULL: none. */
	const char *refuse;
	/* What the root's attribute user.tonicfs.metrics says; must not block. NULL: there is none. */
	void (*metrics)(void *arg, struct buf *out);
	void *metrics_arg;
	/* Called before each wait of the end with what it waits for, a constant. NULL: nobody wants to
	 * know. */
	void (*ending)(const char *what);
	const char *const *options; /* further -o words for libfuse/the kernel (nodev, nosuid,
				       fsname=…); NULL-terminated, may be NULL */
};
/* Mounts. A stale mount of our own type (ENOTCONN) on the mountpoint is unmounted lazily first;
 * -ENOTEMPTY: the mountpoint is not empty then, and nonempty is not set.
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
