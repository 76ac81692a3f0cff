// See datagrams.h.
#include "datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103  // <linux/udp.h>; older C libraries do not have it
#endif

namespace opencamera {

namespace {

// Segments of one message: the limit of kernels before 6.9 (UDP_MAX_SEGMENTS).
constexpr uint32_t kSegmentsMax = 64;
// Messages of one system call. They lie on the stack with their control data, 128 bytes each; a run of live view has
// 64 packets at most.
constexpr uint32_t kMessagesMax = 64;
constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

struct SegmentControl {
  alignas(cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

uint32_t StartOf(const Datagrams& datagrams, uint32_t i) { return i == 0 ? 0 : datagrams.ends[i - 1]; }

// One past the last datagram that may share a message with `first`: as long as that one, or the last and shorter.
uint32_t EndOfRun(const Datagrams& datagrams, uint32_t first) {
  const uint32_t start = StartOf(datagrams, first);
  const uint32_t segmentBytes = datagrams.ends[first] - start;
  uint32_t next = first + 1;
  while (next < datagrams.last && next - first < kSegmentsMax && datagrams.ends[next] - start <= kDatagramBytesMax) {
    const uint32_t bytes = datagrams.ends[next] - datagrams.ends[next - 1];
    if (bytes > segmentBytes || bytes == 0) break;
    next++;
    if (bytes < segmentBytes) break;
  }
  return next;
}

int SendMessages(int fd, const sockaddr* address, socklen_t addressLength, const Datagrams& datagrams,
                 bool isSegmented) {
  mmsghdr messages[kMessagesMax];
  iovec parts[kMessagesMax];
  SegmentControl controls[kMessagesMax];
  uint32_t packets[kMessagesMax];
  uint32_t count = 0;
  for (uint32_t i = datagrams.first; i < datagrams.last && count < kMessagesMax; count++) {
    const uint32_t end = isSegmented ? EndOfRun(datagrams, i) : i + 1;
    const uint32_t start = StartOf(datagrams, i);
    parts[count].iov_base = const_cast<uint8_t*>(datagrams.bytes + start);
    parts[count].iov_len = datagrams.ends[end - 1] - start;
    mmsghdr& message = messages[count];
    memset(&message, 0, sizeof message);
    message.msg_hdr.msg_name = const_cast<sockaddr*>(address);
    message.msg_hdr.msg_namelen = addressLength;
    message.msg_hdr.msg_iov = &parts[count];
    message.msg_hdr.msg_iovlen = 1;
    if (end - i > 1) {
      memset(&controls[count], 0, sizeof controls[count]);
      message.msg_hdr.msg_control = controls[count].bytes;
      message.msg_hdr.msg_controllen = sizeof controls[count].bytes;
      cmsghdr* control = CMSG_FIRSTHDR(&message.msg_hdr);
      control->cmsg_level = IPPROTO_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      const uint16_t segmentBytes = static_cast<uint16_t>(datagrams.ends[i] - start);
      memcpy(CMSG_DATA(control), &segmentBytes, sizeof segmentBytes);
    }
    packets[count] = end - i;
    i = end;
  }
  const int sent = sendmmsg(fd, messages, count, kFlags);
  if (sent < 0) return -errno;
  int taken = 0;
  for (int k = 0; k < sent; k++) taken += static_cast<int>(packets[k]);
  return taken;
}

int SendSingly(int fd, const sockaddr* address, socklen_t addressLength, const Datagrams& datagrams) {
  int taken = 0;
  for (uint32_t i = datagrams.first; i < datagrams.last; i++, taken++) {
    const uint32_t start = StartOf(datagrams, i);
    const uint8_t* bytes = datagrams.bytes + start;
    if (sendto(fd, bytes, datagrams.ends[i] - start, kFlags, address, addressLength) < 0)
      return taken > 0 ? taken : -errno;
  }
  return taken;
}

}  // namespace

int SendDatagrams(int fd, const sockaddr* address, socklen_t addressLength, const Datagrams& datagrams,
                  SendMethod method) {
  if (method == SendMethod::kSingle) return SendSingly(fd, address, addressLength, datagrams);
  return SendMessages(fd, address, addressLength, datagrams, method == SendMethod::kSegmentation);
}

bool HasSegmentation() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  int value = 0;
  socklen_t length = sizeof value;
  const bool has = getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &length) == 0;
  close(fd);
  return has;
}

}  // namespace opencamera
