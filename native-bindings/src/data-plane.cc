// See data-plane.h. Every argument is checked before anything is done with it; what is wrong is a TypeError.
//
// Lengths come from rows and arrays that only this thread writes, never from the frame's bytes: those lie in the ring and
// may change during the call (the caller finds that out and drops the run). They are read exactly once, by the copy into
// the arena; cipher and tag are made from the copy, so that a torn packet is garbage but never two things at once.
#include "data-plane.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <climits>
#include <cmath>
#include <cstring>
#include <new>

#include "datagrams.h"
#include "srtp-stream.h"

namespace opencamera {

namespace {

// Tells the objects of this addon from all others (random).
constexpr napi_type_tag kStreamTag = {0x6b1f0c5e98d24a37, 0xa4c07d9e52b3186f};
constexpr double kIndexLimit = 281474976710656.0;  // 2^48
constexpr size_t kHeaderBytesMin = 12;
// Longest text of an address: IPv6 with the name of an interface.
constexpr size_t kAddressTextBytes = INET6_ADDRSTRLEN + IF_NAMESIZE + 1;

// The arguments of one call. A reader that fails has thrown, and its caller returns at once.
template <size_t N>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = N;
    isComplete_ = napi_get_cb_info(env, info, &count, values_, nullptr, nullptr) == napi_ok && count >= N;
  }

  template <typename T>
  bool Array(size_t i, napi_typedarray_type type, T** data, size_t* length) {
    napi_typedarray_type actual;
    void* bytes = nullptr;
    bool is = false;
    if (!isComplete_ || napi_is_typedarray(env_, values_[i], &is) != napi_ok || !is ||
        napi_get_typedarray_info(env_, values_[i], &actual, length, &bytes, nullptr, nullptr) != napi_ok ||
        actual != type)
      return Refuse("an argument is not the typed array it should be");
    *data = static_cast<T*>(bytes);
    return true;
  }

  bool Bytes(size_t i, uint8_t** data, size_t* length) { return Array(i, napi_uint8_array, data, length); }

  // A whole number from 0 to `max`.
  bool Number(size_t i, double max, double* number) {
    if (isComplete_ && napi_get_value_double(env_, values_[i], number) == napi_ok && *number >= 0 && *number <= max &&
        std::floor(*number) == *number)
      return true;
    return Refuse("an argument is not a whole number in its range");
  }

  bool Uint32(size_t i, uint32_t max, uint32_t* number) {
    double value;
    if (!Number(i, max, &value)) return false;
    *number = static_cast<uint32_t>(value);
    return true;
  }

  bool Flag(size_t i, bool* flag) {
    return (isComplete_ && napi_get_value_bool(env_, values_[i], flag) == napi_ok) ||
           Refuse("an argument is not a boolean");
  }

  bool Stream(size_t i, SrtpStream** stream) {
    bool is = false;
    void* pointer = nullptr;
    if (isComplete_ && napi_check_object_type_tag(env_, values_[i], &kStreamTag, &is) == napi_ok && is &&
        napi_unwrap(env_, values_[i], &pointer) == napi_ok) {
      *stream = static_cast<SrtpStream*>(pointer);
      return true;
    }
    return Refuse("an argument is not a stream");
  }

  bool Text(size_t i, char* text, size_t capacity) {
    size_t length = 0;
    if (isComplete_ && napi_get_value_string_utf8(env_, values_[i], text, capacity, &length) == napi_ok &&
        length < capacity - 1 && strlen(text) == length)
      return true;
    return Refuse("an argument is not a text of a length that can be");
  }

  bool Refuse(const char* why) {
    bool isPending = false;
    if (napi_is_exception_pending(env_, &isPending) == napi_ok && !isPending) napi_throw_type_error(env_, nullptr, why);
    return false;
  }

 private:
  napi_env env_;
  bool isComplete_;
  napi_value values_[N] = {};
};

napi_value Result(napi_env env, double number) {
  napi_value value = nullptr;
  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

void FreeStream(napi_env, void* data, void*) { delete static_cast<SrtpStream*>(data); }

// (profile, cipherKey, authenticationKey, salt, ssrc) → stream
napi_value OpenStream(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  uint32_t profileNumber, ssrc;
  uint8_t *cipherKey, *authenticationKey, *salt;
  size_t cipherKeyLength, authenticationKeyLength, saltLength;
  if (!arguments.Uint32(0, 1, &profileNumber) || !arguments.Bytes(1, &cipherKey, &cipherKeyLength) ||
      !arguments.Bytes(2, &authenticationKey, &authenticationKeyLength) || !arguments.Bytes(3, &salt, &saltLength) ||
      !arguments.Uint32(4, UINT32_MAX, &ssrc))
    return nullptr;
  const SrtpProfile profile = static_cast<SrtpProfile>(profileNumber);
  const bool isGcm = profile == SrtpProfile::kAeadAes128Gcm;
  if (cipherKeyLength != kCipherKeyBytes || saltLength != (isGcm ? kGcmSaltBytes : kCmSaltBytes) ||
      authenticationKeyLength != (isGcm ? 0 : kAuthenticationKeyBytes)) {
    arguments.Refuse("a key does not have its profile's length");
    return nullptr;
  }
  SrtpStream* stream = new (std::nothrow) SrtpStream();
  if (stream == nullptr || !stream->Open(profile, cipherKey, authenticationKey, salt, ssrc)) {
    delete stream;
    napi_throw_error(env, nullptr, "OpenSSL cannot make a cipher");
    return nullptr;
  }
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, stream, FreeStream, nullptr, nullptr) != napi_ok) {
    delete stream;
    return nullptr;
  }
  // From here on the object owns the stream.
  return napi_type_tag_object(env, object, &kStreamTag) == napi_ok ? object : nullptr;
}

