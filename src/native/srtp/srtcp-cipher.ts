/**
 * The two transforms of SRTCP: RFC 3711 §3.4 with AES-CM and HMAC-SHA1-80, RFC 7714 §9 with AES-GCM.
 *
 * ```text
 * CM:   RTCP header and sender SSRC (8) | encrypted rest          | E and index (4) | tag (10)
 * GCM:  RTCP header and sender SSRC (8) | encrypted rest | tag (16) | E and index (4)
 * ```
 *
 * Reports come a few times a second, so this is written for clearness: one cipher object a packet. Any thread; no state.
 */
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { SessionKeys } from './srtp-keys.ts';

/** First word of the RTCP header and the sender's SSRC: never encrypted. */
export const clearBytes = 8;
/** The word with the E flag and the 31-bit index. */
export const indexWordBytes = 4;
/** The highest bit of that word: the packet is encrypted. */
export const encryptedFlag = 0x8000_0000;

/** One transform. */
export interface SrtcpCipher {
  readonly tagBytes: number;
  /** Returns the whole SRTCP packet for an RTCP packet of at least 8 bytes; always encrypted. */
  seal(packet: Uint8Array, index: number): Uint8Array;
  /** The E flag and the index as one unsigned 32-bit word. `packet` must hold clear part, tag and word. */
  indexWord(packet: Uint8Array): number;
  /** Returns the RTCP packet, or undefined when the tag is wrong. `word` is that of {@link indexWord}. */
  open(packet: Uint8Array, word: number): Uint8Array | undefined;
}

export class CmSrtcpCipher implements SrtcpCipher {
  readonly tagBytes = 10;
  private readonly keys: SessionKeys;

  constructor(keys: SessionKeys) {
    this.keys = keys;
  }

  seal(packet: Uint8Array, index: number): Uint8Array {
    const sealed = new Uint8Array(packet.length + indexWordBytes + this.tagBytes);
    sealed.set(packet);
    sealed.set(this.crypt(packet, index), clearBytes);
    const tagAt = packet.length + indexWordBytes;
    viewOf(sealed).setUint32(packet.length, (encryptedFlag | index) >>> 0);
    sealed.set(this.tag(sealed.subarray(0, tagAt)), tagAt);
    return sealed;
  }

  indexWord(packet: Uint8Array): number {
    return viewOf(packet).getUint32(packet.length - this.tagBytes - indexWordBytes);
  }

  open(packet: Uint8Array, word: number): Uint8Array | undefined {
    const tagAt = packet.length - this.tagBytes;
    if (!timingSafeEqual(packet.subarray(tagAt), this.tag(packet.subarray(0, tagAt)))) return undefined;
    const opened = packet.slice(0, tagAt - indexWordBytes);
    if (word >= encryptedFlag) opened.set(this.crypt(opened, word - encryptedFlag), clearBytes);
    return opened;
  }

  /** En- or decrypts what lies behind the clear part; the IV is that of SRTP with the SRTCP index (§4.1.1). */
  private crypt(packet: Uint8Array, index: number): Uint8Array {
    const iv = new Uint8Array(16);
    iv.set(this.keys.salt);
    xorBytes(iv, 4, packet.subarray(4, 8));
    xorUint32(iv, 10, index);
    return createCipheriv('aes-128-ctr', this.keys.cipherKey, iv).update(packet.subarray(clearBytes));
  }

  private tag(bytes: Uint8Array): Uint8Array {
    const digest = createHmac('sha1', this.keys.authenticationKey).update(bytes).digest();
    return digest.subarray(0, this.tagBytes);
  }
}

export class GcmSrtcpCipher implements SrtcpCipher {
  readonly tagBytes = 16;
  private readonly keys: SessionKeys;

  constructor(keys: SessionKeys) {
    this.keys = keys;
  }

  seal(packet: Uint8Array, index: number): Uint8Array {
    const sealed = new Uint8Array(packet.length + this.tagBytes + indexWordBytes);
    sealed.set(packet.subarray(0, clearBytes));
    viewOf(sealed).setUint32(sealed.length - indexWordBytes, (encryptedFlag | index) >>> 0);
    const cipher = createCipheriv('aes-128-gcm', this.keys.cipherKey, this.nonce(packet, index));
    cipher.setAAD(associatedData(sealed, clearBytes));
    sealed.set(cipher.update(packet.subarray(clearBytes)), clearBytes);
    cipher.final();
    sealed.set(cipher.getAuthTag(), packet.length);
    return sealed;
  }

  indexWord(packet: Uint8Array): number {
    return viewOf(packet).getUint32(packet.length - indexWordBytes);
  }

  open(packet: Uint8Array, word: number): Uint8Array | undefined {
    const tagAt = packet.length - indexWordBytes - this.tagBytes;
    const encrypted = word >= encryptedFlag;
    const nonce = this.nonce(packet, encrypted ? word - encryptedFlag : word);
    const decipher = createDecipheriv('aes-128-gcm', this.keys.cipherKey, nonce, {
      authTagLength: this.tagBytes,
    });
    decipher.setAuthTag(packet.subarray(tagAt, tagAt + this.tagBytes));
    // §9.3: an unencrypted packet is associated data as a whole.
    decipher.setAAD(associatedData(packet, encrypted ? clearBytes : tagAt));
    const opened = packet.slice(0, tagAt);
    if (encrypted) opened.set(decipher.update(packet.subarray(clearBytes, tagAt)), clearBytes);
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return opened;
  }

  /** §9.1: 2 zero bytes, SSRC, 2 zero bytes, index; all XOR the salt. */
  private nonce(packet: Uint8Array, index: number): Uint8Array {
    const nonce = Uint8Array.from(this.keys.salt);
    xorBytes(nonce, 2, packet.subarray(4, 8));
    xorUint32(nonce, 8, index);
    return nonce;
  }
}

/** §9.2 and §9.3: what is not encrypted of the RTCP packet, then the word with E flag and index. */
function associatedData(packet: Uint8Array, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes + indexWordBytes);
  data.set(packet.subarray(0, bytes));
  data.set(packet.subarray(packet.length - indexWordBytes), bytes);
  return data;
}

function xorBytes(target: Uint8Array, at: number, bytes: Uint8Array): void {
  for (let k = 0; k < bytes.length; k++) target[at + k]! ^= bytes[k]!;
}

function xorUint32(target: Uint8Array, at: number, value: number): void {
  for (let k = 0; k < 4; k++) target[at + k]! ^= value >>> (24 - 8 * k);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
