/**
 * DTLS-SRTP (RFC 5764) of one viewer by werift's DTLS 1.2 state machine. With werift-turn.ts this is the only place
 * that imports werift 0.24.4 or knows its internals; test/live/peer/werift-contract.test.ts guards each of them.
 *
 * Used are `DtlsClient` and `DtlsServer` with a transport of ours, nothing above them: RTCDtlsTransport waits a fixed
 * 100 ms before its ClientHello. What werift leaves out is done here:
 *
 * - It authenticates nothing: the signatures of ServerKeyExchange and CertificateVerify and the Finished message are
 *   not looked at, so whoever replays the viewer's certificate would pass its fingerprint check. All are verified by
 *   handshake-verifier.ts before the handshake counts as done, together with the SHA-256 fingerprint.
 * - Handshake messages are put together and in order (handshake-assembler.ts).
 * - Flights are repeated from one timer that can be stopped (RFC 6347 §4.2.4), in as few datagrams as they fit in;
 *   for this `transmit` of its flights is replaced once, for our sessions only.
 * - Alerts count only when they are authentic, our end is announced by close_notify, and renegotiation is refused.
 *
 * Live thread.
 */
import { X509Certificate } from 'node:crypto';
import {
  CipherContext,
  DtlsClient,
  DtlsServer,
  type DtlsSocket,
  HashAlgorithm,
  keyLength,
  NamedCurveAlgorithm,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  SignatureAlgorithm,
  saltLength,
} from 'werift';
import type { SrtpKeys, SrtpProfile } from '../../native/data-plane.ts';
import { HandshakeAssembler, type HandshakeFragment } from './handshake-assembler.ts';
import {
  verifiedCertificate,
  verifyCertificateVerify,
  verifyFinished,
  verifyServerKeyExchange,
} from './handshake-verifier.ts';
import { flightRetransmitMs, flightRetransmitMsMax, lastFlightRepeatsMax } from './peer-limits.ts';

/** Our certificate as werift wants it, and its fingerprint for the answer. */
export interface LocalCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly signatureHash: { readonly hash: number; readonly signature: number };
  /** SHA-256 as hex pairs with colons. */
  readonly fingerprint: string;
}

/** What a finished handshake gives. */
export interface DtlsKeys {
  readonly profile: SrtpProfile;
  readonly sendKeys: SrtpKeys;
  readonly receiveKeys: SrtpKeys;
}

export interface DtlsSessionOptions {
  readonly role: 'client' | 'server';
  readonly certificate: LocalCertificate;
  /** SHA-256 fingerprints of the offer; the other side's certificate must have one of them. */
  readonly fingerprints: readonly string[];
  readonly send: (datagram: Buffer) => void;
  readonly onConnected: (keys: DtlsKeys) => void;
  /** Called at most once, not after close(): `failed` with its cause, or `closed` by the other side. */
  readonly onEnded: (reason: 'failed' | 'closed', cause?: Error) => void;
}

/** werift's objects as far as we reach into them. */
interface Flight {
  readonly dtls: object;
  readonly nextFlight: number | undefined;
}
interface Message extends HandshakeFragment {
  serialize(): Buffer;
}
interface RecordHeader {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
}
interface Machine {
  readonly dtls: { flight: number; readonly sortedHandshakeCache: readonly Message[] };
  readonly cipher: {
    readonly sessionType: number;
    readonly localRandom: { serialize(): Buffer };
    readonly remoteRandom: { serialize(): Buffer };
    readonly remoteCertificate?: Buffer;
    readonly masterSecret?: Buffer;
    readonly cipher?: {
      encrypt(sessionType: number, data: Buffer, header: RecordHeader): Buffer;
      decrypt(sessionType: number, data: Buffer, header: RecordHeader): Buffer;
    };
  };
  onHandleHandshakes: (messages: readonly Message[]) => Promise<void>;
  handleFragmentHandshake: (fragments: readonly Message[]) => readonly Message[];
  waitForReady: (condition: () => boolean) => Promise<void>;
  readonly flight5?: Flight;
}

