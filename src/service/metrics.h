/* A mount's counters in a file for Prometheus' textfile collector. */
#pragma once

struct audio;
struct metrics;

/* Writes the file now, every 15 seconds, and at the end, whole: a reader never sees half of it.
 * Logs the first of several equal failures. 0 or -errno; audio must outlive it. */
int metrics_start(struct audio *audio, const char *path, struct metrics **ret_metrics);
void metrics_stop(struct metrics *metrics); /* NULL is fine */