bool LiesWithin(int32_t start, int32_t length, size_t total) {
  return start >= 0 && length >= 0 && static_cast<uint64_t>(start) + static_cast<uint64_t>(length) <= total;
}

// (stream, arena, ends, header, headerLength, bytes, rows, prefixes, firstPacket, packetCount, firstIndex, isFrameEnd)
// → bytes of the run; where that is more than the arena has, nothing was written
napi_value Encrypt(napi_env env, napi_callback_info info) {
  Arguments<12> arguments(env, info);
  SrtpStream* stream;
  uint8_t *arena, *header, *bytes, *prefixes;
  uint32_t* ends;
  int32_t* rows;
  size_t arenaLength, endsLength, headerCapacity, bytesLength, rowsLength, prefixesLength;
  uint32_t headerLength, firstPacket, packetCount;
  double firstIndexNumber;
  bool isFrameEnd;
  if (!arguments.Stream(0, &stream) || !arguments.Bytes(1, &arena, &arenaLength) ||
      !arguments.Array(2, napi_uint32_array, &ends, &endsLength) || !arguments.Bytes(3, &header, &headerCapacity) ||
      !arguments.Uint32(4, kDatagramBytesMax, &headerLength) || !arguments.Bytes(5, &bytes, &bytesLength) ||
      !arguments.Array(6, napi_int32_array, &rows, &rowsLength) || !arguments.Bytes(7, &prefixes, &prefixesLength) ||
      !arguments.Uint32(8, UINT32_MAX, &firstPacket) || !arguments.Uint32(9, UINT32_MAX, &packetCount) ||
      !arguments.Number(10, kIndexLimit - 1, &firstIndexNumber) || !arguments.Flag(11, &isFrameEnd))
    return nullptr;
  const uint64_t firstIndex = static_cast<uint64_t>(firstIndexNumber);
  if (headerLength < kHeaderBytesMin || headerLength % 4 != 0 || headerLength > headerCapacity || packetCount == 0 ||
      packetCount > endsLength || static_cast<uint64_t>(firstPacket) + packetCount > rowsLength / 4 ||
      firstIndex + packetCount > static_cast<uint64_t>(kIndexLimit)) {
    arguments.Refuse("the run does not fit its header, its table or the indexes");
    return nullptr;
  }
  const size_t tagBytes = stream->tagBytes();
  uint64_t total = 0;
  for (uint32_t i = 0; i < packetCount; i++) {
    const int32_t* row = rows + 4 * static_cast<size_t>(firstPacket + i);
    const bool isWithin = LiesWithin(row[0], row[1], prefixesLength) && LiesWithin(row[2], row[3], bytesLength);
    const uint64_t packetBytes =
        isWithin ? headerLength + static_cast<uint64_t>(row[1]) + static_cast<uint64_t>(row[3]) + tagBytes : 0;
    if (!isWithin || packetBytes > kDatagramBytesMax) {
      arguments.Refuse("a packet does not lie within the frame, or is longer than a datagram");
      return nullptr;
    }
    total += packetBytes;
  }
  if (total > arenaLength || total > UINT32_MAX) return Result(env, static_cast<double>(total));
  uint8_t* packet = arena;
  for (uint32_t i = 0; i < packetCount; i++) {
    const int32_t* row = rows + 4 * static_cast<size_t>(firstPacket + i);
    const size_t prefixLength = static_cast<size_t>(row[1]);
    const size_t bodyLength = static_cast<size_t>(row[3]);
    const uint64_t index = firstIndex + i;
    const bool marker = isFrameEnd && i == packetCount - 1;
    memcpy(packet, header, headerLength);
    packet[1] = static_cast<uint8_t>((packet[1] & 0x7f) | (marker ? 0x80 : 0));
    packet[2] = static_cast<uint8_t>(index >> 8);
    packet[3] = static_cast<uint8_t>(index);
    if (prefixLength > 0) memcpy(packet + headerLength, prefixes + row[0], prefixLength);
    if (bodyLength > 0) memcpy(packet + headerLength + prefixLength, bytes + row[2], bodyLength);
    const size_t payloadLength = prefixLength + bodyLength;
    if (!stream->Protect(packet, headerLength, payloadLength, index)) {
      napi_throw_error(env, nullptr, "OpenSSL cannot encrypt");
      return nullptr;
    }
    packet += headerLength + payloadLength + tagBytes;
    ends[i] = static_cast<uint32_t>(packet - arena);
  }
  return Result(env, static_cast<double>(total));
}

