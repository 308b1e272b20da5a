/* The FUSE session: mount, serve, end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fs/fs-private.h"
#include "fs/handle.h"
#include "fs/wait.h"
#include "util/cleanup.h"

/* With the kernel's default of 12, a dozen stuck reads block every other file. */
#define BACKGROUND_MAX 1024
/* A read of a file's first bytes waits for all of the kernel's readahead: more would cost another
 * round trip. Audio reads ahead further. */
#define READAHEAD_BYTES (64 * 1024)
#define POOL_THREADS 8
#define REMOTE_POOL_THREADS 16 /* some may wait half a minute for credentials */

/* ---- requests that are always refused ---- */

#define DENY(name, ...) \
	static void deny_##name(fuse_req_t req, __VA_ARGS__) \
	{ \
		fs_reply_err(req, -EROFS); \
	}

DENY(setattr, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
DENY(mknod, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
DENY(mkdir, fuse_ino_t parent, const char *name, mode_t mode)
DENY(symlink, const char *target, fuse_ino_t parent, const char *name)
DENY(rename, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to_name,
     unsigned flags)
DENY(link, fuse_ino_t ino, fuse_ino_t parent, const char *name)
DENY(write, fuse_ino_t ino, const char *bytes, size_t size, off_t off, struct fuse_file_info *fi)
DENY(create, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
DENY(fallocate, fuse_ino_t ino, int mode, off_t off, off_t length, struct fuse_file_info *fi)

static void on_init(void *arg, struct fuse_conn_info *conn)
{
	const unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC |
				FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |
				FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_HANDLE_KILLPRIV;
	struct fs *fs = arg;

	/* Not wanted: READDIRPLUS_AUTO (find takes seven times as long), WRITEBACK_CACHE (setxattr
	 * changes ctime), ASYNC_DIO (a reader with O_DIRECT cannot be killed), splice. */
	conn->want = conn->capable & wanted;
	if (conn->max_readahead > READAHEAD_BYTES)
		conn->max_readahead = READAHEAD_BYTES;
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = BACKGROUND_MAX * 3 / 4;
	conn->time_gran = 1;
	fs->is_initialized = true;
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = fs_lookup,
	.forget = fs_forget,
	.forget_multi = fs_forget_multi,
	.getattr = fs_getattr,
	.setattr = deny_setattr,
	.mknod = deny_mknod,
	.mkdir = deny_mkdir,
	.unlink = fs_unlink,
	.rmdir = fs_rmdir,
	.symlink = deny_symlink,
	.rename = deny_rename,
	.link = deny_link,
	.open = fs_open,
	.read = fs_read,
	.write = deny_write,
	.flush = fs_flush,
	.release = fs_release,
	.opendir = fs_opendir,
	.readdir = fs_readdir,
	.readdirplus = fs_readdirplus,
	.statfs = fs_statfs,
	.setxattr = fs_setxattr,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.removexattr = fs_removexattr,
	.create = deny_create,
	.fallocate = deny_fallocate,
};

/* ---- mounting ---- */

/* False: out of memory. */
static bool add_option(struct fuse_args *args, const char *option)
{
	return fuse_opt_add_arg(args, "-o") == 0 && fuse_opt_add_arg(args, option) == 0;
}

static int add_options(struct fuse_args *args, const struct fs_settings *settings)
{
	/* default_permissions makes the kernel check modes, for which it first asks for a file's
	 * attributes, and so for its size, even for setxattr. Without allow_other only the owner is
	 * let in, so nothing needs checking. */
	bool ok = fuse_opt_add_arg(args, "tonicfs") == 0 &&
		  add_option(args, "fsname=tonicfs,subtype=tonicfs") &&
		  (!settings->read_only || add_option(args, "ro")) &&
		  (!settings->allow_other || add_option(args, "allow_other,default_permissions"));

	for (size_t i = 0; ok && settings->options && settings->options[i]; i++)
		ok = add_option(args, settings->options[i]);
	return ok ? 0 : -ENOMEM;
}

static void fs_free(struct fs *fs)
{
	pool_release(&fs->pool);
	pool_release(&fs->remote_pool);
	if (fs->session)
		fuse_session_destroy(fs->session);
	if (fs->wake_fd >= 0)
		close(fs->wake_fd);
	pthread_cond_destroy(&fs->idle);
	pthread_mutex_destroy(&fs->lock);
	free(fs);
}

static int session_mount(struct fs *fs, char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char said[CATALOG_MESSAGE_SIZE];
	int err = add_options(&args, &fs->settings);

	fs_log_install();
	if (!err)
		fs->session = fuse_session_new(&args, &operations, sizeof operations, fs);
	if (!err && !fs->session)
		err = -EINVAL;
	fuse_opt_free_args(&args);
	if (!err && fuse_session_mount(fs->session, fs->settings.mountpoint))
		err = -EIO;
	if (err) {
		fs_log_last(said);
		if (!said[0])
			snprintf(said, sizeof said, "%s",
				 err == -EIO ? "fusermount3 or the kernel refused"
					     : strerror(-err));
		snprintf(ret_message, CATALOG_MESSAGE_SIZE, "%.200s cannot be mounted on: %.250s",
			 fs->settings.mountpoint, said);
	}
	fs->is_mounted = !err;
	if (!err)
		fs_mount_note(fs);
	return err;
}

int fs_mount(struct catalog *catalog, struct audio *audio, const struct fs_settings *settings,
	     struct fs **ret_fs, char ret_message[CATALOG_MESSAGE_SIZE])
{
	struct fs *fs = calloc(1, sizeof *fs);
	int err;

	ret_message[0] = '\0';
	if (!fs)
		return -ENOMEM;
	fs->catalog = catalog;
	fs->audio = audio;
	fs->settings = *settings;
	fs->names = settings->names;
	fs->uid = getuid();
	fs->gid = getgid();
	pthread_mutex_init(&fs->lock, NULL);
	pthread_cond_init(&fs->idle, NULL);
	pool_init(&fs->pool, "fs pool", POOL_THREADS);
	pool_init(&fs->remote_pool, "fs remote", REMOTE_POOL_THREADS);
	list_init(&fs->waits);
	list_init(&fs->handles);
	list_init(&fs->calls);
	fs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = fs->wake_fd < 0 ? -errno : fs_mountpoint_clear(settings->mountpoint, ret_message);
	if (!err && !settings->nonempty)
		err = fs_mountpoint_check(settings->mountpoint, ret_message);
	if (!err)
		err = session_mount(fs, ret_message);
	if (!err) {
		*ret_fs = fs;
		return 0;
	}
	if (!ret_message[0])
		snprintf(ret_message, CATALOG_MESSAGE_SIZE, "%s: %s", settings->mountpoint,
			 strerror(-err));
	fs_free(fs);
	return err;
}

/* ---- serving ---- */

void fs_stop(struct fs *fs)
{
	const uint64_t one = 1;
	int saved = errno;
	ssize_t n;

	do
		n = write(fs->wake_fd, &one, sizeof one);
	while (n < 0 && errno == EINTR); /* EAGAIN: it was woken already */
	errno = saved;
}

/* Serves one request. False: the session has ended. */
static bool serve_one(struct fs *fs, struct fuse_buf *buf)
{
	int n = fuse_session_receive_buf(fs->session, buf);

	if (n == -EINTR || n == -EAGAIN)
		return !fuse_session_exited(fs->session);
	if (n <= 0) {
		if (n < 0)
			atomic_store(&fs->loop_err, n);
		return false;
	}
	fuse_session_process_buf(fs->session, buf);
	return !fuse_session_exited(fs->session);
}

/* Interrupts a worker's read of /dev/fuse. Cancelling the thread could stop it in a library. */
#define WORKER_SIGNAL SIGUSR1

static void on_worker_signal(int number)
{
}

static void *work(void *arg)
{
	struct fs *fs = arg;
	struct fuse_buf buf = { .mem = NULL };
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, WORKER_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
	while (serve_one(fs, &buf))
		;
	free(buf.mem);
	fs_stop(fs);
	return NULL;
}

static int workers_start(struct fs *fs)
{
	const struct sigaction action = { .sa_handler = on_worker_signal }; /* without SA_RESTART */

	sigaction(WORKER_SIGNAL, &action, NULL);
	while (fs->worker_count < FS_WORKERS) {
		int err = thread_start(&fs->workers[fs->worker_count], "fuse", work, fs);

		if (err)
			return fs->worker_count ? 0 : err;
		fs->worker_count++;
	}
	return 0;
}

static void workers_stop(struct fs *fs)
{
	fuse_session_exit(fs->session);
	for (unsigned i = 0; i < fs->worker_count; i++) {
		struct timespec until;

		/* Repeated, because the signal may arrive just before the read. */
		do {
			pthread_kill(fs->workers[i], WORKER_SIGNAL);
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += 10000000;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
		} while (pthread_timedjoin_np(fs->workers[i], NULL, &until) == ETIMEDOUT);
	}
	fs->worker_count = 0;
}

/* FUSE_INIT is the first request. */
static int serve_init(struct fs *fs)
{
	struct fuse_buf buf = { .mem = NULL };

	while (!fs->is_initialized && serve_one(fs, &buf))
		;
	free(buf.mem);
	if (fs->is_initialized)
		return 0;
	return atomic_load(&fs->loop_err) ? atomic_load(&fs->loop_err) : -ENODEV;
}

static void ending(const struct fs *fs, const char *what)
{
	if (fs->settings.ending)
		fs->settings.ending(what);
}

int fs_run(struct fs *fs, void (*on_ready)(void *arg), void *arg)
{
	int err = serve_init(fs);

	if (!err)
		err = workers_start(fs);
	if (!err)
		err = fs_notify_start(fs);
	if (!err) {
		if (on_ready)
			on_ready(arg);
		fs_mount_wait_end(fs);
		err = atomic_load(&fs->loop_err);
	}

	/* First the waits for the network, last the workers: notifier and pools wait for both. */
	atomic_store(&fs->is_stopping, true);
	cancel_set(&fs->cancel);
	ending(fs, "reads of the mount");
	audio_interrupt(fs->audio);
	ending(fs, "the kernel to take invalidations");
	fs_notify_stop(fs);
	ending(fs, "attributes that need S3");
	pool_stop(&fs->remote_pool);
	ending(fs, "removals and call logs");
	pool_stop(&fs->pool);
	ending(fs, "the threads of the mount");
	workers_stop(fs);
	return err;
}

/* Ends the connection without an unmount, because another file system may be mounted there by now.
 * libfuse skips the unmount if its descriptor has an error: so it gets a pipe without a reader. */
static bool disconnect(struct fs *fs)
{
	int ends[2];
	bool is_done;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	close(ends[0]);
	is_done = dup2(ends[1], fuse_session_fd(fs->session)) >= 0;
	close(ends[1]);
	return is_done;
}

void fs_unmount_and_free(struct fs *fs)
{
	if (!fs)
		return;
	/* All answers go out before the kernel's descriptor is closed: its number may be reused. */
	ending(fs, "answers to the mount's requests");
	fs_waits_interrupt(fs);
	fs_waits_drain(fs); /* an open that is answered late closes its own handle */
	fs_handles_close(fs);
	ending(fs, "the unmount");
	if (fs->is_mounted || disconnect(fs))
		fuse_session_unmount(fs->session);
	fs_free(fs);
}
