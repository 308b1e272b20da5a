/* tonicfs: call recordings as ordinary files. commands.c has the table of commands. */
#include <signal.h>

#include "cli/cli.h"
#include "cli/mounting.h"
#include "util/process.h"

int main(int argc, char **argv)
{
	process_harden();
	cli_streams_init();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe or connection is reported as an error */
	if (cli_is_mount_helper(argc, argv))
		return cli_mount_helper(argc, argv);
	return cli_run(argc, argv);
}
