/**
 * The data plane: RTP header, SRTP and UDP for many viewers of one frame. What a viewer costs is decided here.
 *
 * Two implementations meet this interface: javascript-data-plane.ts (node:crypto and node:dgram) and, when the addon
 * is there, the native one; one conformance suite holds both to the same bytes. The live worker is the only caller.
 *
 * Nonce safety (RFC 3711 §9.1, RFC 7714 §8): for one stream the 48-bit packet index only ever grows and each index is
 * used for one plaintext alone. `reserve` consumes indexes for good, whether the packets are sent or not; `resend` is
 * given the very same bytes again, and checks nothing: the caller (live/stream history) keeps that promise.
 */
import type { PacketTable } from '../rtp/packet-table.ts';

export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES128_CM_HMAC_SHA1_80';

/** Master key (16 bytes) and salt (12 bytes for GCM, 14 for CM) of one direction; RFC 3711 §8.2, RFC 5764 §4.2. */
export interface SrtpKeys {
  readonly masterKey: Uint8Array;
  readonly masterSalt: Uint8Array;
}

/** Sends one datagram; `parts` are concatenated. Ownership of the parts passes to the callee. Returns nothing: UDP. */
export type DatagramSender = (parts: readonly Uint8Array[]) => void;
