/* Re-encrypting the catalog's file: the steps that catalog/rekey.h lists. */
#include "catalog/rekey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/catalog-private.h"
#include "catalog/open.h"
#include "util/cleanup.h"
#include "util/fault.h"
#include "util/files.h"

struct catalog_rekey {
	char *path, *copy_path, *id_path;
	struct db_conn *conn;
	int old_fd; /* closed after conn: closing it drops SQLite's locks */
};

static struct catalog_rekey *rekey_new(const char *path)
{
	struct catalog_rekey *rekey = calloc(1, sizeof *rekey);

	if (!rekey)
		return NULL;
	rekey->old_fd = -1;
	if (files_absolute(path, &rekey->path) < 0 ||
	    !(rekey->copy_path = path_beside(rekey->path, ".rotate")) ||
	    !(rekey->id_path = path_beside(rekey->path, ".keyid"))) {
		catalog_rekey_end(rekey);
		return NULL;
	}
	return rekey;
}

int catalog_rekey_begin(const char *path, const struct db_key *old_key,
			struct catalog_rekey **ret_rekey, char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct catalog_rekey *rekey = rekey_new(path);
	struct stat st;
	int err;

	if (!rekey)
		return -ENOMEM;
	rekey->old_fd = open(rekey->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (rekey->old_fd < 0 || fstat(rekey->old_fd, &st) < 0)
		err = catalog_fail(-errno, ret_message, "cannot open %s: %s", path,
				   strerror(errno));
	else if (st.st_uid != geteuid())
		err = catalog_fail(-EPERM, ret_message,
				   "%s belongs to another user, who alone may change its key",
				   path);
	else
		err = db_open_alone(rekey->path, old_key, &rekey->conn);
	if (err == 0)
		err = catalog_check_format(rekey->conn, path, true, ret_message);
	if (err == -EBUSY)
		catalog_fail(
			err, ret_message,
			"another process has %s open (a mount, a sync?); its key can be changed when "
			"that has ended",
			path);
	else if (err && !ret_message[0])
		catalog_fail(err, ret_message, "cannot open %s: %s", path, strerror(-err));
	if (err)
		catalog_rekey_end(rekey);
	else
		*ret_rekey = rekey;
	return err;
}

void catalog_rekey_end(struct catalog_rekey *rekey)
{
	if (!rekey)
		return;
	/* Before the file is unlocked: afterwards another process may use these names. */
	if (rekey->conn)
		db_file_remove(rekey->copy_path);
	db_conn_close(rekey->conn);
	if (rekey->old_fd >= 0)
		close(rekey->old_fd);
	free(rekey->path);
	free(rekey->copy_path);
	free(rekey->id_path);
	free(rekey);
}

static int copy_check(struct catalog_rekey *rekey, const struct db_key *new_key, char *ret_message)
{
	int err = db_copy_check(rekey->conn, rekey->copy_path, new_key);

	return err == -EUCLEAN
		       ? catalog_fail(err, ret_message,
				      "the copy with the new key differs from the catalog; the old "
				      "key stays")
		       : err;
}

/* Gives the copy the catalog's name. *ret_is_new is set as soon as it has the name. */
static int copy_install(struct catalog_rekey *rekey, bool *ret_is_new)
{
	int err = files_remove(rekey->id_path);

	fault_point("rotate-keyid-removed");
	if (err)
		return err;
	err = files_rename(rekey->copy_path, rekey->path);
	*ret_is_new = err == 0 || db_is_moved(rekey->conn);
	fault_point("rotate-renamed");
	return err;
}

int catalog_rekey_run(struct catalog_rekey *rekey, const struct db_key *new_key, bool *ret_is_new,
		      char ret_message[CATALOG_MESSAGE_SIZE])
{
	char id[KEY_ID_SIZE];
	int err = key_id(new_key, id);

	*ret_is_new = false;
	db_file_remove(rekey->copy_path); /* left by a run that was killed */
	if (err == 0)
		err = db_copy(rekey->conn, rekey->copy_path, new_key);
	fault_point("rotate-copied");
	if (err == 0)
		err = copy_check(rekey, new_key, ret_message);
	if (err == 0)
		err = copy_install(rekey, ret_is_new);
	if (err == 0)
		err = files_replace_private(rekey->id_path, id, strlen(id));
	fault_point("rotate-keyid-written");
	if (err == 0 && ftruncate(rekey->old_fd, 0) < 0)
		err = -errno;
	if (err && !ret_message[0])
		catalog_fail(
			err, ret_message,
			*ret_is_new
				? "%s has its new key, but not all that belongs to it was written: %s"
				: "%s was not re-encrypted, its key is the old one: %s",
			rekey->path,
			err == -EUCLEAN ? "it is damaged; " CATALOG_DAMAGED_ADVICE
					: strerror(-err));
	return err;
}
