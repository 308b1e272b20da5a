/* Checks that Twilio accepts a workspace's credentials, before they are stored. */
#include "cli/workspace-check.h"

#include <errno.h>
#include <string.h>

#include "account/account.h"
#include "util/times.h"

#define CHECK_MSECS 5000

/* The first page is enough: the credentials are accepted. */
static int stop(void *arg, const struct twilio_recording *recordings, size_t count)
{
	(void)arg, (void)recordings, (void)count;
	return 1;
}

int workspace_check(struct cli *cli, const struct catalog_workspace *workspace, const char *secret,
		    const char *not_done)
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
