/**
 * The ports that the camera wants, the name it goes by, and the socket buffers that a key frame needs.
 *
 * A port that is taken is asked for its /healthz: most often a running camera is what takes it, which is no fault.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Configuration } from '../../config/configuration.ts';
import { type Finding, good, problem, warning } from '../finding.ts';

/** Milliseconds for a camera on this machine to answer. */
const answerTimeoutMs = 2000;

/** What the live worker asks for its sockets (live/peer/peer-limits.ts): a burst of a key frame must fit. */
const sendBufferBytesWanted = 2 * 1024 * 1024;

export async function checkPorts({ host, port, https }: Configuration): Promise<readonly Finding[]> {
  const ports = [port, ...(https.enabled && https.redirectPort > 0 ? [https.redirectPort] : [])];
  return Promise.all(ports.map(each => checkPort(host, each)));
}

async function checkPort(host: string, port: number): Promise<Finding> {
  const subject = 'port';
  const place = `${host} port ${port}`;
  const failure = await tryToListen(host, port);
  if (!failure) return good(subject, port === 0 ? 'any free port is taken' : `${place} is free`);
  if (failure === 'EADDRINUSE')
    return (await isCamera(host, port))
      ? good(subject, `${place} is served by a camera that runs now`)
      : problem(
          subject,
          `${place} is in use by another program`,
          'stop that program, or choose another with --port',
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

async function isCamera(host: string, port: number): Promise<boolean> {
  const address =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${address}:${port}/healthz`, {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const document = (await response.json()) as { workers?: unknown };
    return Array.isArray(document.workers);
  } catch {
    return false;
  }
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
  if (bytes >= sendBufferBytesWanted) return [good('socket buffers', `up to ${bytes} bytes to send`)];
  return [
    warning(
      'socket buffers',
      `the kernel gives ${bytes} bytes to send; a large key frame to many viewers may lose packets`,
      `sysctl -w net.core.wmem_max=${sendBufferBytesWanted} (and in /etc/sysctl.d to keep it)`,
    ),
  ];
}
