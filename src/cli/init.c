/* init: creates a catalog and its key. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/guard.h"
#include "catalog/key.h"
#include "cli/commands.h"
#include "util/cleanup.h"
#include "util/files.h"

struct init_values {
	const char *key_command;
};

struct new_key {
	struct db_key *key;
	char *path;  /* of the key file that init made, removed when it fails; NULL: none */
	char *shown; /* where the key is, for messages; NULL: a command prints it */
};

static void new_key_release(struct new_key *key)
{
	catalog_key_free(key->key);
	free(key->path);
	free(key->shown);
}

/* Creates the folder that a file will be in. */
static int make_folder_of(const char *path)
{
	cleanup_free char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return files_mkdir_parents(folder, 0700);
}

/* Stores the command in the file `path`, which becomes the key's. */
static int from_command(const char *command, char **path, struct new_key *key)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	int err = catalog_key_command_run(command, key->key, message);

	if (err < 0)
		return cli_error("%s", message);
	key->path = steal_pointer(path);
	err = catalog_key_command_save(key->path, command);
	return err == 0 ? CLI_DONE : cli_error("%s: %s", key->path, strerror(-err));
}

/* Uses a key file that exists: several catalogs may share a key. */
static int from_file(struct cli *cli, struct new_key *key)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	int err;

	if (cli->key_file)
		key->shown = strdup(cli->key_file);
	else if (asprintf(&key->shown, "%s.key", cli->catalog_path) < 0)
		key->shown = NULL;
	if (!key->shown)
		return cli_error("out of memory");
	err = make_folder_of(key->shown);
	if (err == 0)
		err = catalog_key_file_create(key->shown, key->key);
	if (err == 0) {
		key->path = strdup(key->shown);
		return CLI_DONE;
	}
	if (err == -EEXIST && catalog_key_file_load(key->shown, key->key, message) == 0)
		return CLI_DONE;
	return cli_error("%s", message[0] ? message : strerror(-err));
}

/* Are both in one folder, so that a copy of the folder has both? */
static bool is_beside(const char *key_file, const char *catalog)
{
	const char *end = strrchr(catalog, '/');
	size_t len = end ? (size_t)(end - catalog) + 1 : 0;

	return strncmp(key_file, catalog, len) == 0 && !strchr(key_file + len, '/');
}

static void warn_of_key_beside(void)
{
	printf("Warning: the key is beside the catalog. That protects a copy of the catalog alone, but not a\n"
	       "copied home folder or an image of the whole disk: these have both. To keep them apart, move\n"
	       "the key: 'tonicfs key rotate --new-key-command CMD' (a password manager prints it), or\n"
	       "'--new-key-file FILE' on another device or for a systemd credential (LoadCredential=). For a\n"
	       "new catalog: 'tonicfs --key-file FILE init', or 'tonicfs init --key-command CMD'.\n");
}

static int run_init(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct init_values *v = values;
	cleanup_with(new_key_release) struct new_key key = { .key = catalog_key_new() };
	cleanup_free char *saved_command = NULL;
	char message[CATALOG_MESSAGE_SIZE] = "";
	int status, err;

	if (v->key_command && cli->key_file)
		return cli_usage(cli, "a key file and a key command cannot both give the key");
	if (access(cli->catalog_path, F_OK) == 0)
		return cli_error("there is a catalog %s already", cli->catalog_path);
	if (asprintf(&saved_command, "%s.key-command", cli->catalog_path) < 0) {
		saved_command = NULL;
		return cli_error("out of memory");
	}
	if (!cli->key_file && access(saved_command, F_OK) == 0)
		return cli_error("%s is left from an older catalog; remove it first",
				 saved_command);
	err = make_folder_of(cli->catalog_path);
	if (err < 0)
		return cli_error("the folder of %s cannot be made: %s", cli->catalog_path,
				 strerror(-err));
	err = key.key ? catalog_guard_folder(cli->catalog_path, message) : -ENOMEM;
	if (err < 0)
		return cli_error("%s", message[0] ? message : strerror(-err));
	status = v->key_command ? from_command(v->key_command, &saved_command, &key)
				: from_file(cli, &key);
	if (status != CLI_DONE)
		return status;

	err = catalog_create(cli->catalog_path, key.key, message);
	if (err < 0 && key.path)
		unlink(key.path);
	if (err < 0)
		return cli_error("%s", message[0] ? message : strerror(-err));
	if (cli->json)
		return cli_json_print(json_pack(
			"{s:s, s:s?, s:s?, s:b}", "catalog", cli->catalog_path, "key_file",
			key.shown, "key_command", v->key_command, "key_is_beside_catalog",
			key.shown && is_beside(key.shown, cli->catalog_path)));
	printf("Made the catalog %s\n", cli->catalog_path);
	if (key.shown)
		printf("%s %s\nKeep a copy of the key elsewhere: without it the catalog cannot be read.\n",
		       key.path ? "Its new key is in" : "Its key is the one in", key.shown);
	if (key.shown && is_beside(key.shown, cli->catalog_path))
		warn_of_key_beside();
	if (!key.shown)
		printf("Its key is what the key command prints.\n");
	printf("Next: tonicfs workspace add NAME --account AC…\n");
	return CLI_DONE;
}

#define VALUES struct init_values
static const struct cli_option init_options[] = {
	CLI_TEXT("key-command", key_command, "a shell command that prints the key", "CMD"),
	{ 0 },
};

const struct cli_command command_init = {
	.name = "init",
	.arguments = "[--key-command CMD]",
	.summary = "Creates a catalog, the encrypted file that everything else is stored in",
	.text = "The catalog stores settings, credentials, the call log and the state of every\n"
		"recording. Its key has 256 bits, and is written as 64 hex digits to a new file\n"
		"of mode 0600 beside the catalog (CATALOG.key), or to the file that --key-file\n"
		"names; a key file that exists already is used as it is. A key beside the\n"
		"catalog protects a copy of the catalog alone, but not a copied home folder,\n"
		"which contains both.\n"
		"\n"
		"With --key-command, the key is what CMD prints, now and whenever the catalog\n"
		"is opened: CMD may call a password manager. CMD is stored in\n"
		"CATALOG.key-command. Without a key file and a key command, the systemd\n"
		"credential tonicfs.key is used.\n"
		"\n"
		"The catalog's folder, the key file and CATALOG.key-command must belong to you\n"
		"or root, and must not be writable by others.\n",
	CLI_OPTIONS(init_options),
	.run = run_init,
};
