/**
 * SRTP receiver for tests (RFC 3711 §3.3 and appendix A, RFC 7714), written independently of src: derives its own
 * keys, guesses the roll-over counter, checks the tag, decrypts. One object a stream (SSRC).
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

export interface ReceivedPacket {
  /** The RTP packet: header and decrypted payload, without the tag. */
  readonly packet: Buffer;
  /** 48-bit packet index by this receiver's own roll-over counter. */
  readonly index: number;
}

type Profile = 'AEAD_AES_128_GCM' | 'AES128_CM_HMAC_SHA1_80';

export class SrtpReceiver {
  private readonly profile: Profile;
  private readonly cipherKey: Buffer;
  private readonly authKey: Buffer;
  private readonly salt: Buffer;
  private rollOver: number;
  private highestSequence = -1;

  /** `rollOver` is the counter to start with: 0 for a stream that is followed from its first packet. */
  constructor(profile: Profile, keys: { masterKey: Uint8Array; masterSalt: Uint8Array }, rollOver = 0) {
    const prf = (label: number, length: number): Buffer => {
      const x = Buffer.concat([keys.masterSalt, Buffer.alloc(16 - keys.masterSalt.length)]);
      x[7] = x[7]! ^ label;
      return createCipheriv('aes-128-ctr', keys.masterKey, x).update(Buffer.alloc(length));
    };
    this.profile = profile;
    this.cipherKey = prf(0, 16);
    this.authKey = prf(1, 20);
    this.salt = prf(2, keys.masterSalt.length);
    this.rollOver = rollOver;
  }

  /** Opens a packet; undefined when its tag is wrong. No replay check: tests look at the index. */
  unprotect(srtp: Uint8Array): ReceivedPacket | undefined {
    const bytes = Buffer.from(srtp);
    const sequence = bytes.readUInt16BE(2);
    const rollOver = this.guessRollOver(sequence);
    const headerLength = headerLengthOf(bytes);
    const payload =
      this.profile === 'AEAD_AES_128_GCM'
        ? this.openGcm(bytes, headerLength, rollOver)
        : this.openCm(bytes, headerLength, rollOver);
    if (!payload) return undefined;
    // Appendix A: a packet of the cycle before (one sent again) moves nothing.
    if (rollOver > this.rollOver || (rollOver === this.rollOver && sequence > this.highestSequence))
      this.highestSequence = sequence;
    this.rollOver = Math.max(rollOver, this.rollOver);
    return {
      packet: Buffer.concat([bytes.subarray(0, headerLength), payload]),
      index: rollOver * 65536 + sequence,
    };
  }

  /** RFC 3711 appendix A. */
  private guessRollOver(sequence: number): number {
    const { highestSequence, rollOver } = this;
    if (highestSequence < 0) return rollOver;
    if (highestSequence < 32768) return sequence - highestSequence > 32768 ? rollOver - 1 : rollOver;
    return highestSequence - 32768 > sequence ? rollOver + 1 : rollOver;
  }

  private openGcm(bytes: Buffer, headerLength: number, rollOver: number): Buffer | undefined {
    const iv = Buffer.alloc(12);
    bytes.copy(iv, 2, 8, 12);
    iv.writeUInt32BE(rollOver, 6);
    bytes.copy(iv, 10, 2, 4);
    const nonce = iv.map((byte, i) => byte ^ this.salt[i]!);
    const decipher = createDecipheriv('aes-128-gcm', this.cipherKey, nonce, { authTagLength: 16 });
    decipher.setAAD(bytes.subarray(0, headerLength));
    decipher.setAuthTag(bytes.subarray(-16));
    const payload = decipher.update(bytes.subarray(headerLength, -16));
    try {
      decipher.final();
      return payload;
    } catch {
      return undefined;
    }
  }

  private openCm(bytes: Buffer, headerLength: number, rollOver: number): Buffer | undefined {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(rollOver);
    const tag = createHmac('sha1', this.authKey).update(bytes.subarray(0, -10)).update(counter).digest();
    if (!tag.subarray(0, 10).equals(bytes.subarray(-10))) return undefined;
    const iv = Buffer.alloc(16);
    bytes.copy(iv, 4, 8, 12);
    iv.writeUInt32BE(rollOver, 8);
    bytes.copy(iv, 12, 2, 4);
    const start = iv.map((byte, i) => byte ^ (this.salt[i] ?? 0));
    return createDecipheriv('aes-128-ctr', this.cipherKey, start).update(bytes.subarray(headerLength, -10));
  }
}

function headerLengthOf(bytes: Buffer): number {
  const length = 12 + 4 * (bytes[0]! % 16);
  return bytes[0]! & 16 ? length + 4 + 4 * bytes.readUInt16BE(length + 2) : length;
}
