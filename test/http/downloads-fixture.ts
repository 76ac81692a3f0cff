/** A server that answers every request with one streamed body, and clients that read in every way there is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type DownloadEnd, Downloads, type DownloadsOptions } from '../../src/http/downloads.ts';
import type { BodySource } from '../../src/http/reply.ts';
import { makeSelfSigned } from '../../src/http/tls/self-signed.ts';
import { type Listener, listen } from '../../src/http/uws.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';

/** The byte of the body at an offset: no two places nearby are alike. */
export function fill(into: Uint8Array, offset: number): void {
  for (let i = 0; i < into.length; i++) into[i] = ((offset + i) * 2_654_435_761) >>> 21;
}

/** A body of {@link fill}; `read` may be replaced. */
export class PatternSource implements BodySource {
  closed = 0;
  reads = 0;
  readonly lengthBytes: number;
  /** Called before each read; what it throws is the read's. */
  before: (offset: number) => Promise<void> | void = () => undefined;
  /** How much of what is asked for it gives. */
  share = 1;

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    this.reads += 1;
    await this.before(offset);
    const bytes = Math.max(1, Math.min(Math.floor(into.length * this.share), this.lengthBytes - offset));
    fill(into.subarray(0, bytes), offset);
    return bytes;
  }

  close(): void {
    this.closed += 1;
  }
}

/** The server; `next` is the body of the next request. */
export class DownloadServer {
  next = new PatternSource(1);
  readonly downloads: Downloads;
  readonly ends: (DownloadEnd | Error)[] = [];
  private readonly listener: Listener;
  private readonly folder: string;
  private readonly waiting: (() => void)[] = [];

  private constructor(
    folder: string,
    listener: (server: DownloadServer) => Listener,
    options: Partial<DownloadsOptions>,
  ) {
    this.folder = folder;
    this.downloads = new Downloads({ clock: systemClock, ...options });
    this.listener = listener(this);
  }

  static async start(options: Partial<DownloadsOptions> & { tls?: boolean } = {}): Promise<DownloadServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'downloads-'));
    const tls = options.tls ? await certificateIn(folder) : undefined;
    const make = (server: DownloadServer): Listener =>
      listen({ host: '127.0.0.1', port: 0, tls }, exchange => {
        const stream = server.next;
        const { lengthBytes } = stream;
        const head = { status: 200, headers: { 'content-type': 'video/mp4' } };
        void server.downloads
          .send(exchange, { ...head, lengthBytes, stream })
          .catch(error => {
            exchange.send({ status: 503, headers: {}, body: String(error.code) });
            return error as Error;
          })
          .then(end => {
            server.ends.push(end);
            for (const done of server.waiting.splice(0)) done();
          });
      });
    return new DownloadServer(folder, make, options);
  }

  get port(): number {
    return this.listener.port;
  }

  /** Resolves to how the downloads ended, when so many have. */
  async ended(count: number): Promise<readonly (DownloadEnd | Error)[]> {
    while (this.ends.length < count) await new Promise<void>(resolve => this.waiting.push(resolve));
    return this.ends;
  }

  async stop(): Promise<void> {
    this.listener.close();
    await this.downloads.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function certificateIn(folder: string): Promise<{ certificate: string; key: string }> {
  const texts = await makeSelfSigned({ names: ['127.0.0.1'], nowUnixMs: Date.now() });
  const files = { certificate: path.join(folder, 'a.pem'), key: path.join(folder, 'a.key') };
  writeFileSync(files.certificate, texts.certificate);
  writeFileSync(files.key, texts.key, { mode: 0o600 });
  return files;
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A connection that has sent a request and reads nothing yet. */
export function ask(port: number, tls = false): Socket {
  const target = { port, host: '127.0.0.1' };
  const socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(request);
  return socket;
}

/** What comes of a body: read by `step`, which may wait between reads; resolves at the length told, or at the end. */
export async function collect(
  socket: Socket,
  options: { readonly step?: (bytes: number) => Promise<void> | void; readonly stopAfter?: number } = {},
): Promise<{ readonly head: string; readonly body: Buffer }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let needed = Number.POSITIVE_INFINITY;
  let headBytes = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (headBytes === 0) {
      const text = Buffer.concat(chunks).toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        headBytes = end + 4;
        needed = headBytes + Number(/content-length: ([0-9]+)/i.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
      }
    }
    if (bytes >= needed || bytes >= (options.stopAfter ?? Number.POSITIVE_INFINITY)) break;
    await options.step?.(bytes);
  }
  const all = Buffer.concat(chunks);
  return { head: all.subarray(0, headBytes).toString('latin1'), body: all.subarray(headBytes) };
}
