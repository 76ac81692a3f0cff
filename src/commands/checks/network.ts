/**
 * The ports that the camera wants, the name it goes by, and the socket buffers that a key frame needs.
 *
 * A port that is taken is asked for its /healthz: most often a running camera is what takes it, which is no fault. The
 * certificate of that answer proves nothing here and is not checked, since a camera may have made its own.
 */
import { readFile } from 'node:fs/promises';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Configuration } from '../../config/configuration.ts';
import { sendBufferBytes } from '../../live/peer/peer-limits.ts';
import { addressUrl } from '../../supervisor/address-url.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

/** Milliseconds for a camera on this machine to answer. */
const answerTimeoutMs = 2000;

/** Bytes of a health document that are read; a camera's has a few hundred. */
const answerBytesMax = 16 * 1024;

/** What a camera does at a port: `redirect` sends plain HTTP on to HTTPS. */
type Service = 'http' | 'https' | 'redirect';

export async function checkPorts({ host, port, https }: Configuration): Promise<readonly Finding[]> {
  const wanted: [number, Service][] = [[port, https.enabled ? 'https' : 'http']];
  if (https.enabled && https.redirectPort > 0) wanted.push([https.redirectPort, 'redirect']);
  return Promise.all(wanted.map(([each, service]) => checkPort(host, each, service)));
}

async function checkPort(host: string, port: number, service: Service): Promise<Finding> {
  const subject = 'port';
  const place = `${host} port ${port}`;
  const flag = service === 'redirect' ? '--https-redirect-port' : '--port';
  const failure = await tryToListen(host, port);
  if (!failure) return good(subject, port === 0 ? 'any free port is taken' : `${place} is free`);
  if (failure === 'EADDRINUSE')
    return (await isCamera(host, port, service))
      ? good(subject, `${place} is served by a camera that runs now`)
      : problem(
          subject,
          `${place} is in use by another program`,
          `stop that program, or choose another with ${flag}`,
        );
  if (failure === 'EACCES')
    return problem(
      subject,
      `${place} may not be listened on`,
      'use a port from 1024, or give the capability CAP_NET_BIND_SERVICE',
    );
  return problem(
    subject,
    `${place} cannot be listened on (${failure})`,
    'choose an address of this machine with --host',
  );
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function isCamera(host: string, port: number, service: Service): Promise<boolean> {
  const scheme = service === 'https' ? 'https' : 'http';
  const url = new URL('healthz', addressUrl(host, port, scheme));
  try {
    const { status, location, body } = await answerOf(url);
    if (service === 'redirect') return status === 308 && /^https:.*\/healthz$/.test(location);
    return Array.isArray((JSON.parse(body) as { workers?: unknown } | null)?.workers);
  } catch {
    return false;
  }
}

function answerOf(url: URL): Promise<{ status: number; location: string; body: string }> {
  return new Promise((resolve, reject) => {
    const onAnswer = (message: IncomingMessage): void => {
      const { statusCode = 0, headers } = message;
      let body = '';
      message.setEncoding('latin1').on('data', (text: string) => {
        body += text;
        if (body.length > answerBytesMax) message.destroy(new Error('the answer is too long'));
      });
      message.on('end', () => resolve({ status: statusCode, location: headers.location ?? '', body }));
      message.on('error', reject);
    };
    const options = { agent: false, signal: AbortSignal.timeout(answerTimeoutMs), rejectUnauthorized: false };
    const request =
      url.protocol === 'https:' ? getTls(url, options, onAnswer) : getPlain(url, options, onAnswer);
    request.on('error', reject);
  });
}

export function checkAddresses(): readonly Finding[] {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter(address => address && !address.internal && !address.address.startsWith('fe80'));
  if (addresses.length === 0)
    return [
      warning(
        'network',
        'the machine has no address but loopback',
        'connect it: nobody else can reach the camera',
      ),
    ];
  return [good('network', `${hostname()}: ${addresses.map(address => address!.address).join(', ')}`)];
}

export async function checkSocketBuffers(): Promise<readonly Finding[]> {
  const text = await readFile('/proc/sys/net/core/wmem_max', 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const bytes = Number(text);
  if (bytes >= sendBufferBytes) return [good('socket buffers', `up to ${bytes} bytes to send`)];
  return [
    warning(
      'socket buffers',
      `the kernel gives ${bytes} bytes to send; a large key frame to many viewers may lose packets`,
      `sysctl -w net.core.wmem_max=${sendBufferBytes} (and in /etc/sysctl.d to keep it)`,
    ),
  ];
}
