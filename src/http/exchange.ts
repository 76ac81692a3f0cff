/**
 * One request and its reply, over uWebSockets.js: read at once, answered once, whole or in parts.
 *
 * Rules of the library that are kept here: `onAborted` comes first; a request is read at once, since it lives on the
 * parser's stack; every write after the handler's return is corked; nothing is touched after an abort or the end of a
 * reply. Main thread.
 */
import type { HttpRequest, HttpResponse } from 'uwebsockets';
import { BodyStream } from './body-stream.ts';
import { type HeaderField, HeaderFields } from './header-fields.ts';
import { addressText } from './remote-address.ts';
import { type Reply, type ReplyHead, reasonPhrases } from './reply.ts';

/**
 * The library collects what a handler writes in a buffer of 16 KiB and sends it after the handler's return, after it
 * parsed the rest of what it has read. Only a longer reply leaves at once.
 */
const corkBufferBytes = 16 * 1024;

/** A request and the one reply to it. */
export class Exchange {
  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The target without its query, as sent. */
  readonly path: string;
  /** The query without its question mark, as sent; '' for none. */
  readonly query: string;
  readonly headers: HeaderFields;
  /** Address of the other end of the connection as text, in its canonical form; an IPv4 address never wrapped in IPv6. */
  readonly remoteAddress: string;
  private readonly response: HttpResponse;
  private over = false;
  private isBodyUnread = false;
  private fault: 'body-too-large' | 'body-timeout' = 'body-too-large';
  private isAborted = false;
  /** Ends the reading of the body, if it is going on. */
  private stopReading: (() => void) | undefined;
  private bodyStream: BodyStream | undefined;
  private partSentBytes: number | undefined;
  private wake: (() => void) | undefined;
  /** Whether a part is taken whole or not at all, and then offered again, the same bytes: so it is with TLS' records. */
  readonly takesWholeParts: boolean;

  constructor(response: HttpResponse, request: HttpRequest, isEncrypted = false) {
    response.onAborted(() => {
      this.over = true;
      this.isAborted = true;
      this.stopReading?.();
      this.bodyStream?.abort();
      this.wake?.();
    });
    this.takesWholeParts = isEncrypted;
    this.response = response;
    this.method = request.getCaseSensitiveMethod();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    const fields: HeaderField[] = [];
    request.forEach((name, value) => {
      fields.push([name, value]);
    });
    this.headers = new HeaderFields(fields);
    this.remoteAddress = addressText(new Uint8Array(response.getRemoteAddress()));
  }

  /** Whether the connection was gone before the reply was complete. */
  get aborted(): boolean {
    return this.isAborted;
  }

  /** Whether a reply was sent whole, or nobody waits for one. */
  get isOver(): boolean {
    return this.over;
  }

  /** Whether a part of a reply was sent, and with it the head. */
  get hasBegun(): boolean {
    return this.partSentBytes !== undefined;
  }

  /** Why {@link readBody} gave nothing, for a connection that is not lost. */
  get bodyFault(): 'body-too-large' | 'body-timeout' {
    return this.fault;
  }

