/* The part of status that shows a campaign or a single recording. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "audio/why.h"
#include "catalog/archive.h"
#include "catalog/campaign.h"
#include "cli/amounts.h"
#include "cli/status.h"
#include "util/buf.h"

#define ALL_KINDS (~0U)

/* The campaign or recording that a path names. */
struct place {
	struct catalog_scope scope;
	struct catalog_workspace workspace;
	struct catalog_recording recording; /* of a recording */
	char path[2 * CATALOG_NAME_SIZE + SID_SIZE];
	struct catalog_status status;
	struct problems problems;
};

static int place_load(struct cli *cli, const struct catalog_node *node, struct place *p)
{
	char workspace[CATALOG_NAME_SIZE], folder[CATALOG_NAME_SIZE], sid[SID_SIZE] = "";
	struct catalog_campaign campaign;
	bool is_recording = node->kind == CATALOG_NODE_RECORDING;
	int err = 0;

	memset(p, 0, sizeof *p);
	p->scope = catalog_node_scope(node);
	if (is_recording)
		err = catalog_recording_get(cli->catalog, node->recording_id, &p->recording);
	if (err == 0)
		err = catalog_campaign_get(cli->catalog,
					   is_recording ? p->recording.folder_id : node->folder_id,
					   &campaign);
	if (err == 0)
		err = catalog_workspace_get(cli->catalog, campaign.workspace_id, &p->workspace);
	if (err == 0)
		err = catalog_status_get(cli->catalog, p->scope, &p->status);
	if (err == 0)
		err = problems_collect(&p->problems, cli->catalog, p->scope);
	if (err)
		return err;
	if (is_recording) /* without the number that is in its file's name */
		sid_format(&p->recording.sid, "RE", sid);
	snprintf(p->path, sizeof p->path, "%s/%s%s%s", cli_name(p->workspace.name, workspace),
		 campaign.is_unassigned ? CATALOG_UNASSIGNED : cli_name(campaign.name, folder),
		 *sid ? "/" : "", sid);
	return 0;
}

static const char *state_text(enum catalog_state state)
{
	switch (state) {
	case CATALOG_STATE_TWILIO:
		return "at Twilio";
	case CATALOG_STATE_UPLOADING:
		return "at Twilio, in flight to S3";
	case CATALOG_STATE_STORED:
		return "in S3, and still at Twilio";
	case CATALOG_STATE_S3:
		return "in S3";
	case CATALOG_STATE_MISSING:
		return "missing at Twilio and in S3";
	case CATALOG_STATE_DELETED:
		return "removed";
	default:
		return "unknown";
	}
}

static const char *migration_text(const struct catalog_counts *counts)
{
	return counts->queued    ? "queued"
	       : counts->running ? "in flight"
	       : counts->paused  ? "paused"
	       : counts->failed  ? "failed"
				 : NULL;
}

/* Why it cannot be read, or believed. */
static void add_why(struct cli *cli, const struct place *p, struct buf *out)
{
	audio_why_by_catalog(cli->catalog, &p->recording, out);
	if (p->recording.is_unvouched)
		buf_addf(out, "%sadopted: nobody but the bucket vouches for it",
			 out->len ? "; " : "");
}

static int recording_print(struct cli *cli, const struct place *p)
{
	const char *migration = migration_text(&p->status.counts);
	cleanup_buf struct buf why = BUF_INIT;
	struct catalog_archive archive;
	char amount[AMOUNT_SIZE];
	int err = catalog_archive_get(cli->catalog, p->recording.id, &archive);

	printf("  where      %s\n", state_text(p->recording.state));
	add_why(cli, p, &why);
	if (why.len)
		printf("  why        %s\n", buf_str(&why));
	if (migration)
		printf("  migration  %s\n", migration);
	if (p->recording.size_bytes >= 0)
		printf("  size       %s\n", amount_bytes(p->recording.size_bytes, amount));
	else
		printf("  size       not known yet\n");
	if (p->recording.duration_secs >= 0)
		printf("  duration   %s\n", amount_secs(p->recording.duration_secs, amount));
	if (err == 0)
		printf("  class      %s\n", archive.storage_class);
	return err == -ENOENT ? 0 : err;
}

static json_t *place_json(struct cli *cli, const struct place *p)
{
	json_t *object = status_scope_json(&p->status, &p->problems);
	cleanup_buf struct buf why = BUF_INIT;
	struct catalog_archive archive;

	json_object_set_new(object, "path", cli_json_name(p->path));
	if (p->scope.kind != CATALOG_SCOPE_RECORDING)
		return object;
	json_object_set_new(object, "state", json_string(catalog_state_name(p->recording.state)));
	add_why(cli, p, &why);
	json_object_set_new(object, "why", why.len ? cli_json_name(buf_str(&why)) : json_null());
	json_object_set_new(object, "size_bytes",
			    p->recording.size_bytes < 0 ? json_null()
							: json_integer(p->recording.size_bytes));
	json_object_set_new(object, "duration_secs",
			    p->recording.duration_secs < 0
				    ? json_null()
				    : json_integer(p->recording.duration_secs));
	if (catalog_archive_get(cli->catalog, p->recording.id, &archive) == 0)
		json_object_set_new(object, "storage_class", json_string(archive.storage_class));
	return object;
}

int status_path_show(struct cli *cli, const struct catalog_node *node, json_t *paths)
{
	struct place p;
	int err;

	if (node->kind == CATALOG_NODE_CALLS) {
		cli_error(
			"calls.csv is made by the mount and has no status of its own; ask for its folder");
		return CLI_FAILED;
	}
	err = place_load(cli, node, &p);
	if (err == 0 && cli->json) {
		json_array_append_new(paths, place_json(cli, &p));
	} else if (err == 0) {
		printf("%s\n", p.path);
		err = p.scope.kind == CATALOG_SCOPE_RECORDING
			      ? recording_print(cli, &p)
			      : status_counts_print(cli, &p.status, p.workspace.keep_at_twilio, 0);
		problems_print(&p.problems, ALL_KINDS, false, stdout);
	}
	problems_release(&p.problems);
	return err < 0 ? cli_catalog_error(cli, err, "the status cannot be read") : CLI_DONE;
}
