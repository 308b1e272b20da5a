/* workspace add, set, remove. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/callback.h"
#include "catalog/name.h"
#include "cli/commands.h"
#include "cli/removing.h"
#include "cli/suggest.h"
#include "cli/workspace-check.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/secret.h"

/* ---- what can be set ---- */

static int set_bool(bool *where, const char *value)
{
	static const char *const on[] = { "on", "yes", "true", "1" }, *const off[] = { "off", "no",
										       "false",
										       "0" };

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		if (strcmp(value, on[i]) == 0 || strcmp(value, off[i]) == 0) {
			*where = strcmp(value, on[i]) == 0;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_delete_s3(struct catalog_workspace *w, const char *value)
{
	return set_bool(&w->delete_s3, value);
}

static int set_delete_twilio(struct catalog_workspace *w, const char *value)
{
	return set_bool(&w->delete_twilio, value);
}

static int set_migrate_new(struct catalog_workspace *w, const char *value)
{
	return set_bool(&w->migrate_new, value);
}

static int set_keep_at_twilio(struct catalog_workspace *w, const char *value)
{
	return set_bool(&w->keep_at_twilio, value);
}

static int set_verify(struct catalog_workspace *w, const char *value)
{
	w->verify_readback = strcmp(value, "readback") == 0;
	return w->verify_readback || strcmp(value, "checksum") == 0 ? 0 : -EINVAL;
}

#define POLL_SECS_MIN 10
#define POLL_SECS_MAX 604800

static int set_poll(struct catalog_workspace *w, const char *value)
{
	char *end;
	unsigned long secs;

	if (strcmp(value, "off") == 0) {
		w->poll_secs = 0;
		return 0;
	}
	errno = 0;
	secs = strtoul(value, &end, 10);
	if (errno || end == value || *value < '0' || *value > '9')
		return -EINVAL;
	if (strcmp(end, "m") == 0 && secs < POLL_SECS_MAX)
		secs *= 60;
	else if (strcmp(end, "h") == 0 && secs < POLL_SECS_MAX)
		secs *= 3600;
	else if (*end && strcmp(end, "s") != 0)
		return -EINVAL;
	if (secs && (secs < POLL_SECS_MIN || secs > POLL_SECS_MAX))
		return -EINVAL;
	w->poll_secs = (unsigned)secs;
	return 0;
}

static int set_api_key(struct catalog_workspace *w, const char *value)
{
	struct sid sid;

	if (*value && sid_parse(value, "SK", &sid) < 0)
		return -EINVAL;
	snprintf(w->api_key_sid, sizeof w->api_key_sid, "%s", value);
	return 0;
}

static int set_twilio_url(struct catalog_workspace *w, const char *value)
{
	if (strlen(value) >= sizeof w->twilio_url)
		return -EINVAL;
	snprintf(w->twilio_url, sizeof w->twilio_url, "%s", value);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct catalog_workspace *workspace, const char *value);
	const char *values;
} settings[] = {
	{ "delete_s3", set_delete_s3, "on or off" },
	{ "delete_twilio", set_delete_twilio, "on or off" },
	{ "migrate_new", set_migrate_new, "on or off" },
	{ "keep_at_twilio", set_keep_at_twilio, "on or off" },
	{ "verify", set_verify, "checksum or readback" },
	{ "poll", set_poll, "off, or a time from 10s to 7 days, such as 90s, 5m, 2h" },
	{ "api_key", set_api_key, "an API key's SID (SK…), or nothing" },
	{ "twilio_url", set_twilio_url, "an address, or nothing" },
};

static int setting_apply(const struct cli *cli, struct catalog_workspace *workspace,
			 const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	char key[CATALOG_NAME_SIZE];
	struct suggest suggest;

	if (!equals)
		return cli_usage(cli, "'%s' is not of the form KEY=VALUE", word);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strlen(settings[i].key) != len || memcmp(settings[i].key, word, len) != 0)
			continue;
		if (settings[i].set(workspace, equals + 1) < 0)
			return cli_usage(cli, "%s is %s, not '%s'", settings[i].key,
					 settings[i].values, equals + 1);
		return CLI_DONE;
	}
	snprintf(key, sizeof key, "%.*s", (int)len, word);
	suggest_init(&suggest, "", key);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		suggest_try(&suggest, settings[i].key);
	return cli_usage(cli, "there is no setting '%s'%s", key, suggest_text(&suggest));
}

