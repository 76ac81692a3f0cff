// See v4l2-device.h.
#include "v4l2-device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace opencamera {

namespace {

// Interrupted ioctls in a row before the caller is told; each is a signal, and nobody sends so many.
constexpr int kInterruptionsMax = 100;

// One v4l2_buffer with room for the only plane that is supported.
struct BufferArgument {
  v4l2_buffer buffer;
  v4l2_plane plane;

  BufferArgument(uint32_t type, uint32_t memory, uint32_t index) {
    memset(&buffer, 0, sizeof buffer);
    memset(&plane, 0, sizeof plane);
    buffer.type = type;
    buffer.memory = memory;
    buffer.index = index;
    if (V4l2IsMultiPlanar(type)) {
      buffer.m.planes = &plane;
      buffer.length = 1;
    }
  }
};

v4l2_format FormatArgument(uint32_t type) {
  v4l2_format argument;
  memset(&argument, 0, sizeof argument);
  argument.type = type;
  return argument;
}

void ReadFormat(const v4l2_format& argument, V4l2Format* format) {
  if (V4l2IsMultiPlanar(argument.type)) {
    const v4l2_pix_format_mplane& pixels = argument.fmt.pix_mp;
    *format = {pixels.width,
               pixels.height,
               pixels.pixelformat,
               pixels.plane_fmt[0].bytesperline,
               pixels.plane_fmt[0].sizeimage,
               pixels.num_planes};
    return;
  }
  const v4l2_pix_format& pixels = argument.fmt.pix;
  *format = {pixels.width, pixels.height, pixels.pixelformat, pixels.bytesperline, pixels.sizeimage, 1};
}

}  // namespace

bool V4l2IsKnownType(uint32_t type) {
  return type == V4L2_BUF_TYPE_VIDEO_CAPTURE || type == V4L2_BUF_TYPE_VIDEO_OUTPUT ||
         type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE || type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
}

bool V4l2IsMultiPlanar(uint32_t type) {
  return type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE || type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
}

bool V4l2IsOutput(uint32_t type) {
  return type == V4L2_BUF_TYPE_VIDEO_OUTPUT || type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
}

int V4l2Device::Open(const char* path) {
  Close();
  const int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  fd_ = fd;
  return 0;
}

void V4l2Device::Close() {
  if (fd_ < 0) return;
  for (V4l2Queue& queue : queues_)
    if (queue.type != 0) ReleaseBuffers(queue.type);
  close(fd_);
  fd_ = -1;
}

int V4l2Device::Control(unsigned long request, void* argument) const {
  if (fd_ < 0) return -EBADF;
  for (int i = 0; i < kInterruptionsMax; i++) {
    const int result = ioctl(fd_, request, argument);
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
  return -EINTR;
}

int V4l2Device::SetFormat(uint32_t type, V4l2Format* format) const {
  v4l2_format argument = FormatArgument(type);
  // What is not asked for (field, colours) stays as the driver has it.
  int result = Control(VIDIOC_G_FMT, &argument);
  if (result < 0) argument = FormatArgument(type);
  if (V4l2IsMultiPlanar(type)) {
    v4l2_pix_format_mplane& pixels = argument.fmt.pix_mp;
    pixels.width = format->width;
    pixels.height = format->height;
    pixels.pixelformat = format->pixelFormat;
    pixels.field = V4L2_FIELD_NONE;
    pixels.num_planes = 1;
    pixels.plane_fmt[0].bytesperline = format->bytesPerLine;
    pixels.plane_fmt[0].sizeimage = format->sizeImage;
  } else {
    v4l2_pix_format& pixels = argument.fmt.pix;
    pixels.width = format->width;
    pixels.height = format->height;
    pixels.pixelformat = format->pixelFormat;
    pixels.field = V4L2_FIELD_ANY;
    pixels.bytesperline = format->bytesPerLine;
    pixels.sizeimage = format->sizeImage;
  }
  result = Control(VIDIOC_S_FMT, &argument);
  if (result >= 0) ReadFormat(argument, format);
  return result;
}

int V4l2Device::RequestBuffers(uint32_t type, uint32_t count, uint32_t memory) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type != 0) ReleaseBuffers(queue.type);
  v4l2_requestbuffers argument;
  memset(&argument, 0, sizeof argument);
  argument.count = count;
  argument.type = type;
  argument.memory = memory;
  int result = Control(VIDIOC_REQBUFS, &argument);
  if (result < 0) return result;
  queue.type = type;
  queue.memory = memory;
  if (argument.count > kV4l2BuffersMax) result = -EOVERFLOW;
  else if (argument.count == 0) result = -ENOMEM;
  else queue.count = argument.count;
  for (uint32_t i = 0; result >= 0 && memory == V4L2_MEMORY_MMAP && i < queue.count; i++) result = MapBuffer(&queue, i);
  if (result < 0) {
    ReleaseBuffers(type);
    return result;
  }
  return static_cast<int>(queue.count);
}

int V4l2Device::MapBuffer(V4l2Queue* queue, uint32_t index) const {
  BufferArgument argument(queue->type, queue->memory, index);
  const int result = Control(VIDIOC_QUERYBUF, &argument.buffer);
  if (result < 0) return result;
  const bool multiPlanar = V4l2IsMultiPlanar(queue->type);
  const size_t length = multiPlanar ? argument.plane.length : argument.buffer.length;
  const uint32_t offset = multiPlanar ? argument.plane.m.mem_offset : argument.buffer.m.offset;
  if (length == 0) return -EINVAL;
  void* start = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(offset));
  if (start == MAP_FAILED) return -errno;
  queue->buffers[index].start = start;
  queue->buffers[index].length = length;
  return 0;
}

