/** Two DTLS sessions back to back, with a wire between them that tests can hold, lose and change. */
import {
  createCertificate,
  type DtlsKeys,
  DtlsSession,
  type LocalCertificate,
} from '../../../src/live/peer/werift-dtls.ts';

export type Side = 'client' | 'server';

/** What happens to a datagram on its way: the datagrams that arrive in its place. */
export type Wire = (datagram: Buffer, from: Side) => readonly Buffer[];

export interface SidesOutcome {
  keys?: DtlsKeys;
  ended?: { reason: string; cause: Error | undefined };
}

export class DtlsPair {
  readonly client: DtlsSession;
  readonly server: DtlsSession;
  readonly outcome: Record<Side, SidesOutcome> = { client: {}, server: {} };
  sent = 0;
  private readonly wire: Wire;
  private readonly waiting: (() => void)[] = [];

  constructor(
    certificates: Record<Side, LocalCertificate>,
    expected: Record<Side, string>,
    wire: Wire = datagram => [datagram],
  ) {
    this.wire = wire;
    this.client = this.session('client', certificates.client, expected.server);
    this.server = this.session('server', certificates.server, expected.client);
  }

  /** Starts both and resolves when each has connected or ended. */
  async run(): Promise<this> {
    this.server.start();
    this.client.start();
    await this.until(() => this.isSettled('client') && this.isSettled('server'));
    return this;
  }

  /** Resolves when the condition holds; it is asked at each event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.waiting.push(resolve));
  }

  close(): void {
    this.client.close();
    this.server.close();
  }

  private isSettled(side: Side): boolean {
    return this.outcome[side].keys !== undefined || this.outcome[side].ended !== undefined;
  }

  private session(role: Side, certificate: LocalCertificate, fingerprint: string): DtlsSession {
    return new DtlsSession({
      role,
      certificate,
      fingerprints: [fingerprint],
      send: datagram => {
        this.sent++;
        const copies = this.wire(Buffer.from(datagram), role);
        setImmediate(() => {
          for (const copy of copies) (role === 'client' ? this.server : this.client).receive(copy);
        });
      },
      onConnected: keys => {
        this.outcome[role].keys = keys;
        this.wake();
      },
      onEnded: (reason, cause) => {
        this.outcome[role].ended = { reason, cause };
        this.wake();
      },
    });
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Three certificates, made once. */
export const certificates: Promise<{ a: LocalCertificate; b: LocalCertificate; other: LocalCertificate }> =
  (async () => ({
    a: await createCertificate(),
    b: await createCertificate(),
    other: await createCertificate(),
  }))();

/** A pair that trusts one another; certificate a for the client, b for the server. */
export async function honestPair(wire?: Wire): Promise<DtlsPair> {
  const { a, b } = await certificates;
  return new DtlsPair({ client: a, server: b }, { client: a.fingerprint, server: b.fingerprint }, wire);
}
