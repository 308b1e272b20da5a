/* Making, opening, checking and closing the catalog's file. Nothing is written before the key, the
 * format and the version are known to be right. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "catalog/catalog-private.h"
#include "catalog/guard.h"
#include "catalog/open.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/files.h"

#define PLAIN_SQLITE "this tonicfs is linked to plain SQLite, which cannot encrypt"

int key_id(const struct db_key *key, char ret_text[KEY_ID_SIZE])
{
	static const char purpose[] = "tonicfs catalog key id";
	uint8_t mac[CRYPTO_SHA256_SIZE];
	int err =
		crypto_hmac_sha256(key->bytes, sizeof key->bytes, purpose, sizeof purpose - 1, mac);

	if (err == 0)
		crypto_hex(mac, KEY_ID_BYTES, ret_text);
	return err;
}

char *path_beside(const char *path, const char *suffix)
{
	char *name;

	return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

/* WAL needs memory that all processes with the file open share. */
static bool is_network_fs(const char *path)
{
	static const unsigned long magics[] = {
		NFS_SUPER_MAGIC,
		SMB_SUPER_MAGIC,
		0xff534d42 /* CIFS */,
		0xfe534d42 /* SMB2 */,
		AFS_SUPER_MAGIC,
		0x00c36400 /* Ceph */,
		0x65735546 /* FUSE: sshfs and the like */,
		V9FS_MAGIC,
		CODA_SUPER_MAGIC,
	};
	struct statfs fs;

	if (statfs(path, &fs))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

int catalog_fail(int err, char ret_message[CATALOG_MESSAGE_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_message, CATALOG_MESSAGE_SIZE, format, args);
	va_end(args);
	return err;
}

static int fill(struct db_conn *conn, void *arg)
{
	return catalog_schema_apply(conn, 0, catalog_schema_version);
}

int catalog_create(const char *path, const struct db_key *key,
		   char ret_message[CATALOG_MESSAGE_SIZE])
{
	cleanup_free char *folder = strdup(path), *id_path = path_beside(path, ".keyid"),
			  *new_path = path_beside(path, ".new");
	char id[KEY_ID_SIZE];
	struct stat st;
	char *slash;
	int err, fd;

	ret_message[0] = '\0';
	if (!folder || !id_path || !new_path)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		err = files_mkdir_parents(folder, 0700);
		if (err)
			return catalog_fail(err, ret_message, "cannot make the folder %s: %s",
					    folder, strerror(-err));
	} else {
		strcpy(folder, slash ? "/" : ".");
	}
	err = catalog_guard_folder(path, ret_message);
	if (err)
		return err;
	if (is_network_fs(folder))
		return catalog_fail(-ENOTSUP, ret_message,
				    "%s is on a network file system, where a catalog is not safe",
				    folder);
	if (stat(path, &st) == 0 || stat(id_path, &st) == 0)
		return catalog_fail(-EEXIST, ret_message, "there is a catalog already: %s", path);
	err = key_id(key, id);
	if (err)
		return err;

	/* Made under another name and renamed when complete: a crash leaves no half catalog. */
	db_file_remove(new_path);
	err = db_create(new_path, key, fill, NULL);
	if (err == -ENOTSUP)
		return catalog_fail(err, ret_message, PLAIN_SQLITE);
	if (err == 0)
		err = files_write_new_private(id_path, id, strlen(id));
	if (err == 0 && rename(new_path, path)) {
		err = -errno;
		unlink(id_path);
	}
	if (err) {
		db_file_remove(new_path);
		return catalog_fail(err, ret_message, "cannot create %s: %s", path, strerror(-err));
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return 0;
}

/* Brings an older catalog up to date, or leaves it as it was. */
static int upgrade(struct db_conn *conn, void *arg)
{
	struct db_format format;
	/* Read again, under the lock: another process may have been faster. */
	int err = db_format_get(conn, &format);

	return err || format.schema_version >= catalog_schema_version
		       ? err
		       : catalog_schema_apply(conn, format.schema_version, catalog_schema_version);
}

static int check_key_id(const char *path, const struct db_key *key, bool *ret_known,
			char *ret_message)
{
	cleanup_free char *id_path = path_beside(path, ".keyid"), *stored = NULL;
	char id[KEY_ID_SIZE];
	size_t len;
	int err;

	*ret_known = false;
	if (!id_path)
		return -ENOMEM;
	err = key_id(key, id);
	if (err)
		return err;
	err = files_read(id_path, 64, &stored, &len);
	if (err || len < strlen(id))
		return 0; /* no fingerprint: only reading the file shows whether the key is right */
	if (strncmp(stored, id, strlen(id)) != 0)
		return catalog_fail(-EKEYREJECTED, ret_message, "this key does not open %s", path);
	*ret_known = true;
	return 0;
}

/* Called when the key has opened the catalog. The catalog works without the fingerprint, too. */
static void put_key_id_back(const char *path, const struct db_key *key)
{
	cleanup_free char *id_path = path_beside(path, ".keyid");
	char id[KEY_ID_SIZE];

	if (id_path && key_id(key, id) == 0)
		(void)!files_replace_private(id_path, id, strlen(id));
}

static int damaged(const char *path, char *ret_message)
{
	return catalog_fail(-EUCLEAN, ret_message,
			    "%s is damaged; nothing was written to it; " CATALOG_DAMAGED_ADVICE,
			    path);
}

/* SQLCipher's error for a wrong key and for a damaged file is the same. */
static int unreadable(const char *path, bool key_known, char *ret_message)
{
	return key_known
		       ? damaged(path, ret_message)
		       : catalog_fail(-EKEYREJECTED, ret_message,
				      "%s cannot be read: the key is wrong, or the file is damaged",
				      path);
}

int catalog_check_format(struct db_conn *conn, const char *path, bool key_known,
			 char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct db_format format;
	int err = db_format_get(conn, &format);

	if (err == -EUCLEAN)
		return unreadable(path, key_known, ret_message);
	if (err)
		return catalog_fail(err, ret_message, "cannot read %s: %s", path, strerror(-err));
	if (format.application_id != CATALOG_APPLICATION_ID || format.schema_version < 1)
		return catalog_fail(-EUCLEAN, ret_message, "%s is no catalog of tonicfs", path);
	if (format.schema_version > catalog_schema_version)
		return catalog_fail(
			-EPROTONOSUPPORT, ret_message,
			"%s was made by a newer tonicfs (format %lld, this one knows up to %d)",
			path, (long long)format.schema_version, catalog_schema_version);
	err = format.schema_version < catalog_schema_version ? db_transact(conn, upgrade, NULL) : 0;
	if (err == -EUCLEAN)
		return damaged(path, ret_message);
	if (err)
		return catalog_fail(err, ret_message, "cannot bring %s up to date: %s", path,
				    strerror(-err));
	return 0;
}

int catalog_open(const char *path, const struct db_key *key, struct catalog **ret_catalog,
		 char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct catalog *catalog;
	bool key_known = false;
	struct stat st;
	int err;

	ret_message[0] = '\0';
	if (stat(path, &st))
		return errno == ENOENT
			       ? catalog_fail(-ENOENT, ret_message,
					      "there is no catalog at %s (tonicfs init makes one)",
					      path)
			       : catalog_fail(-errno, ret_message, "cannot open %s: %s", path,
					      strerror(errno));
	if (!S_ISREG(st.st_mode))
		return catalog_fail(-EUCLEAN, ret_message, "%s is no catalog of tonicfs", path);
	if (is_network_fs(path))
		return catalog_fail(-ENOTSUP, ret_message,
				    "%s is on a network file system, where a catalog is not safe",
				    path);
	err = check_key_id(path, key, &key_known, ret_message);
	if (err)
		return err;
	catalog = calloc(1, sizeof *catalog);
	if (!catalog)
		return -ENOMEM;
	pthread_mutex_init(&catalog->wanted_mutex, NULL);
	err = db_open(path, key, &catalog->db);
	if (err == -EUCLEAN)
		err = unreadable(path, key_known, ret_message);
	else if (err == -ENOTSUP)
		catalog_fail(err, ret_message, PLAIN_SQLITE);
	if (err)
		goto fail;
	err = catalog_check_format(db_writer(catalog->db), path, key_known, ret_message);
	if (err == 0) {
		err = db_start(catalog->db, catalog_schema_version);
		if (err)
			goto fail;
	}
	if (db_is_moved(db_writer(catalog->db)))
		err = catalog_fail(-EBUSY, ret_message,
				   "%s got another key while it was opened; try again", path);
	if (err)
		goto fail;
	if (!key_known)
		put_key_id_back(db_path(catalog->db), key);
	*ret_catalog = catalog;
	return 0;
fail:
	if (!ret_message[0])
		catalog_fail(err, ret_message, "cannot open %s: %s", path, strerror(-err));
	catalog_close(catalog);
	return err;
}

void catalog_close(struct catalog *catalog)
{
	if (!catalog)
		return;
	db_close(catalog->db);
	pthread_mutex_destroy(&catalog->wanted_mutex);
	free(catalog);
}

const char *catalog_path(const struct catalog *catalog)
{
	return db_path(catalog->db);
}

struct db *catalog_db(struct catalog *catalog)
{
	return catalog->db;
}

int catalog_wait(struct catalog *catalog, uint64_t *generation, unsigned timeout_msecs)
{
	return db_wait(catalog->db, generation, timeout_msecs);
}

void catalog_wake(struct catalog *catalog)
{
	db_wake(catalog->db);
}
