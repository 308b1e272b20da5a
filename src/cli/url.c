/* url: an address that plays a recording from the bucket. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/settings.h"
#include "cli/commands.h"
#include "storage/playback.h"
#include "util/buf.h"
#include "util/times.h"

struct url_values {
	const char *expires;
	bool is_download;
};

/* Parses "90m", "12h", "7d"; a number alone means minutes. 0 or -EINVAL. */
static int parse_expires(const char *text, unsigned *ret_secs)
{
	unsigned long long unit = 60, number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return -EINVAL;
	if (strcmp(end, "h") == 0)
		unit = 3600;
	else if (strcmp(end, "d") == 0)
		unit = 86400;
	else if (*end && strcmp(end, "m") != 0)
		return -EINVAL;
	if (number < 1 || number > PLAYBACK_EXPIRES_LIMIT_SECS / unit)
		return -EINVAL;
	*ret_secs = (unsigned)(number * unit);
	return 0;
}

static int say_error(const struct cli *cli, const char *path, int err)
{
	if (err == -ENODATA)
		return cli_error("%s: not in the bucket yet; 'tonicfs migrate' moves it", path);
	if (err == -EREMOTE)
		return cli_error("%s: archived; 'tonicfs restore' restores it", path);
	if (err == -ENOENT)
		return cli_error("%s: its workspace has no bucket", path);
	if (err == -EXDEV)
		return cli_error("%s: it is in another bucket than the workspace's current one",
				 path);
	return cli_catalog_error(cli, err, "no URL");
}

static int run_url(struct cli *cli, const void *values, int argc, char **argv)
{
	const struct url_values *v = values;
	cleanup_buf_secret struct buf url = BUF_INIT;
	struct catalog_node node;
	unsigned expires_secs = 0;
	int64_t ends_secs;
	int status, err;

	if (v->expires && parse_expires(v->expires, &expires_secs) < 0)
		return cli_usage(cli,
				 "--expires is minutes, or like 12h or 7d, at most 7d; not '%s'",
				 v->expires);
	status = cli_catalog_open(cli);
	if (status == CLI_DONE)
		status = cli_path_resolve(cli, argv[0], &node);
	if (status == CLI_DONE)
		status = cli_http_open(cli);
	if (status != CLI_DONE)
		return status;
	if (node.kind != CATALOG_NODE_RECORDING)
		return cli_error("%s is not a recording", argv[0]);
	if (!expires_secs)
		expires_secs =
			(unsigned)catalog_setting_number(cli->catalog, SETTING_URL_EXPIRES_SECS);
	ends_secs = time_now_secs() + expires_secs;
	err = storage_playback_url(cli->catalog, cli->http, node.recording_id, expires_secs,
				   v->is_download, NULL, &url);
	if (err)
		return say_error(cli, argv[0], err);
	if (cli->json)
		return cli_json_print(json_pack("{s:s, s:o}", "url", buf_str(&url), "expires",
						view_time_json(ends_secs)));
	printf("%s\n", buf_str(&url));
	return CLI_DONE;
}

#define VALUES struct url_values
static const struct cli_option url_options[] = {
	CLI_TEXT("expires", expires,
		 "minutes, or like 12h or 7d (default: the setting url_expires_secs)", "TIME"),
	CLI_FLAG("download", is_download, "a URL that a browser saves instead of playing"),
	{ 0 },
};

const struct cli_command command_url = {
	.name = "url",
	.arguments = "PATH [--expires TIME] [--download]",
	.summary = "Prints a URL that plays a recording from the bucket",
	.text = "The URL is signed: until it expires, anybody who has it can fetch this\n"
		"recording, and nothing else. Each call signs a new one; the attribute\n"
		"user.tonicfs.url in a mount gives the same. A browser plays the recording;\n"
		"with --download, and always where Twilio encrypted the recording, it saves a\n"
		"file. A page of another origin needs the bucket's CORS rule, which 'tonicfs\n"
		"storage test' adds, unless it uses nothing but <audio src>.\n"
		"\n"
		"PATH is WORKSPACE/CAMPAIGN/FILE, a recording's SID, or a path inside a mount.\n",
	CLI_OPTIONS(url_options),
	.argument_count = { 1, 1 },
	.run = run_url,
};
