/*
 * A line with a delay between two network namespaces, for kernels without netem: a TUN device in each, and every packet
 * is kept for so long on its way from one to the other. The bandwidth is the machine's. Needs root.
 * usage: delay DEVICE PID_A PID_B ONE_WAY_MSECS     PID: a process that lives in the namespace
 * The devices are there when "ready" is printed; who started it gives them addresses. Runs until it is killed.
 *
 * Checksums and segmentation are left to the devices (virtio headers go along with the packets), so that TCP sees
 * ordinary segments and windows and a packet of 64 KiB costs one read and one write here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define VIRTIO_HEADER_SIZE 10
#define PACKET_SIZE (VIRTIO_HEADER_SIZE + 65536)
#define QUEUE_LIMIT 65536 /* packets; what comes beyond is dropped, as a router does */

struct packet {
	struct packet *next;
	int64_t due_nsecs;
	size_t len;
	char bytes[];
};

/* One way. The reader appends, the writer takes the first when its time has come. */
struct way {
	int from, to;
	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t cond;
	struct packet *first, **last;
	size_t count;
};

static int64_t delay_nsecs;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_nsecs(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int tun_open(const char *pid, const char *device)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int header_size = VIRTIO_HEADER_SIZE, namespace, fd;
	char path[64];

	snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNET))
		die(path);
	close(namespace);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/net/tun");
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
	if (ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETVNETHDRSZ, &header_size) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
		die(device);
	return fd;
}

static void append(struct way *way, struct packet *packet)
{
	pthread_mutex_lock(&way->mutex);
	if (way->count < QUEUE_LIMIT) {
		*way->last = packet;
		way->last = &packet->next;
		way->count++;
		pthread_cond_signal(&way->cond);
		packet = NULL;
	}
	pthread_mutex_unlock(&way->mutex);
	if (packet)
		fprintf(stderr, "delay: a packet is dropped\n");
	free(packet);
}

static void *read_packets(void *arg)
{
	static _Thread_local char bytes[PACKET_SIZE];
	struct way *way = arg;

	for (;;) {
		ssize_t n = read(way->from, bytes, sizeof bytes);
		struct packet *packet;

		if (n <= 0) {
			if (errno == EINTR)
				continue;
			die("read");
		}
		packet = malloc(sizeof *packet + (size_t)n);
		if (!packet)
			die("malloc");
		*packet =
			(struct packet){ .due_nsecs = now_nsecs() + delay_nsecs, .len = (size_t)n };
		memcpy(packet->bytes, bytes, (size_t)n);
		append(way, packet);
	}
	return NULL;
}

static struct packet *take(struct way *way)
{
	struct packet *packet;

	pthread_mutex_lock(&way->mutex);
	while (!way->first)
		pthread_cond_wait(&way->cond, &way->mutex);
	packet = way->first;
	way->first = packet->next;
	if (!way->first)
		way->last = &way->first;
	way->count--;
	pthread_mutex_unlock(&way->mutex);
	return packet;
}

static void *write_packets(void *arg)
{
	struct way *way = arg;

	prctl(PR_SET_TIMERSLACK, 1UL);
	for (;;) {
		struct packet *packet = take(way);
		struct timespec due = { packet->due_nsecs / 1000000000,
					packet->due_nsecs % 1000000000 };

		while (now_nsecs() < packet->due_nsecs &&
		       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			;
		/* EIO: the device is not up (any more). */
		if (write(way->to, packet->bytes, packet->len) < 0 && errno != EIO)
			fprintf(stderr, "delay: write: %s\n", strerror(errno));
		free(packet);
	}
	return NULL;
}

static void start(struct way *way, int from, int to)
{
	pthread_t thread;

	way->from = from;
	way->to = to;
	way->last = &way->first;
	pthread_mutex_init(&way->mutex, NULL);
	pthread_cond_init(&way->cond, NULL);
	if (pthread_create(&thread, NULL, read_packets, way) ||
	    pthread_create(&thread, NULL, write_packets, way))
		die("pthread_create");
}

int main(int argc, char **argv)
{
	static struct way there, back;
	int a, b;

	if (argc != 5) {
		fprintf(stderr, "usage: delay DEVICE PID_A PID_B ONE_WAY_MSECS\n");
		return 2;
	}
	delay_nsecs = (int64_t)(atof(argv[4]) * 1e6);
	a = tun_open(argv[2], argv[1]);
	b = tun_open(argv[3], argv[1]);
	start(&there, a, b);
	start(&back, b, a);
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
