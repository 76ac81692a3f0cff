/*
 * V4L2 devices that there are not, for tests: preloaded (LD_PRELOAD) it answers open, ioctl, mmap and close of every
 * path below $V4L2_SHIM_FOLDER whose last part begins with "camera", "encoder" or "radio".
 *
 * That last part is a list of traits, separated by commas: what the device can do (h264 hevc yuyv nv12 mjpg, mplane,
 * nocontrols, noforce, noexport, noimport, badimport), what it refuses (refuse, busy, twoplanes), what goes wrong at
 * picture N (error=N, empty=N, oversize=N, skip=N, unplug=N, gone=N: the latter two once, at the first opening), slow=MS
 * for an encoder, noclock, and clip=NAME for the pictures: NAME.clip in the folder, each 4 bytes of length (little
 * endian) and as many bytes. Key frames: forcing one goes back to picture 0. What is asked of the devices is written to
 * the file `log` in the folder. A device's descriptor is one end of a socket pair, so that it can be polled like a real
 * one: a byte for each buffer that is done, an error when it is unplugged.
 */
#define _GNU_SOURCE
#include "v4l2-shim-device.h"

static struct device* device_of(int fd) {
  struct device* found = NULL;
  pthread_mutex_lock(&table);
  for (int i = 0; i < DEVICES; i++)
    if (devices[i] && devices[i]->fd == fd) found = devices[i];
  pthread_mutex_unlock(&table);
  return found;
}

static const char* fake_name(const char* path) {
  const char* folder = getenv("V4L2_SHIM_FOLDER");
  const char* name = path ? strrchr(path, '/') : NULL;
  if (!folder || !name || strncmp(path, folder, strlen(folder))) return NULL;
  name++;
  return !strncmp(name, "camera", 6) || !strncmp(name, "encoder", 7) || !strncmp(name, "radio", 5) ? name : NULL;
}

static int open_fake(const char* name) {
  int pair[2];
  struct device* d = calloc(1, sizeof *d);
  snprintf(d->traits, sizeof d->traits, "%s", name);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  d->fd = pair[0];
  d->peer = pair[1];
  d->width = 1280;
  d->height = 720;
  d->interval = (struct v4l2_fract){1, 30};
  d->first_life = 1;
  pthread_mutex_init(&d->lock, NULL);
  load_clip(d);
  pthread_mutex_lock(&table);
  for (int i = 0; i < DEVICES; i++) {
    if (!strcmp(opened[i], d->traits)) d->first_life = 0;
    if (!*opened[i] || !d->first_life) {
      snprintf(opened[i], sizeof opened[i], "%s", d->traits);
      break;
    }
  }
  for (int i = 0; i < DEVICES; i++)
    if (!devices[i]) {
      devices[i] = d;
      break;
    }
  pthread_mutex_unlock(&table);
  note(d, "open");
  return d->fd;
}

static int fail(int error) {
  errno = error;
  return -1;
}

static const __u32 formats[] = {V4L2_PIX_FMT_H264, V4L2_PIX_FMT_HEVC, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_NV12,
                                V4L2_PIX_FMT_MJPEG};
static const char* const format_names[] = {"h264", "hevc", "yuyv", "nv12", "mjpg"};

/* The index-th format of the queue: of an encoder coded ones for capture, raw ones for output. */
static int enum_format(struct device* d, struct v4l2_fmtdesc* f, int output) {
  __u32 at = 0;
  for (int i = 0; i < 5; i++) {
    if (!trait(d, format_names[i]) || (trait(d, "encoder") && (i < 2) == output)) continue;
    if (at++ != f->index) continue;
    f->pixelformat = formats[i];
    snprintf((char*)f->description, sizeof f->description, "%s", format_names[i]);
    return 0;
  }
  return fail(EINVAL);
}

static int get_format(struct device* d, struct v4l2_format* f, int output) {
  __u32 lines = d->pixelformat[output] == V4L2_PIX_FMT_YUYV ? d->width * 2 : 0;
  if (trait(d, "mplane")) {
    f->fmt.pix_mp.width = d->width;
    f->fmt.pix_mp.height = d->height;
    f->fmt.pix_mp.pixelformat = d->pixelformat[output];
    f->fmt.pix_mp.num_planes = trait(d, "twoplanes") ? 2 : 1;
    f->fmt.pix_mp.plane_fmt[0].sizeimage = BUFFER_BYTES;
    f->fmt.pix_mp.plane_fmt[0].bytesperline = lines;
  } else {
    f->fmt.pix.width = d->width;
    f->fmt.pix.height = d->height;
    f->fmt.pix.pixelformat = d->pixelformat[output];
    f->fmt.pix.sizeimage = BUFFER_BYTES;
    f->fmt.pix.bytesperline = lines;
  }
  return 0;
}

