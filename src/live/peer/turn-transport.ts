/**
 * The way to one TURN server: a connected UDP socket, or a TCP or TLS connection with the framing of RFC 8656 §12.5.
 *
 * Only what the server's own address sent comes through, and whole messages alone. Nothing here throws after opening:
 * failures are counted, and the loss of the connection is told once. A stream that is behind drops what is sent, as a
 * congested network would. TLS checks the server's certificate by the system's authorities. Live thread.
 */
import dgram from 'node:dgram';
import { connect as connectTcp, isIP, isIPv4, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { noLookup } from './ice-base.ts';
import { receiveBufferBytes, sendBufferBytes, turnMessageBytesMax } from './peer-limits.ts';
import { magicCookie } from './stun-message.ts';

export interface TurnTransport {
  /** Nothing is lost on the way, so nothing needs to be sent again. */
  readonly isReliable: boolean;
  /** Messages that were not taken. */
  readonly sendFailures: number;
  /** Bytes that wait in user space. */
  readonly queuedBytes: number;
  /** Sends one message, in parts that belong together; they are the callee's until they left. Never throws. */
  send(...parts: readonly Uint8Array[]): void;
  /** Resolves when the socket is closed; idempotent. */
  close(): Promise<void>;
}

export interface TurnTransportOptions {
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Name of the server, for its certificate. */
  readonly host: string;
  /** IP address. */
  readonly address: string;
  readonly port: number;
  /** A whole message of the server. */
  readonly receive: (message: Buffer) => void;
  /** The connection failed or ended; over UDP: nobody listens there, which may change. */
  readonly onError: (error: Error) => void;
}

/** Opens the way; what comes of it is told by the callbacks. Sending may begin at once. */
export function openTurnTransport(options: TurnTransportOptions): TurnTransport {
  return options.transport === 'udp' ? new DatagramTransport(options) : new StreamTransport(options);
}

class DatagramTransport implements TurnTransport {
  readonly isReliable = false;
  sendFailures = 0;
  private readonly socket: dgram.Socket;
  private isConnected = false;
  private early: Uint8Array[] = [];
  private closing: Promise<void> | undefined;
  private readonly countFailure = (error: Error | null): void => {
    if (error) this.sendFailures++;
  };

  constructor({ address, port, receive, onError }: TurnTransportOptions) {
    const type = isIPv4(address) ? 'udp4' : 'udp6';
    const sizes = { sendBufferSize: sendBufferBytes, recvBufferSize: receiveBufferBytes };
    this.socket = dgram.createSocket({ type, lookup: noLookup as never, ...sizes });
    this.socket.on('error', onError);
    this.socket.on('message', message => {
      if (message.length <= turnMessageBytesMax) receive(message);
    });
    // A connected socket takes datagrams of its peer alone, and tells when nobody listens there.
    this.socket.connect(port, address, ((error?: Error) => {
      if (this.closing) return;
      if (error) {
        onError(error);
        return;
      }
      this.isConnected = true;
      for (const message of this.early) this.send(message);
      this.early = [];
    }) as () => void);
  }

  get queuedBytes(): number {
    return this.closing ? 0 : this.socket.getSendQueueSize();
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.closing) return;
    if (!this.isConnected) {
      this.early.push(Buffer.concat(parts));
      return;
    }
    try {
      this.socket.send(parts, this.countFailure);
    } catch {
      this.sendFailures++;
    }
  }

  close(): Promise<void> {
    this.closing ??= new Promise(resolve => {
      this.socket.removeAllListeners();
      this.socket.on('error', () => {});
      this.socket.close(() => resolve());
    });
    return this.closing;
  }
}

class StreamTransport implements TurnTransport {
  readonly isReliable = true;
  sendFailures = 0;
  private readonly socket: Socket;
  private readonly options: TurnTransportOptions;
  private received: Buffer = Buffer.alloc(0);
  private closing: Promise<void> | undefined;

  constructor(options: TurnTransportOptions) {
    const { transport, host, address, port, onError } = options;
    this.options = options;
    // An address as server name is checked against the certificate's addresses, and must not be sent as a name.
    const name = isIP(host) ? {} : { servername: host };
    this.socket =
      transport === 'tls'
        ? connectTls({ host: address, port, minVersion: 'TLSv1.2', ...name })
        : connectTcp({ host: address, port });
    this.socket.setNoDelay(true);
    this.socket.on('data', bytes => this.take(bytes));
    this.socket.on('error', onError);
    this.socket.on('close', () => onError(new Error('the TURN server closed the connection')));
  }

  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.closing) return;
    const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.socket.destroyed || this.socket.writableLength > sendBufferBytes) this.sendFailures++;
    // Zeros fill up to a multiple of 4 (RFC 8656 §12.5).
    else this.socket.write(Buffer.concat(parts, (lengthBytes + 3) & ~3));
  }

  close(): Promise<void> {
    this.closing ??= new Promise(resolve => {
      this.socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close');
      this.socket.on('error', () => {});
      if (this.socket.closed) resolve();
      else this.socket.once('close', () => resolve());
      this.socket.destroy();
    });
    return this.closing;
  }

  private take(bytes: Buffer): void {
    this.received = this.received.length > 0 ? Buffer.concat([this.received, bytes]) : bytes;
    while (this.received.length >= 4 && !this.closing) {
      const lengthBytes = messageBytes(this.received);
      if (lengthBytes === undefined) {
        this.socket.destroy(new Error('the TURN server sent what is no message of TURN'));
        return;
      }
      if (this.received.length < lengthBytes) return;
      const message = this.received.subarray(0, lengthBytes);
      this.received = this.received.subarray(lengthBytes);
      this.options.receive(message);
    }
  }
}

/** Length of the message that begins here, its padding included; undefined when it is none or too long. */
function messageBytes(head: Buffer): number | undefined {
  const first = head[0]!;
  const value = head.readUInt16BE(2);
  const isStun = first < 0x04 && (head.length < 8 || head.readUInt32BE(4) === magicCookie);
  const isChannelData = first >= 0x40 && first < 0x50;
  const lengthBytes = isStun ? 20 + value : 4 + ((value + 3) & ~3);
  return (isStun || isChannelData) && lengthBytes <= turnMessageBytesMax ? lengthBytes : undefined;
}
