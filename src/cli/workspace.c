/* workspace add, set, remove. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "catalog/callback.h"
#include "catalog/name.h"
#include "cli/commands.h"
#include "cli/removing.h"
#include "cli/suggest.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/secret.h"
#include "util/times.h"

#define CHECK_MSECS 5000 /* for Twilio to accept a secret */

/* ---- settings ---- */

static int set_bool(void *where, const char *value)
{
	static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(value, words[i]) == 0) {
			*(bool *)where = i % 2;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_verify(void *where, const char *value)
{
	*(bool *)where = strcmp(value, "readback") == 0;
	return *(bool *)where || strcmp(value, "checksum") == 0 ? 0 : -EINVAL;
}

#define POLL_SECS_MIN 10
#define POLL_SECS_MAX 604800

static int set_poll(void *where, const char *value)
{
	char *end;
	unsigned long secs;

	if (strcmp(value, "off") == 0)
		value = "0";
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
	*(unsigned *)where = (unsigned)secs;
	return 0;
}

static int set_api_key(void *where, const char *value)
{
	struct sid sid;

	if (*value && sid_parse(value, "SK", &sid) < 0)
		return -EINVAL;
	snprintf(where, SID_SIZE, "%s", value);
	return 0;
}

static int set_url(void *where, const char *value)
{
	return (size_t)snprintf(where, CATALOG_URL_SIZE, "%s", value) < CATALOG_URL_SIZE ? 0
											 : -EINVAL;
}

#define FIELD(name) offsetof(struct catalog_workspace, name)
static const struct {
	const char *key;
	size_t offset; /* of its field in struct catalog_workspace */
	int (*set)(void *where, const char *value);
	const char *values;
} settings[] = {
	{ "delete_s3", FIELD(delete_s3), set_bool, "on or off" },
	{ "delete_twilio", FIELD(delete_twilio), set_bool, "on or off" },
	{ "migrate_new", FIELD(migrate_new), set_bool, "on or off" },
	{ "keep_at_twilio", FIELD(keep_at_twilio), set_bool, "on or off" },
	{ "verify", FIELD(verify_readback), set_verify, "checksum or readback" },
	{ "poll", FIELD(poll_secs), set_poll,
	  "off, or a time from 10s to 7 days, such as 90s, 5m, 2h" },
	{ "api_key", FIELD(api_key_sid), set_api_key, "an API key's SID (SK…), or nothing" },
	{ "twilio_url", FIELD(twilio_url), set_url, "an address, or nothing" },
};

static int setting_apply(const struct cli *cli, struct catalog_workspace *workspace,
			 const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	char key[CATALOG_NAME_SIZE];
	struct suggest suggest;

	if (!equals)
		return cli_usage(cli, "'%s' is not KEY=VALUE", word);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strlen(settings[i].key) != len || memcmp(settings[i].key, word, len) != 0)
			continue;
		if (settings[i].set((char *)workspace + settings[i].offset, equals + 1) < 0)
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
	return cli_secret_read("--secret-file", secret_file, prompt, ret_secret);
}

static const char *url_of(const struct catalog_workspace *w)
{
	return w->twilio_url[0] ? w->twilio_url : "https://api.twilio.com";
}

/* The first page is enough: the credentials are accepted. */
static int stop(void *arg, const struct twilio_recording *recordings, size_t count)
{
	return 1;
}

/* Sends one request; opens cli->http. CLI_DONE where Twilio accepts the credentials, and, after a
 * warning, where it does not answer. */
static int check_secret(struct cli *cli, const struct catalog_workspace *workspace,
			const char *secret, const char *not_done)
{
	/* Every sync sends this request: even a restricted API key must allow it. */
	const struct twilio_window window = { .since_secs = time_now_secs() };
	struct remote_error error = REMOTE_ERROR_INIT;
	struct twilio_client *client;
	int status = cli_http_open(cli), err;

	if (status != CLI_DONE)
		return status;
	err = account_client_for(cli->http, workspace, secret, CHECK_MSECS, NULL, &client);
	if (err == 0)
		err = twilio_list_recordings(client, &window, false, stop, NULL, &error);
	twilio_client_free(client);
	if (err >= 0)
		return CLI_DONE;
	if (error.kind == REMOTE_REJECTED || error.kind == REMOTE_NOT_FOUND)
		return cli_error(
			"%s; %s: check the account's SID and the %s (--no-check skips this check)",
			error.message, not_done,
			workspace->api_key_sid[0] ? "API key's secret" : "auth token");
	/* Not an error, so that it works offline: the first sync reports a wrong secret. */
	cli_error("the %s was not checked, because Twilio did not answer: %s",
		  workspace->api_key_sid[0] ? "API key's secret" : "auth token",
		  error.message[0] ? error.message : strerror(-err));
	return CLI_DONE;
}

