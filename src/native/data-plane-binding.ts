/**
 * The addon's functions for the data plane, with their types: native-bindings/src/data-plane.cc.
 *
 * They decide nothing: no index is counted, nothing is tried again, nobody waits. A wrong argument is a TypeError,
 * before anything was done. The live worker's thread calls them; a stream belongs to the thread that opened it.
 */

/** One stream's keys in the addon; cleansed when it is collected, and at the thread's end. */
export type NativeStreamHandle = object & { readonly handle: 'stream' };

/** Ways into the kernel, best first. */
export const SendMethod = {
  /** UDP_SEGMENT: one message for a run of equally long datagrams. */
  segmentation: 0,
  /** sendmmsg: one message a datagram, one system call. */
  batch: 1,
  /** sendto for each. */
  single: 2,
} as const;
export type SendMethod = (typeof SendMethod)[keyof typeof SendMethod];

/** SRTP profiles by number. */
export const NativeProfile = { AEAD_AES_128_GCM: 0, AES128_CM_HMAC_SHA1_80: 1 } as const;

export interface DataPlaneBinding {
  /** Why the functions are not there. */
  readonly missing?: string;
  /** Whether the kernel knows UDP_SEGMENT; one that does not would send a run as one datagram. */
  readonly hasSegmentation: boolean;

  /** Session keys (RFC 3711 §4.3; copied): 16 bytes, 20 for CM or none for GCM, 14 for CM or 12 for GCM. */
  openStream(
    profile: number,
    cipherKey: Uint8Array,
    authenticationKey: Uint8Array,
    salt: Uint8Array,
    ssrc: number,
  ): NativeStreamHandle;

  /**
   * Writes the SRTP packets of a run one behind the other into `arena`, and the end of each into `ends`. `header` (its
   * first `headerLength` bytes) is that of any packet of the frame; sequence number and marker are set here. `rows` and
   * `prefixes` are a PacketTable's. Returns the bytes of the run; more than `arena` has: nothing was encrypted.
   */
  encrypt(
    stream: NativeStreamHandle,
    arena: Uint8Array,
    ends: Uint32Array,
    header: Uint8Array,
    headerLength: number,
    bytes: Uint8Array,
    rows: Int32Array,
    prefixes: Uint8Array,
    firstPacket: number,
    packetCount: number,
    firstIndex: number,
    isFrameEnd: boolean,
  ): number;

  /** The system's form (sockaddr) of an IPv4 or IPv6 address, the latter also with `%interface`. */
  socketAddress(address: string, port: number): Uint8Array;

  /**
   * Hands the datagrams `first` to `last` (exclusive) of the arena to the kernel, never waiting. Returns how many it
   * took, perhaps fewer than given; where none, a negative errno.
   */
  transmit(
    fd: number,
    address: Uint8Array,
    arena: Uint8Array,
    ends: Uint32Array,
    first: number,
    last: number,
    method: SendMethod,
  ): number;
}
