/* What mount is made of: its -o words, the daemon, the mounted process. */
#ifndef TONICFS_CLI_MOUNTING_H
#define TONICFS_CLI_MOUNTING_H

#include <sys/types.h>

#include "cli/cli.h"

/* ---- mountpoint.c ---- */
/* Absolute, with symlinks resolved, but without a look at the last name: a dead or hanging mount may be there. */
int mountpoint_resolve(const char *path, char **ret_path);
/* Both absolute; the mountpoint has itself. */
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
/* Adds the words of a -o argument; "\," is a comma inside a word. -EINVAL and a sentence for a word that means nothing here. */
int mount_options_parse(struct mount_options *options, const char *text,
			char ret_message[CATALOG_MESSAGE_SIZE]);
int mount_options_add_word(struct mount_options *options, const char *word);
void mount_options_release(struct mount_options *options);

/* ---- mount-service.c: the process behind a mount ---- */
struct mount_service {
	struct cli *cli;
	const char *mountpoint; /* absolute */
	const struct mount_options *options;
	const char *listen, *public_url; /* for Twilio's callbacks; NULL: not, none */
	void (*on_ready)(void *arg);     /* when the tree answers */
	void *arg;
};
/* Opens, mounts, serves until unmounted or told to end, and closes. The exit status; errors before on_ready are said on standard error. */
int mount_service_run(const struct mount_service *service);

/* ---- mount-daemon.c ---- */
/* Forks; the child is the mount and goes to the background when it is ready; the parent waits for that, and returns the exit status. */
int mount_daemon_run(struct mount_service *service);

#endif
