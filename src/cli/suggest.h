/* "did you mean": the known word that is most similar to an unknown one. */
#pragma once

#include <stddef.h>

#include "cli/cli.h"

struct suggest {
	const char *before, *word; /* the caller's */
	size_t len, limit, distance;
	char best[CATALOG_NAME_SIZE]; /* "": no word is similar */
	char text[2 * CATALOG_NAME_SIZE + 24];
};

/* before: printed before the suggested word, such as "workspace "; may be "". */
void suggest_init(struct suggest *suggest, const char *before, const char *word);
void suggest_try(struct suggest *suggest, const char *candidate);
/* Try many words: the first words of all commands, or (with group) the second words of the commands
 * whose first word is group; all workspaces; all campaigns of a workspace. */
void suggest_commands(struct suggest *suggest, const char *group);
void suggest_workspaces(struct suggest *suggest, struct cli *cli);
void suggest_campaigns(struct suggest *suggest, struct cli *cli, int64_t workspace_id);
/* "; did you mean 'X'?", to be appended to a message, or "". Valid as long as suggest is. */
const char *suggest_text(struct suggest *suggest);
