/* The table of providers. */
#include "storage/provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

static const struct storage_provider providers[] = {
	{ "aws", "Amazon S3", "", "us-east-1", "eu-central-1", false },
	{ "digitalocean", "DigitalOcean Spaces", "https://{region}.digitaloceanspaces.com", NULL,
	  "fra1", false },
	{ "minio", "MinIO", NULL, "us-east-1", "https://minio.example.com:9000", true },
	{ "ceph", "Ceph", NULL, "us-east-1", "https://rgw.example.com", true },
	{ "wasabi", "Wasabi", "https://s3.{region}.wasabisys.com", "us-east-1", "eu-central-1",
	  false },
	{ "b2", "Backblaze B2", "https://s3.{region}.backblazeb2.com", NULL, "eu-central-003",
	  false },
	{ "r2", "Cloudflare R2", NULL, "auto", "https://ACCOUNT-ID.r2.cloudflarestorage.com",
	  true },
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
