/*
 * What a fake device of v4l2-shim.c is and does by itself: its queues, its pictures, and the thread that fills buffers at
 * the device's rate (camera) or when there is something to code (encoder). Included by that file alone.
 */
#pragma once
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICES 64
#define BUFFERS 4
#ifndef BUFFER_BYTES
#define BUFFER_BYTES 65536
#endif
#define SIGNAL_BYTES 256

struct buffer {
  int memory; /* memfd */
  unsigned char* start;
  int imported; /* descriptor given with QBUF, or -1 */
  int queued, done; /* queued: a number that grows, 0: not */
  __u32 bytes, flags, sequence;
  struct timeval time;
};

struct queue {
  int count, order[BUFFERS * 2], waiting, turn;
  __u32 memory;
  struct buffer buffers[BUFFERS];
};

struct device {
  int fd, peer, first_life, gone, stopping, force, has_thread;
  char traits[256];
  struct queue queues[2]; /* capture, output */
  pthread_t thread;
  pthread_mutex_t lock;
  __u32 pixelformat[2], width, height, sequence, produced, next_picture;
  struct v4l2_fract interval;
  unsigned char* clip;
  size_t clip_bytes;
};

static struct device* devices[DEVICES];
static char opened[DEVICES][256];
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char* trait(const struct device* d, const char* name) {
  size_t length = strlen(name);
  for (const char* at = d->traits; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
    if (!strncmp(at, name, length) && (at[length] == 0 || at[length] == ',' || at[length] == '=')) return at + length;
  return NULL;
}
static long number(const struct device* d, const char* name) {
  const char* at = trait(d, name);
  return at && *at == '=' ? atol(at + 1) : -1;
}

static void note(const struct device* d, const char* format, ...) {
  char path[512], line[512];
  int length = snprintf(line, sizeof line, "%s ", d->traits);
  va_list list;
  va_start(list, format);
  length += vsnprintf(line + length, sizeof line - length - 1, format, list);
  va_end(list);
  line[length++] = '\n';
  snprintf(path, sizeof path, "%s/log", getenv("V4L2_SHIM_FOLDER"));
  int fd = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write(fd, line, length) < 0) perror("v4l2-shim");
  REAL(close)(fd);
}

static void load_clip(struct device* d) {
  char path[512], name[64] = "plain";
  const char* chosen = trait(d, "clip");
  if (chosen && *chosen == '=') {
    snprintf(name, sizeof name, "%s", chosen + 1);
    name[strcspn(name, ",")] = 0;
  }
  snprintf(path, sizeof path, "%s/%s.clip", getenv("V4L2_SHIM_FOLDER"), name);
  FILE* file = fopen(path, "rb");
  if (!file) return;
  fseek(file, 0, SEEK_END);
  d->clip_bytes = ftell(file);
  rewind(file);
  d->clip = malloc(d->clip_bytes);
  if (fread(d->clip, 1, d->clip_bytes, file) != d->clip_bytes) d->clip_bytes = 0;
  fclose(file);
}

/* The bytes of the next picture; round and round. */
static __u32 next_picture(struct device* d, const unsigned char** bytes) {
  if (d->force) d->next_picture = 0;
  d->force = 0;
  for (size_t at = 0, i = 0; at + 4 <= d->clip_bytes; i++) {
    __u32 length;
    memcpy(&length, d->clip + at, 4);
    if (i == d->next_picture) {
      d->next_picture++;
      *bytes = d->clip + at + 4;
      return length;
    }
    at += 4 + length;
  }
  if (d->next_picture == 0) return 0;
  d->next_picture = 0;
  return next_picture(d, bytes);
}

static void signal_done(struct device* d) {
  if (d->peer >= 0 && write(d->peer, "b", 1) < 0) return;
}

static void finish(struct device* d, int q, int index, __u32 bytes) {
  struct queue* queue = &d->queues[q];
  struct buffer* b = &queue->buffers[index];
  struct timespec now;
  b->bytes = bytes;
  b->queued = 0;
  b->done = 1;
  b->sequence = d->sequence;
  if (q == 0 && !trait(d, "encoder")) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    b->time = trait(d, "noclock") ? (struct timeval){0, 0} : (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    b->flags = trait(d, "noclock") ? 0 : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  }
  queue->order[queue->waiting++] = index;
}