/* ---- add ---- */

struct add_values {
	const char *account, *api_key, *twilio_url, *secret_file;
	bool allow_http, no_check;
};

static void say_added(const struct catalog_workspace *w)
{
	cleanup_buf struct buf word = BUF_INIT;
	char shown[CATALOG_NAME_SIZE];

	printf("Added workspace %s", view_name(w->name, shown));
	if (strcmp(shown, w->folder) != 0)
		printf("; its folder is %s", w->folder);
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

	if (!v->account)
		return cli_usage(cli, "--account AC… is missing");
	if (sid_parse(v->account, "AC", &w.account_sid) < 0)
		return cli_usage(cli,
				 "--account: '%s' is not an account SID (AC and 32 hex digits)",
				 v->account);
	if (!*argv[0] || catalog_name_encode(argv[0], encoded) < 0)
		return cli_usage(cli, *argv[0] ? "the name is too long" : "the name is empty");
	if (strlen(argv[0]) >= sizeof w.name)
		return cli_usage(cli, "the name is too long");
	snprintf(w.name, sizeof w.name, "%s", argv[0]);
	if (v->api_key && (!*v->api_key || set_api_key(w.api_key_sid, v->api_key) < 0))
		return cli_usage(cli,
				 "--api-key: '%s' is not an API key's SID (SK and 32 hex digits)",
				 v->api_key);
	if (v->twilio_url && set_url(w.twilio_url, v->twilio_url) < 0)
		return cli_usage(cli, "--twilio-url is too long");
	status = cli_url_check("--twilio-url", url_of(&w), v->allow_http);
	if (status == CLI_DONE)
		status = cli_catalog_open(cli);
	if (status == CLI_DONE)
		status = read_secret(&w, v->secret_file, &secret);
	if (status == CLI_DONE && !v->no_check)
		status = check_secret(cli, &w, secret, "the workspace was not added");
	if (status != CLI_DONE)
		return status;
	err = catalog_workspace_add(cli->catalog, &w, secret, &id, message);
	if (err < 0)
		return cli_catalog_failed(cli, err, message, "the workspace was not added");
	err = catalog_workspace_get(cli->catalog, id, &w);
	if (err < 0)
		return cli_catalog_error(cli, err, "the workspace cannot be read");
	if (cli->json)
		return cli_json_print(json_pack("{s:o, s:s}", "name", view_name_json(w.name),
						"folder", w.folder));
	say_added(&w);
	return CLI_DONE;
}

#define VALUES struct add_values
static const struct cli_option add_options[] = {
	CLI_TEXT("account", account, "the account's SID", "AC…"),
	CLI_TEXT("api-key", api_key, "the SID of an API key, instead of the auth token", "SK…"),
	CLI_TEXT("twilio-url", twilio_url, "instead of https://api.twilio.com", "URL"),
	CLI_TEXT("secret-file", secret_file, "the file with the auth token or the API key's secret",
		 "FILE|-"),
	CLI_FLAG("allow-http", allow_http, "allow plain http to other machines"),
	CLI_FLAG("no-check", no_check, "do not check the secret with Twilio"),
	{ 0 },
};

