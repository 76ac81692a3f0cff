/**
 * The data plane by the native addon: a run is encrypted by one call, straight from the ring, and handed to the kernel
 * by another, mostly with one system call.
 *
 * Live thread. Everything is decided here, not in C++: how a run goes to the kernel, and what happens to what it does
 * not take. UDP segmentation is tried first where the kernel knows it, then sendmmsg, then sendto; a way that a path
 * refuses is not tried again for that target. Whatever the kernel does not take then (a full buffer, an error of the
 * network) goes through the viewer's own socket, as all packets do in JavaScript: node:dgram keeps them until there is
 * room, VideoSender sees the backlog and drops forward, failures are counted in one place. Until the socket has sent
 * them there is no target, so nothing overtakes them.
 *
 * Nonce safety: data-plane.ts, and the numbered invariants in native-bindings/README.md.
 */
import { constants } from 'node:os';
import { ntpFraction, ntpSeconds } from '../rtp/ntp.ts';
import { RtpStreamHeader } from '../rtp/rtp-stream-header.ts';
import type { DatagramTarget, DataPlane, DataPlaneStream, PacketRun, StreamOptions } from './data-plane.ts';
import {
  type DataPlaneBinding,
  NativeProfile,
  type NativeStreamHandle,
  SendMethod,
} from './data-plane-binding.ts';
import { deriveSessionKeys } from './srtp/srtp-keys.ts';

/** Room for a run of live view from the beginning: its burst of 64 packets in Ethernet frames. */
const arenaBytes = 96 * 1024;
const endsCount = 64;

const { EINVAL, EIO, EMSGSIZE, ENOSYS, EOPNOTSUPP } = constants.errno;

/**
 * What a kernel, a device or a path answers that cannot cut messages: no checksum by the device (EIO), datagrams that do
 * not fit the path's MTU (EINVAL, EMSGSIZE), a filter or a tunnel in between (EOPNOTSUPP).
 */
const segmentationRefusals: ReadonlySet<number> = new Set([EIO, EINVAL, EMSGSIZE, EOPNOTSUPP, ENOSYS]);

class NativeStream implements DataPlaneStream {
  readonly ssrc: number;
  readonly header: RtpStreamHeader;
  readonly options: StreamOptions;
  readonly handle: NativeStreamHandle;
  method: SendMethod;
  /** The target of the last run, and its sockaddr. */
  target: DatagramTarget | undefined;
  address: Uint8Array = new Uint8Array(0);

  constructor(options: StreamOptions, handle: NativeStreamHandle, method: SendMethod) {
    this.ssrc = options.header.ssrc;
    this.header = new RtpStreamHeader(options.header);
    this.options = options;
    this.handle = handle;
    this.method = method;
  }
}

export class NativeDataPlane implements DataPlane {
  readonly name = 'native';
  private readonly binding: DataPlaneBinding;
  private readonly bestMethod: SendMethod;
  /** The packets of one run, until it was sent. Grows to the largest run. */
  private arena = new Uint8Array(arenaBytes);
  /** Where each packet ends in the arena. */
  private ends = new Uint32Array(endsCount);
  /** No negotiated header is longer. */
  private readonly headerBytes = new Uint8Array(64);

  /** @param bestMethod what is tried first; by default the best that the kernel knows. */
  constructor(binding: DataPlaneBinding, bestMethod?: SendMethod) {
    this.binding = binding;
    this.bestMethod = bestMethod ?? (binding.hasSegmentation ? SendMethod.segmentation : SendMethod.batch);
  }

  /** Throws CameraError `internal` for keys that do not have the profile's lengths. */
  openStream(options: StreamOptions): DataPlaneStream {
    const { profile, keys, header } = options;
    const { cipherKey, authenticationKey, salt } = deriveSessionKeys(profile, keys, 'srtp');
    const number = NativeProfile[profile];
    const handle = this.binding.openStream(number, cipherKey, authenticationKey, salt, header.ssrc);
    return new NativeStream(options, handle, this.bestMethod);
  }

  send(stream: DataPlaneStream, run: PacketRun): boolean {
    const native = stream as NativeStream;
    try {
      this.encrypt(native, run);
    } catch (error) {
      // A torn record may give a split that lies outside of it.
      if (!run.isIntact()) return false;
      throw error;
    }
    if (!run.isIntact()) return false;
    this.transmit(native, run.packetCount);
    return true;
  }

  private encrypt(stream: NativeStream, run: PacketRun): void {
    const { header, options } = stream;
    const { captureWallUnixMs, firstIndex, packetCount } = run;
    header.setFrame(run.rtpTimestamp, ntpSeconds(captureWallUnixMs), ntpFraction(captureWallUnixMs));
    header.write(this.headerBytes, 0, firstIndex % 65536, false);
    if (packetCount > this.ends.length) this.ends = new Uint32Array(2 * packetCount);
    const isFrameEnd = options.marksFrameEnd && run.firstPacket + packetCount === run.table.count;
    const bytes = this.write(stream, run, isFrameEnd);
    if (bytes <= this.arena.length) return;
    this.arena = new Uint8Array(bytes);
    this.write(stream, run, isFrameEnd);
  }

  private write(stream: NativeStream, run: PacketRun, isFrameEnd: boolean): number {
    return this.binding.encrypt(
      stream.handle,
      this.arena,
      this.ends,
      this.headerBytes,
      stream.header.lengthBytes,
      run.bytes,
      run.table.rows,
      run.table.prefixes,
      run.firstPacket,
      run.packetCount,
      run.firstIndex,
      isFrameEnd,
    );
  }

  private transmit(stream: NativeStream, packetCount: number): void {
    let at = 0;
    const target = stream.options.target?.();
    if (target && this.aim(stream, target)) {
      while (at < packetCount) {
        const { method, address } = stream;
        const taken = this.binding.transmit(
          target.fd,
          address,
          this.arena,
          this.ends,
          at,
          packetCount,
          method,
        );
        if (taken > 0) at += taken;
        else if (!this.fallBack(stream, -taken)) break;
      }
    }
    for (; at < packetCount; at++) {
      // A copy, because the socket may hold it for longer than the arena does.
      stream.options.send(this.arena.slice(at === 0 ? 0 : this.ends[at - 1]!, this.ends[at]!));
    }
  }

  /** Takes the next way when it is the way that was refused, and not the packets. */
  private fallBack(stream: NativeStream, errno: number): boolean {
    if (stream.method === SendMethod.segmentation && segmentationRefusals.has(errno))
      stream.method = SendMethod.batch;
    else if (stream.method === SendMethod.batch && errno === ENOSYS) stream.method = SendMethod.single;
    else return false;
    return true;
  }

  /** Makes `address` that of the target. Returns false for an address that the system does not take. */
  private aim(stream: NativeStream, target: DatagramTarget): boolean {
    if (stream.target === target) return stream.address.length > 0;
    stream.target = target;
    stream.method = this.bestMethod;
    try {
      stream.address = this.binding.socketAddress(target.address, target.port);
    } catch {
      stream.address = new Uint8Array(0);
    }
    return stream.address.length > 0;
  }
}
