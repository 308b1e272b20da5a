/* tonicfs: call recordings as ordinary files. The commands are in commands.c, each in its own file. */
#include <signal.h>

#include "cli/cli.h"
#include "util/process.h"

int main(int argc, char **argv)
{
	process_harden();
	cli_streams_init();
	signal(SIGPIPE, SIG_IGN); /* a server that hangs up, or `| head`, is an error like others */
	if (cli_is_mount_helper(argc, argv))
		return cli_mount_helper(argc, argv);
	return cli_run(argc, argv);
}