/* ---- the secret ---- */

static int read_secret(const struct catalog_workspace *w, const char *secret_file,
		       char **ret_secret)
{
	char account[SID_SIZE], prompt[128];

	sid_format(&w->account_sid, "AC", account);
	snprintf(prompt, sizeof prompt,
		 w->api_key_sid[0] ? "Secret of API key %s: " : "Auth token of account %s: ",
		 w->api_key_sid[0] ? w->api_key_sid : account);
	return cli_secret_read(secret_file, prompt, ret_secret);
}

static const char *url_of(const struct catalog_workspace *w)
{
	return w->twilio_url[0] ? w->twilio_url : "https://api.twilio.com";
}

/* ---- add ---- */

struct add_values {
	const char *account, *api_key, *twilio_url, *secret_file;
	bool allow_http, no_check;
};

static void say_added(const struct catalog_workspace *w, const char *folder)
{
	cleanup_buf struct buf word = BUF_INIT;
	char shown[CATALOG_NAME_SIZE];

	printf("Added workspace %s", cli_name(w->name, shown));
	if (strcmp(shown, folder) != 0)
		printf("; its folder is %s", folder);
	printf("\nNext: tonicfs campaign add %s CAMPAIGN --number +E164\n",
	       cli_shell_word(w->name, &word));
}

static int run_add(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct add_values *v = values;
	struct catalog_workspace w = { .poll_secs = 300, .twilio_plain_http = v->allow_http };
	char message[CATALOG_MESSAGE_SIZE], encoded[CATALOG_NAME_SIZE];
	cleanup_secret char *secret = NULL;
	int64_t id;
	int status, err;

	(void)argc;
	if (!v->account)
		return cli_usage(cli, "--account AC… is missing");
	if (sid_parse(v->account, "AC", &w.account_sid) < 0)
		return cli_usage(cli, "--account: '%s' is no account SID (AC and 32 hex digits)",
				 v->account);
	if (!*argv[0] || catalog_name_encode(argv[0], encoded) < 0)
		return cli_usage(cli, *argv[0] ? "the name is too long" : "the name is empty");
	if (strlen(argv[0]) >= sizeof w.name)
		return cli_usage(cli, "the name is too long");
	snprintf(w.name, sizeof w.name, "%s", argv[0]);
	if (v->api_key && (!*v->api_key || set_api_key(&w, v->api_key) < 0))
		return cli_usage(cli, "--api-key: '%s' is no API key's SID (SK and 32 hex digits)",
				 v->api_key);
	if (v->twilio_url && set_twilio_url(&w, v->twilio_url) < 0)
		return cli_usage(cli, "--twilio-url is too long");
	if (w.twilio_url[0]) {
		status = cli_url_check("--twilio-url", w.twilio_url, v->allow_http);
		if (status != CLI_DONE)
			return status;
	}

	status = cli_catalog_open(cli);
	if (status != CLI_DONE)
		return status;
	status = read_secret(&w, v->secret_file, &secret);
	if (status != CLI_DONE)
		return status;
	if (!v->no_check)
		status = workspace_check(cli, &w, secret, "the workspace was not added");
	if (status != CLI_DONE)
		return status;
	err = catalog_workspace_add(cli->catalog, &w, secret, &id, message);
	if (err < 0)
		return cli_catalog_failed(cli, err, message, "the workspace was not added");
	err = catalog_workspace_get(cli->catalog, id, &w);
	if (err < 0)
		return cli_catalog_error(cli, err, "the workspace cannot be read");
	if (cli->json)
		return cli_json_print(
			json_pack("{s:o, s:s}", "name", cli_json_name(w.name), "folder", w.folder));
	say_added(&w, w.folder);
	return CLI_DONE;
}

