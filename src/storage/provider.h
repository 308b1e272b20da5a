/*
 * What is known of the makers of S3-compatible storage, so that nobody has to look it up: where a
 * region's endpoint is, and how buckets are named in requests. Pure functions.
 */
#ifndef TONICFS_STORAGE_PROVIDER_H
#define TONICFS_STORAGE_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

struct storage_provider {
	const char *name;
	const char *title;
	const char *endpoint; /* with {region}; "": AWS's own rule; NULL: only the user knows it */
	const char *region;   /* where none is given; NULL: it must be */
	const char *example;  /* of a region, or of an endpoint where that must be given */
	bool path_style;
};

/* NULL: there is none of that name. */
const struct storage_provider *storage_provider_find(const char *name);
/* "aws, digitalocean, …" */
void storage_provider_names(char *ret_text, size_t size);
/* Its endpoint in the storage's region. -ENODATA: only the user knows; -ENAMETOOLONG. */
int storage_provider_endpoint(const struct storage_provider *provider, const char *region,
			      char *ret_endpoint, size_t size);

#endif
