/* Nodes by their paths, and what a node stands for. */
#include <errno.h>
#include <string.h>

#include "catalog/campaign.h"
#include "catalog/tree.h"
#include "catalog/workspace.h"
#include "util/cleanup.h"

/* A folder by the name that its workspace or campaign was given. */
static int lookup_named(struct catalog *catalog, const struct catalog_node *parent,
			const char *name, struct catalog_node *ret_node)
{
	struct catalog_workspace workspace;
	struct catalog_campaign campaign;
	int err = -ENOENT;

	if (parent->kind == CATALOG_NODE_ROOT) {
		err = catalog_workspace_find(catalog, name, &workspace);
		name = workspace.folder;
	} else if (parent->kind == CATALOG_NODE_WORKSPACE) {
		err = catalog_campaign_find(catalog, parent->workspace_id, name, &campaign);
		name = campaign.folder;
	}
	return err ? err
		   : catalog_node_lookup(catalog, parent->inode, name, CATALOG_NAMES_NUMBER,
					 ret_node);
}

int catalog_node_resolve(struct catalog *catalog, const char *path, struct catalog_node *ret_node)
{
	cleanup_free char *copy = strdup(path);
	struct catalog_recording r;
	struct catalog_node node;
	struct sid sid;
	char *rest = copy;
	int err;

	if (!copy)
		return -ENOMEM;
	if (sid_parse(path, "RE", &sid) == 0) {
		err = catalog_recording_find(catalog, &sid, &r);
		if (err)
			return err;
		return catalog_node_get(catalog, r.inode, CATALOG_NAMES_NUMBER, ret_node);
	}
	err = catalog_node_get(catalog, CATALOG_ROOT_INODE, CATALOG_NAMES_NUMBER, &node);
	for (char *part; err == 0 && (part = strsep(&rest, "/"));) {
		struct catalog_node parent = node;

		if (!part[0] || strcmp(part, ".") == 0)
			continue;
		if (node.kind == CATALOG_NODE_RECORDING || node.kind == CATALOG_NODE_CALLS)
			return -ENOTDIR;
		err = catalog_node_lookup(catalog, parent.inode, part, CATALOG_NAMES_NUMBER, &node);
		if (err == -ENOENT)
			err = catalog_node_lookup(catalog, parent.inode, part, CATALOG_NAMES_SID,
						  &node);
		if (err == -ENOENT)
			err = lookup_named(catalog, &parent, part, &node);
	}
	if (err == 0)
		*ret_node = node;
	return err;
}

struct catalog_scope catalog_node_scope(const struct catalog_node *node)
{
	switch (node->kind) {
	case CATALOG_NODE_WORKSPACE:
		return (struct catalog_scope){ CATALOG_SCOPE_WORKSPACE, node->workspace_id };
	case CATALOG_NODE_CAMPAIGN:
	case CATALOG_NODE_CALLS:
		return (struct catalog_scope){ CATALOG_SCOPE_FOLDER, node->folder_id };
	case CATALOG_NODE_RECORDING:
		return (struct catalog_scope){ CATALOG_SCOPE_RECORDING, node->recording_id };
	default:
		return (struct catalog_scope){ CATALOG_SCOPE_ALL, 0 };
	}
}