const profileNames: Readonly<Record<number, SrtpProfile>> = {
  [ProtectionProfileAeadAes128Gcm]: 'AEAD_AES_128_GCM',
  [ProtectionProfileAes128CmHmacSha1_80]: 'AES128_CM_HMAC_SHA1_80',
};
/** In our order of preference; the client's order decides with most servers. */
const offeredProfiles = [ProtectionProfileAeadAes128Gcm, ProtectionProfileAes128CmHmacSha1_80] as const;

const RecordType = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const;
const HandshakeType = {
  clientHello: 1,
  serverKeyExchange: 12,
  certificateVerify: 15,
  finished: 20,
} as const;
const recordHeaderBytes = 13;
const dtls12 = 0xfefd;
/** Records of one flight are joined up to this many bytes: below every path MTU with its headers. */
const datagramBytes = 1200;
/** Sequence number of our closing alert, far above those of the handshake. */
const alertSequenceNumber = 1_000_000;

const sessionsByContext = new WeakMap<object, DtlsSession>();
let isTransmitReplaced = false;

/** Makes a self-signed P-256 certificate (RFC 8827 §6.5); some ms of CPU. */
export async function createCertificate(): Promise<LocalCertificate> {
  const made = await CipherContext.createSelfSignedCertificateWithKey(
    { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
    NamedCurveAlgorithm.secp256r1_23,
  );
  return { ...made, fingerprint: new X509Certificate(made.certPem).fingerprint256 };
}

export class DtlsSession {
  private readonly options: DtlsSessionOptions;
  private readonly socket: DtlsSocket;
  private readonly machine: Machine;
  private readonly handle: Machine['onHandleHandshakes'];
  private readonly assembler = new HandshakeAssembler<Message>();
  private readonly messages = new Map<number, Buffer>();
  private lastFlight: readonly Buffer[] = [];
  private lastFlightRepeats = 0;
  private recordEpoch = 0;
  private state: 'handshake' | 'connected' | 'ended' = 'handshake';
  private timer: NodeJS.Timeout | undefined;
  /** Set by us: the transport's face towards werift. */
  private readonly transport = {
    type: 'camera',
    address: {},
    closed: false,
    onData: (_data: Buffer): void => {},
    send: async (data: Buffer): Promise<void> => this.options.send(data),
    close: async (): Promise<void> => {},
  };

  constructor(options: DtlsSessionOptions) {
    replaceTransmit();
    this.options = options;
    const { certificate, role } = options;
    const settings = {
      cert: certificate.certPem,
      key: certificate.keyPem,
      signatureHash: certificate.signatureHash as never,
      transport: this.transport as never,
      srtpProfiles: [...offeredProfiles],
      extendedMasterSecret: true,
    };
    this.socket =
      role === 'client'
        ? new DtlsClient(settings)
        : new DtlsServer({ ...settings, certificateRequest: true });
    this.machine = this.socket as unknown as Machine;
    this.handle = this.machine.onHandleHandshakes;
    this.machine.onHandleHandshakes = async () => {};
    this.machine.handleFragmentHandshake = fragments => {
      for (const fragment of fragments) this.takeFragment(fragment);
      return [];
    };
    this.machine.waitForReady = async condition => {
      if (!condition()) throw new Error('a handshake message is missing');
    };
    this.socket.onConnect.once(() => this.onHandshakeDone());
    sessionsByContext.set(this.machine.dtls, this);
  }

  /** As client: sends the ClientHello. As server there is nothing to do but wait for one. */
  start(): void {
    if (this.options.role === 'client')
      (this.socket as DtlsClient).connect().catch(error => this.fail(error));
  }

  /** Takes a datagram of the other side; borrowed for the call. Never throws. */
  receive(datagram: Buffer): void {
    for (let at = 0; at + recordHeaderBytes <= datagram.length && this.state !== 'ended'; ) {
      const end = at + recordHeaderBytes + datagram.readUInt16BE(at + 11);
      if (end > datagram.length) return;
      this.takeRecord(datagram.subarray(at, end));
      at = end;
    }
  }

  /** Ends the session; tells the other side by close_notify when it was connected. Idempotent. */
  close(): void {
    if (this.state === 'connected') this.sendCloseNotify();
    this.end();
  }

  /** Called by the replaced `transmit`: sends a flight, and again until the next one has come. */
  transmit(records: readonly Buffer[], nextFlight: number | undefined): void {
    clearTimeout(this.timer);
    this.lastFlight = joinRecords(records);
    this.sendLastFlight();
    if (nextFlight !== undefined) this.repeatLater(nextFlight, flightRetransmitMs);
  }

  private repeatLater(nextFlight: number, waitMs: number): void {
    if (this.state === 'ended') return;
    this.timer = setTimeout(() => {
      if (this.machine.dtls.flight >= nextFlight || this.state === 'ended') return;
      this.sendLastFlight();
      this.repeatLater(nextFlight, Math.min(2 * waitMs, flightRetransmitMsMax));
    }, waitMs);
  }

  private sendLastFlight(): void {
    if (this.state !== 'ended') for (const datagram of this.lastFlight) this.options.send(datagram);
  }

  private takeRecord(record: Buffer): void {
    const type = record[0]!;
    this.recordEpoch = record.readUInt16BE(3);
    if (type === RecordType.alert) this.takeAlert(record);
    else if (this.state === 'connected') this.takeLateRecord(record);
    else if (type === RecordType.handshake || type === RecordType.changeCipherSpec) {
      try {
        this.transport.onData(record);
      } catch (error) {
        this.fail(error);
      }
    }
  }

  /** The other side repeats its last flight because it has not seen ours; only authentic repetitions count. */
  private takeLateRecord(record: Buffer): void {
    const mayRepeat = this.options.role === 'server' && this.lastFlightRepeats < lastFlightRepeatsMax;
    if (!mayRepeat || record[0] !== RecordType.handshake || !this.decrypt(record)) return;
    this.lastFlightRepeats++;
    this.sendLastFlight();
  }

  /** Fatal alerts and close_notify end the session; alerts without encryption could be anybody's. */
  private takeAlert(record: Buffer): void {
    const alert = this.recordEpoch > 0 ? this.decrypt(record) : undefined;
    if (alert?.length !== 2) return;
    const [level, description] = alert;
    if (description !== 0 && level !== 2) return;
    this.end();
    if (description === 0) this.options.onEnded('closed');
    else this.options.onEnded('failed', new Error(`the viewer sent DTLS alert ${description}`));
  }

  private decrypt(record: Buffer): Buffer | undefined {
    const { cipher, sessionType } = this.machine.cipher;
    if (!cipher || record.readUInt16BE(3) === 0) return undefined;
    try {
      return cipher.decrypt(sessionType, Buffer.from(record.subarray(recordHeaderBytes)), {
        type: record[0]!,
        version: record.readUInt16BE(1),
        epoch: record.readUInt16BE(3),
        sequenceNumber: record.readUIntBE(5, 6),
      });
    } catch {
      return undefined;
    }
  }

  private takeFragment(fragment: Message): void {
    if (fragment.msg_type === HandshakeType.finished && this.recordEpoch === 0) return;
    // A server does not repeat its HelloVerifyRequest, so a repeated first ClientHello must be answered again.
    if (this.assembler.isRepeated(fragment)) {
      const isHello = fragment.msg_type === HandshakeType.clientHello && this.machine.dtls.flight <= 2;
      if (isHello && this.options.role === 'server' && fragment.fragment_length === fragment.length)
        this.deliver(fragment);
      return;
    }
    for (const message of this.assembler.add(fragment)) this.deliver(message);
  }

  private deliver(message: Message): void {
    if (this.state !== 'handshake') return;
    this.messages.set(message.msg_type, message.fragment);
    try {
      if (message.msg_type === HandshakeType.finished) this.verify(message.fragment);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.handle.call(this.socket, [message]).catch(error => this.fail(error));
  }

  private verify(finished: Buffer): void {
    const { cipher, dtls } = this.machine;
    if (!cipher.masterSecret || !cipher.remoteCertificate)
      throw new Error('the handshake ended without a certificate or a key');
    const certificate = verifiedCertificate(cipher.remoteCertificate, this.options.fingerprints);
    const transcript = dtls.sortedHandshakeCache;
    if (this.options.role === 'client') this.verifyServer(certificate);
    else {
      const before = transcript.filter(message => message.msg_type !== HandshakeType.certificateVerify);
      const message = this.messages.get(HandshakeType.certificateVerify) ?? Buffer.alloc(0);
      verifyCertificateVerify(certificate, message, serialized(before));
    }
    const sender = this.options.role === 'client' ? 'server' : 'client';
    verifyFinished(finished, cipher.masterSecret, sender, serialized(transcript));
  }

  private verifyServer(certificate: X509Certificate): void {
    const { localRandom, remoteRandom } = this.machine.cipher;
    const message = this.messages.get(HandshakeType.serverKeyExchange) ?? Buffer.alloc(0);
    verifyServerKeyExchange(certificate, message, localRandom.serialize(), remoteRandom.serialize());
  }

  private onHandshakeDone(): void {
    if (this.state !== 'handshake') return;
    clearTimeout(this.timer);
    const number = this.socket.srtp.srtpProfile;
    const profile = number === undefined ? undefined : profileNames[number];
    if (number === undefined || !profile) {
      this.fail(new Error('the viewer shares no SRTP profile with the camera'));
      return;
    }
    const keys = this.socket.extractSessionKeys(keyLength(number), saltLength(number));
    this.state = 'connected';
    this.options.onConnected({
      profile,
      sendKeys: { masterKey: keys.localKey, masterSalt: keys.localSalt },
      receiveKeys: { masterKey: keys.remoteKey, masterSalt: keys.remoteSalt },
    });
  }

  private sendCloseNotify(): void {
    const { cipher, sessionType } = this.machine.cipher;
    const header = { type: RecordType.alert, version: dtls12, epoch: 1, sequenceNumber: alertSequenceNumber };
    const fragment = cipher!.encrypt(sessionType, Buffer.from([1, 0]), header);
    const record = Buffer.alloc(recordHeaderBytes + fragment.length);
    record[0] = header.type;
    record.writeUInt16BE(header.version, 1);
    record.writeUInt16BE(header.epoch, 3);
    record.writeUIntBE(header.sequenceNumber, 5, 6);
    record.writeUInt16BE(fragment.length, 11);
    fragment.copy(record, recordHeaderBytes);
    this.options.send(record);
  }

  private fail(error: unknown): void {
    if (this.state === 'ended') return;
    this.end();
    this.options.onEnded('failed', error instanceof Error ? error : new Error(String(error)));
  }

  private end(): void {
    this.state = 'ended';
    clearTimeout(this.timer);
    this.lastFlight = [];
    this.messages.clear();
  }
}

/** Joins the records of a flight into as few datagrams as may be (RFC 6347 §4.1.1). */
function joinRecords(records: readonly Buffer[]): Buffer[] {
  const datagrams: Buffer[] = [];
  for (const record of records) {
    const last = datagrams.at(-1);
    if (last && last.length + record.length <= datagramBytes)
      datagrams[datagrams.length - 1] = Buffer.concat([last, record]);
    else datagrams.push(record);
  }
  return datagrams;
}

function serialized(messages: readonly Message[]): Buffer {
  return Buffer.concat(messages.map(message => message.serialize()));
}

/**
 * werift's flights repeat themselves from sleeps that nothing can end, for up to 33 s after a session is closed. Their
 * class is not exported; a ServerHello without content makes a client keep one, whose prototype leads to it.
 */
function replaceTransmit(): void {
  if (isTransmitReplaced) return;
  const transport = { type: 'probe', onData: () => {}, send: async () => {}, close: async () => {} };
  const probe = new DtlsClient({ transport: transport as never }) as unknown as Machine;
  const hello = { msg_type: 2, message_seq: 0, fragment: Buffer.alloc(0) } as Message;
  probe.onHandleHandshakes([hello]).catch(() => {});
  const flightClass = probe.flight5 && Object.getPrototypeOf(Object.getPrototypeOf(probe.flight5));
  const transmit = flightClass?.transmit;
  if (typeof transmit !== 'function') throw new Error('this is not the version of werift that was adapted');
  flightClass.transmit = async function (this: Flight, records: Buffer[]): Promise<void> {
    const session = sessionsByContext.get(this.dtls);
    if (session) session.transmit(records, this.nextFlight);
    else await transmit.call(this, records);
  };
  isTransmitReplaced = true;
}
