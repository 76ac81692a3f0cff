// Datagrams that lie one behind the other in memory, handed to the kernel with as few system calls as it allows.
//
// kSegmentation gives runs of equally long datagrams (the last may be shorter) as one message each, which the kernel
// cuts (UDP_SEGMENT, Linux 4.18) and all messages in one sendmmsg(); kBatch one message a datagram in one sendmmsg();
// kSingle one sendto() each. The datagrams on the wire are the same. Which one is used, and what to do about an error,
// is decided in TypeScript (src/native/native-data-plane.ts). Never waits. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace opencamera {

enum class SendMethod : uint32_t { kSegmentation = 0, kBatch = 1, kSingle = 2 };

// Largest UDP payload over IPv4, which is also what one segmented message may hold.
constexpr size_t kDatagramBytesMax = 65507;

struct Datagrams {
  const uint8_t* bytes;
  // End of each datagram in `bytes`, growing; datagram i begins where i − 1 ends, the first at 0.
  const uint32_t* ends;
  // The range to send: first and one past the last.
  uint32_t first;
  uint32_t last;
};

// Hands datagrams to the kernel, in order. Gives how many it took, which may be fewer than asked (the next call says
// why), or a negative errno when it took none.
int SendDatagrams(int fd, const sockaddr* address, socklen_t addressLength, const Datagrams& datagrams,
                  SendMethod method);

// Whether this kernel cuts messages: one that does not know UDP_SEGMENT would send the run as a single datagram.
bool HasSegmentation();

}  // namespace opencamera
