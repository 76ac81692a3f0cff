// The few functions of OpenSSL (1.1.1 and 3) that the addon takes from the node binary it is loaded into.
//
// They are declared here and not taken from <openssl/*.h>: those headers do not lie beside every node binary, and these
// prototypes have not changed since 1.1.0. They are weak: the dynamic linker resolves them when the addon is loaded and
// leaves nullptr where a node binary does not export one; HasOpenSsl() says so, and nothing is called then. No dlsym(),
// which would tie the addon to glibc 2.34. SHA1_* is deprecated in OpenSSL 3, but copying its 96 bytes of state is what
// makes an HMAC cheap: 0.15 µs a packet, where EVP_MD_CTX_copy_ex allocates.
#pragma once

#include <cstddef>
#include <cstdint>

#define OPENCAMERA_WEAK __attribute__((weak, visibility("default")))

extern "C" {
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct engine_st ENGINE;

// The state of SHA-1 between blocks, as <openssl/sha.h> lays it out.
typedef struct {
  uint32_t h0, h1, h2, h3, h4;
  uint32_t bitsLow, bitsHigh;
  uint32_t data[16];
  unsigned int num;
} SHA_CTX;

OPENCAMERA_WEAK EVP_CIPHER_CTX* EVP_CIPHER_CTX_new(void);
// Cleanses the keys, too.
OPENCAMERA_WEAK void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX*);
OPENCAMERA_WEAK int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX*, int type, int argument, void* pointer);
OPENCAMERA_WEAK const EVP_CIPHER* EVP_aes_128_gcm(void);
OPENCAMERA_WEAK const EVP_CIPHER* EVP_aes_128_ctr(void);
OPENCAMERA_WEAK int EVP_EncryptInit_ex(EVP_CIPHER_CTX*, const EVP_CIPHER*, ENGINE*, const unsigned char* key,
                                       const unsigned char* iv);
OPENCAMERA_WEAK int EVP_EncryptUpdate(EVP_CIPHER_CTX*, unsigned char* out, int* outLength, const unsigned char* in,
                                      int inLength);
OPENCAMERA_WEAK int EVP_EncryptFinal_ex(EVP_CIPHER_CTX*, unsigned char* out, int* outLength);
OPENCAMERA_WEAK int SHA1_Init(SHA_CTX*);
OPENCAMERA_WEAK int SHA1_Update(SHA_CTX*, const void* data, size_t length);
OPENCAMERA_WEAK int SHA1_Final(unsigned char* digest, SHA_CTX*);
OPENCAMERA_WEAK void OPENSSL_cleanse(void*, size_t length);
}

namespace opencamera {

// EVP_CTRL_AEAD_GET_TAG of <openssl/evp.h>.
constexpr int kEvpGetTag = 0x10;

// Whether the node binary exports all of the functions above.
inline bool HasOpenSsl() {
  return EVP_CIPHER_CTX_new != nullptr && EVP_CIPHER_CTX_free != nullptr && EVP_CIPHER_CTX_ctrl != nullptr &&
         EVP_aes_128_gcm != nullptr && EVP_aes_128_ctr != nullptr && EVP_EncryptInit_ex != nullptr &&
         EVP_EncryptUpdate != nullptr && EVP_EncryptFinal_ex != nullptr && SHA1_Init != nullptr &&
         SHA1_Update != nullptr && SHA1_Final != nullptr && OPENSSL_cleanse != nullptr;
}

}  // namespace opencamera