static int set_format(struct device* d, struct v4l2_format* f, int output) {
  int mplane = trait(d, "mplane") != NULL;
  if (trait(d, "busy")) return fail(EBUSY);
  d->pixelformat[output] = mplane ? f->fmt.pix_mp.pixelformat : f->fmt.pix.pixelformat;
  d->width = mplane ? f->fmt.pix_mp.width : f->fmt.pix.width;
  d->height = mplane ? f->fmt.pix_mp.height : f->fmt.pix.height;
  if (trait(d, "refuse")) d->pixelformat[output] = V4L2_PIX_FMT_MJPEG;
  return get_format(d, f, output);
}

static void drop_buffers(struct queue* queue) {
  for (int i = 0; i < queue->count; i++) {
    if (queue->buffers[i].start) REAL(munmap)(queue->buffers[i].start, BUFFER_BYTES);
    if (queue->buffers[i].memory > 0) REAL(close)(queue->buffers[i].memory);
  }
  memset(queue, 0, sizeof *queue);
}

static int request_buffers(struct device* d, struct v4l2_requestbuffers* r, int q) {
  struct queue* queue = &d->queues[q];
  drop_buffers(queue);
  if (r->memory == V4L2_MEMORY_DMABUF && trait(d, "noimport")) return fail(EINVAL);
  if (r->count > BUFFERS) r->count = BUFFERS;
  queue->count = r->count;
  queue->memory = r->memory;
  for (int i = 0; i < queue->count; i++) {
    struct buffer* b = &queue->buffers[i];
    b->imported = -1;
    if (r->memory != V4L2_MEMORY_MMAP) continue;
    b->memory = memfd_create("v4l2-shim", MFD_CLOEXEC);
    if (ftruncate(b->memory, BUFFER_BYTES) < 0) return fail(ENOMEM);
    b->start = REAL(mmap)(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, b->memory, 0);
  }
  return 0;
}

static int queue_buffer(struct device* d, struct v4l2_buffer* v, int q) {
  struct queue* queue = &d->queues[q];
  int mplane = trait(d, "mplane") != NULL;
  if ((int)v->index >= queue->count || queue->buffers[v->index].queued) return fail(EINVAL);
  if (queue->memory == V4L2_MEMORY_DMABUF) {
    if (trait(d, "badimport")) return fail(EINVAL);
    queue->buffers[v->index].imported = mplane ? v->m.planes[0].m.fd : v->m.fd;
  }
  queue->buffers[v->index].time = v->timestamp;
  queue->buffers[v->index].queued = ++queue->turn;
  return 0;
}

static int dequeue_buffer(struct device* d, struct v4l2_buffer* v, int q) {
  struct queue* queue = &d->queues[q];
  char byte;
  if (!queue->waiting) return fail(EAGAIN);
  if (q == 0 && read(d->fd, &byte, 1) < 0) return fail(EAGAIN);
  int index = queue->order[0];
  memmove(queue->order, queue->order + 1, sizeof(int) * --queue->waiting);
  struct buffer* b = &queue->buffers[index];
  v->index = index;
  v->flags = b->flags;
  v->sequence = b->sequence;
  v->timestamp = b->time;
  v->bytesused = b->bytes;
  if (trait(d, "mplane")) {
    v->m.planes[0].bytesused = b->bytes;
    v->m.planes[0].data_offset = 0;
  }
  b->done = 0;
  return 0;
}

static int stream_on(struct device* d, int q) {
  int was = d->has_thread;
  d->has_thread = 1;
  note(d, "stream on %d", q);
  return was ? 0 : pthread_create(&d->thread, NULL, trait(d, "encoder") ? encoder_thread : camera_thread, d);
}

static int has_control(struct device* d, __u32 id) {
  if (trait(d, "nocontrols") || (trait(d, "noforce") && id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)) return 0;
  return id == V4L2_CID_MPEG_VIDEO_BITRATE || id == V4L2_CID_MPEG_VIDEO_GOP_SIZE ||
         id == V4L2_CID_MPEG_VIDEO_H264_PROFILE || id == V4L2_CID_MPEG_VIDEO_B_FRAMES ||
         id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME;
}