const struct cli_command command_workspace_add = {
	.name = "workspace add",
	.arguments = "NAME --account AC… [--api-key SK…] [--secret-file FILE|-]",
	.summary = "Adds a workspace: a Twilio account and its recordings",
	.text = "The account's auth token, or the API key's secret, is read from the first line\n"
		"of --secret-file ('-': standard input), else asked for on the terminal. It is\n"
		"kept in the catalog only and never shown again. Twilio is asked at once whether\n"
		"it is right; where it cannot be reached, the workspace is added all the same.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "account", CLI_TEXT, "AC…", "the account's SID",
			  offsetof(struct add_values, account) },
			{ 0, "api-key", CLI_TEXT, "SK…",
			  "an API key's SID, to be used instead of the auth token",
			  offsetof(struct add_values, api_key) },
			{ 0, "twilio-url", CLI_TEXT, "URL",
			  "another address than https://api.twilio.com",
			  offsetof(struct add_values, twilio_url) },
			{ 0, "secret-file", CLI_TEXT, "FILE|-",
			  "where the auth token or the API key's secret is",
			  offsetof(struct add_values, secret_file) },
			{ 0, "allow-http", CLI_FLAG, NULL,
			  "take plain http to another machine than this one",
			  offsetof(struct add_values, allow_http) },
			{ 0, "no-check", CLI_FLAG, NULL,
			  "do not ask Twilio whether the secret is right",
			  offsetof(struct add_values, no_check) },
			{ 0 },
		},
	.values_size = sizeof(struct add_values),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_add,
};

/* ---- set ---- */

struct set_values {
	const char *secret_file, *auth_token_file;
	int allow_http;
	bool no_check;
};

static bool is_standard_input(const char *file)
{
	return file && strcmp(file, "-") == 0;
}

static int run_set(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct set_values *v = values;
	struct catalog_workspace w = { 0 }, old;
	cleanup_secret char *secret = NULL, *auth_token = NULL;
	bool is_elsewhere;
	int status, err;

	if (argc < 2 && !v->secret_file && !v->auth_token_file && v->allow_http < 0)
		return cli_usage(
			cli,
			"nothing is given to set: KEY=VALUE, --secret-file or --auth-token-file");
	if (is_standard_input(v->secret_file) && is_standard_input(v->auth_token_file))
		return cli_usage(
			cli, "--secret-file and --auth-token-file cannot both be standard input");
	for (int i = 1; i < argc;
	     i++) { /* wrong words are wrong usage, whatever the catalog says */
		status = setting_apply(cli, &w, argv[i]);
		if (status != CLI_DONE)
			return status;
	}
	status = cli_workspace_open(cli, argv[0], &w);
	if (status != CLI_DONE)
		return status;
	old = w;
	for (int i = 1; i < argc; i++)
		setting_apply(cli, &w, argv[i]);
	if (v->allow_http >= 0)
		w.twilio_plain_http = v->allow_http;
	if (w.twilio_url[0]) {
		status = cli_url_check("twilio_url", w.twilio_url, w.twilio_plain_http);
		if (status != CLI_DONE)
			return status;
	}
	/* Else whoever may change settings could have the secret sent to a host of theirs. */
	is_elsewhere = !http_url_same_origin(url_of(&old), url_of(&w));
	if (is_elsewhere && !v->secret_file)
		fprintf(stderr,
			"twilio_url is another host; the secret that is sent there has to be given again\n");
	if (v->secret_file || is_elsewhere) {
		status = read_secret(&w, v->secret_file, &secret);
		if (status != CLI_DONE)
			return status;
	}
	if (v->auth_token_file) {
		if (!w.api_key_sid[0])
			return cli_usage(
				cli,
				"--auth-token-file is for a workspace with an API key; this one "
				"signs in with the auth token (--secret-file)");
		status = cli_secret_read_as("--auth-token-file", v->auth_token_file, NULL,
					    &auth_token);
		if (status != CLI_DONE)
			return status;
	}
	if (secret && !v->no_check)
		status = workspace_check(cli, &w, secret, "nothing was changed");
	if (status != CLI_DONE)
		return status;
	err = catalog_workspace_update(cli->catalog, &w, secret);
	if (err == 0 && auth_token)
		err = catalog_callback_token_set(cli->catalog, w.id, auth_token);
	return err < 0 ? cli_catalog_error(cli, err, "the workspace was not changed") : CLI_DONE;
}