  /**
   * Reads the body; call it once, before the handler returns to the library.
   *
   * @param timeoutMs until the body must be there, however steadily it drips.
   * @returns a copy that the caller owns; undefined when it is longer than `bytesMax` or too slow, of which the rest is
   * dropped and the connection closed with the reply, or when the connection was lost.
   */
  readBody(bytesMax: number, timeoutMs: number): Promise<Uint8Array | undefined> {
    this.isBodyUnread = true;
    return new Promise(resolve => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      // Of what comes after this nothing is kept.
      const finish = (body: Uint8Array | undefined): void => {
        clearTimeout(timer);
        bytes = Number.POSITIVE_INFINITY;
        chunks.length = 0;
        resolve(body);
      };
      const timer = setTimeout(() => {
        this.fault = 'body-timeout';
        finish(undefined);
      }, timeoutMs);
      this.stopReading = () => finish(undefined);
      this.response.onData((chunk, isLast) => {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) {
          finish(undefined);
          return;
        }
        // The chunk's memory is the parser's and is taken away when this function returns.
        if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)));
        if (!isLast) return;
        this.isBodyUnread = false;
        finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      });
    });
  }

  /**
   * Hands the body out as it comes; call it once, before the handler returns to the library.
   *
   * @param timeoutMs until the body must be whole.
   */
  openBody(timeoutMs: number): BodyStream {
    const { response } = this;
    // After the end of the reply the response must not be touched.
    const unlessOver = (work: () => void) => () => {
      if (!this.over) work();
    };
    const socket = { pause: unlessOver(() => response.pause()), resume: unlessOver(() => response.resume()) };
    const body = new BodyStream(socket, timeoutMs);
    this.bodyStream = body;
    response.onData((chunk, isLast) => body.push(chunk, isLast));
    return body;
  }

  /**
   * Sends the reply, unless one was sent or the connection is gone.
   *
   * @param options `close` ends the connection after the reply, as does a body that was not read to its end; but not one
   * that is handed out as it comes: a client that still sends would lose the answer with the connection (RFC 9112 §9.6),
   * so it is asked to close.
   * @returns whether the reply went out.
   */
  send(reply: Reply, options: { readonly close?: boolean } = {}): boolean {
    if (this.over || this.partSentBytes !== undefined) return false;
    const isSending = this.bodyStream !== undefined && !this.bodyStream.isComplete;
    this.bodyStream?.stop();
    this.over = true;
    this.stopReading?.();
    const close = !isSending && (options.close === true || this.isBodyUnread);
    this.response.cork(() => {
      this.writeHead(reply);
      if (isSending) this.response.writeHeader('connection', 'close');
      // A 304 would have to name the length of the file that it does not send, and need not; a 204 must not.
      if (reply.status === 304 || reply.status === 204) this.response.endWithoutBody();
      else if (this.method !== 'HEAD') this.response.end(reply.body, close);
      else if (close) this.response.endWithoutBody(lengthOf(reply.body), true);
      else {
        // The library takes a length that it is told here for bytes that are still to come.
        this.response.writeHeader('Content-Length', String(lengthOf(reply.body)));
        this.response.endWithoutBody();
      }
    });
    return true;
  }

  /** Sends the head of a reply to a HEAD request, with the length that the body would have. */
  sendHead(head: ReplyHead, lengthBytes: number): void {
    if (this.over) return;
    this.over = true;
    this.response.cork(() => {
      this.writeHead(head);
      this.response.writeHeader('Content-Length', String(lengthBytes));
      this.response.endWithoutBody();
    });
  }

  /**
   * Sends the next part of a body of known length, the head before the first; as much as the socket takes. If not all,
   * {@link writable} says when to offer the rest; the library closes a connection 8 to 12 s after the last part that it
   * could not send whole (measured), so whoever wants it open offers again before.
   *
   * @param part the bytes from as far as the body was sent; not kept. At least 1.
   * @returns how far the body is sent now; undefined when nobody waits for it.
   */
  sendPart(head: ReplyHead, part: Uint8Array, lengthBytes: number): number | undefined {
    if (this.over) return undefined;
    const { response } = this;
    let isDone = false;
    const isFirst = this.partSentBytes === undefined;
    if (isFirst) {
      this.stopReading?.();
      response.onWritable(() => {
        this.wake?.();
        return true;
      });
    }
    // A part that fits into the cork buffer may stay in the library's memory and counts as sent; no second one does.
    response.cork(() => {
      if (isFirst) this.writeHead(head);
      [, isDone] = response.tryEnd(part, lengthBytes);
    });
    // After its end the response must not be touched.
    this.over = isDone || this.isAborted;
    if (!this.isAborted) this.partSentBytes = isDone ? lengthBytes : response.getWriteOffset();
    return this.isAborted ? undefined : this.partSentBytes;
  }

  /**
   * Sends a piece of a body of unknown length (chunked, RFC 9112 §7.1), the head before the first.
   *
   * @returns false when the socket takes no more for now: the piece waits in the library's memory; undefined when nobody
   * waits for it.
   */
  sendChunk(head: ReplyHead, text: string): boolean | undefined {
    if (this.over) return undefined;
    let isTaken = false;
    this.response.cork(() => {
      if (this.partSentBytes === undefined) this.writeHead(head);
      isTaken = this.response.write(text);
    });
    this.partSentBytes ??= 0;
    return this.isAborted ? undefined : isTaken;
  }

  /** Calls once when the connection is gone; at once if it is. */
  onGone(listener: () => void): void {
    this.wake = listener;
    if (this.over) listener();
  }

  /** Resolves when the socket takes more, when the connection is gone, or after a time. One call at a time. */
  writable(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const finish = (): void => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.wake = finish;
      if (this.over) finish();
    });
  }

  /** Closes the connection at once, if the reply is not complete. */
  cut(): void {
    if (!this.over) this.response.close();
  }

  /**
   * Sends the reply and closes the connection before anything that follows the request is looked at. Only before the
   * handler returns to the library, and only for JSON bodies.
   *
   * `end(…, true)` alone does not do it: the reply waits in the cork buffer while the parser goes on to the next
   * request. A reply that does not fit into that buffer is sent at once, and then the connection is shut down at once
   * too; so the body is filled up with white space, which JSON allows (RFC 8259 §2).
   */
  refuse(reply: Reply): void {
    if (this.over) return;
    this.over = true;
    // A reply to HEAD has no body to fill up, so this one gets none at all.
    if (this.method === 'HEAD') {
      this.response.close();
      return;
    }
    this.writeHead(reply);
    this.response.end(String(reply.body).padEnd(corkBufferBytes + 1), true);
  }

  private writeHead(reply: ReplyHead): void {
    this.response.writeStatus(`${reply.status} ${reasonPhrases[reply.status] ?? 'Unknown'}`);
    for (const [name, value] of Object.entries(reply.headers)) this.response.writeHeader(name, value);
  }
}

function lengthOf(body: string | Uint8Array): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}