int V4l2Device::ReleaseBuffers(uint32_t type) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type == 0) return 0;
  const uint32_t memory = queue.memory;
  const uint32_t queueType = queue.type;
  if (queue.streaming) Stream(queueType, false);
  Forget(&queue);
  v4l2_requestbuffers argument;
  memset(&argument, 0, sizeof argument);
  argument.type = queueType;
  argument.memory = memory;
  return Control(VIDIOC_REQBUFS, &argument);
}

void V4l2Device::Forget(V4l2Queue* queue) {
  for (V4l2Buffer& buffer : queue->buffers) {
    if (buffer.start != nullptr) munmap(buffer.start, buffer.length);
    if (buffer.dmabuf >= 0) close(buffer.dmabuf);
  }
  *queue = V4l2Queue();
}

int V4l2Device::ExportBuffers(uint32_t type) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type != type || queue.memory != V4L2_MEMORY_MMAP) return -EINVAL;
  for (uint32_t i = 0; i < queue.count; i++) {
    if (queue.buffers[i].dmabuf >= 0) continue;
    v4l2_exportbuffer argument;
    memset(&argument, 0, sizeof argument);
    argument.type = type;
    argument.index = i;
    argument.flags = O_CLOEXEC | O_RDWR;
    const int result = Control(VIDIOC_EXPBUF, &argument);
    if (result < 0) return result;
    queue.buffers[i].dmabuf = argument.fd;
  }
  return 0;
}

int V4l2Device::Queue(uint32_t type, uint32_t index, uint32_t bytesUsed, double timestampUs, int dmabuf,
                      size_t lengthBytes) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type != type || index >= queue.count || queue.buffers[index].queued) return -EINVAL;
  BufferArgument argument(type, queue.memory, index);
  const bool multiPlanar = V4l2IsMultiPlanar(type);
  const size_t room = queue.memory == V4L2_MEMORY_MMAP ? queue.buffers[index].length : lengthBytes;
  if (bytesUsed > room) return -EINVAL;
  if (queue.memory == V4L2_MEMORY_DMABUF) {
    if (dmabuf < 0 || lengthBytes > UINT32_MAX) return -EINVAL;
    if (multiPlanar) {
      argument.plane.m.fd = dmabuf;
      argument.plane.length = static_cast<uint32_t>(lengthBytes);
    } else {
      argument.buffer.m.fd = dmabuf;
      argument.buffer.length = static_cast<uint32_t>(lengthBytes);
    }
  }
  if (V4l2IsOutput(type)) {
    if (multiPlanar) argument.plane.bytesused = bytesUsed;
    else argument.buffer.bytesused = bytesUsed;
    const int64_t wholeUs = static_cast<int64_t>(timestampUs);
    argument.buffer.timestamp.tv_sec = static_cast<time_t>(wholeUs / 1000000);
    argument.buffer.timestamp.tv_usec = static_cast<suseconds_t>(wholeUs % 1000000);
    argument.buffer.field = V4L2_FIELD_NONE;
  }
  const int result = Control(VIDIOC_QBUF, &argument.buffer);
  if (result >= 0) queue.buffers[index].queued = true;
  return result;
}

int V4l2Device::Dequeue(uint32_t type, V4l2Dequeued* dequeued) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type != type) return -EINVAL;
  BufferArgument argument(type, queue.memory, 0);
  const int result = Control(VIDIOC_DQBUF, &argument.buffer);
  if (result < 0) return result;
  const v4l2_buffer& buffer = argument.buffer;
  // A driver that gives what it was not given is not to be believed in anything else either.
  if (buffer.index >= queue.count || !queue.buffers[buffer.index].queued) return -EPROTO;
  queue.buffers[buffer.index].queued = false;
  const bool multiPlanar = V4l2IsMultiPlanar(type);
  dequeued->index = buffer.index;
  dequeued->bytesUsed = multiPlanar ? argument.plane.bytesused : buffer.bytesused;
  dequeued->dataOffset = multiPlanar ? argument.plane.data_offset : 0;
  dequeued->flags = buffer.flags;
  dequeued->sequence = buffer.sequence;
  dequeued->timestampUs =
      static_cast<double>(buffer.timestamp.tv_sec) * 1e6 + static_cast<double>(buffer.timestamp.tv_usec);
  return 0;
}

int V4l2Device::Stream(uint32_t type, bool on) {
  V4l2Queue& queue = QueueOf(type);
  if (queue.type != type) return -EINVAL;
  int argument = static_cast<int>(type);
  const int result = Control(on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &argument);
  if (result >= 0 && on) queue.streaming = true;
  if (!on) {
    // Off gives every buffer back; a device that is gone has none either.
    queue.streaming = false;
    for (V4l2Buffer& each : queue.buffers) each.queued = false;
  }
  return result;
}

const V4l2Buffer* V4l2Device::BufferOf(uint32_t type, uint32_t index) const {
  const V4l2Queue& queue = QueueOf(type);
  if (queue.type != type || index >= queue.count) return nullptr;
  return &queue.buffers[index];
}

const V4l2Buffer* V4l2Device::Readable(uint32_t type, uint32_t index) const {
  const V4l2Buffer* buffer = BufferOf(type, index);
  return buffer == nullptr || buffer->start == nullptr || buffer->queued ? nullptr : buffer;
}

}  // namespace opencamera
