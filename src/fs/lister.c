/* The processes that have listed folders lately, for read-ahead (audio_file_listed). */
#include "fs/fs-private.h"

static struct fs_lister *find(struct fs *fs, pid_t pid, int64_t folder_id)
{
	for (unsigned i = 0; i < FS_LISTERS; i++)
		if (fs->listers[i].pid == pid && fs->listers[i].folder_id == folder_id)
			return &fs->listers[i];
	return NULL;
}

void fs_lister_note(struct fs *fs, fuse_req_t req, int64_t folder_id)
{
	pid_t pid = fuse_req_ctx(req)->pid;

	pthread_mutex_lock(&fs->lock);
	if (pid && !find(fs, pid, folder_id)) /* 0: a process of another PID namespace */
		fs->listers[fs->next_lister++ % FS_LISTERS] = (struct fs_lister){ pid, folder_id };
	pthread_mutex_unlock(&fs->lock);
}

bool fs_lister_is(struct fs *fs, fuse_req_t req, int64_t folder_id)
{
	bool found;

	pthread_mutex_lock(&fs->lock);
	found = find(fs, fuse_req_ctx(req)->pid, folder_id) != NULL;
	pthread_mutex_unlock(&fs->lock);
	return found;
}
