// SRTP of one outgoing stream with session keys: AEAD_AES_128_GCM (RFC 7714 §8) and AES128_CM_HMAC_SHA1_80 (RFC 3711
// §4.1.1, §4.2), one packet at a time, in place.
//
// The keys are scheduled once, when the stream is made; of a packet only the IV is new. Which index a packet gets, and
// whether what was encrypted may leave, is the caller's: src/native/data-plane.ts has the rules of nonce safety. One
// thread. Left out: MKI, re-keying, receiving.
#pragma once

#include <cstddef>
#include <cstdint>

#include "openssl.h"

namespace opencamera {

enum class SrtpProfile : uint32_t { kAeadAes128Gcm = 0, kAes128CmHmacSha1_80 = 1 };

constexpr size_t kCipherKeyBytes = 16;
constexpr size_t kAuthenticationKeyBytes = 20;
constexpr size_t kGcmSaltBytes = 12;
constexpr size_t kCmSaltBytes = 14;
constexpr size_t kGcmTagBytes = 16;
constexpr size_t kCmTagBytes = 10;

class SrtpStream {
 public:
  SrtpStream() = default;
  SrtpStream(const SrtpStream&) = delete;
  SrtpStream& operator=(const SrtpStream&) = delete;
  // Cleanses everything that was made of the keys.
  ~SrtpStream();

  // Copies the keys, whose lengths the caller has checked: 16 bytes, 20 (CM; GCM has none), 12 (GCM) or 14 (CM). False
  // when OpenSSL refuses.
  bool Open(SrtpProfile profile, const uint8_t* cipherKey, const uint8_t* authenticationKey, const uint8_t* salt,
            uint32_t ssrc);

  // Bytes that Protect() writes behind the payload.
  size_t tagBytes() const { return profile_ == SrtpProfile::kAeadAes128Gcm ? kGcmTagBytes : kCmTagBytes; }

  // Encrypts the payload in place and writes the tag behind it; `packet` has room for it. `index` is below 2^48 and its
  // lower 16 bits are the header's sequence number. False when OpenSSL refuses: the packet is worthless then.
  bool Protect(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index);

 private:
  bool ProtectGcm(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index);
  bool ProtectCm(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index);

  SrtpProfile profile_ = SrtpProfile::kAeadAes128Gcm;
  EVP_CIPHER_CTX* cipher_ = nullptr;
  // The IV but for the index: salt and SSRC. 12 bytes are used by GCM.
  uint8_t ivBase_[16] = {};
  // SHA-1 behind the first block of the inner and of the outer hash, which is the padded key (RFC 2104 §4).
  SHA_CTX inner_ = {};
  SHA_CTX outer_ = {};
};

}  // namespace opencamera
