/**
 * SRTP with AEAD_AES_128_GCM (RFC 7714 §8.1, §8.2): header as associated data, payload encrypted, 16 bytes of tag.
 *
 * One cipher object a packet, because GCM in node:crypto takes its nonce only at construction. Measured
 * (µs for a packet of 1200 bytes, noisy machine, variants interleaved, 10th percentile and median): this 5.2 and 8; a
 * KeyObject instead of key bytes and an explicit tag length +0.4; a second update() for the prefix instead of joining
 * +0.3; handing out the parts instead of one packet −0.3, which dgram's send() of a list takes back with +0.5. Nearly
 * all of it are the five calls into OpenSSL, whatever the packet's size.
 */
import { createCipheriv } from 'node:crypto';
import type { SessionKeys } from './srtp-keys.ts';
import { checkSrtpPacket, type SrtpTransform } from './srtp-transform.ts';

const tagBytes = 16;

export class GcmSrtpSender implements SrtpTransform {
  readonly overheadBytes = tagBytes;
  private readonly key: Uint8Array;
  /** Nonce, §8.1: 2 zero bytes, SSRC, roll-over counter, sequence number; all XOR the salt. */
  private readonly nonce = new Uint8Array(12);
  private readonly saltTail: Uint8Array;
  /** Where a payload of two parts is joined. */
  private joined = new Uint8Array(2048);

  /** Session keys by RFC 3711 §4.3 (srtp-keys.ts). */
  constructor(keys: SessionKeys, ssrc: number) {
    this.key = keys.cipherKey;
    this.nonce.set(keys.salt);
    for (let k = 0; k < 4; k++) this.nonce[2 + k]! ^= ssrc >>> (24 - 8 * k);
    this.saltTail = keys.salt.slice(6, 12);
  }

  protect(
    header: Uint8Array,
    headerLength: number,
    prefix: Uint8Array,
    prefixStart: number,
    prefixLength: number,
    body: Uint8Array,
    bodyStart: number,
    bodyLength: number,
    index: number,
  ): Uint8Array {
    const payloadLength = prefixLength + bodyLength;
    const packetBytes = headerLength + payloadLength + tagBytes;
    checkSrtpPacket(header, headerLength, packetBytes, index);
    this.setNonce(index);
    const cipher = createCipheriv('aes-128-gcm', this.key, this.nonce);
    const packet = Buffer.allocUnsafe(packetBytes);
    for (let k = 0; k < headerLength; k++) packet[k] = header[k]!;
    cipher.setAAD(packet.subarray(0, headerLength));
    let payload = body.subarray(bodyStart, bodyStart + bodyLength);
    if (prefixLength > 0) payload = this.join(prefix, prefixStart, prefixLength, payload);
    packet.set(cipher.update(payload), headerLength);
    cipher.final();
    packet.set(cipher.getAuthTag(), headerLength + payloadLength);
    return packet;
  }

  private setNonce(index: number): void {
    const { nonce, saltTail } = this;
    const rollOver = Math.floor(index / 65536);
    nonce[6] = saltTail[0]! ^ (rollOver >>> 24);
    nonce[7] = saltTail[1]! ^ (rollOver >>> 16);
    nonce[8] = saltTail[2]! ^ (rollOver >>> 8);
    nonce[9] = saltTail[3]! ^ rollOver;
    nonce[10] = saltTail[4]! ^ ((index % 65536) >>> 8);
    nonce[11] = saltTail[5]! ^ (index % 65536);
  }

  /** Joining costs less than a second update() for a prefix of two bytes does. */
  private join(prefix: Uint8Array, start: number, length: number, body: Uint8Array): Uint8Array {
    const bytes = length + body.length;
    if (bytes > this.joined.length) this.joined = new Uint8Array(2 * bytes);
    const { joined } = this;
    for (let k = 0; k < length; k++) joined[k] = prefix[start + k]!;
    joined.set(body, length);
    return joined.subarray(0, bytes);
  }
}
