/* key rotate: gives the catalog another key. */
#include <jansson.h>
#include <string.h>

#include "catalog/rotate.h"
#include "cli/commands.h"
#include "service/predecessor.h"
#include "util/cleanup.h"
#include "util/files.h"

struct rotate_values {
	const char *new_file, *new_command;
};

static int say_done(struct cli *cli, const struct rotate_values *v,
		    const struct catalog_key_place *place, const struct catalog_key_place *old)
{
	if (cli->json)
		return cli_json_print(json_pack("{s:s, s:s?, s:s?}", "catalog", cli->catalog_path,
						"key_file", v->new_command ? NULL : place->path,
						"key_command", v->new_command));
	printf("%s has a new key", cli->catalog_path);
	if (v->new_command)
		printf(": what the command prints, which is kept in %s\n", place->path);
	else
		printf(", in %s\n", place->path);
	if (v->new_file)
		printf("Name that file from now on (--key-file, TONICFS_KEY_FILE, or the unit's "
		       "LoadCredential=).\n");
	if ((v->new_file || v->new_command) && old->source != CATALOG_KEY_CREDENTIAL &&
	    strcmp(old->path, place->path) != 0)
		printf("%s opens older copies of the catalog only.\n", old->path);
	printf("Keep a copy of the key elsewhere: without it the catalog cannot be read.\n");
	return CLI_DONE;
}

static int run_rotate(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct rotate_values *v = values;
	cleanup_key_place struct catalog_key_place place = { .path = NULL }, old = { .path = NULL };
	cleanup_free char *new_file = NULL;
	struct catalog_rotation rotation = { .new_command = v->new_command };
	char message[CATALOG_MESSAGE_SIZE] = "";
	int err = 0;

	if (v->new_file && v->new_command)
		return cli_usage(cli, "a file and a command cannot both give the new key");
	if (v->new_file)
		err = files_absolute(v->new_file, &new_file);
	rotation.new_file = new_file;
	if (err == 0)
		err = catalog_key_locate(cli->catalog_path, cli->key_file, &old);
	if (err == 0)
		predecessor_wait(cli->catalog_path, NULL, cli_say_predecessor);
	if (err == 0)
		err = catalog_rotate(cli->catalog_path, cli->key_file, &rotation, &place, message);
	if (err == 0)
		return say_done(cli, v, &place, &old);
	return cli_error("%s", message[0] ? message : strerror(-err));
}

#define VALUES struct rotate_values
static const struct cli_option rotate_options[] = {
	CLI_TEXT("new-key-file", new_file, "the file of the new key", "FILE"),
	CLI_TEXT("new-key-command", new_command, "a shell command that prints the new key", "CMD"),
	{ 0 },
};

const struct cli_command command_key_rotate = {
	.name = "key rotate",
	.arguments = "[--new-key-file FILE | --new-key-command CMD]",
	.summary = "Encrypts the catalog with another key",
	.text = "The whole catalog is encrypted anew. No other process may have it open: end\n"
		"mounts and commands first. If a mount has just been unmounted, its process is\n"
		"waited for. The new copy needs as much space beside the catalog as the catalog\n"
		"itself. After an interruption, the next command continues with the key that is\n"
		"valid, the old one or the new one.\n"
		"\n"
		"Without options, a new random key replaces the old one in its file. With\n"
		"--new-key-file the new key is in FILE, which is created if it does not exist;\n"
		"with --new-key-command it is what CMD prints, and CMD is stored as by init. If\n"
		"the old key comes from a command or from systemd, one of these options is\n"
		"required. To change the key behind the same command, save the old key in a\n"
		"file for the time being, and name that with --key-file.\n"
		"\n"
		"Copies of the catalog that were made before still need the old key.\n",
	CLI_OPTIONS(rotate_options),
	.run = run_rotate,
};
