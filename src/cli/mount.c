/* mount: the command, and the same as a helper of mount(8). */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/mounting.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "util/mounts.h"
#include "util/process.h"

struct mount_values {
	bool foreground;
	const char *listen, *public_url;
	struct cli_texts options;
};

/* ---- the mountpoint ---- */

static int mountpoint_check(struct cli *cli, const struct mount_options *options,
			    const char *mountpoint)
{
	const struct {
		const char *what, *path;
	} files[] = { { "catalog", cli->catalog_path },
		      { "key file", cli->key_file },
		      { "metrics file", options->metrics } };
	cleanup_free char *inside = NULL, *source = NULL;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].path && mountpoint_has(mountpoint, files[i].path))
			return cli_error("the %s %s is inside the mountpoint; "
					 "it could not be reached any more",
					 files[i].what, files[i].path);
	/* No stat of a tonicfs mount that is there: it may be dead, and fs_mount handles it. */
	if (mounts_find(mountpoint, &inside, &source) == 0 && !*inside)
		return CLI_DONE;
	if (stat(mountpoint, &st) < 0)
		return cli_error("%s: %s", mountpoint, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return cli_error("%s is no folder", mountpoint);
	return CLI_DONE;
}

/* ---- mounting ---- */

/* The mount table shows the catalog's path as the source. */
static int fsname_add(struct cli *cli, struct mount_options *options)
{
	cleanup_buf struct buf word = BUF_INIT;

	if (options->has_fsname)
		return 0;
	buf_add_str(&word, "fsname=");
	for (const char *s = cli->catalog_path; *s; s++) {
		if (*s == ',' || *s == '\\')
			buf_add_char(&word, '\\');
		buf_add_char(&word, *s);
	}
	return buf_failed(&word) ? -ENOMEM : mount_options_add_word(options, buf_str(&word));
}

static int mount_at(struct cli *cli, const char *folder, const struct mount_values *values,
		    struct mount_options *options)
{
	cleanup_free char *mountpoint = NULL;
	struct mount_request request = { .cli = cli,
					 .options = options,
					 .listen = values->listen,
					 .public_url = values->public_url };
	int err = mountpoint_resolve(folder, &mountpoint), status;

	if (err < 0)
		return cli_error("%s: %s", folder, strerror(-err));
	status = mountpoint_check(cli, options, mountpoint);
	if (status != CLI_DONE)
		return status;
	err = fsname_add(cli, options);
	if (err < 0)
		return cli_error("%s", strerror(-err));
	request.mountpoint = mountpoint;
	return values->foreground ? mount_serve(&request) : mount_daemon(&request);
}

/* Makes the paths of -o absolute: the mounted process leaves its current folder. */
static int paths_from_options(struct cli *cli, struct mount_options *options)
{
	const struct {
		const char *given;
		char **where;
		int (*absolute)(const char *path, char **ret_path);
	} paths[] = { { options->catalog, &cli->catalog_path, files_absolute },
		      { options->key_file, &cli->key_file, files_absolute },
		      /* The file is replaced: a symlink of another user must not lead to a key. */
		      { options->metrics, &options->metrics, files_absolute_name } };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char *absolute = NULL;
		int err;

		if (!paths[i].given)
			continue;
		err = paths[i].absolute(paths[i].given, &absolute);
		if (err < 0)
			return cli_error("%s: %s", paths[i].given, strerror(-err));
		free(*paths[i].where);
		*paths[i].where = absolute;
	}
	return CLI_DONE;
}

static int run_mount(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct mount_values *v = values;
	cleanup_with(mount_options_release) struct mount_options options = { 0 };
	char message[CATALOG_MESSAGE_SIZE];
	int status;

	for (size_t i = 0; i < v->options.count; i++)
		if (mount_options_parse(&options, v->options.items[i], message) < 0)
			return cli_usage(cli, "%s", message);
	if (v->public_url && !v->listen)
		return cli_usage(cli, "--public-url is for --listen, which is missing");
	if (options.user)
		return cli_usage(cli, "setuid= is for lines of /etc/fstab");
	status = paths_from_options(cli, &options);
	return status == CLI_DONE ? mount_at(cli, argv[0], v, &options) : status;
}

#define VALUES struct mount_values
static const struct cli_option mount_options[] = {
	CLI_FLAG("foreground", foreground, "stay in the foreground", NULL, 'f'),
	CLI_TEXTS("options", options, "mount options, see above; may be repeated", "OPTIONS", 'o'),
	CLI_TEXT("listen", listen, "take Twilio's callbacks, as 'tonicfs serve' does",
		 "ADDRESS:PORT"),
	CLI_TEXT("public-url", public_url, "the callbacks' URL, exactly as Twilio has it", "URL"),
	{ 0 },
};

