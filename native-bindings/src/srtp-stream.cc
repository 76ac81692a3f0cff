// See srtp-stream.h.
#include "srtp-stream.h"

#include <cstring>

namespace opencamera {

namespace {

// SHA-1's block, to which HMAC pads its key, and its digest.
constexpr size_t kSha1BlockBytes = 64;
constexpr size_t kSha1DigestBytes = 20;

void XorUint32(uint8_t* target, uint32_t value) {
  for (int k = 0; k < 4; k++) target[k] ^= static_cast<uint8_t>(value >> (24 - 8 * k));
}

// XORs the 48-bit index.
void XorIndex(uint8_t* target, uint64_t index) {
  for (int k = 0; k < 6; k++) target[k] ^= static_cast<uint8_t>(index >> (40 - 8 * k));
}

// The state of SHA-1 behind the padded key.
bool HashPaddedKey(SHA_CTX* state, const uint8_t* key, uint8_t pad) {
  uint8_t block[kSha1BlockBytes];
  memset(block, pad, sizeof block);
  for (size_t k = 0; k < kAuthenticationKeyBytes; k++) block[k] ^= key[k];
  const bool isDone = SHA1_Init(state) == 1 && SHA1_Update(state, block, sizeof block) == 1;
  OPENSSL_cleanse(block, sizeof block);
  return isDone;
}

}  // namespace

SrtpStream::~SrtpStream() {
  if (cipher_ == nullptr) return;
  EVP_CIPHER_CTX_free(cipher_);
  OPENSSL_cleanse(ivBase_, sizeof ivBase_);
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

bool SrtpStream::Open(SrtpProfile profile, const uint8_t* cipherKey, const uint8_t* authenticationKey,
                      const uint8_t* salt, uint32_t ssrc) {
  profile_ = profile;
  cipher_ = EVP_CIPHER_CTX_new();
  if (cipher_ == nullptr) return false;
  const bool isGcm = profile == SrtpProfile::kAeadAes128Gcm;
  memcpy(ivBase_, salt, isGcm ? kGcmSaltBytes : kCmSaltBytes);
  // RFC 7714 §8.1: 2 zero bytes, SSRC, index. RFC 3711 §4.1.1: 4 zero bytes, SSRC, index, block counter.
  XorUint32(ivBase_ + (isGcm ? 2 : 4), ssrc);
  const EVP_CIPHER* cipher = isGcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
  if (EVP_EncryptInit_ex(cipher_, cipher, nullptr, cipherKey, nullptr) != 1) return false;
  return isGcm || (HashPaddedKey(&inner_, authenticationKey, 0x36) && HashPaddedKey(&outer_, authenticationKey, 0x5c));
}

bool SrtpStream::Protect(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index) {
  return profile_ == SrtpProfile::kAeadAes128Gcm ? ProtectGcm(packet, headerLength, payloadLength, index)
                                                 : ProtectCm(packet, headerLength, payloadLength, index);
}

bool SrtpStream::ProtectGcm(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index) {
  uint8_t iv[12];
  memcpy(iv, ivBase_, sizeof iv);
  XorIndex(iv + 6, index);
  uint8_t* payload = packet + headerLength;
  int length = 0;
  return EVP_EncryptInit_ex(cipher_, nullptr, nullptr, nullptr, iv) == 1 &&
         EVP_EncryptUpdate(cipher_, nullptr, &length, packet, static_cast<int>(headerLength)) == 1 &&
         EVP_EncryptUpdate(cipher_, payload, &length, payload, static_cast<int>(payloadLength)) == 1 &&
         EVP_EncryptFinal_ex(cipher_, payload + payloadLength, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher_, kEvpGetTag, kGcmTagBytes, payload + payloadLength) == 1;
}

bool SrtpStream::ProtectCm(uint8_t* packet, size_t headerLength, size_t payloadLength, uint64_t index) {
  uint8_t iv[16];
  memcpy(iv, ivBase_, sizeof iv);
  XorIndex(iv + 8, index);
  uint8_t* payload = packet + headerLength;
  int length = 0;
  if (EVP_EncryptInit_ex(cipher_, nullptr, nullptr, nullptr, iv) != 1 ||
      EVP_EncryptUpdate(cipher_, payload, &length, payload, static_cast<int>(payloadLength)) != 1)
    return false;
  // §4.2: the tag covers header, ciphertext and roll-over counter.
  const uint32_t rollOver = static_cast<uint32_t>(index >> 16);
  uint8_t digest[kSha1DigestBytes] = {};
  uint8_t counter[4] = {};
  XorUint32(counter, rollOver);
  SHA_CTX state = inner_;
  if (SHA1_Update(&state, packet, headerLength + payloadLength) != 1 || SHA1_Update(&state, counter, 4) != 1 ||
      SHA1_Final(digest, &state) != 1)
    return false;
  state = outer_;
  if (SHA1_Update(&state, digest, sizeof digest) != 1 || SHA1_Final(digest, &state) != 1) return false;
  memcpy(payload + payloadLength, digest, kCmTagBytes);
  return true;
}

}  // namespace opencamera
