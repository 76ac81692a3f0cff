/**
 * uWebSockets.js behind our own small interface; with exchange.ts the only code that knows the library and its traps.
 *
 * The library has no package of its own on npm; where a user installed the genuine `uWebSockets.js`, that is taken,
 * else the re-publication `uwebsockets`. Both are CommonJS with native code. Rules kept here, each one paid for:
 * `onAborted` comes first, since a handler that returns without it and without a reply ends the process; a request is
 * read at once, since it lives on the parser's stack; every write after the handler's return is corked; nothing is
 * touched after an abort or the end of a reply. TLS is BoringSSL's, inside the library; its default suites are not ours
 * (tls/suites.ts). Main thread.
 */
import { createRequire } from 'node:module';
import type { HttpResponse, TemplatedApp, us_listen_socket } from 'uwebsockets';
import { CameraError } from '../base/errors.ts';
import { Exchange } from './exchange.ts';
import { addressText } from './remote-address.ts';
import { cipherSuites } from './tls/suites.ts';

type Library = typeof import('uwebsockets') & { _cfg?(key: string): void };

/** The files of a certificate with its chain and of its key, PEM; they must fit together. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Is told of every connection, and may refuse it. */
export interface ConnectionObserver {
  /** False: it is closed at once. */
  opened(remoteAddress: string): boolean;
  /** Also for the refused. */
  closed(): void;
}

/** A server that listens. */
export interface Listener {
  /** The TCP port that is listened on. */
  readonly port: number;
  /**
   * Goes on with other files of TLS: for new connections, the others keep what they have. The port is not listened on for
   * a moment, in which a connection attempt is refused.
   *
   * @throws CameraError `config-invalid` when the library cannot use the files, and nothing has changed; `listen-failed`
   * when another process took the port in that moment: it is worth trying again.
   */
  renewTls(files: TlsFiles): void;
  /** Stops listening and closes all connections at once; pending requests become aborted. */
  close(): void;
}

/**
 * Listens and hands every request to `onRequest`, which must not throw.
 *
 * @param options port 0 takes a free one; with `tls` the port speaks HTTPS.
 * @throws CameraError `listen-failed`; `config-invalid` when the library cannot use the certificate; `internal` when it
 * has no binary for this machine.
 */
export function listen(
  options: {
    readonly host: string;
    readonly port: number;
    readonly tls?: TlsFiles | undefined;
    readonly connections?: ConnectionObserver;
  },
  onRequest: (exchange: Exchange) => void,
): Listener {
  const library = loadLibrary();
  // Leaves out the header field that names the library and its version.
  library._cfg?.('silent');
  const makeApp = (tls: TlsFiles | undefined): TemplatedApp => {
    const app = tls ? tlsApp(library, tls) : library.App();
    const { connections } = options;
    // The response is the connection here, and for the length of this call. What the handler returns means nothing.
    const onChange = (response: HttpResponse, change: number): void => {
      if (change !== 1) connections?.closed();
      else if (connections?.opened(addressText(new Uint8Array(response.getRemoteAddress()))) === false)
        response.close();
    };
    app.filter(onChange as Parameters<TemplatedApp['filter']>[0]);
    return app.any('/*', (response, request) =>
      onRequest(new Exchange(response, request, tls !== undefined)),
    );
  };
  let app = makeApp(options.tls);
  // A port that the system chose gets no SO_REUSEADDR from the library, so that it could not be listened on anew.
  const chosen = options.port === 0 && options.tls ? freePort(library, options.host) : options.port;
  let socket: us_listen_socket | undefined = listenOn(library, app, options.host, chosen);
  const port = library.us_socket_local_port(socket);
  let retired: TemplatedApp | undefined;
  let open = true;
  const stopListening = (): void => {
    // The library does not check its pointers.
    if (socket) library.us_listen_socket_close(socket);
    socket = undefined;
  };
  return {
    port,
    renewTls(files) {
      if (!open) return;
      const next = makeApp(files);
      stopListening();
      try {
        socket = listenOn(library, next, options.host, port);
      } catch (error) {
        next.close();
        throw error;
      }
      // What still runs on the one before the last has had all the time between two renewals.
      retired?.close();
      retired = app;
      app = next;
    },
    close() {
      if (!open) return;
      open = false;
      stopListening();
      retired?.close();
      app.close();
    },
  };
}

function freePort(library: Library, host: string): number {
  const app = library.App();
  const socket = listenOn(library, app, host, 0);
  const port = library.us_socket_local_port(socket);
  library.us_listen_socket_close(socket);
  app.close();
  return port;
}

function tlsApp(library: Library, files: TlsFiles): TemplatedApp {
  try {
    return library.SSLApp({
      cert_file_name: files.certificate,
      key_file_name: files.key,
      ssl_ciphers: cipherSuites,
      // A connection that is idle keeps no buffers of 32 KiB.
      ssl_prefer_low_memory_usage: true,
    });
  } catch (cause) {
    throw new CameraError(
      'config-invalid',
      `the certificate ${files.certificate} cannot be used with the key ${files.key}`,
      {},
      { cause },
    );
  }
}

function listenOn(library: Library, app: TemplatedApp, host: string, port: number): us_listen_socket {
  let socket: us_listen_socket | false = false;
  // Without the exclusive option two daemons would share one port and take turns at its connections. The library's own
  // types lack the form with host and option.
  const listenWithOption = app.listen as unknown as (
    host: string,
    port: number,
    option: number,
    done: (socket: us_listen_socket | false) => void,
  ) => void;
  const exclusive = (library as unknown as Record<string, number>).LIBUS_LISTEN_EXCLUSIVE_PORT ?? 1;
  listenWithOption.call(app, host, port, exclusive, result => {
    socket = result;
  });
  if (!socket)
    throw new CameraError(
      'listen-failed',
      `cannot listen on ${host} port ${port}: in use, not permitted, or not an address of this machine`,
      { host, port },
    );
  return socket;
}

/** In the order in which they are tried. */
const libraryNames = ['uWebSockets.js', 'uwebsockets'];

/** The library; throws CameraError `internal` where it has no binary for this machine. */
export function loadLibrary(): Library {
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
