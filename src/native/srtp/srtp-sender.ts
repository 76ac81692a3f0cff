/**
 * SRTP for one outgoing stream (RFC 3711 §3.3, RFC 7714 §8 and §9) in JavaScript over node:crypto: the choice of the
 * profile, and the rule that all of it rests on.
 *
 * **Nonce safety.** The key stream is a function of key, SSRC and packet index alone. The caller therefore must use
 * each index for *one* packet for ever: an index is consumed by the call even if the packet is dropped afterwards, a
 * packet sent again is the same header and payload bytes with the same index, and no other sender (werift's own
 * `sendRtp`) may work on the same SSRC with the same keys. One GCM index with two plaintexts gives away both of them
 * and the authentication key. Nothing here can check that, because protecting the same packet twice is allowed.
 * What may have been overwritten in the ring while it was encrypted must be dropped, not sent and not encrypted again
 * under its index.
 *
 * Called by the live worker per packet and viewer; objects are not shared between threads. Left out: MKI and re-keying
 * (DTLS-SRTP makes a new session instead), other profiles (no browser needs them).
 */
import type { SrtpKeys, SrtpProfile } from '../data-plane.ts';
import { CmSrtpSender } from './srtp-cm-sender.ts';
import { GcmSrtpSender } from './srtp-gcm-sender.ts';
import { deriveSessionKeys } from './srtp-keys.ts';
import type { SrtpTransform } from './srtp-transform.ts';

export class SrtpSender implements SrtpTransform {
  readonly overheadBytes: number;
  private readonly transform: SrtpTransform;

  /**
   * The sender of one stream. `keys` are master key and salt of our direction (copied). Throws CameraError `internal`
   * when they do not have the profile's lengths.
   */
  constructor(profile: SrtpProfile, keys: SrtpKeys, ssrc: number) {
    const sessionKeys = deriveSessionKeys(profile, keys, 'srtp');
    const Transform = profile === 'AEAD_AES_128_GCM' ? GcmSrtpSender : CmSrtpSender;
    this.transform = new Transform(sessionKeys, ssrc);
    this.overheadBytes = this.transform.overheadBytes;
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
    return this.transform.protect(
      header,
      headerLength,
      prefix,
      prefixStart,
      prefixLength,
      body,
      bodyStart,
      bodyLength,
      index,
    );
  }
}
