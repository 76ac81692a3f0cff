/**
 * Streams of server-sent events (WHATWG HTML §9.2): one event after the other over one answer that does not end.
 *
 * Each event is the whole state, so a client that takes nothing is cut and loses nothing: it asks again. A comment now and
 * then keeps the connection from looking dead. Streams end with the session that asked for them. Main thread.
 */
import type { Exchange } from './exchange.ts';
import { eventBeatMs } from './limits.ts';
import type { EventsReply } from './reply.ts';

interface Stream {
  readonly sid: string | undefined;
  end(): void;
}

/** All streams of a server. */
export class EventStreams {
  private readonly running = new Set<Stream>();

  /** How many there are now. */
  get count(): number {
    return this.running.size;
  }

  /**
   * Sends events until the client leaves, falls behind, or its session ends; resolves then. Rejects with what the
   * subscription throws, before anything is sent.
   */
  async send(exchange: Exchange, reply: EventsReply, sid: string | undefined): Promise<void> {
    if (exchange.method === 'HEAD') {
      exchange.send({ ...reply, body: '' });
      return;
    }
    let end = (): void => undefined;
    const ended = new Promise<void>(resolve => {
      end = resolve;
    });
    const offer = (text: string): void => {
      // What the kernel does not take waits in the library's memory, so the first such event is the last.
      if (exchange.sendChunk(reply, text) !== true) end();
    };
    const unsubscribe = reply.subscribe(data => offer(`data: ${data}\n\n`));
    const stream = { sid, end };
    this.running.add(stream);
    const beat = setInterval(() => offer(':\n\n'), eventBeatMs);
    beat.unref();
    exchange.onGone(end);
    await ended;
    clearInterval(beat);
    unsubscribe();
    this.running.delete(stream);
    exchange.cut();
  }

  /** Sessions of the user have ended: so do their streams. */
  sessionsEnded(sids: readonly string[]): void {
    for (const { sid, end } of this.running) if (sid !== undefined && sids.includes(sid)) end();
  }

  /** The server closes. */
  close(): void {
    for (const { end } of this.running) end();
  }
}
