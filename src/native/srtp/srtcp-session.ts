/**
 * SRTCP of one peer connection in both directions (RFC 3711 §3.4, RFC 7714 §9): seals our sender reports, opens the
 * peer's reports and feedback.
 *
 * Sending uses one index for all our SSRCs: each is used once, which is more than the nonce asks for (the SSRC is part
 * of it), and receivers only want it to grow. As with SRTP nobody else may send RTCP with the same keys and SSRCs.
 * Receiving keeps one replay window per sender, because there each SSRC counts for itself. The index is looked up
 * before the tag is checked (RFC 3711 §3.3, step 3: replays are then refused for free) but nothing changes before the
 * tag was found right. The live worker's thread; one object a viewer.
 */
import { CameraError } from '../../base/errors.ts';
import type { SrtpKeys, SrtpProfile } from '../data-plane.ts';
import { ReplayWindow } from './replay-window.ts';
import {
  CmSrtcpCipher,
  clearBytes,
  encryptedFlag,
  GcmSrtcpCipher,
  indexWordBytes,
  type SrtcpCipher,
} from './srtcp-cipher.ts';
import { deriveSessionKeys } from './srtp-keys.ts';

/** SRTCP indexes end here (RFC 3711 §3.4: 31 bits): 68 years of one report a second. */
export const srtcpIndexLimit = 2 ** 31;

/**
 * Senders of one peer that are remembered. A browser that only receives uses one SSRC for each of our streams at most;
 * the peer is authenticated, but its memory here must be bounded all the same. Further senders are ignored: to forget
 * an old one would let its packets be replayed.
 */
export const srtcpSendersMax = 32;

/** Largest SRTCP packet that is opened: an Ethernet frame's worth and some. */
export const srtcpBytesMax = 2048;

export class SrtcpSession {
  private readonly sealing: SrtcpCipher;
  private readonly opening: SrtcpCipher;
  private nextIndex: number;
  private readonly windows = new Map<number, ReplayWindow>();

  /**
   * `localKeys` protect what we send, `remoteKeys` what the peer sends; both are copied. `firstIndex` is the index of
   * our first packet: greater than all that any other sender used with these keys, if there was one.
   */
  constructor(profile: SrtpProfile, localKeys: SrtpKeys, remoteKeys: SrtpKeys, firstIndex = 1) {
    const Cipher = profile === 'AEAD_AES_128_GCM' ? GcmSrtcpCipher : CmSrtcpCipher;
    this.sealing = new Cipher(deriveSessionKeys(profile, localKeys, 'srtcp'));
    this.opening = new Cipher(deriveSessionKeys(profile, remoteKeys, 'srtcp'));
    this.nextIndex = firstIndex;
  }

  /**
   * Seals a compound RTCP packet of at least 8 bytes (borrowed); its sender's SSRC is in bytes 4–7. Returns the SRTCP
   * packet, owned by the caller. Throws CameraError `internal` when the indexes are used up or the packet is too short.
   */
  protect(packet: Uint8Array): Uint8Array {
    if (packet.length < clearBytes || this.nextIndex >= srtcpIndexLimit)
      throw new CameraError('internal', 'the RTCP packet cannot be protected', {
        packetBytes: packet.length,
        index: this.nextIndex,
      });
    return this.sealing.seal(packet, this.nextIndex++);
  }

  /**
   * Opens an SRTCP packet (borrowed). Returns the compound RTCP packet, owned by the caller; or undefined for whatever
   * is too short or long, replayed, or not authentic. Never throws. Unencrypted packets (E flag 0) are authenticated
   * like all others and let through, as RFC 3711 §3.4 has it.
   */
  unprotect(packet: Uint8Array): Uint8Array | undefined {
    const { opening, windows } = this;
    if (packet.length < clearBytes + opening.tagBytes + indexWordBytes || packet.length > srtcpBytesMax)
      return undefined;
    const ssrc = ((packet[4]! << 24) | (packet[5]! << 16) | (packet[6]! << 8) | packet[7]!) >>> 0;
    const word = opening.indexWord(packet);
    const index = word >= encryptedFlag ? word - encryptedFlag : word;
    let window = windows.get(ssrc);
    if (window ? !window.isNew(index) : windows.size >= srtcpSendersMax) return undefined;
    const opened = opening.open(packet, word);
    if (opened === undefined) return undefined;
    if (window === undefined) {
      window = new ReplayWindow();
      windows.set(ssrc, window);
    }
    window.accept(index);
    return opened;
  }
}
