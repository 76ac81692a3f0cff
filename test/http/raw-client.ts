/** An HTTP client that sends exactly the bytes it is told to, and reads what comes until the connection ends. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawResult {
  /** Everything that came. */
  readonly text: string;
  /** The answers in it, by their Content-Length. */
  readonly responses: readonly RawResponse[];
  /** Whether the other side ended the connection before the time was over. */
  readonly closed: boolean;
}

/**
 * Sends the bytes (one character each) and reads until the server closes or, for a connection that stays open, until
 * `expect` answers are there; both are events, the time is only for what never comes.
 */
export function raw(
  port: number,
  bytes: string,
  options: { expect?: number; timeoutMs?: number; head?: boolean; host?: string; tls?: boolean } = {},
): Promise<RawResult> {
  return new Promise(resolve => {
    const target = { port, host: options.host ?? '127.0.0.1' };
    const socket = options.tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    let text = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, responses: parse(text, options.head === true), closed });
    };
    const timer = setTimeout(finish, options.timeoutMs ?? 14_000, false);
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      if (options.expect && parse(text, options.head === true).length >= options.expect) finish(false);
    });
    socket.on('end', () => finish(true));
    socket.on('error', () => finish(true));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

/** A socket that is connected; `localAddress` is an address of this machine to come from, as 127.0.0.2. */
export function connected(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function parse(text: string, head: boolean): RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return responses;
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Map(
      lines.map(line => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const status = Number(statusLine.split(' ')[1]);
    // The library's own pages of faults have no length and end with the connection.
    const length =
      head || status === 304 || status === 204
        ? 0
        : Number(headers.get('content-length') ?? rest.length - end - 4);
    if (rest.length < end + 4 + length) return responses;
    responses.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
}
