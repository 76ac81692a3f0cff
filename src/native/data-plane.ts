/**
 * The data plane: RTP header, SRTP and UDP for the viewers of a frame. What a viewer costs is decided behind here.
 *
 * One interface, two implementations that must send the same bytes: javascript-data-plane.ts (node:crypto and the
 * viewer's own socket) and native-data-plane.ts (the addon: a run at a time). Called by the live worker alone; nothing
 * here blocks or throws because of the network.
 *
 * Nonce safety (RFC 3711 §9.1, RFC 7714 §8). For one stream an index of 48 bits (roll-over counter × 2^16 + sequence
 * number) is never used for two different packets: the caller takes indexes from a counter that only grows, whether
 * the packets are sent or not, and gives an index a second time only for a resend, with the very same frame bytes,
 * timestamp and extension. The plane's part: it encrypts, *then* asks whether the ring still held the frame intact,
 * and only then sends; what was encrypted from torn bytes never leaves the machine.
 */
import type { PacketTable } from '../rtp/packet-table.ts';
import type { RtpStreamHeaderOptions } from '../rtp/rtp-stream-header.ts';

export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES128_CM_HMAC_SHA1_80';

/** Master key (16 bytes) and salt (12 bytes for GCM, 14 for CM) of one direction; RFC 3711 §8.2, RFC 5764 §4.2. */
export interface SrtpKeys {
  readonly masterKey: Uint8Array;
  readonly masterSalt: Uint8Array;
}

/** Sends one datagram to a viewer. The packet is the callee's from then on; failures are its to count. */
export type DatagramSender = (packet: Uint8Array) => void;

/** Where a viewer's datagrams go, for a plane that sends by itself. The same object for as long as nothing changed. */
export interface DatagramTarget {
  /** Descriptor of an open, non-blocking UDP socket of the address's family; borrowed for the call that asked. */
  readonly fd: number;
  /** IPv4 or IPv6, the latter perhaps with `%interface`. */
  readonly address: string;
  readonly port: number;
}

export interface StreamOptions {
  readonly profile: SrtpProfile;
  readonly keys: SrtpKeys;
  /** SSRC, payload type and header extensions, as negotiated. */
  readonly header: RtpStreamHeaderOptions;
  /** Whether the last packet of a frame carries the marker bit (video: yes; G.711 without silence suppression: no). */
  readonly marksFrameEnd: boolean;
  readonly send: DatagramSender;
  /**
   * Asked before each run is sent: the socket and the address of now, or undefined where datagrams must go through
   * `send` (a relay; a socket that still holds some and would be overtaken).
   */
  readonly target?: () => DatagramTarget | undefined;
}

/** One RTP stream to one viewer, opened by a data plane and opaque to its caller. */
export interface DataPlaneStream {
  readonly ssrc: number;
}

/** Consecutive packets of one frame for one stream. A reused object is fine: it is read during the call alone. */
export interface PacketRun {
  /** Bytes of the frame, a view of the ring; borrowed for the call. */
  readonly bytes: Uint8Array;
  /** The frame's split. */
  readonly table: PacketTable;
  readonly firstPacket: number;
  /** Packets to send, at least 1. */
  readonly packetCount: number;
  /** 48-bit index of the first packet; the others follow. */
  readonly firstIndex: number;
  /** RTP timestamp of the frame, unsigned 32-bit. */
  readonly rtpTimestamp: number;
  /** Wall clock of the frame's capture, Unix ms, for abs-capture-time. */
  readonly captureWallUnixMs: number;
  /** Asked after encrypting and before sending: was the frame intact in the ring all the time? */
  isIntact(): boolean;
}

export interface DataPlane {
  readonly name: 'javascript' | 'native';
  openStream(options: StreamOptions): DataPlaneStream;
  /**
   * Encrypts and sends a run. Returns false, and sends nothing, when the frame was not intact. The indexes are
   * consumed either way.
   */
  send(stream: DataPlaneStream, run: PacketRun): boolean;
}
