/* key rotate: gives the catalog another key. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

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

	(void)argc;
	(void)argv;
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
	cli_error("%s", message[0] ? message : strerror(-err));
	return CLI_FAILED;
}

const struct cli_command command_key_rotate = {
	.name = "key rotate",
	.arguments = "[--new-key-file FILE | --new-key-command CMD]",
	.summary = "Gives the catalog another key",
	.text = "Encrypts the whole catalog anew. Nothing else may have it open: end mounts and\n"
		"commands first; the process of a mount that was unmounted just now is waited\n"
		"for. It needs as much room again beside the catalog. Whenever it is cut off, the\n"
		"next command goes on with the old key or the new one, whichever counts.\n"
		"\n"
		"Without options a new random key takes the place of the old one in its file.\n"
		"With --new-key-file the new key is in FILE, which is made where it is not there;\n"
		"with --new-key-command it is what CMD prints, which is kept as init does.\n"
		"Where a command prints the old key, or systemd hands it over, one of the two is\n"
		"needed. To change the key behind the same command, keep the old one in a file\n"
		"for a moment and name that with --key-file.\n"
		"\n"
		"Copies of the catalog that were made before need the old key still.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "new-key-file", CLI_TEXT, "FILE", "the file of the new key",
			  offsetof(struct rotate_values, new_file) },
			{ 0, "new-key-command", CLI_TEXT, "CMD",
			  "a shell command that prints the new key",
			  offsetof(struct rotate_values, new_command) },
			{ 0 },
		},
	.values_size = sizeof(struct rotate_values),
	.run = run_rotate,
};
