/**
 * Sends long bodies: reads a piece, offers it to the socket, and goes on where the socket stopped taking.
 *
 * All downloads share a few buffers: one is borrowed for a read and given back as soon as the socket took what it could,
 * so that a slow client holds none, and a hundred of them no memory to speak of; what was read and not taken is read
 * again. Whoever wants a buffer waits in line, so that the fast ones take turns piece by piece. A client that takes nothing
 * for a while is cut. Main thread; nothing here blocks it.
 */
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import {
  downloadProbeMs,
  downloadStallBytes,
  downloadStallMs,
  downloadsMax,
  pieceBuffersMax,
  pieceBytesMax,
  pieceBytesMin,
  pieceBytesTls,
  probeBytes,
} from './limits.ts';
import { PiecePool } from './piece-pool.ts';
import type { StreamedReply } from './reply.ts';

/** How a download ended: `failed` when its bytes could not be had after the head was sent. */
export type DownloadEnd = 'sent' | 'aborted' | 'stalled' | 'failed';

export interface DownloadsOptions {
  readonly clock: Pick<Clock, 'monoUs'>;
  /** In place of the limits of limits.ts, for tests. */
  readonly downloadsMax?: number;
  readonly stallMs?: number;
  readonly probeMs?: number;
}

interface Download {
  readonly exchange: Exchange;
  readonly reply: StreamedReply;
  sentBytes: number;
  /** Bytes of the next read. */
  pieceBytes: number;
  /** What comes next of the body, as much as is at hand without a read. */
  readonly rest: Uint8Array;
  restBytes: number;
  /** How far it was when it got on last, and how long the socket was waited for since. */
  markedBytes: number;
  waitedMs: number;
}

/** All downloads of a server. */
export class Downloads {
  private readonly options: DownloadsOptions;
  private readonly pool = new PiecePool(pieceBuffersMax, pieceBytesMax);
  private readonly running = new Map<Download, Promise<DownloadEnd>>();

  constructor(options: DownloadsOptions) {
    this.options = options;
  }

  /** How many there are now. */
  get count(): number {
    return this.running.size;
  }

  /**
   * Sends a reply, head and body; the source is closed in the end.
   *
   * @param onFailed is told why, when it ends as `failed`.
   * @returns resolves when it is over, whatever the way. Rejects when nothing was sent and something else can be: with
   * `clip-too-busy` when there are too many downloads, or with what the first read rejected with.
   */
  async send(
    exchange: Exchange,
    reply: StreamedReply,
    onFailed?: (error: unknown) => void,
  ): Promise<DownloadEnd> {
    if (this.running.size >= (this.options.downloadsMax ?? downloadsMax))
      throw new CameraError('clip-too-busy', 'too many downloads run', { running: this.running.size });
    const download: Download = {
      exchange,
      reply,
      sentBytes: 0,
      pieceBytes: exchange.takesWholeParts ? pieceBytesTls : pieceBytesMin,
      rest: new Uint8Array(exchange.takesWholeParts ? 0 : probeBytes),
      restBytes: 0,
      markedBytes: 0,
      waitedMs: 0,
    };
    const ended = this.run(download, onFailed);
    this.running.set(download, ended);
    try {
      return await ended;
    } finally {
      this.running.delete(download);
      reply.stream.close();
    }
  }

  /** Resolves when all are over; their connections must be closed before. */
  async close(): Promise<void> {
    await Promise.allSettled(this.running.values());
  }

  private async run(download: Download, onFailed?: (error: unknown) => void): Promise<DownloadEnd> {
    const { exchange, reply } = download;
    while (!exchange.isOver) {
      let took: boolean | undefined;
      try {
        took = download.restBytes > 0 ? this.offerRest(download) : await this.offerPiece(download);
      } catch (error) {
        if (exchange.aborted) return 'aborted';
        if (!exchange.hasBegun) throw error;
        onFailed?.(error);
        exchange.cut();
        return 'failed';
      }
      if (took !== false) continue;
      if (download.waitedMs >= (this.options.stallMs ?? downloadStallMs)) {
        exchange.cut();
        return 'stalled';
      }
      const sinceMonoUs = this.options.clock.monoUs();
      await exchange.writable(this.options.probeMs ?? downloadProbeMs);
      download.waitedMs += (this.options.clock.monoUs() - sinceMonoUs) / 1000;
    }
    return download.sentBytes === reply.lengthBytes ? 'sent' : 'aborted';
  }

  /** Reads and offers the next piece; whether the socket took all of it. */
  private async offerPiece(download: Download): Promise<boolean | undefined> {
    const { exchange, reply } = download;
    const buffer = await this.pool.take();
    try {
      if (exchange.isOver) return undefined;
      const before = download.sentBytes;
      const piece = buffer.subarray(0, Math.min(download.pieceBytes, reply.lengthBytes - before));
      const bytes = await this.read(download, piece);
      const took = this.offer(download, piece.subarray(0, bytes));
      if (took !== undefined && !exchange.takesWholeParts)
        this.adapt(download, piece.subarray(download.sentBytes - before, bytes), bytes);
      return took;
    } finally {
      this.pool.give(buffer);
    }
  }

  /** Offers what was kept of the last piece. */
  private offerRest(download: Download): boolean | undefined {
    const before = download.sentBytes;
    const took = this.offer(download, download.rest.subarray(0, download.restBytes));
    const sent = download.sentBytes - before;
    download.rest.copyWithin(0, sent, download.restBytes);
    download.restBytes -= sent;
    return took;
  }

  private offer(download: Download, part: Uint8Array): boolean | undefined {
    const { exchange, reply } = download;
    const before = download.sentBytes;
    const sentBytes = exchange.sendPart(reply, part, reply.lengthBytes);
    if (sentBytes === undefined) return undefined;
    download.sentBytes = sentBytes;
    if (sentBytes - download.markedBytes >= downloadStallBytes) {
      download.markedBytes = sentBytes;
      download.waitedMs = 0;
    }
    return sentBytes - before === part.length;
  }

  /** Reads the next piece, to its end where it must be whole; returns how many bytes. */
  private async read({ exchange, reply, sentBytes }: Download, piece: Uint8Array): Promise<number> {
    let bytes = 0;
    do {
      const count = await reply.stream.read(piece.subarray(bytes), sentBytes + bytes);
      if (!(count > 0 && count <= piece.length - bytes))
        throw new CameraError('internal', 'a body read nothing, or too much', { count });
      bytes += count;
    } while (exchange.takesWholeParts && bytes < piece.length && !exchange.isOver);
    return bytes;
  }

  /** Keeps the beginning of what was not taken for the next tries; the next read is as long as the socket's appetite. */
  private adapt(download: Download, untaken: Uint8Array, bytes: number): void {
    const taken = bytes - untaken.length;
    const wanted = untaken.length === 0 ? download.pieceBytes * 2 : taken * 2;
    download.pieceBytes = Math.min(pieceBytesMax, Math.max(pieceBytesMin, wanted));
    download.restBytes = Math.min(untaken.length, download.rest.length);
    download.rest.set(untaken.subarray(0, download.restBytes));
  }
}
