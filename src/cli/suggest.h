/* "did you mean": of all that is known, the word nearest to one that is not. */
#ifndef TONICFS_CLI_SUGGEST_H
#define TONICFS_CLI_SUGGEST_H

#include <stddef.h>

#include "cli/cli.h"

struct suggest {
	const char *before, *word; /* the caller's */
	size_t len, limit, distance;
	char best[CATALOG_NAME_SIZE]; /* "": none is near */
	char text[2 * CATALOG_NAME_SIZE + 24];
};

/* before: what stands in front of the word where it is suggested, such as "workspace "; may be "". */
void suggest_init(struct suggest *suggest, const char *before, const char *word);
void suggest_try(struct suggest *suggest, const char *candidate);
/* All commands' first words, or the second words of those that begin with group; all workspaces; all campaigns of one. */
void suggest_commands(struct suggest *suggest, const char *group);
void suggest_workspaces(struct suggest *suggest, struct cli *cli);
void suggest_campaigns(struct suggest *suggest, struct cli *cli, int64_t workspace_id);
/* "; did you mean 'X'?", to be put behind a message, or "". Valid as long as suggest is. */
const char *suggest_text(struct suggest *suggest);

#endif