/* The buffer that was queued first. */
static int find_queued(struct queue* queue) {
  int found = -1;
  for (int i = 0; i < queue->count; i++)
    if (queue->buffers[i].queued && (found < 0 || queue->buffers[i].queued < queue->buffers[found].queued)) found = i;
  return found;
}

/* A coded picture into the capture buffer, with what is to go wrong with it. */
static void produce_coded(struct device* d, int index) {
  const unsigned char* bytes = NULL;
  struct buffer* b = &d->queues[0].buffers[index];
  __u32 length = next_picture(d, &bytes);
  memcpy(b->start, bytes, length);
  finish(d, 0, index, length);
  long n = d->produced;
  if (n == number(d, "error")) b->flags |= V4L2_BUF_FLAG_ERROR;
  if (n == number(d, "empty")) b->bytes = 0;
  if (n == number(d, "oversize")) b->bytes = BUFFER_BYTES + 1;
}

static void produce_raw(struct device* d, int index) {
  struct buffer* b = &d->queues[0].buffers[index];
  memcpy(b->start, &d->produced, 4);
  finish(d, 0, index, BUFFER_BYTES);
}

static void* camera_thread(void* argument) {
  struct device* d = argument;
  for (;;) {
    double fps = d->interval.numerator ? (double)d->interval.denominator / d->interval.numerator : 30;
    usleep(1e6 / fps);
    pthread_mutex_lock(&d->lock);
    if (d->stopping) break;
    long n = ++d->produced;
    if (d->first_life && (n == number(d, "unplug") || n == number(d, "gone"))) {
      d->gone = 1;
      /* A byte of the device that nobody reads makes the close an error and not an end. */
      if (n == number(d, "unplug") && write(d->fd, "x", 1) < 0) perror("v4l2-shim");
      REAL(close)(d->peer);
      d->peer = -1;
      break;
    }
    int index = find_queued(&d->queues[0]);
    /* Without a buffer the picture waits: a reader that is late on a busy machine is no fault of the source. */
    if (index < 0) d->produced--;
    if (index >= 0) {
      d->sequence += n == number(d, "skip") ? 4 : 1;
      int coded = d->pixelformat[0] == V4L2_PIX_FMT_H264 || d->pixelformat[0] == V4L2_PIX_FMT_HEVC;
      (coded ? produce_coded : produce_raw)(d, index);
      signal_done(d);
    }
    pthread_mutex_unlock(&d->lock);
  }
  pthread_mutex_unlock(&d->lock);
  return NULL;
}

static void* encoder_thread(void* argument) {
  struct device* d = argument;
  for (;;) {
    usleep(number(d, "slow") > 0 ? number(d, "slow") * 1000 : 500);
    pthread_mutex_lock(&d->lock);
    if (d->stopping) break;
    int output = find_queued(&d->queues[1]), capture = find_queued(&d->queues[0]);
    if (output >= 0 && capture >= 0) {
      struct buffer* raw = &d->queues[1].buffers[output];
      unsigned char* memory = raw->start;
      __u32 name = 0;
      if (raw->imported >= 0) memory = REAL(mmap)(NULL, 4096, PROT_READ, MAP_SHARED, raw->imported, 0);
      if (memory && memory != MAP_FAILED) memcpy(&name, memory, 4);
      if (raw->imported >= 0) REAL(munmap)(memory, 4096);
      d->produced++;
      d->sequence++;
      struct buffer* coded = &d->queues[0].buffers[capture];
      coded->time = raw->time;
      coded->flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
      note(d, "encoded %u %s", name, raw->imported >= 0 ? "imported" : "copied");
      finish(d, 1, output, 0);
      produce_coded(d, capture);
      signal_done(d);
    }
    pthread_mutex_unlock(&d->lock);
  }
  pthread_mutex_unlock(&d->lock);
  return NULL;
}
