/* Rotating the catalog's key, and opening a catalog whose rotation was interrupted. */
#include "catalog/rotate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "catalog/catalog-private.h"
#include "catalog/guard.h"
#include "catalog/rekey.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/fault.h"
#include "util/files.h"

static int pending_path(const struct catalog_key_place *place, char **ret_path)
{
	*ret_path = path_beside(place->path, ".new");
	return *ret_path ? 0 : -ENOMEM;
}

static int command_place(const char *catalog_path, struct catalog_key_place *ret_place)
{
	ret_place->source = CATALOG_KEY_COMMAND;
	ret_place->path = path_beside(catalog_path, ".key-command");
	return ret_place->path ? 0 : -ENOMEM;
}

/* ---- opening, also after an interrupted rotation ---- */

/* The key in <place>.new; -ENOENT. */
static int pending_load(const struct catalog_key_place *place, struct db_key *ret_key)
{
	char message[CATALOG_MESSAGE_SIZE];
	struct catalog_key_place pending = { .source = place->source };
	int err = pending_path(place, &pending.path);

	if (err == 0 && access(pending.path, F_OK) < 0)
		err = -ENOENT;
	if (err == 0)
		err = catalog_key_load(&pending, ret_key, message);
	catalog_key_place_release(&pending);
	return err;
}

static int pending_settle(const struct catalog_key_place *place)
{
	cleanup_free char *pending = NULL;
	int err = pending_path(place, &pending);

	return err ? err : files_rename(pending, place->path);
}

/* True: the key in <place>.new has opened the catalog. *ret_settled: whether it was moved to its
 * place. */
static bool open_pending(const char *path, const struct catalog_key_place *place,
			 struct catalog **ret_catalog, struct db_key *ret_key, int *ret_settled)
{
	char message[CATALOG_MESSAGE_SIZE];
	int err = pending_load(place, ret_key);

	if (err == 0)
		err = catalog_open(path, ret_key, ret_catalog, message);
	if (err)
		return false;
	/* Where that fails, the next opening finds the key in <place>.new again. */
	*ret_settled = pending_settle(place);
	return true;
}

static int open_found(const char *path, const char *key_file, struct catalog **ret_catalog,
		      struct catalog_key_place *ret_place, struct db_key *ret_key, int *ret_settled,
		      char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_place struct catalog_key_place command = { .path = NULL };
	int err;

	*ret_settled = 0;
	ret_message[0] = '\0';
	/* Before anything else: a key command in the folder is run. */
	err = catalog_guard_folder(path, ret_message);
	if (err == 0)
		err = catalog_key_locate(path, key_file, ret_place);
	if (err == 0)
		err = catalog_key_load(ret_place, ret_key, ret_message);
	if (err == 0)
		err = catalog_open(path, ret_key, ret_catalog, ret_message);
	if (err != -EKEYREJECTED)
		return err;
	if (open_pending(path, ret_place, ret_catalog, ret_key, ret_settled))
		return 0;
	if (ret_place->source == CATALOG_KEY_COMMAND)
		return err;
	/* It may have been a rotation from a file to a command. */
	if (command_place(path, &command) == 0 &&
	    open_pending(path, &command, ret_catalog, ret_key, ret_settled)) {
		catalog_key_place_release(ret_place);
		*ret_place = command;
		command.path = NULL;
		return 0;
	}
	return err;
}

int catalog_open_found(const char *path, const char *key_file, struct catalog **ret_catalog,
		       char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_place struct catalog_key_place place = { .path = NULL };
	cleanup_key_new struct db_key *key = catalog_key_new();
	int settled;

	if (!key)
		return -ENOMEM;
	return open_found(path, key_file, ret_catalog, &place, key, &settled, ret_message);
}

/* ---- the new key ---- */

static int new_place(const char *path, const struct catalog_rotation *rotation,
		     const struct catalog_key_place *old, struct catalog_key_place *ret_place,
		     char *ret_message)
{
	if (rotation->new_command)
		return command_place(path, ret_place);
	ret_place->source = CATALOG_KEY_FILE;
	if (rotation->new_file) {
		ret_place->path = strdup(rotation->new_file);
		return ret_place->path ? 0 : -ENOMEM;
	}
	if (old->source == CATALOG_KEY_COMMAND)
		return catalog_fail(
			-EINVAL, ret_message,
			"a command prints the key, so it cannot be changed from here: let a "
			"command print a new key (--new-key-command), or have it in a file "
			"(--new-key-file)");
	if (old->source == CATALOG_KEY_CREDENTIAL)
		return catalog_fail(
			-EINVAL, ret_message,
			"the key is a systemd credential, which cannot be changed from here: "
			"name a file for the new key (--new-key-file), and let the unit load that");
	/* The file that a symlink leads to: the symlink stays. */
	return files_absolute(old->path, &ret_place->path);
}

