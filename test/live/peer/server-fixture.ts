/** A small STUN and TURN server (RFC 8489, RFC 8656) on the loopback address, with the faults that tests need. */
import dgram from 'node:dgram';
import { classes, Message, makeIntegrityKey, methods, parseMessage } from 'werift';

export interface ServerOptions {
  readonly password?: string;
  /** Never answers. */
  readonly hangs?: boolean;
  /** Changes the transaction id of binding answers. */
  readonly wrongTransaction?: boolean;
  /** The mapped address it claims. */
  readonly mapped?: readonly [string, number];
  /** Answers allocations with this error instead of a challenge. */
  readonly errorCode?: number;
  /** Wait before each answer of TURN. */
  readonly delayMs?: number;
}

type Address = readonly [string, number];

export class IceTestServer {
  /** Requests that came, by method. */
  readonly requests: number[] = [];
  private readonly socket = dgram.createSocket('udp4');
  private readonly relay = dgram.createSocket('udp4');
  private readonly options: ServerOptions;
  private readonly key = makeIntegrityKey('user', 'realm', 'secret');
  private readonly channels = new Map<number, Address>();
  private client: Address | undefined;
  private readonly timers: NodeJS.Timeout[] = [];

  private constructor(options: ServerOptions) {
    this.options = options;
    this.socket.on('message', (bytes, { address, port }) => this.receive(bytes, [address, port]));
    this.relay.on('message', (bytes, { address, port }) => this.toClient(bytes, [address, port]));
  }

  static async open(options: ServerOptions = {}): Promise<IceTestServer> {
    const server = new IceTestServer(options);
    for (const socket of [server.socket, server.relay])
      await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return this.socket.address().port;
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.socket.close();
    this.relay.close();
  }

  private receive(bytes: Buffer, from: Address): void {
    if (bytes[0]! >= 0x40) {
      const to = this.channels.get(bytes.readUInt16BE(0));
      if (to) this.relay.send(bytes.subarray(4, 4 + bytes.readUInt16BE(2)), to[1], to[0]);
      return;
    }
    const request = parseMessage(bytes);
    if (!request) return;
    this.requests.push(request.messageMethod);
    if (this.options.hangs) return;
    if (request.messageMethod === methods.BINDING) this.answerBinding(request, from);
    else if (this.options.delayMs === undefined) this.answerTurn(request, from);
    else this.timers.push(setTimeout(() => this.answerTurn(request, from), this.options.delayMs));
  }

  private answerBinding(request: Message, from: Address): void {
    const id = this.options.wrongTransaction ? Buffer.alloc(12, 1) : request.transactionId;
    const answer = new Message(methods.BINDING, classes.RESPONSE, id);
    answer.setAttribute('XOR-MAPPED-ADDRESS', this.options.mapped ?? from).addFingerprint();
    this.send(answer, from);
  }

  private answerTurn(request: Message, from: Address): void {
    const { messageMethod: method, transactionId } = request;
    if (this.options.errorCode !== undefined || !request.attributesKeys.includes('MESSAGE-INTEGRITY')) {
      const refusal = new Message(method, classes.ERROR, transactionId);
      refusal.setAttribute('ERROR-CODE', [this.options.errorCode ?? 401, 'no']);
      refusal.setAttribute('REALM', 'realm').setAttribute('NONCE', Buffer.from('nonce'));
      this.send(refusal, from);
      return;
    }
    const answer = new Message(method, classes.RESPONSE, transactionId);
    if (method === methods.ALLOCATE) {
      this.client = from;
      const { address, port } = this.relay.address();
      answer.setAttribute('XOR-RELAYED-ADDRESS', [address, port]).setAttribute('XOR-MAPPED-ADDRESS', from);
      answer.setAttribute('LIFETIME', 600);
    } else if (method === methods.CHANNEL_BIND)
      this.channels.set(
        request.getAttributeValue('CHANNEL-NUMBER'),
        request.getAttributeValue('XOR-PEER-ADDRESS'),
      );
    answer.addMessageIntegrity(this.key).addFingerprint();
    this.send(answer, from);
  }

  private toClient(bytes: Buffer, from: Address): void {
    if (!this.client) return;
    const bound = [...this.channels].find(([, to]) => to[0] === from[0] && to[1] === from[1]);
    if (bound) {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(bound[0], 0);
      head.writeUInt16BE(bytes.length, 2);
      this.socket.send(Buffer.concat([head, bytes]), this.client[1], this.client[0]);
      return;
    }
    const indication = new Message(methods.DATA, classes.INDICATION);
    this.send(indication.setAttribute('XOR-PEER-ADDRESS', from).setAttribute('DATA', bytes), this.client);
  }

  private send(message: Message, to: Address): void {
    this.socket.send(message.bytes, to[1], to[0]);
  }
}
