/* The parts of mount: mountpoints, the words of -o, the mounted process, the background. */
#pragma once

#include <sys/types.h>

#include "cli/cli.h"

/* ---- mountpoint.c ---- */
/* Makes a path absolute and resolves symlinks, without a stat of the last name: a dead or hanging
 * mount may be there. 0 or -errno. */
int mountpoint_resolve(const char *path, char **ret_path);
/* Is the path the mountpoint or below it? Both absolute. */
bool mountpoint_has(const char *mountpoint, const char *path);

/* ---- mount-options.c ---- */
struct mount_options {
	bool read_only, allow_other, has_umask, nonempty;
	mode_t umask;
	enum catalog_names names;
	char *catalog, *key_file, *user; /* of fstab lines; NULL: not given */
	char *refuse;                    /* programs; NULL: none */
	char *metrics;                   /* the file for counters; NULL: none */
	bool has_fsname;
	char **words; /* further ones for libfuse and the kernel; NULL-terminated, or NULL */
	size_t word_count;
};
/* Adds the words of a -o argument ("\,": a comma). -EINVAL and a sentence for an unknown word. */
int mount_options_parse(struct mount_options *options, const char *text,
			char ret_message[CATALOG_MESSAGE_SIZE]);
int mount_options_add_word(struct mount_options *options, const char *word);
void mount_options_release(struct mount_options *options);

/* ---- mount-serve.c: the process behind a mount ---- */
struct mount_request {
	struct cli *cli;
	const char *mountpoint; /* absolute */
	const struct mount_options *options;
	const char *listen, *public_url; /* for Twilio's callbacks; NULL: not given */
	void (*on_ready)(void *arg);     /* when the tree answers; may be NULL */
	void *arg;
};
/* Opens, mounts, serves until it is unmounted or told to end, and closes. Returns the exit status;
 * errors before on_ready are said on standard error, later ones logged. */
int mount_serve(const struct mount_request *request);

/* ---- mount-daemon.c ---- */
/* The same in a child process, which goes to the background when the tree answers. The parent waits
 * for that; returns the exit status of either. */
int mount_daemon(struct mount_request *request);

/* ---- mount.c: the command line of a mount(8) helper ---- */
bool cli_is_mount_helper(int argc, char *const *argv);
int cli_mount_helper(int argc, char **argv);