const struct cli_command command_workspace_add = {
	.name = "workspace add",
	.arguments = "NAME --account AC… [--api-key SK…] [--secret-file FILE|-]",
	.summary = "Adds a workspace: a Twilio account and its recordings",
	.text = "The account's auth token, or the API key's secret, is read from the first line\n"
		"of --secret-file ('-': standard input); without the option it is asked for on\n"
		"the terminal. It is stored in the catalog only, and never shown again. It is\n"
		"checked with Twilio first; if Twilio does not answer, the workspace is added\n"
		"all the same.\n",
	CLI_OPTIONS(add_options),
	.argument_count = { 1, 1 },
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
		return cli_usage(cli, "nothing to set: KEY=VALUE, --secret-file or "
				      "--auth-token-file is missing");
	if (is_standard_input(v->secret_file) && is_standard_input(v->auth_token_file))
		return cli_usage(
			cli, "--secret-file and --auth-token-file cannot both be standard input");
	for (int i = 1; i < argc; i++) { /* wrong usage is reported before the catalog is opened */
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
	status = cli_url_check("twilio_url", url_of(&w), w.twilio_plain_http);
	if (status != CLI_DONE)
		return status;
	/* Otherwise a user who may change settings could have the secret sent to any host. */
	is_elsewhere = !http_url_same_origin(url_of(&old), url_of(&w));
	if (is_elsewhere && !v->secret_file)
		fprintf(stderr, "twilio_url is on another host: the secret must be given again\n");
	if (v->secret_file || is_elsewhere)
		status = read_secret(&w, v->secret_file, &secret);
	if (status == CLI_DONE && v->auth_token_file) {
		if (!w.api_key_sid[0])
			return cli_usage(cli,
					 "--auth-token-file is for a workspace with an API key; "
					 "this one signs in with the auth token (--secret-file)");
		status =
			cli_secret_read("--auth-token-file", v->auth_token_file, NULL, &auth_token);
		if (status != CLI_DONE)
			return status;
	}
	if (secret && !v->no_check)
		status = check_secret(cli, &w, secret, "nothing was changed");
	if (status != CLI_DONE)
		return status;
	err = catalog_workspace_update(cli->catalog, &w, secret);
	if (err == 0 && auth_token)
		err = catalog_callback_token_set(cli->catalog, w.id, auth_token);
	return cli_catalog_error(cli, err, "the workspace was not changed");
}

#undef VALUES
#define VALUES struct set_values
static const struct cli_option set_options[] = {
	CLI_TEXT("secret-file", secret_file, "the file with the new secret", "FILE|-"),
	CLI_TEXT("auth-token-file", auth_token_file,
		 "the file with the auth token that callbacks are checked with", "FILE|-"),
	CLI_SWITCH("allow-http", allow_http, "allow plain http to other machines"),
	CLI_FLAG("no-check", no_check, "do not check the secret with Twilio"),
	{ 0 },
};

const struct cli_command command_workspace_set = {
	.name = "workspace set",
	.arguments = "NAME [KEY=VALUE…] [--secret-file FILE|-] [--auth-token-file FILE|-]",
	.summary = "Changes a workspace's settings",
	.text = "  delete_s3=on|off       rm also deletes recordings in the bucket (off)\n"
		"  delete_twilio=on|off   rm also deletes recordings at Twilio (off)\n"
		"  migrate_new=on|off     new recordings are moved to the bucket automatically\n"
		"                         (off); those that arrive while the bucket is disabled\n"
		"                         are moved when it is enabled again. 'tonicfs migrate'\n"
		"                         moves existing ones\n"
		"  keep_at_twilio=on|off  recordings that were moved are not deleted at Twilio\n"
		"                         (off); 'on' cancels deletes that wait, 'off' queues a\n"
		"                         delete for every recording that is in both places\n"
		"  verify=checksum|readback\n"
		"                         how an upload is verified: by the server's checksum,\n"
		"                         or by reading all of it back\n"
		"  poll=TIME|off          how often a mount asks Twilio for changes (5m)\n"
		"  api_key=SK…            the API key to use; empty: the auth token\n"
		"  twilio_url=URL         instead of https://api.twilio.com; for another host\n"
		"                         the secret must be given again\n"
		"\n"
		"--secret-file replaces the auth token or the API key's secret, after Twilio\n"
		"has accepted the new one. Twilio signs callbacks with the account's auth\n"
		"token: a workspace with an API key needs it as --auth-token-file, and uses it\n"
		"only to check callbacks.\n",
	CLI_OPTIONS(set_options),
	.argument_count = { 1, 32 },
	.run = run_set,
};

/* ---- remove ---- */

static int run_remove(struct cli *cli, const void *values, int argc, char **argv)
{
	struct catalog_workspace w;
	struct catalog_removal removal = { 0 };
	int status = cli_workspace_open(cli, argv[0], &w), err;

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
	.summary = "Removes a workspace and everything in it",
	.text = "Its campaigns, its call log and its recordings leave the tree at once. Their\n"
		"bytes are deleted where the settings delete_twilio and delete_s3 say so, and\n"
		"stay otherwise. The next mount does the deletes that cannot be done now; then\n"
		"the workspace's credentials are deleted, too.\n",
	.argument_count = { 1, 1 },
	.run = run_remove,
};
