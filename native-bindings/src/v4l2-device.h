// One open V4L2 device: its file descriptor and the buffers of its two queues, without a word of Node-API.
//
// Linux media documentation, "Video for Linux API" (ioctl reference; memory mapping, DMA buffer export and import).
// Every function gives 0 or a positive value, or -errno; an ioctl that a signal interrupted is repeated. The device is
// opened non-blocking, so nothing here waits for a picture. One thread at a time. What a buffer index or a length from
// the driver or from the caller points at is checked here against what was mapped, so that no copy can leave a buffer.
// Left out: user pointers, formats of several memory planes, read() and write(), because no device here needs them.
#pragma once

#include <linux/videodev2.h>

#include <cstddef>
#include <cstdint>

namespace opencamera {

// Buffers of one queue. Drivers give 2 to 32; more than 16 only add delay.
constexpr uint32_t kV4l2BuffersMax = 16;

struct V4l2Buffer {
  void* start = nullptr;  // mapped memory, or nullptr
  size_t length = 0;      // bytes mapped
  int dmabuf = -1;        // exported file descriptor, or -1
  bool queued = false;    // the driver's; its memory may not be read or written
};

struct V4l2Queue {
  uint32_t type = 0;  // V4L2_BUF_TYPE_…; 0: no buffers were requested
  uint32_t memory = 0;
  uint32_t count = 0;
  bool streaming = false;
  V4l2Buffer buffers[kV4l2BuffersMax];
};

// What a dequeued buffer says of itself.
struct V4l2Dequeued {
  uint32_t index;
  uint32_t bytesUsed;
  uint32_t dataOffset;
  uint32_t flags;
  uint32_t sequence;
  double timestampUs;
};

// A format, of a single memory plane or of a driver's several.
struct V4l2Format {
  uint32_t width;
  uint32_t height;
  uint32_t pixelFormat;
  uint32_t bytesPerLine;
  uint32_t sizeImage;
  uint32_t planes;
};

bool V4l2IsKnownType(uint32_t type);
bool V4l2IsMultiPlanar(uint32_t type);
bool V4l2IsOutput(uint32_t type);

class V4l2Device {
 public:
  V4l2Device() = default;
  V4l2Device(const V4l2Device&) = delete;
  V4l2Device& operator=(const V4l2Device&) = delete;
  ~V4l2Device() { Close(); }

  int Open(const char* path);
  // Stops both queues, unmaps and closes everything; may be called again.
  void Close();
  bool IsOpen() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  int Control(unsigned long request, void* argument) const;
  // `format` is what is wanted, then what the driver made of it.
  int SetFormat(uint32_t type, V4l2Format* format) const;

  // Asks for `count` buffers and maps them (V4L2_MEMORY_MMAP) or only notes them (V4L2_MEMORY_DMABUF). What the queue
  // had before is released. Gives how many there are.
  int RequestBuffers(uint32_t type, uint32_t count, uint32_t memory);
  int ReleaseBuffers(uint32_t type);
  // Exports every mapped buffer as a DMA buffer, kept until the buffers are released.
  int ExportBuffers(uint32_t type);

  // `bytesUsed` and `timestampUs` count for output queues alone; `dmabuf` for imported memory alone, with `lengthBytes`.
  int Queue(uint32_t type, uint32_t index, uint32_t bytesUsed, double timestampUs, int dmabuf, size_t lengthBytes);
  int Dequeue(uint32_t type, V4l2Dequeued* dequeued);
  int Stream(uint32_t type, bool on);

  // The buffer if it is mapped and not the driver's, else nullptr.
  const V4l2Buffer* Readable(uint32_t type, uint32_t index) const;
  // The queue's buffer if there is one, whoever holds it, else nullptr.
  const V4l2Buffer* BufferOf(uint32_t type, uint32_t index) const;

 private:
  V4l2Queue& QueueOf(uint32_t type) { return queues_[V4l2IsOutput(type) ? 1 : 0]; }
  const V4l2Queue& QueueOf(uint32_t type) const { return queues_[V4l2IsOutput(type) ? 1 : 0]; }
  int MapBuffer(V4l2Queue* queue, uint32_t index) const;
  static void Forget(V4l2Queue* queue);

  int fd_ = -1;
  V4l2Queue queues_[2];
};

}  // namespace opencamera
