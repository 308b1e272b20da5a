/* Resolves PATH arguments to nodes of the tree. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/campaign.h"
#include "cli/cli.h"
#include "cli/suggest.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "util/mounts.h"

/* Makes a path absolute, without ".", ".." and doubled slashes. No folder on the way is
 * accessed: one of them may be a mount that hangs. */
static int lexical_path(const char *path, struct buf *ret_path)
{
	if (*path != '/') {
		cleanup_free char *here = getcwd(NULL, 0);

		if (!here)
			return -errno;
		buf_add_str(ret_path, here);
	}
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			while (ret_path->len && ret_path->data[ret_path->len - 1] != '/')
				ret_path->len--;
			ret_path->len -= ret_path->len > 0;
			if (ret_path->data)
				ret_path->data[ret_path->len] = '\0';
		} else if (len && !(len == 1 && *path == '.')) {
			if (!ret_path->len || ret_path->data[ret_path->len - 1] != '/')
				buf_add_char(ret_path, '/');
			buf_add(ret_path, path, len);
		}
		path += len;
		path += strspn(path, "/");
	}
	return buf_failed(ret_path) ? -ENOMEM : 0;
}

/* The tree's path of what is in a mount of ours. 1: found; 0: in none; -1: error printed. */
static int path_in_mount(const struct cli *cli, const char *path, char **ret_inside)
{
	cleanup_buf struct buf absolute = BUF_INIT;
	cleanup_free char *source = NULL;
	int err = lexical_path(path, &absolute);

	if (err == 0)
		err = mounts_find(buf_str(&absolute), ret_inside, &source);
	if (err == -ENOENT) { /* a symlink may lead into a mount */
		cleanup_free char *resolved = NULL;

		if (files_absolute(path, &resolved) < 0)
			return 0;
		err = mounts_find(resolved, ret_inside, &source);
	}
	if (err == -ENOENT)
		return 0;
	if (err < 0) {
		cli_error("%s: %s", path, strerror(-err));
		return -1;
	}
	/* The source of a mount is its catalog, unless fsname= says something else. */
	if (source && source[0] == '/' && strcmp(source, cli->catalog_path) != 0) {
		cli_error("%s is in a mount of another catalog: --catalog %s", path, source);
		free(steal_pointer(ret_inside));
		return -1;
	}
	return 1;
}

static int resolve_folder(struct catalog *catalog, const char *before, const char *campaign)
{
	cleanup_buf struct buf path = BUF_INIT;
	struct catalog_node node;

	buf_addf(&path, "%s%s", before, campaign);
	return buf_failed(&path) ? -ENOMEM : catalog_node_resolve(catalog, buf_str(&path), &node);
}

struct near {
	struct suggest suggest;
	const char *names; /* the path below the workspace */
};

/* A campaign's name with a slash cannot be part of a path: suggests its folder's name instead. */
static int try_campaign(void *arg, const struct catalog_campaign *campaign)
{
	struct near *near = arg;
	size_t len = strlen(campaign->name);

	if (!strchr(campaign->name, '/')) {
		suggest_try(&near->suggest, campaign->name);
	} else if (strncmp(near->names, campaign->name, len) == 0 &&
		   (near->names[len] == '/' || near->names[len] == '\0')) {
		suggest_init(&near->suggest, near->suggest.before, campaign->folder);
		suggest_try(&near->suggest, campaign->folder);
		return 1;
	}
	return 0;
}

