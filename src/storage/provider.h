/* Providers of S3-compatible storage: the endpoints of their regions and their style of bucket
 * names in requests. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct storage_provider {
	const char *name;
	const char *title;
	const char *endpoint; /* with {region}; "": AWS's rule; NULL: the user must give it */
	const char *region;   /* the default; NULL: the user must give it */
	const char *example;  /* of a region, or of an endpoint if that must be given */
	bool path_style;
};

/* NULL: no such provider. */
const struct storage_provider *storage_provider_find(const char *name);
/* "aws, digitalocean, …" */
void storage_provider_names(char *ret_text, size_t size);
/* The endpoint of a region. -ENODATA: the user must give it; -ENAMETOOLONG. */
int storage_provider_endpoint(const struct storage_provider *provider, const char *region,
			      char *ret_endpoint, size_t size);
