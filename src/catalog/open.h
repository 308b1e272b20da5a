/* Between open.c and rekey.c. */
#pragma once

#include "catalog/catalog.h"

/* The public fingerprint of a key, kept in <catalog>.keyid. */
#define KEY_ID_BYTES 8
#define KEY_ID_SIZE (2 * KEY_ID_BYTES + 1)
int key_id(const struct db_key *key, char ret_text[KEY_ID_SIZE]);
/* Checks that the open database is a catalog that this version can read, and brings an older one up
 * to date. -EKEYREJECTED, -EUCLEAN, -EPROTONOSUPPORT …, with a message. key_known: the fingerprint
 * matches, so an unreadable file is damaged. */
int catalog_check_format(struct db_conn *conn, const char *path, bool key_known,
			 char ret_message[CATALOG_MESSAGE_SIZE]);