/* Prints that there is no such path, and suggests a workspace or campaign of a similar name. */
static void say_not_found(struct cli *cli, const char *path, const char *names)
{
	size_t len = strcspn(names, "/"), campaign_len;
	char workspace[CATALOG_NAME_SIZE], before[CATALOG_NAME_SIZE + 1],
		campaign[CATALOG_NAME_SIZE];
	struct catalog_node node;
	struct near near;

	snprintf(workspace, sizeof workspace, "%.*s", (int)len, names);
	if (catalog_node_resolve(cli->catalog, workspace, &node) < 0) {
		suggest_init(&near.suggest, "", workspace);
		suggest_workspaces(&near.suggest, cli);
	} else {
		names += len + (names[len] == '/');
		campaign_len = strcspn(names, "/");
		snprintf(before, sizeof before, "%s/", workspace);
		snprintf(campaign, sizeof campaign, "%.*s", (int)campaign_len, names);
		suggest_init(&near.suggest, before, campaign);
		near.names = names;
		/* Where only the file is missing, the campaign's name needs no suggestion. */
		if (names[campaign_len] != '/' ||
		    resolve_folder(cli->catalog, before, campaign) < 0)
			(void)catalog_campaign_each(cli->catalog, node.workspace_id, try_campaign,
						    &near);
	}
	cli_error("there is no '%s'%s", path, suggest_text(&near.suggest));
}

int cli_path_resolve(struct cli *cli, const char *path, struct catalog_node *ret_node)
{
	cleanup_free char *inside = NULL;
	cleanup_free char *plain = strdup(path);
	bool is_file_path = path[0] == '/' || strcmp(path, ".") == 0 || strcmp(path, "..") == 0 ||
			    strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0;
	int found, err;

	if (!plain)
		return cli_error("out of memory");
	for (size_t len = strlen(plain); len > 1 && plain[len - 1] == '/'; len--)
		plain[len - 1] = '\0';
	if (!*plain)
		return cli_error("the path is empty");
	found = path_in_mount(cli, plain, &inside);
	if (found < 0)
		return CLI_FAILED;
	if (!found && is_file_path)
		return cli_error("%s is not in a mount of tonicfs", path);
	err = found ? catalog_node_resolve(cli->catalog, inside, ret_node) : -ENOENT;
	if (err == -ENOENT && !is_file_path)
		err = catalog_node_resolve(cli->catalog, plain, ret_node);
	if (err == -ENOENT) {
		say_not_found(cli, path, found ? inside : plain);
		return CLI_FAILED;
	}
	return cli_catalog_error(cli, err, path);
}

/* True if everything in b is in a. */
static bool node_covers(const struct catalog_node *a, const struct catalog_node *b)
{
	switch (a->kind) {
	case CATALOG_NODE_ROOT:
		return true;
	case CATALOG_NODE_WORKSPACE:
		return b->kind != CATALOG_NODE_ROOT && a->workspace_id == b->workspace_id;
	case CATALOG_NODE_CAMPAIGN:
		return (b->kind == CATALOG_NODE_CAMPAIGN || b->kind == CATALOG_NODE_RECORDING) &&
		       a->folder_id == b->folder_id;
	case CATALOG_NODE_RECORDING:
		return b->kind == CATALOG_NODE_RECORDING && a->recording_id == b->recording_id;
	case CATALOG_NODE_CALLS:
		break;
	}
	return false;
}

int cli_path_scopes(struct cli *cli, int count, char *const *paths, struct cli_scopes *ret_scopes)
{
	cleanup_free struct catalog_node *nodes = calloc((size_t)count, sizeof *nodes);
	int status = cli_catalog_open(cli);

	*ret_scopes = (struct cli_scopes){ calloc((size_t)count, sizeof *ret_scopes->items), 0 };
	if (!nodes || !ret_scopes->items)
		return cli_error("out of memory");
	for (int i = 0; i < count && status == CLI_DONE; i++)
		status = cli_path_resolve(cli, paths[i], &nodes[i]);
	for (int i = 0; i < count && status == CLI_DONE; i++) {
		bool is_covered = nodes[i].kind == CATALOG_NODE_CALLS;

		for (int j = 0; j < count && !is_covered; j++) {
			/* Of two equal paths the first is kept. */
			is_covered = j != i && node_covers(&nodes[j], &nodes[i]) &&
				     !(node_covers(&nodes[i], &nodes[j]) && i < j);
		}
		if (!is_covered)
			ret_scopes->items[ret_scopes->count++] = catalog_node_scope(&nodes[i]);
	}
	return status;
}

void cli_scopes_release(struct cli_scopes *scopes)
{
	free(scopes->items);
}
