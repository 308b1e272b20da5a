/* "did you mean": finds the known word that is most similar to an unknown one. */
#include "cli/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/campaign.h"
#include "util/cleanup.h"

#define PREFIX_MIN 3 /* so many letters may be an abbreviation of a longer word */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The number of letters to insert, delete, replace, or swap with their neighbour (optimal string
 * alignment). SIZE_MAX for lack of memory. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	cleanup_free size_t *rows = calloc(3 * (b_len + 1), sizeof *rows);
	size_t *before, *last, *row;

	if (!rows)
		return SIZE_MAX;
	before = rows;
	last = before + b_len + 1;
	row = last + b_len + 1;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *free_row = before;

		before = last;
		last = row;
		row = free_row;
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]),
				       least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[b_len];
}

void suggest_init(struct suggest *suggest, const char *before, const char *word)
{
	size_t len = strlen(word);

	*suggest = (struct suggest){ .before = before, .word = word, .len = len };
	/* Short words tolerate fewer mistakes: otherwise every word would be similar. */
	suggest->limit = len <= 2 ? 1 : len <= 5 ? 2 : 3;
	suggest->distance = suggest->limit + 1;
}

void suggest_try(struct suggest *suggest, const char *candidate)
{
	size_t len = strlen(candidate), d;

	if (len >= sizeof suggest->best || suggest->len >= sizeof suggest->best)
		return;
	if (suggest->len >= PREFIX_MIN && len > suggest->len &&
	    memcmp(candidate, suggest->word, suggest->len) == 0)
		d = 1;
	else
		d = distance(suggest->word, suggest->len, candidate, len);
	/* A word of which every letter would change is not similar. Of two equally similar words
	 * the longer one wins: letters are left out more often than added. */
	if (d > suggest->limit || d > suggest->distance ||
	    (d == suggest->distance && len <= strlen(suggest->best)) ||
	    2 * d >= (len > suggest->len ? len : suggest->len) + 1)
		return;
	suggest->distance = d;
	memcpy(suggest->best, candidate, len + 1);
}

void suggest_commands(struct suggest *suggest, const char *group)
{
	char name[CATALOG_NAME_SIZE];

	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		const char *space = strchr((*c)->name, ' ');

		snprintf(name, sizeof name, "%.*s",
			 space ? (int)(space - (*c)->name) : (int)strlen((*c)->name), (*c)->name);
		if (!group)
			suggest_try(suggest, name);
		else if (space && strcmp(name, group) == 0)
			suggest_try(suggest, space + 1);
	}
}

static int try_workspace(void *arg, const struct catalog_workspace *workspace)
{
	suggest_try(arg, workspace->name);
	return 0;
}

void suggest_workspaces(struct suggest *suggest, struct cli *cli)
{
	/* After an error there is nothing to suggest. */
	(void)catalog_workspace_each(cli->catalog, false, try_workspace, suggest);
}

static int try_campaign(void *arg, const struct catalog_campaign *campaign)
{
	suggest_try(arg, campaign->name);
	return 0;
}

void suggest_campaigns(struct suggest *suggest, struct cli *cli, int64_t workspace_id)
{
	(void)catalog_campaign_each(cli->catalog, workspace_id, try_campaign, suggest);
}

const char *suggest_text(struct suggest *suggest)
{
	if (!suggest->best[0])
		return "";
	snprintf(suggest->text, sizeof suggest->text, "; did you mean '%s%s'?", suggest->before,
		 suggest->best);
	return suggest->text;
}
