/* A mount's counters for Prometheus: as text, and in a file for its textfile collector. */
#ifndef TONICFS_CLI_MOUNT_METRICS_H
#define TONICFS_CLI_MOUNT_METRICS_H

struct audio;
struct buf;
struct mount_metrics;

/* Appends them. */
void mount_metrics_text(struct audio *audio, struct buf *out);

/* Writes the file now, every 15 seconds, and once more at the end; each time under another name
 * first, so that nobody reads half of it. A write that fails is logged, once in a row. 0 or -errno;
 * audio must outlive it. */
int mount_metrics_start(struct audio *audio, const char *path, struct mount_metrics **ret_metrics);
void mount_metrics_stop(struct mount_metrics *metrics); /* NULL is fine */

#endif
