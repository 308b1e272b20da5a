/*
 * The yardstick of the benchmarks: the least that a low-level FUSE file system can do. A tree in memory, read once from
 * standard input, readdirplus always on, long timeouts, one thread; files hold zeros, and their pages are kept.
 * usage: memtree DIR < LIST      LIST: a line per entry below the mountpoint, "PATH<tab>SIZE" for a file and
 *                                "PATH/<tab>0" for a folder, which stands before what is in it.
 * Prints "ready" when it is mounted; runs in the foreground until unmounted or SIGTERM.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_SECS 86400.0
#define READ_BYTES (1 << 20) /* the most that the kernel asks for at once */

struct node {
	char *name;
	off_t size;
	fuse_ino_t parent;
	bool is_folder;
	size_t count, capacity; /* of a folder's entries */
	fuse_ino_t *entries;
};

/* The inode is the index; 1 is the root. */
static struct node *nodes;
static size_t node_count, node_capacity;
static time_t started;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 64;
	items = realloc(items, *capacity * size);
	if (!items)
		die("memtree");
	return items;
}

static fuse_ino_t node_add(fuse_ino_t parent, const char *name, off_t size, bool is_folder)
{
	fuse_ino_t inode = node_count;
	struct node *folder;

	nodes = grow(nodes, node_count, &node_capacity, sizeof *nodes);
	nodes[inode] = (struct node){
		.name = strdup(name), .size = size, .parent = parent, .is_folder = is_folder
	};
	if (!nodes[inode].name)
		die("memtree");
	node_count++;
	if (inode <= FUSE_ROOT_ID)
		return inode;
	folder = &nodes[parent];
	folder->entries =
		grow(folder->entries, folder->count, &folder->capacity, sizeof *folder->entries);
	folder->entries[folder->count++] = inode;
	return inode;
}

static fuse_ino_t child_find(fuse_ino_t parent, const char *name)
{
	const struct node *folder = &nodes[parent];

	for (size_t i = folder->count; i-- > 0;) {
		if (strcmp(nodes[folder->entries[i]].name, name) == 0)
			return folder->entries[i];
	}
	return 0;
}

static void read_list(void)
{
	char *line = NULL, *tab, *slash, *name;
	size_t size = 0;
	ssize_t len;

	node_add(0, "", 0, false);
	node_add(FUSE_ROOT_ID, "", 0, true);
	while ((len = getline(&line, &size, stdin)) > 0) {
		fuse_ino_t parent = FUSE_ROOT_ID;
		bool is_folder;

		tab = strchr(line, '\t');
		if (!tab || tab == line) {
			fprintf(stderr, "memtree: no tab in: %s", line);
			exit(1);
		}
		*tab = '\0';
		is_folder = tab[-1] == '/';
		if (is_folder)
			tab[-1] = '\0';
		for (name = line; (slash = strchr(name, '/')); name = slash + 1) {
			*slash = '\0';
			parent = child_find(parent, name);
			if (!parent || !nodes[parent].is_folder) {
				fprintf(stderr, "memtree: no folder '%s' yet\n", name);
				exit(1);
			}
		}
		node_add(parent, name, strtoll(tab + 1, NULL, 10), is_folder);
	}
	free(line);
}

static void fill_stat(fuse_ino_t inode, struct stat *st)
{
	const struct node *node = &nodes[inode];

	*st = (struct stat){
		.st_ino = inode,
		.st_mode = node->is_folder ? S_IFDIR | 0700 : S_IFREG | 0600,
		.st_nlink = node->is_folder ? 2 : 1,
		.st_uid = getuid(),
		.st_gid = getgid(),
		.st_size = node->size,
		.st_mtime = started,
		.st_ctime = started,
	};
}

static void fill_entry(fuse_ino_t inode, struct fuse_entry_param *entry)
{
	*entry = (struct fuse_entry_param){
		.ino = inode,
		.attr_timeout = TIMEOUT_SECS,
		.entry_timeout = TIMEOUT_SECS,
	};
	fill_stat(inode, &entry->attr);
}

static void tree_init(void *data, struct fuse_conn_info *conn)
{
	conn->want |= FUSE_CAP_READDIRPLUS;
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
	puts("ready");
	fflush(stdout);
}

static void tree_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ino_t inode = child_find(parent, name);
	struct fuse_entry_param entry;

	if (!inode) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill_entry(inode, &entry);
	fuse_reply_entry(req, &entry);
}

static void tree_getattr(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	struct stat st;

	fill_stat(inode, &st);
	fuse_reply_attr(req, &st, TIMEOUT_SECS);
}

static void tree_opendir(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	if (!nodes[inode].is_folder) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void list(fuse_req_t req, fuse_ino_t inode, size_t size, off_t after, bool plus)
{
	const struct node *folder = &nodes[inode];
	char *buffer = malloc(size);
	size_t used = 0;

	if (!buffer) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = (size_t)after; i < folder->count + 2; i++) {
		fuse_ino_t child = i == 0   ? inode
				   : i == 1 ? folder->parent
					    : folder->entries[i - 2];
		const char *name = i == 0 ? "." : i == 1 ? ".." : nodes[child].name;
		struct fuse_entry_param entry;
		size_t needed;

		fill_entry(child, &entry);
		if (plus)
			needed = fuse_add_direntry_plus(req, buffer + used, size - used, name,
							&entry, (off_t)i + 1);
		else
			needed = fuse_add_direntry(req, buffer + used, size - used, name,
						   &entry.attr, (off_t)i + 1);
		if (needed > size - used)
			break;
		used += needed;
	}
	fuse_reply_buf(req, buffer, used);
	free(buffer);
}

static void tree_readdir(fuse_req_t req, fuse_ino_t inode, size_t size, off_t after,
			 struct fuse_file_info *fi)
{
	list(req, inode, size, after, false);
}

static void tree_readdirplus(fuse_req_t req, fuse_ino_t inode, size_t size, off_t after,
			     struct fuse_file_info *fi)
{
	list(req, inode, size, after, true);
}

static void tree_open(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void tree_read(fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
		      struct fuse_file_info *fi)
{
	static const char zeros[READ_BYTES];
	off_t left = nodes[inode].size - offset;

	if (size > sizeof zeros) {
		fuse_reply_err(req, EIO);
		return;
	}
	if (left <= 0)
		size = 0;
	else if ((off_t)size > left)
		size = (size_t)left;
	fuse_reply_buf(req, zeros, size);
}

static const struct fuse_lowlevel_ops operations = {
	.init = tree_init,
	.lookup = tree_lookup,
	.getattr = tree_getattr,
	.opendir = tree_opendir,
	.readdir = tree_readdir,
	.readdirplus = tree_readdirplus,
	.open = tree_open,
	.read = tree_read,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *session;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: memtree DIR < LIST\n");
		return 2;
	}
	started = time(NULL);
	read_list();
	if (fuse_opt_add_arg(&args, argv[0]) < 0 ||
	    fuse_opt_add_arg(&args, "-osubtype=memtree,fsname=memtree") < 0)
		die("memtree");
	session = fuse_session_new(&args, &operations, sizeof operations, NULL);
	if (!session)
		return 1;
	if (fuse_set_signal_handlers(session) < 0 || fuse_session_mount(session, argv[1]) < 0)
		return 1;
	err = fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return err < 0;
}
