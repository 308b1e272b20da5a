/* Pieces of file names, for the catalog's own files. */
#pragma once

#include <stdbool.h>

#include "util/sid.h"

/* The other party of a call as it stands in a name: [A-Za-z0-9+._-], "anonymous" where there is
 * none. */
void filename_party(const char *number, char ret_party[32]);
/* The SID in a file's name; the rest of the name is not looked at. */
bool filename_find_sid(const char *name, struct sid *ret_sid);
