/**
 * A base of ICE (RFC 8445 §3): the local transport address that a candidate's packets leave from and arrive at. Here
 * the UDP socket of a host candidate; relay-base.ts has the relayed one.
 *
 * Sending is what every packet of every viewer goes through, so a socket is opened with a look-up that answers at
 * once: node:dgram would otherwise wait a tick for the "name" of each datagram, though it is always an address. A
 * socket never throws and never emits an unhandled error; failures are counted. Live thread.
 */
import dgram from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { Candidate } from '../offer/candidate.ts';
import { type DescriptorHolder, descriptorHolder } from './dgram-descriptor.ts';
import { receiveBufferBytes, sendBufferBytes } from './peer-limits.ts';

export type DatagramReceiver = (base: IceBase, bytes: Buffer, address: string, port: number) => void;

export interface IceBase {
  readonly family: 4 | 6;
  /** What is offered to the peer for this base. */
  readonly candidate: Candidate;
  /** Datagrams that the kernel or the relay did not take. */
  readonly sendFailures: number;
  /** Bytes that wait in user space because the kernel's buffer was full. */
  readonly queuedBytes: number;
  /** Descriptor to send on beside `send` at this moment; undefined for a relay, or while datagrams wait. */
  readonly descriptor: number | undefined;
  /** Sends one datagram; the bytes are the callee's until they left. Never throws. */
  send(bytes: Uint8Array, port: number, address: string): void;
  /** Resolves when the socket is closed; idempotent. */
  close(): Promise<void>;
}

/** Answers at once: addresses only. The signature is the one that node:dgram calls, with the family as a number. */
export const noLookup = (
  address: string,
  _family: unknown,
  callback: (error: null, address: string, family: number) => void,
) => callback(null, address, isIPv4(address) ? 4 : 6);

/** RFC 8445 §5.1.2.1 for a host candidate (type preference 126); a lower index is preferred. */
function hostPriority(index: number): number {
  return 126 * 2 ** 24 + (65535 - index) * 2 ** 8 + 255;
}

export class UdpBase implements IceBase {
  readonly family: 4 | 6;
  readonly candidate: Candidate;
  sendFailures = 0;
  private readonly socket: dgram.Socket;
  private readonly holder: DescriptorHolder | undefined;
  private closing: Promise<void> | undefined;
  private readonly countFailure = (error: Error | null): void => {
    if (error) this.sendFailures++;
  };

  private constructor(socket: dgram.Socket, index: number, receive: DatagramReceiver) {
    const { address, port, family } = socket.address();
    this.socket = socket;
    this.holder = descriptorHolder(socket);
    this.family = family === 'IPv6' ? 6 : 4;
    this.candidate = {
      foundation: String(index + 1),
      priority: hostPriority(index),
      address,
      port,
      type: 'host',
    };
    socket.on('message', (bytes, from) => receive(this, bytes, from.address, from.port));
  }

  /**
   * Binds a socket of its own port to a local address; `index` orders the candidates. Rejects with the system's error
   * when the address is not (any more) one of this machine's.
   */
  static async open(address: string, index: number, receive: DatagramReceiver): Promise<UdpBase> {
    const type = isIPv4(address) ? 'udp4' : 'udp6';
    const socket = dgram.createSocket({ type, ipv6Only: type === 'udp6', lookup: noLookup as never });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(0, address, resolve);
      });
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.removeAllListeners('error');
    socket.on('error', () => {});
    setBuffers(socket);
    return new UdpBase(socket, index, receive);
  }

  get queuedBytes(): number {
    return this.closing ? 0 : this.socket.getSendQueueSize();
  }

  get descriptor(): number | undefined {
    // What waits in user space must not be overtaken.
    if (!this.holder || this.closing || this.socket.getSendQueueSize() > 0) return undefined;
    const { fd } = this.holder;
    return fd >= 0 ? fd : undefined;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (this.closing) return;
    try {
      this.socket.send(bytes, port, address, this.countFailure);
    } catch {
      this.sendFailures++;
    }
  }

  close(): Promise<void> {
    this.closing ??= new Promise(resolve => {
      this.socket.removeAllListeners('message');
      this.socket.close(() => resolve());
    });
    return this.closing;
  }
}

function setBuffers(socket: dgram.Socket): void {
  try {
    socket.setSendBufferSize(sendBufferBytes);
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // Some systems refuse what is beyond their limit instead of giving less: their default serves, with more drops.
  }
}
