/**
 * The body of a request as it comes, for a handler that reads it itself: pieces in order, bounded, with back-pressure.
 *
 * The library hands out pieces whether somebody waits for them or not; what is not yet taken lies here, and beyond a bound
 * the socket is not read until some of it was. What comes after its reader has stopped is dropped, so that a client which
 * sends all before it reads gets its answer (RFC 9112 §9.6); but of a body that is too long or too slow no more is read.
 * Main thread.
 */
import { CameraError } from '../base/errors.ts';
import { bodyWaitingBytesMax } from './limits.ts';
import { RequestFault } from './problems.ts';

/** Pieces' memory that is kept for the next ones; the waiting bytes come in a few pieces, of at most 512 KiB each. */
const spareMax = 4;
const spareStepBytes = 64 * 1024;

/** What makes a socket wait, and go on. */
export interface BodySocket {
  pause(): void;
  resume(): void;
}

/** See the head of the file. Filled by its exchange, read by one reader. */
export class BodyStream {
  private readonly socket: BodySocket;
  private readonly pieces: Uint8Array[] = [];
  /** Of pieces that were read, for those to come: else a long body leaves all its bytes to the garbage collector. */
  private readonly spare: ArrayBuffer[] = [];
  private lent: Uint8Array | undefined;
  private readonly timer: NodeJS.Timeout;
  private waitingBytes = 0;
  private isWhole = false;
  private isPaused = false;
  private isStopped = false;
  private fault: Error | undefined;
  private wake: (() => void) | undefined;

  /** @param timeoutMs until the body must be whole. */
  constructor(socket: BodySocket, timeoutMs: number) {
    this.socket = socket;
    this.timer = setTimeout(() => this.fail(new RequestFault('body-timeout')), timeoutMs);
    this.timer.unref();
  }

  /**
   * Throws RequestFault `body-too-large` when a body of this length is too long, and reads no more of it. There is no body
   * without a declared length (guard.ts), and the parser takes no more than that.
   */
  limit(declaredBytes: number, bytesMax: number): void {
    if (declaredBytes <= bytesMax) return;
    this.fail(new RequestFault('body-too-large'));
    throw this.fault;
  }

  /**
   * The next piece, borrowed until the next call; undefined behind the last. One call at a time. Rejects with RequestFault
   * `body-too-large` or `body-timeout`, or CameraError `body-aborted`.
   */
  async next(): Promise<Uint8Array | undefined> {
    if (this.lent && this.spare.length < spareMax) this.spare.push(this.lent.buffer as ArrayBuffer);
    this.lent = undefined;
    while (!this.fault && this.pieces.length === 0 && !this.isWhole)
      await new Promise<void>(resolve => {
        this.wake = resolve;
      });
    if (this.fault) throw this.fault;
    const piece = this.pieces.shift();
    this.lent = piece;
    this.waitingBytes -= piece?.length ?? 0;
    if (this.isPaused && !this.isStopped && this.waitingBytes <= bodyWaitingBytesMax / 2) {
      this.isPaused = false;
      this.socket.resume();
    }
    return piece;
  }

  /** Whether all of it has come. */
  get isComplete(): boolean {
    return this.isWhole;
  }

  /** Takes what the library hands out; copied here, since its memory is taken away. */
  push(bytes: ArrayBuffer, isLast: boolean): void {
    if (this.isStopped) return;
    if (bytes.byteLength > 0) this.pieces.push(this.copyOf(bytes));
    this.waitingBytes += bytes.byteLength;
    if (isLast) {
      this.isWhole = true;
      clearTimeout(this.timer);
    } else if (!this.isPaused && this.waitingBytes > bodyWaitingBytesMax) this.pause();
    this.wake?.();
  }

  /** The connection is gone; what came whole before can still be read. */
  abort(): void {
    this.isStopped = true;
    if (!this.isWhole)
      this.fail(new CameraError('body-aborted', 'the connection was lost before the body was whole'));
  }

  /** Nobody reads any more; see the head of the file. */
  stop(): void {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    this.isStopped = true;
    this.pieces.length = 0;
    this.waitingBytes = 0;
    const isRestUnread = this.fault instanceof RequestFault;
    if (isRestUnread && !this.isPaused) this.pause();
    else if (!isRestUnread && this.isPaused) this.socket.resume();
  }

  private copyOf(bytes: ArrayBuffer): Uint8Array {
    const at = this.spare.findIndex(({ byteLength }) => byteLength >= bytes.byteLength);
    const [memory] = at < 0 ? [] : this.spare.splice(at, 1);
    const length = Math.ceil(bytes.byteLength / spareStepBytes) * spareStepBytes;
    const piece = new Uint8Array(memory ?? new ArrayBuffer(length), 0, bytes.byteLength);
    piece.set(new Uint8Array(bytes));
    return piece;
  }

  private pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  private fail(fault: Error): void {
    clearTimeout(this.timer);
    this.fault ??= fault;
    this.pieces.length = 0;
    if (fault instanceof RequestFault && !this.isWhole && !this.isPaused) this.pause();
    this.wake?.();
  }
}
