/**
 * uWebSockets.js behind our own small interface: the only file that knows the library and its traps.
 *
 * The library has no package of its own on npm; where a user installed the genuine `uWebSockets.js`, that is taken,
 * else the re-publication `uwebsockets`. Both are CommonJS with native code. Rules kept here, each one paid for:
 * `onAborted` comes first, since a handler that returns without it and without a reply ends the process; a request is
 * read at once, since it lives on the parser's stack; every write after the handler's return is corked; nothing is
 * touched after an abort or the end of a reply. Main thread. TLS will come in through `SSLApp` here.
 */
import { createRequire } from 'node:module';
import type { HttpRequest, HttpResponse, us_listen_socket } from 'uwebsockets';
import { CameraError } from '../base/errors.ts';
import { type HeaderField, HeaderFields } from './header-fields.ts';
import { type Reply, reasonPhrases } from './reply.ts';

type Library = typeof import('uwebsockets') & { _cfg?(key: string): void };

/**
 * The library collects what a handler writes in a buffer of 16 KiB and sends it after the handler's return, after it
 * parsed the rest of what it has read. Only a longer reply leaves at once.
 */
const corkBufferBytes = 16 * 1024;

/** A server that listens. */
export interface Listener {
  /** The TCP port that is listened on. */
  readonly port: number;
  /** Stops listening and closes all connections at once; pending requests become aborted. */
  close(): void;
}

/**
 * Listens and hands every request to `onRequest`, which must not throw.
 *
 * @param options port 0 takes a free one.
 * @throws CameraError `listen-failed`; `internal` when the library has no binary for this machine.
 */
export function listen(
  options: { readonly host: string; readonly port: number },
  onRequest: (exchange: Exchange) => void,
): Listener {
  const library = loadLibrary();
  // Leaves out the header field that names the library and its version.
  library._cfg?.('silent');
  const app = library.App();
  app.any('/*', (response, request) => onRequest(new Exchange(response, request)));
  let socket: us_listen_socket | false = false;
  // Without the exclusive option two daemons would share one port and take turns at its connections. The library's own
  // types lack the form with host and option.
  const listenOn = app.listen as unknown as (
    host: string,
    port: number,
    option: number,
    done: (socket: us_listen_socket | false) => void,
  ) => void;
  const exclusive = (library as unknown as Record<string, number>).LIBUS_LISTEN_EXCLUSIVE_PORT ?? 1;
  listenOn.call(app, options.host, options.port, exclusive, result => {
    socket = result;
  });
  if (!socket)
    throw new CameraError(
      'listen-failed',
      `cannot listen on ${options.host} port ${options.port}: in use, not permitted, or not an address of this machine`,
      { host: options.host, port: options.port },
    );
  const listening: us_listen_socket = socket;
  let open = true;
  return {
    port: library.us_socket_local_port(listening),
    close() {
      if (!open) return;
      open = false;
      library.us_listen_socket_close(listening);
      app.close();
    },
  };
}

/** In the order in which they are tried. */
const libraryNames = ['uWebSockets.js', 'uwebsockets'];

function loadLibrary(): Library {
  const require = createRequire(import.meta.url);
  let cause: unknown;
  for (const name of libraryNames)
    try {
      return require(name) as Library;
    } catch (error) {
      cause = error;
    }
  throw new CameraError(
    'internal',
    'uWebSockets.js does not run on this machine with this Node.js',
    {},
    { cause },
  );
}

/** A request and the one reply to it. */
export class Exchange {
  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The target without its query, as sent. */
  readonly path: string;
  readonly headers: HeaderFields;
  /** Address of the other end of the connection as text. */
  readonly remoteAddress: string;
  private readonly response: HttpResponse;
  private over = false;
  private isAborted = false;
  private onAborted: (() => void) | undefined;

  constructor(response: HttpResponse, request: HttpRequest) {
    response.onAborted(() => {
      this.over = true;
      this.isAborted = true;
      this.onAborted?.();
    });
    this.response = response;
    this.method = request.getCaseSensitiveMethod();
    this.path = request.getUrl();
    const fields: HeaderField[] = [];
    request.forEach((name, value) => {
      fields.push([name, value]);
    });
    this.headers = new HeaderFields(fields);
    this.remoteAddress = Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
  }

  /** Whether the connection was gone before the reply was complete. */
  get aborted(): boolean {
    return this.isAborted;
  }

  /**
   * Reads the body; call it once, before the handler returns to the library.
   *
   * @returns a copy that the caller owns; undefined when it is longer than `bytesMax`, of which the rest is dropped,
   * or when the connection was lost.
   */
  readBody(bytesMax: number): Promise<Uint8Array | undefined> {
    return new Promise(resolve => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      this.onAborted = () => resolve(undefined);
      this.response.onData((chunk, isLast) => {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) resolve(undefined);
        else {
          // The chunk's memory is the parser's and is taken away when this function returns.
          if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)));
          if (isLast) resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
        }
      });
    });
  }

  /**
   * Sends the reply, unless one was sent or the connection is gone.
   *
   * @param options `close` ends the connection after the reply.
   * @returns whether the reply went out.
   */
  send(reply: Reply, options: { readonly close?: boolean } = {}): boolean {
    if (this.over) return false;
    this.over = true;
    this.response.cork(() => {
      this.writeHead(reply);
      const withoutBody = this.method === 'HEAD' || reply.status === 304;
      if (!withoutBody) this.response.end(reply.body, options.close === true);
      else {
        // A 304 would have to name the length of the file that it does not send, and need not.
        if (reply.status !== 304) this.response.writeHeader('Content-Length', String(lengthOf(reply.body)));
        this.response.endWithoutBody();
      }
    });
    return true;
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

  private writeHead(reply: Reply): void {
    this.response.writeStatus(`${reply.status} ${reasonPhrases[reply.status] ?? 'Unknown'}`);
    for (const [name, value] of Object.entries(reply.headers)) this.response.writeHeader(name, value);
  }
}

function lengthOf(body: string | Uint8Array): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}
