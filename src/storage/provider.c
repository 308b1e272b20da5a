/* The table of providers. */
#include "storage/provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

static const struct storage_provider providers[] = {
	{ .name = "aws",
	  .title = "Amazon S3",
	  .endpoint = "",
	  .region = "us-east-1",
	  .example = "eu-central-1" },
	{ .name = "digitalocean",
	  .title = "DigitalOcean Spaces",
	  .endpoint = "https://{region}.digitaloceanspaces.com",
	  .example = "fra1" },
	{ .name = "minio",
	  .title = "MinIO",
	  .region = "us-east-1",
	  .example = "https://minio.example.com:9000",
	  .path_style = true },
	{ .name = "ceph",
	  .title = "Ceph",
	  .region = "us-east-1",
	  .example = "https://rgw.example.com",
	  .path_style = true },
	{ .name = "wasabi",
	  .title = "Wasabi",
	  .endpoint = "https://s3.{region}.wasabisys.com",
	  .region = "us-east-1",
	  .example = "eu-central-1" },
	{ .name = "b2",
	  .title = "Backblaze B2",
	  .endpoint = "https://s3.{region}.backblazeb2.com",
	  .example = "eu-central-003" },
	{ .name = "r2",
	  .title = "Cloudflare R2",
	  .region = "auto",
	  .example = "https://ACCOUNT-ID.r2.cloudflarestorage.com",
	  .path_style = true },
};

const struct storage_provider *storage_provider_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
		if (strcmp(providers[i].name, name) == 0)
			return &providers[i];
	return NULL;
}

void storage_provider_names(char *ret_text, size_t size)
{
	size_t used = 0;

	*ret_text = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(providers) && used < size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? ", " : "",
					 providers[i].name);
}

int storage_provider_endpoint(const struct storage_provider *provider, const char *region,
			      char *ret_endpoint, size_t size)
{
	static const char place[] = "{region}";
	const char *at;
	int n;

	if (!provider->endpoint)
		return -ENODATA;
	at = strstr(provider->endpoint, place);
	if (at)
		n = snprintf(ret_endpoint, size, "%.*s%s%s", (int)(at - provider->endpoint),
			     provider->endpoint, region, at + strlen(place));
	else
		n = snprintf(ret_endpoint, size, "%s", provider->endpoint);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