const struct cli_command command_mount = {
	.name = "mount",
	.arguments = "DIR [-f] [-o OPTIONS] [--listen ADDRESS:PORT]",
	.summary = "Mounts the call recordings as files",
	.text = "DIR shows WORKSPACE/CAMPAIGN/RECORDING.wav, and a calls.csv in each campaign.\n"
		"While it is mounted, Twilio is asked for changes every few minutes, and queued\n"
		"migrations and deletes are done. The command ends when the tree can be read,\n"
		"and the mount continues in the background, with its log in syslog. With -f it\n"
		"stays in the foreground, with its log on standard error. 'tonicfs unmount DIR'\n"
		"ends it.\n"
		"\n"
		"OPTIONS, separated by commas:\n"
		"\n"
		"  ro             read-only: no deletes, no migrations\n"
		"  allow_other    the owner's group and root may read, too, but not remove or\n"
		"                 migrate, nor read attributes that grant access\n"
		"                 (user.tonicfs.url). Needs user_allow_other in /etc/fuse.conf.\n"
		"                 Without it nobody else may read, not even root\n"
		"  umask=OCTAL    with allow_other, the permissions to leave out: 027 (the\n"
		"                 default) admits the owner's group and root, 022 everybody,\n"
		"                 077 root only\n"
		"  nonempty       mount on a folder that is not empty, and hide its content\n"
		"  names=sid      no callers' numbers in file names, calls.csv and attributes\n"
		"  catalog=FILE, key_file=FILE\n"
		"                 as --catalog and --key-file\n"
		"  refuse=PROGRAM[:PROGRAM]...\n"
		"                 programs that may not open recordings, such as indexers and\n"
		"                 scanners (updatedb, baloo), by their names in ps\n"
		"  metrics=FILE   counters for Prometheus' textfile collector, every 15 s; the\n"
		"                 attribute user.tonicfs.metrics of DIR has the same\n"
		"  fsname=TEXT    the source in the mount table, instead of the catalog's path\n"
		"  nosuid, nodev, noexec, noatime\n"
		"                 as in mount(8); its other options are accepted and ignored\n"
		"\n"
		"After an unmount, the process has ten seconds to finish transfers in flight or\n"
		"put them back. Its log names what else it waits for; after 40 seconds it ends\n"
		"in any case, and nothing is lost.\n",
	CLI_OPTIONS(mount_options),
	.argument_count = { 1, 1 },
	.run = run_mount,
};

/* ---- mount(8)'s helper ---- */

/* mount.tonicfs SOURCE DIR [-sfnv] [-o OPTIONS] [-t TYPE]; mount.fuse3 runs the program under its
 * own name in the same way. SOURCE is the catalog or any word. For a program called tonicfs the
 * word must be "tonicfs" or "none", because any other word may be a mistyped command. */

bool cli_is_mount_helper(int argc, char *const *argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc ? argv[0] : "";

	if (strcmp(name, "mount.tonicfs") == 0 || strcmp(name, "mount.fuse.tonicfs") == 0)
		return true;
	return argc >= 3 && argv[2][0] == '/' &&
	       (argv[1][0] == '/' || strcmp(argv[1], "tonicfs") == 0 ||
		strcmp(argv[1], "none") == 0);
}

/* For root's mount of a user's catalog: becomes the user that the fstab line names. Takes none of
 * root's environment along, such as TONICFS_* and AWS_*: the line has all settings. */
static int become_user(const char *name)
{
	const struct passwd *user = getpwnam(name);
	int err = 0;

	if (!user)
		return cli_error("setuid=%s: there is no such user", name);
	if (user->pw_uid != getuid() && (initgroups(user->pw_name, user->pw_gid) < 0 ||
					 setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
		err = -errno;
	if (err == 0)
		err = process_forget_parent();
	if (err == 0 &&
	    (setenv("HOME", user->pw_dir, 1) < 0 || setenv("USER", user->pw_name, 1) < 0 ||
	     setenv("LOGNAME", user->pw_name, 1) < 0))
		err = -errno;
	process_harden();
	return err == 0 ? CLI_DONE : cli_error("setuid=%s: %s", name, strerror(-err));
}

/* SOURCE and DIR are at optind afterwards. */
static int helper_parse(int argc, char **argv, bool *is_fake, struct mount_options *options)
{
	char message[CATALOG_MESSAGE_SIZE];
	bool is_wrong = false;
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "sfnvo:t:")) != -1) {
		is_wrong |= letter == '?';
		*is_fake |= letter == 'f';
		if (letter == 'o' && mount_options_parse(options, optarg, message) < 0) {
			cli_error("%s", message);
			return CLI_USAGE;
		}
	}
	if (is_wrong || argc - optind != 2) {
		cli_error("usage: mount.tonicfs SOURCE DIR [-sfnv] [-o OPTIONS]");
		return CLI_USAGE;
	}
	return CLI_DONE;
}

int cli_mount_helper(int argc, char **argv)
{
	cleanup_with(mount_options_release) struct mount_options options = { 0 };
	struct cli cli = { .command = &command_mount };
	bool is_fake = false;
	int status = helper_parse(argc, argv, &is_fake, &options);

	if (status == CLI_DONE && options.user)
		status = become_user(options.user);
	if (status != CLI_DONE || is_fake)
		return status;
	if (!options.catalog && argv[optind][0] == '/') {
		options.catalog = strdup(argv[optind]);
		if (!options.catalog)
			return cli_error("out of memory");
	}
	status = cli_init(&cli, &command_mount, &(struct cli_globals){ 0 });
	if (status == CLI_DONE)
		status = paths_from_options(&cli, &options);
	if (status == CLI_DONE)
		status = mount_at(&cli, argv[optind + 1], &(struct mount_values){ 0 }, &options);
	cli_close(&cli);
	return status;
}