static int answer(struct device* d, unsigned long request, void* a) {
  if (d->gone) return fail(ENODEV);
  __u32 type = request == VIDIOC_ENUM_FMT ? ((struct v4l2_fmtdesc*)a)->type
               : request == VIDIOC_REQBUFS ? ((struct v4l2_requestbuffers*)a)->type
               : request == VIDIOC_QUERYBUF || request == VIDIOC_QBUF || request == VIDIOC_DQBUF
                   ? ((struct v4l2_buffer*)a)->type
                   : *(__u32*)a;
  int mplane = trait(d, "mplane") != NULL;
  int q = type == V4L2_BUF_TYPE_VIDEO_OUTPUT || type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
  switch (request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability* c = a;
      snprintf((char*)c->driver, sizeof c->driver, "shim");
      snprintf((char*)c->card, sizeof c->card, "Shim %.20s", d->traits);
      c->device_caps = V4L2_CAP_STREAMING;
      if (trait(d, "camera")) c->device_caps |= mplane ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_CAPTURE;
      if (trait(d, "encoder")) c->device_caps |= mplane ? V4L2_CAP_VIDEO_M2M_MPLANE : V4L2_CAP_VIDEO_M2M;
      c->capabilities = c->device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case VIDIOC_ENUM_FMT: return enum_format(d, a, q);
    case VIDIOC_ENUM_FRAMESIZES: {
      struct v4l2_frmsizeenum* s = a;
      static const __u32 sizes[][2] = {{1920, 1080}, {1280, 720}, {128, 96}};
      if (s->index > 2) return fail(EINVAL);
      s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
      s->discrete.width = sizes[s->index][0];
      s->discrete.height = sizes[s->index][1];
      return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
      struct v4l2_frmivalenum* i = a;
      int slow = i->pixel_format == V4L2_PIX_FMT_YUYV && i->width > 1280;
      static const __u32 rates[] = {30, 100, 240};
      if (i->index > (slow ? 0 : 2)) return fail(EINVAL);
      i->type = V4L2_FRMIVAL_TYPE_DISCRETE;
      i->discrete = (struct v4l2_fract){1, slow ? 5 : rates[i->index]};
      return 0;
    }
    case VIDIOC_G_FMT: return get_format(d, a, q);
    case VIDIOC_S_FMT: return set_format(d, a, q);
    case VIDIOC_S_PARM: {
      struct v4l2_streamparm* p = a;
      d->interval = q ? p->parm.output.timeperframe : p->parm.capture.timeperframe;
      return 0;
    }
    case VIDIOC_QUERYCTRL: {
      struct v4l2_queryctrl* c = a;
      if (!has_control(d, c->id)) return fail(EINVAL);
      c->minimum = 0;
      c->maximum = 10000000;
      c->step = 1;
      return 0;
    }
    case VIDIOC_S_EXT_CTRLS: {
      struct v4l2_ext_control* c = ((struct v4l2_ext_controls*)a)->controls;
      if (!has_control(d, c->id)) return fail(EINVAL);
      if (c->id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME) d->force = 1;
      note(d, "control %#x %d", c->id, c->value);
      return 0;
    }
    case VIDIOC_REQBUFS: return request_buffers(d, a, q);
    case VIDIOC_QUERYBUF: {
      struct v4l2_buffer* b = a;
      if (mplane) {
        b->m.planes[0].length = BUFFER_BYTES;
        b->m.planes[0].m.mem_offset = (q * BUFFERS + b->index) * BUFFER_BYTES;
      } else {
        b->length = BUFFER_BYTES;
        b->m.offset = (q * BUFFERS + b->index) * BUFFER_BYTES;
      }
      return 0;
    }
    case VIDIOC_EXPBUF: {
      struct v4l2_exportbuffer* e = a;
      if (trait(d, "noexport")) return fail(ENOTTY);
      e->fd = fcntl(d->queues[0].buffers[e->index].memory, F_DUPFD_CLOEXEC, 0);
      return 0;
    }
    case VIDIOC_QBUF: return queue_buffer(d, a, q);
    case VIDIOC_DQBUF: return dequeue_buffer(d, a, q);
    case VIDIOC_STREAMON: return stream_on(d, q);
    case VIDIOC_STREAMOFF: d->queues[q].waiting = 0; return 0;
    default: return fail(ENOTTY);
  }
}

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  struct device* d = _IOC_TYPE(request) == 'V' ? device_of(fd) : NULL;
  if (!d) return REAL(ioctl)(fd, request, argument);
  pthread_mutex_lock(&d->lock);
  int result = answer(d, request, argument);
  int error = errno;
  pthread_mutex_unlock(&d->lock);
  errno = error;
  return result;
}

static int open_any(const char* path, int flags, mode_t mode) {
  const char* name = fake_name(path);
  return name ? open_fake(name) : REAL(open)(path, flags, mode);
}
int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return open_any(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return open_any(path, flags | O_LARGEFILE, mode);
}

void* mmap(void* start, size_t length, int protection, int flags, int fd, off_t offset) {
  struct device* d = fd >= 0 ? device_of(fd) : NULL;
  if (!d) return REAL(mmap)(start, length, protection, flags, fd, offset);
  int index = offset / BUFFER_BYTES;
  int memory = d->queues[index / BUFFERS].buffers[index % BUFFERS].memory;
  return REAL(mmap)(start, length, protection, flags, memory, 0);
}
void* mmap64(void* start, size_t length, int protection, int flags, int fd, off_t offset) {
  return mmap(start, length, protection, flags, fd, offset);
}

int close(int fd) {
  struct device* d = device_of(fd);
  if (!d) return REAL(close)(fd);
  note(d, "close");
  pthread_mutex_lock(&d->lock);
  d->stopping = 1;
  pthread_mutex_unlock(&d->lock);
  if (d->has_thread) pthread_join(d->thread, NULL);
  pthread_mutex_lock(&table);
  for (int i = 0; i < DEVICES; i++)
    if (devices[i] == d) devices[i] = NULL;
  pthread_mutex_unlock(&table);
  drop_buffers(&d->queues[0]);
  drop_buffers(&d->queues[1]);
  if (d->peer >= 0) REAL(close)(d->peer);
  REAL(close)(fd);
  free(d->clip);
  free(d);
  return 0;
}
