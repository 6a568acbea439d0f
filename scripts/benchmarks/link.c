/*
 * A network link with a rate, a delay and a queue between two tun devices, for kernels without tc netem.
 *
 *   link CONTROL DEVICE_A DEVICE_B
 *
 * Makes the devices (their user moves each into its network namespace), prints "up" and carries packets until it is
 * ended. CONTROL is a page of 64-bit numbers that it shares with its user:
 *
 *   [0] rate in bit/s   [1] one-way delay in ns   [2] queue limit in bytes      read anew for each packet
 *   [3] bytes a to b    [4] packets               [5] packets dropped
 *   [6] bytes b to a    [7] packets               [8] packets dropped
 *
 * Bytes are whole IP packets: no segmentation offload is offered, so each one is at most the device's MTU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 8192, MAX_PACKET = 65536, CONTROL_SIZE = 4096 };
enum { RATE = 0, DELAY = 1, QUEUE_LIMIT = 2, COUNTERS_AB = 3, COUNTERS_BA = 6 };
enum { BYTES = 0, PACKETS = 1, DROPS = 2 };

static const uint64_t SECOND = 1000000000ull;
static volatile uint64_t *control;

struct packet {
  uint64_t due;
  size_t length;
  unsigned char *bytes;
};

/* One direction: a reader thread puts packets into the ring with the time they are due, a writer takes them out then. */
struct direction {
  int in, out, counters;
  pthread_mutex_t lock;
  pthread_cond_t filled;
  unsigned head, tail;
  struct packet ring[SLOTS];
  /* When the wire is done with what was sent so far. */
  uint64_t wire_free;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static int open_tun(const char *name) {
  int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(device, TUNSETIFF, &request) < 0) fail(name);
  return device;
}

static void *receive(void *argument) {
  struct direction *link = argument;
  static _Thread_local unsigned char buffer[MAX_PACKET];
  for (;;) {
    ssize_t got = read(link->in, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EIO)) {
      /* EIO while the device is down: its user is still setting it up. */
      usleep(1000);
      continue;
    }
    if (got <= 0) fail("read");
    uint64_t arrival = now();
    uint64_t rate = control[RATE];
    uint64_t start = link->wire_free > arrival ? link->wire_free : arrival;
    uint64_t queued = (start - arrival) * (rate / 8) / SECOND;
    pthread_mutex_lock(&link->lock);
    if (queued > control[QUEUE_LIMIT] || link->head - link->tail == SLOTS) {
      control[link->counters + DROPS]++;
    } else {
      struct packet *packet = &link->ring[link->head % SLOTS];
      link->wire_free = start + (uint64_t)got * 8 * SECOND / rate;
      packet->due = link->wire_free + control[DELAY];
      packet->length = (size_t)got;
      packet->bytes = malloc((size_t)got);
      if (packet->bytes == NULL) fail("malloc");
      memcpy(packet->bytes, buffer, (size_t)got);
      link->head++;
      control[link->counters + BYTES] += (uint64_t)got;
      control[link->counters + PACKETS]++;
      pthread_cond_signal(&link->filled);
    }
    pthread_mutex_unlock(&link->lock);
  }
  return NULL;
}

static void *send_on(void *argument) {
  struct direction *link = argument;
  /* The default slack of 50 us is half a packet's time at 100 Mbit/s. */
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    pthread_mutex_lock(&link->lock);
    while (link->head == link->tail) pthread_cond_wait(&link->filled, &link->lock);
    struct packet packet = link->ring[link->tail % SLOTS];
    pthread_mutex_unlock(&link->lock);
    struct timespec due = {(time_t)(packet.due / SECOND), (long)(packet.due % SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
    /* A packet that its receiver cannot take is lost, as on any wire. */
    if (write(link->out, packet.bytes, packet.length) < 0) usleep(0);
    free(packet.bytes);
    pthread_mutex_lock(&link->lock);
    link->tail++;
    pthread_mutex_unlock(&link->lock);
  }
  return NULL;
}

static void start(struct direction *link, int in, int out, int counters) {
  pthread_t thread;
  link->in = in;
  link->out = out;
  link->counters = counters;
  pthread_mutex_init(&link->lock, NULL);
  pthread_cond_init(&link->filled, NULL);
  if (pthread_create(&thread, NULL, receive, link) != 0) fail("pthread_create");
  if (pthread_create(&thread, NULL, send_on, link) != 0) fail("pthread_create");
}

int main(int count, char **arguments) {
  static struct direction ab, ba;
  if (count != 4) {
    fputs("usage: link CONTROL DEVICE_A DEVICE_B\n", stderr);
    return 2;
  }
  int file = open(arguments[1], O_RDWR);
  if (file < 0) fail(arguments[1]);
  control = mmap(NULL, CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (control == MAP_FAILED) fail("mmap");
  /* Ends with the benchmark, however that ends. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int a = open_tun(arguments[2]);
  int b = open_tun(arguments[3]);
  start(&ab, a, b, COUNTERS_AB);
  start(&ba, b, a, COUNTERS_BA);
  puts("up");
  fflush(stdout);
  pause();
  return 0;
}