const struct cli_command command_workspace_set = {
	.name = "workspace set",
	.arguments = "NAME [KEY=VALUE…] [--secret-file FILE|-] [--auth-token-file FILE|-]",
	.summary = "Changes a workspace's settings",
	.text = "  delete_s3=on|off       rm also deletes what is in the bucket (off: it stays)\n"
		"  delete_twilio=on|off   rm also deletes what is at Twilio (off: it stays)\n"
		"  migrate_new=on|off     new recordings are moved to the bucket by themselves:\n"
		"                         those that become files from now on, while the bucket\n"
		"                         is disabled when it is enabled again; 'tonicfs\n"
		"                         migrate' moves those that are there\n"
		"  keep_at_twilio=on|off  what was moved to the bucket is not deleted at Twilio;\n"
		"                         on takes back deletes that wait, off queues one for\n"
		"                         everything that is in both places\n"
		"  verify=checksum|readback\n"
		"                         what proves an upload: the server's checksum, or\n"
		"                         reading all of it back\n"
		"  poll=TIME|off          how often a mount asks Twilio for news (5m)\n"
		"  api_key=SK…            the API key that is used; empty: the auth token\n"
		"  twilio_url=URL         another address than https://api.twilio.com; where the\n"
		"                         host changes the secret has to be given again\n"
		"\n"
		"With --secret-file the auth token or API key's secret is replaced, once Twilio\n"
		"has said that the new one is right. Twilio's callbacks are signed with the\n"
		"account's auth token; a workspace with an API key is told it with\n"
		"--auth-token-file, and uses it for nothing else.\n",
	.options =
		(const struct cli_option[]){
			{ 0, "secret-file", CLI_TEXT, "FILE|-", "where the new secret is",
			  offsetof(struct set_values, secret_file) },
			{ 0, "auth-token-file", CLI_TEXT, "FILE|-",
			  "where the auth token is that callbacks are checked with",
			  offsetof(struct set_values, auth_token_file) },
			{ 0, "allow-http", CLI_SWITCH, NULL,
			  "take plain http to another machine than this one",
			  offsetof(struct set_values, allow_http) },
			{ 0, "no-check", CLI_FLAG, NULL,
			  "do not ask Twilio whether the secret is right",
			  offsetof(struct set_values, no_check) },
			{ 0 },
		},
	.values_size = sizeof(struct set_values),
	.arguments_min = 1,
	.arguments_max = 32,
	.run = run_set,
};

/* ---- remove ---- */

static int run_remove(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_workspace w;
	struct catalog_removal removal = { 0 };
	int status = cli_workspace_open(cli, argv[0], &w);
	int err;

	(void)values;
	(void)argc;
	if (status != CLI_DONE)
		return status;
	err = catalog_remove_workspace(cli->catalog, w.id, false, &removal);
	if (err < 0)
		return cli_catalog_error(cli, err, "the workspace was not removed");
	return removing_finish(cli, &removal, &w.id, 1);
}

const struct cli_command command_workspace_remove = {
	.name = "workspace remove",
	.arguments = "NAME",
	.summary = "Removes a workspace with everything in it",
	.text = "Its campaigns, its call log and its recordings leave the tree at once. What\n"
		"becomes of the bytes follows the workspace's settings: without delete_twilio\n"
		"and delete_s3 they stay where they are. Deletes that cannot be done at once\n"
		"are done by the next mount; then the workspace's credentials go, too.\n",
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_remove,
};
