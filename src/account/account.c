/* Makes Twilio clients from the settings and credentials of workspaces. */
#include "account/account.h"

#include <errno.h>

#include "util/secret.h"

int account_client_for(struct http *http, const struct catalog_workspace *workspace,
		       const char *secret, unsigned total_timeout_msecs,
		       const struct cancel *cancel, struct twilio_client **ret_client)
{
	struct twilio_settings settings;
	char account[SID_SIZE];

	*ret_client = NULL;
	sid_format(&workspace->account_sid, "AC", account);
	settings = (struct twilio_settings){
		.base_url = workspace->twilio_url,
		.account_sid = account,
		.user = workspace->api_key_sid[0] ? workspace->api_key_sid : account,
		.secret = secret,
		.allow_plain_http = workspace->twilio_plain_http,
		.total_timeout_msecs = total_timeout_msecs,
		.cancel = cancel,
	};
	return twilio_client_new(http, &settings, ret_client);
}

int account_client_new(struct catalog *catalog, struct http *http, int64_t workspace_id,
		       unsigned total_timeout_msecs, const struct cancel *cancel,
		       struct twilio_client **ret_client, struct catalog_workspace *ret_workspace)
{
	cleanup_secret char *secret = NULL;
	struct catalog_workspace workspace;
	int err = catalog_workspace_get(catalog, workspace_id, &workspace);

	*ret_client = NULL;
	if (err == 0)
		err = catalog_workspace_secret(catalog, workspace_id, &secret);
	if (err < 0)
		return err;
	if (!secret || !*secret)
		return -ENOKEY;
	err = account_client_for(http, &workspace, secret, total_timeout_msecs, cancel, ret_client);
	if (err == 0 && ret_workspace)
		*ret_workspace = workspace;
	return err;
}
