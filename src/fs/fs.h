/*
 * The FUSE layer (low-level libfuse3): validates requests, asks catalog and audio, replies once. No
 * handler waits for the network.
 *
 * Threads  fs_mount, fs_run and fs_unmount_and_free: one thread, in this order. fs_stop: any thread
 *          and signal handlers.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "audio/audio.h"
#include "catalog/recording.h"

struct buf;
struct fs;
struct fs_settings {            /* what it points to must outlive the mount */
	struct http *http;      /* for requests to S3: restores, retentions */
	const char *mountpoint; /* absolute */
	bool read_only;         /* -o ro: no deleting, no migrating */
	bool allow_other;
	bool nonempty; /* also mount on a folder that has entries */
	mode_t others; /* bits of 0055: access of group and others; files never get the x bits */
	enum catalog_names names; /* -o names=sid */
	/* Programs that may not open recordings (EACCES), such as indexers: names as in
	 * /proc/PID/comm, with colons between them. No protection against malice, because a program
	 * chooses its name. NULL: none. */
	const char *refuse;
	/* Appends the value of the root's user.tonicfs.metrics; must not block. NULL: none. */
	void (*metrics)(void *arg, struct buf *out);
	void *metrics_arg;
	/* Called before each step of the shutdown with what it waits for, a constant; or NULL. */
	void (*ending)(const char *what);
	/* Further -o options for libfuse and the kernel (nodev, …), NULL-terminated; or NULL. */
	const char *const *options;
};
/* Mounts. A dead mount of this type on the mountpoint (ENOTCONN) is unmounted lazily first.
 * -ENOTEMPTY: the mountpoint has entries, and nonempty is not set. -EBUSY: it is mounted.
 * ret_message: a sentence for the user on failure. */
int fs_mount(struct catalog *catalog, struct audio *audio, const struct fs_settings *settings,
	     struct fs **ret_fs, char ret_message[CATALOG_MESSAGE_SIZE]);
/* Serves until the unmount or fs_stop; the caller handles signals. on_ready(arg) is called once,
 * when FUSE_INIT has been answered. At the end all waits for the network are interrupted, also
 * those of other users of `audio`. 0 or -errno. */
int fs_run(struct fs *fs, void (*on_ready)(void *arg), void *arg);
void fs_stop(struct fs *fs); /* async-signal-safe */
void fs_unmount_and_free(struct fs *fs);
