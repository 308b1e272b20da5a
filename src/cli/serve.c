/* serve: does a mount's background work without a mount, in the foreground. */
#include <jansson.h>

#include "cli/background.h"
#include "cli/commands.h"
#include "util/log.h"

struct serve_values {
	const char *listen, *public_url;
};

/* One line when everything runs, for scripts that wait for it. */
static int say_ready(const struct cli *cli, const struct service *service)
{
	const char *address = service_parts(service)->address;
	int status = CLI_DONE;

	if (cli->json)
		status = cli_json_print_early(
			json_pack("{s:s?}", "listening", address[0] ? address : NULL));
	else if (address[0])
		printf("listening on %s\n", address);
	else
		printf("working on %s\n", cli->catalog_path);
	if (status == CLI_DONE && fflush(stdout) != 0) {
		cli_error("standard output: %m");
		status = CLI_FAILED;
	}
	return status;
}

static int run_serve(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct serve_values *v = values;
	struct service_settings settings = { .listen = v->listen, .public_url = v->public_url };
	struct service *service;
	int status;

	if (v->public_url && !v->listen)
		return cli_usage(cli, "--public-url is for --listen, which is missing");
	status = background_open(cli, &settings, &service);
	if (status == CLI_DONE)
		status = background_start(service);
	if (status == CLI_DONE)
		status = say_ready(cli, service);
	if (status == CLI_DONE) {
		service_wait_signal(service);
		log_info("serve: ending");
	}
	service_close(service);
	return status;
}

#define VALUES struct serve_values
static const struct cli_option serve_options[] = {
	CLI_TEXT("listen", listen, "take Twilio's callbacks", "ADDRESS:PORT"),
	CLI_TEXT("public-url", public_url, "the callbacks' URL, exactly as Twilio has it", "URL"),
	{ 0 },
};

const struct cli_command command_serve = {
	.name = "serve",
	.arguments = "[--listen ADDRESS:PORT] [--public-url URL]",
	.summary = "Does the background work of a mount without a mount",
	.text = "Asks Twilio for changes, and does queued migrations and deletes. With --listen\n"
		"it also takes Twilio's recording status callbacks, so that a new recording is\n"
		"known, and with migrate_new=on moved, as soon as it is completed. It stays in\n"
		"the foreground, prints 'listening on ADDRESS:PORT' when it is ready, and ends\n"
		"on SIGTERM. Any number of mounts, 'migrate --wait' and serve may work on one\n"
		"catalog.\n"
		"\n"
		"ADDRESS is numeric or localhost; port 0 is any free port. Give Twilio the URL\n"
		"http://ADDRESS:PORT/twilio/recording, or better that of a proxy with TLS in\n"
		"front of it. Callbacks are signed over their URL: if it is not the one that\n"
		"follows from the requests' Host header, set it with --public-url (or 'tonicfs\n"
		"setting set callback_url URL'), exactly as Twilio has it, without a query. A\n"
		"workspace with an API key also needs its account's auth token: 'tonicfs\n"
		"workspace set NAME --auth-token-file FILE'. The next poll finds what a lost\n"
		"callback missed.\n",
	CLI_OPTIONS(serve_options),
	.run = run_serve,
};
