/**
 * The cipher suites of TLS 1.2 that are offered: ephemeral keys and authenticated encryption alone (RFC 9325 §4.2). Pure.
 *
 * The library's own list has CBC suites and, with an RSA key, RSA key exchange without forward secrecy. TLS 1.3 has nothing
 * else anyway, and what is older than 1.2 the library refuses.
 */
export const cipherSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