/* The new key is durable when it has returned 0. *ret_pending is the file that was made for it,
 * NULL where none was: the caller removes it where the rotation fails. */
static int new_key(const struct catalog_rotation *rotation, const struct catalog_key_place *place,
		   struct db_key *ret_key, char **ret_pending, char *ret_message)
{
	cleanup_free char *pending = NULL;
	int err;

	if (rotation->new_file) {
		err = catalog_key_file_create(place->path, ret_key);
		if (err == -EEXIST)
			return catalog_key_file_load(place->path, ret_key, ret_message);
		*ret_pending = err ? NULL : strdup(place->path);
	} else {
		err = pending_path(place, &pending);
		if (err)
			return err;
		/* Left by a rotation that was interrupted before the catalog had the key. */
		unlink(pending);
		if (rotation->new_command) {
			err = catalog_key_command_run(rotation->new_command, ret_key, ret_message);
			if (err == 0)
				err = catalog_key_command_save(pending, rotation->new_command);
		} else {
			err = catalog_key_file_create(pending, ret_key);
		}
		*ret_pending = err ? NULL : steal_pointer(&pending);
	}
	if (err && !ret_message[0])
		catalog_fail(err, ret_message, "the new key cannot be kept beside %s: %s",
			     place->path, strerror(-err));
	return err;
}

/* ---- rotating ---- */

static int rotate(struct catalog_rekey *rekey, const struct catalog_rotation *rotation,
		  const struct db_key *old_key, const struct catalog_key_place *place,
		  char *ret_message)
{
	cleanup_key_new struct db_key *key = catalog_key_new();
	cleanup_free char *pending = NULL;
	bool is_new = false;
	int err = key ? new_key(rotation, place, key, &pending, ret_message) : -ENOMEM;

	fault_point("rotate-key-kept");
	if (err == 0 && crypto_equal(key->bytes, old_key->bytes, sizeof key->bytes))
		err = catalog_fail(-EINVAL, ret_message, "the catalog has this key already");
	if (err == 0)
		err = catalog_rekey_run(rekey, key, &is_new, ret_message);
	if (err == 0 && !rotation->new_file) {
		err = pending_settle(place);
		if (err)
			catalog_fail(err, ret_message,
				     "the catalog has its new key, which stays in %s.new: %s",
				     place->path, strerror(-err));
	}
	fault_point("rotate-key-settled");
	if (!is_new && pending)
		unlink(pending);
	return err;
}

int catalog_rotate(const char *path, const char *key_file, const struct catalog_rotation *rotation,
		   struct catalog_key_place *ret_place, char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_key_place struct catalog_key_place old = { .path = NULL }, place = { .path = NULL };
	cleanup_key_new struct db_key *old_key = catalog_key_new();
	struct catalog_rekey *rekey = NULL;
	struct catalog *catalog = NULL;
	int err, settled;

	ret_place->path = NULL;
	if (!old_key)
		return -ENOMEM;
	/* Checks the catalog, brings it up to date, and finishes an interrupted rotation. */
	err = open_found(path, key_file, &catalog, &old, old_key, &settled, ret_message);
	catalog_close(catalog);
	if (err == 0 && settled) {
		/* Another new key would take the file of the only key that opens it. */
		err = catalog_fail(
			settled, ret_message,
			"the key that opens %s is in %s.new and cannot take its place: %s", path,
			old.path, strerror(-settled));
	}
	if (err)
		return err;
	err = new_place(path, rotation, &old, &place, ret_message);
	if (err == 0)
		err = catalog_rekey_begin(path, old_key, &rekey, ret_message);
	if (err)
		return err;
	err = rotate(rekey, rotation, old_key, &place, ret_message);
	catalog_rekey_end(rekey);
	if (err == 0) {
		*ret_place = place;
		place.path = NULL;
	}
	return err;
}
