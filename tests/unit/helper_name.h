/* The way back from a folder's name, which shows that catalog_name_encode loses nothing. */
#ifndef TONICFS_TESTS_HELPER_NAME_H
#define TONICFS_TESTS_HELPER_NAME_H

#include "catalog/catalog.h"

/* Takes any escapes. -EINVAL: not an encoded name. */
int catalog_name_decode(const char *encoded, char ret_name[CATALOG_NAME_SIZE]);

#endif
