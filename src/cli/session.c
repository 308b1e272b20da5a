/* Opens and looks up what commands need first: catalog, network, workspaces, secrets. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "catalog/rotate.h"
#include "catalog/storage.h"
#include "cli/cli.h"
#include "cli/suggest.h"
#include "service/service.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/text.h"
#include "util/wait.h"

char *cli_default_catalog(void)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	char *path;

	if (data && *data == '/')
		return asprintf(&path, "%s/tonicfs/catalog.db", data) < 0 ? NULL : path;
	if (!home || *home != '/') {
		const struct passwd *user = getpwuid(geteuid());

		home = user ? user->pw_dir : NULL;
	}
	if (!home || *home != '/')
		return NULL;
	return asprintf(&path, "%s/.local/share/tonicfs/catalog.db", home) < 0 ? NULL : path;
}

int cli_catalog_open(struct cli *cli)
{
	char message[CATALOG_MESSAGE_SIZE] = "";
	int err;

	/* First, because the message should name a missing catalog, not its missing key. */
	if (access(cli->catalog_path, F_OK) < 0 && errno == ENOENT)
		return cli_error("there is no catalog %s; 'tonicfs init' makes one",
				 cli->catalog_path);
	err = catalog_open_found(cli->catalog_path, cli->key_file, &cli->catalog, message);
	if (err == 0)
		return CLI_DONE;
	return message[0] ? cli_error("%s", message)
			  : cli_error("%s: %s", cli->catalog_path, strerror(-err));
}

int cli_http_open(struct cli *cli)
{
	int err = service_http_new(cli->catalog, &cli->http);

	return err == 0 ? CLI_DONE : cli_error("the network cannot be used: %s", strerror(-err));
}

void cli_say_predecessor(const char *catalog_path)
{
	cli_error("waiting for the process of a mount that was unmounted, and still has %s open",
		  catalog_path);
}

void cli_close(struct cli *cli)
{
	http_free(cli->http);
	aws_credentials_forget();
	catalog_close(cli->catalog);
	free(cli->catalog_path);
	free(cli->key_file);
}

int cli_workspace_find(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace)
{
	int err = catalog_workspace_find(cli->catalog, name, ret_workspace);

	if (err == -ENOENT) {
		struct suggest suggest;

		suggest_init(&suggest, "", name);
		suggest_workspaces(&suggest, cli);
		return cli_error("there is no workspace '%s'%s", view_shown(name),
				 suggest_text(&suggest));
	}
	return cli_catalog_error(cli, err, "the workspace cannot be read");
}

int cli_workspace_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace)
{
	int status = cli_catalog_open(cli);

	return status == CLI_DONE ? cli_workspace_find(cli, name, ret_workspace) : status;
}

int cli_storage_open(struct cli *cli, const char *name, struct catalog_workspace *ret_workspace,
		     struct catalog_storage *ret_storage)
{
	int status = cli_workspace_open(cli, name, ret_workspace);
	int err;

	if (status != CLI_DONE)
		return status;
	err = catalog_storage_get(cli->catalog, ret_workspace->id, ret_storage);
	if (err == -ENOENT)
		return cli_error("workspace '%s' has no bucket; 'tonicfs storage set' names one",
				 view_shown(ret_workspace->name));
	return cli_catalog_error(cli, err, "the bucket's settings cannot be read");
}

static int workspace_add(void *arg, const struct catalog_workspace *workspace)
{
	struct cli_workspaces *list = arg;

	return array_push(&list->items, &list->count, workspace);
}

int cli_workspaces_find(struct cli *cli, const char *name, bool with_removed,
			struct cli_workspaces *ret_workspaces)
{
	struct catalog_workspace one;
	int status = name ? cli_workspace_find(cli, name, &one) : CLI_DONE, err;

	*ret_workspaces = (struct cli_workspaces){ NULL, 0 };
	if (status != CLI_DONE)
		return status;
	if (name)
		err = workspace_add(ret_workspaces, &one);
	else
		err = catalog_workspace_each(cli->catalog, with_removed, workspace_add,
					     ret_workspaces);
	return cli_catalog_error(cli, err, "the workspaces cannot be read");
}

void cli_workspaces_release(struct cli_workspaces *workspaces)
{
	free(workspaces->items);
}

int cli_secret_read(const char *option, const char *secret_file, const char *prompt,
		    char **ret_secret)
{
	cleanup_free char *shown = prompt ? strdup(prompt) : NULL;
	int err;

	if (shown)
		text_clean(shown); /* the prompt bypasses the streams, which would clean it */
	err = secret_read(secret_file, shown, ret_secret);
	if (err == 0)
		return CLI_DONE;
	if (err == -ENOTTY)
		return cli_error("there is no terminal to ask for the secret on; "
				 "give %s FILE, or - for standard input",
				 option);
	if (err == -EINVAL)
		return cli_error("the secret is empty, or longer than 4096 bytes%s%s%s",
				 secret_file ? " (" : "", secret_file ? option : "",
				 secret_file ? ": its first line is read)" : "");
	if (secret_file)
		return cli_error("%s %s: %s", option, secret_file, strerror(-err));
	return cli_error("the secret was not read: %s", strerror(-err));
}

int cli_url_check(const char *what, const char *url, bool allow_http)
{
	int err = http_url_check(url, allow_http);

	if (err == 0)
		return CLI_DONE;
	if (err == -EPERM)
		cli_error(
			"%s is plain http to another machine, where everybody on the way could read it; use https, "
			"or say --allow-http",
			what);
	else
		cli_error("%s is no http or https address: '%s'", what, url);
	return err == -ENOMEM ? CLI_FAILED : CLI_USAGE;
}

struct cancel cli_cancel;

static void catch_signal(int number)
{
	cancel_set(&cli_cancel);
}

void cli_handle_signals(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

void cli_catch_signals(void)
{
	/* SA_RESETHAND: a second Ctrl-C ends the program at once. */
	cli_handle_signals(catch_signal, (int)(SA_RESETHAND | SA_RESTART));
}

void cli_wait(struct cli *cli, uint64_t *generation, unsigned msecs)
{
	if (catalog_wait(cli->catalog, generation, msecs) == 0)
		sleep_msecs(50, NULL);
}
