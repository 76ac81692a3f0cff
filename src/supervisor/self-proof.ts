/**
 * Whether the camera does what it should: its workers run, it gives pictures, it records, and its web server answers a
 * request over the network. Asked of a version on trial; what it did before the upgrade is what it must do.
 *
 * The request is a real one over TCP (and TLS, whatever the certificate), so that a front end that listens and does not
 * answer is seen. Main thread.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { Trial } from '../firmware/boot-record.ts';
import type { HealthReport } from '../ipc/health.ts';

/** Until the web server must have answered; the main thread asks itself. */
const answerTimeoutMs = 5000;

/** Where the camera's own web server is found. */
export interface OwnServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** What is missing, in words; undefined when nothing is. */
export async function missingProof(
  health: HealthReport,
  expected: Trial['expected'],
  server: OwnServer,
): Promise<string | undefined> {
  const worker = health.workers.find(({ state }) => state !== 'running');
  if (worker) return `the worker ${worker.name} does not run`;
  if (expected.pictures && !health.sources.some(({ name, isUp }) => name === 'main' && isUp))
    return 'there are no pictures';
  if (expected.recording && health.recorder?.state !== 'recording') return 'nothing is recorded';
  return (await answers(server)) ? undefined : 'the web server does not answer';
}

/** Whether the server answers at all; with which status says nothing of the software. */
function answers({ host, port, isTls }: OwnServer): Promise<boolean> {
  return new Promise(resolve => {
    const socket = isTls
      ? tls.connect({ host, port, rejectUnauthorized: false })
      : net.connect({ host, port });
    let text = '';
    const finish = (isGood: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isGood);
    };
    const timer = setTimeout(finish, answerTimeoutMs, false);
    const name = host.includes(':') ? `[${host}]` : host;
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.write(`GET /healthz HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.setEncoding('latin1');
    socket.on('data', chunk => {
      text += chunk;
      if (text.length >= 9) finish(/^HTTP\/1\.1 /.test(text));
    });
    socket.once('error', () => finish(false));
    socket.once('end', () => finish(false));
  });
}
