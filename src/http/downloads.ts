/**
 * Sends long bodies: reads a piece, offers it to the socket, and goes on where the socket stopped taking.
 *
 * All downloads share a few buffers: one is borrowed for a read and kept until the socket took all of it, but lost to
 * another download that has none, so that a hundred slow clients cost no memory to speak of; what was read and then lost is
 * read again. Whoever wants a buffer waits in line, so that the fast ones take turns piece by piece. A client that takes
 * nothing for a while is cut. Main thread; nothing here blocks it.
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
  readonly sid: string | undefined;
  sentBytes: number;
  /** Bytes of the next read. */
  pieceBytes: number;
  /** The buffer that it keeps, and what in it comes next of the body: all that is at hand without a read. */
  kept: Uint8Array | undefined;
  rest: Uint8Array;
  /** In place of a buffer that is lost: the beginning of what was in it. */
  readonly probe: Uint8Array;
  /** How far it was when it got on last, and how long the socket was waited for since. */
  markedBytes: number;
  waitedMs: number;
}

const nothing = new Uint8Array(0);

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
   * @param options `sid`: the user's session that asked for it, with which it ends; none for a link, which holds as long as
   * it says. `onFailed` is told why, when it ends as `failed`.
   * @returns resolves when it is over, whatever the way. Rejects when nothing was sent and something else can be: with
   * `clip-too-busy` when there are too many downloads, or with what the first read rejected with.
   */
  async send(
    exchange: Exchange,
    reply: StreamedReply,
    { sid, onFailed }: { readonly sid?: string | undefined; onFailed?(error: unknown): void } = {},
  ): Promise<DownloadEnd> {
    if (this.running.size >= (this.options.downloadsMax ?? downloadsMax))
      throw new CameraError('clip-too-busy', 'too many downloads run', { running: this.running.size });
    const download: Download = {
      exchange,
      reply,
      sid,
      sentBytes: 0,
      pieceBytes: exchange.takesWholeParts ? pieceBytesTls : pieceBytesMin,
      kept: undefined,
      rest: nothing,
      probe: new Uint8Array(exchange.takesWholeParts ? 0 : probeBytes),
      markedBytes: 0,
      waitedMs: 0,
    };
    const ended = this.run(download, onFailed);
    this.running.set(download, ended);
    try {
      return await ended;
    } finally {
      this.running.delete(download);
      if (download.kept) this.pool.give(download.kept);
      reply.stream.close();
    }
  }

  /** Sessions of the user have ended: cuts what they download. It can be resumed by another, from where it was. */
  sessionsEnded(sids: readonly string[]): void {
    for (const { sid, exchange } of this.running.keys())
      if (sid !== undefined && sids.includes(sid)) exchange.cut();
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
        took = download.rest.length > 0 ? this.offerRest(download) : await this.offerPiece(download);
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
    let isKept = false;
    try {
      if (exchange.isOver) return undefined;
      const before = download.sentBytes;
      const piece = buffer.subarray(0, Math.min(download.pieceBytes, reply.lengthBytes - before));
      const bytes = await this.read(download, piece);
      const took = this.offer(download, piece.subarray(0, bytes));
      if (took === false) {
        download.rest = piece.subarray(download.sentBytes - before, bytes);
        isKept = true;
        this.keep(download, buffer, bytes);
      } else if (!exchange.takesWholeParts) {
        download.pieceBytes = Math.min(pieceBytesMax, download.pieceBytes * 2);
      }
      return took;
    } finally {
      if (!isKept) this.pool.give(buffer);
    }
  }

  /** Keeps the buffer of a piece that was not taken whole, or of it no more than a probe. */
  private keep(download: Download, buffer: Uint8Array, bytes: number): void {
    const loseIt = (): void => {
      const { probe, rest, exchange } = download;
      download.kept = undefined;
      // The next read is as long as the socket's appetite was.
      if (!exchange.takesWholeParts)
        download.pieceBytes = Math.min(pieceBytesMax, Math.max(pieceBytesMin, (bytes - rest.length) * 2));
      probe.set(rest.subarray(0, probe.length));
      download.rest = probe.subarray(0, rest.length);
    };
    download.kept = buffer;
    // A keeper is told before the buffer is another's; one that cannot keep it at all has to look first.
    if (this.pool.isWanted) {
      loseIt();
      this.pool.give(buffer);
    } else this.pool.keep(buffer, loseIt);
  }

  /** Offers what is left of the last piece. */
  private offerRest(download: Download): boolean | undefined {
    const before = download.sentBytes;
    const took = this.offer(download, download.rest);
    download.rest = download.rest.subarray(download.sentBytes - before);
    if (download.rest.length === 0 && download.kept) {
      this.pool.give(download.kept);
      download.kept = undefined;
    }
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
}
