/*
 * Names of workspaces and campaigns as names of folders: reversible, without collisions, safe
 * everywhere. These become %XX:
 *
 *   bytes outside printable UTF-8, and / \ : * ? " < > | %
 *   a leading dot or dash, a trailing dot or space
 *   the first letter of a device's name on Windows (CON, nul.txt, COM1)
 *   characters that Unicode's NFC replaces by others
 *
 * Of two names that differ by case only, the one that was added later has further letters escaped:
 * struct catalog_workspace and struct catalog_campaign hold the folder's name.
 */
#pragma once

#include "catalog/catalog.h"

/* -EINVAL: an empty name; -ENAMETOOLONG: more than 255 bytes once encoded. */
int catalog_name_encode(const char *name, char ret_encoded[CATALOG_NAME_SIZE]);
