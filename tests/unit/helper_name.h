/* The way back from a folder's name, which shows that catalog_name_encode loses nothing. */
#pragma once

#include "catalog/catalog.h"

/* Takes any escapes. -EINVAL: not an encoded name. */
int catalog_name_decode(const char *encoded, char ret_name[CATALOG_NAME_SIZE]);