// (address, port) → the bytes of its sockaddr
napi_value SocketAddress(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  char text[kAddressTextBytes];
  uint32_t port;
  if (!arguments.Text(0, text, sizeof text) || !arguments.Uint32(1, 65535, &port)) return nullptr;
  sockaddr_in v4 = {};
  sockaddr_in6 v6 = {};
  const void* address = &v4;
  size_t length = sizeof v4;
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, text, &v4.sin_addr) != 1) {
    address = &v6;
    length = sizeof v6;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<uint16_t>(port));
    char* zone = strchr(text, '%');
    if (zone != nullptr) *zone++ = '\0';
    if (zone != nullptr) v6.sin6_scope_id = if_nametoindex(zone);
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1 || (zone != nullptr && v6.sin6_scope_id == 0)) {
      arguments.Refuse("the address is not one of IP, or its interface is gone");
      return nullptr;
    }
  }
  void* copy = nullptr;
  napi_value buffer = nullptr, array = nullptr;
  if (napi_create_arraybuffer(env, length, &copy, &buffer) != napi_ok) return nullptr;
  memcpy(copy, address, length);
  return napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) == napi_ok ? array : nullptr;
}

// (fd, address, arena, ends, first, last, method) → datagrams that the kernel took, or a negative errno
napi_value Transmit(napi_env env, napi_callback_info info) {
  Arguments<7> arguments(env, info);
  uint32_t fd, first, last, method;
  uint8_t *address, *arena;
  uint32_t* ends;
  size_t addressLength, arenaLength, endsLength;
  if (!arguments.Uint32(0, INT_MAX, &fd) || !arguments.Bytes(1, &address, &addressLength) ||
      !arguments.Bytes(2, &arena, &arenaLength) || !arguments.Array(3, napi_uint32_array, &ends, &endsLength) ||
      !arguments.Uint32(4, UINT32_MAX, &first) || !arguments.Uint32(5, UINT32_MAX, &last) ||
      !arguments.Uint32(6, 2, &method))
    return nullptr;
  sockaddr_storage storage = {};
  if (addressLength != sizeof(sockaddr_in) && addressLength != sizeof(sockaddr_in6)) {
    arguments.Refuse("the address is not one of IP");
    return nullptr;
  }
  memcpy(&storage, address, addressLength);
  const bool isIp = storage.ss_family == (addressLength == sizeof(sockaddr_in) ? AF_INET : AF_INET6);
  if (!isIp || first >= last || last > endsLength) {
    arguments.Refuse("the address is not one of IP, or the datagrams are none");
    return nullptr;
  }
  uint32_t start = first == 0 ? 0 : ends[first - 1];
  for (uint32_t i = first; i < last; i++) {
    const uint32_t end = ends[i];
    if (end <= start || end > arenaLength || end - start > kDatagramBytesMax) {
      arguments.Refuse("a datagram does not lie within the arena");
      return nullptr;
    }
    start = end;
  }
  const Datagrams datagrams = {arena, ends, first, last};
  return Result(env, SendDatagrams(static_cast<int>(fd), reinterpret_cast<const sockaddr*>(&storage),
                                   static_cast<socklen_t>(addressLength), datagrams, static_cast<SendMethod>(method)));
}

}  // namespace

bool RegisterDataPlane(napi_env env, napi_value exports) {
  napi_value part = nullptr;
  if (napi_create_object(env, &part) != napi_ok) return false;
  if (HasOpenSsl()) {
    napi_value hasSegmentation = nullptr;
    if (napi_get_boolean(env, HasSegmentation(), &hasSegmentation) != napi_ok) return false;
    const napi_property_descriptor functions[] = {
        {"openStream", nullptr, OpenStream, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
        {"encrypt", nullptr, Encrypt, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
        {"socketAddress", nullptr, SocketAddress, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
        {"transmit", nullptr, Transmit, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
        {"hasSegmentation", nullptr, nullptr, nullptr, nullptr, hasSegmentation, napi_enumerable, nullptr},
    };
    if (napi_define_properties(env, part, sizeof functions / sizeof *functions, functions) != napi_ok) return false;
  } else {
    napi_value text = nullptr;
    if (napi_create_string_utf8(env, "the node binary does not export OpenSSL's functions", NAPI_AUTO_LENGTH, &text) !=
            napi_ok ||
        napi_set_named_property(env, part, "missing", text) != napi_ok)
      return false;
  }
  return napi_set_named_property(env, exports, "dataPlane", part) == napi_ok;
}

}  // namespace opencamera
