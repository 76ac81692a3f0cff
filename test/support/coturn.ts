/** Debian's coturn as a TURN server on the loopback address: own ports, own files, one user. */
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { requireProgram } from './requires.ts';

/** Of every server that is started here. */
export const turnUser = { username: 'camera', password: 'p:w@rd%' } as const;

export class Coturn {
  readonly port: number;
  readonly log: string[] = [];
  private readonly child: ChildProcess;
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-coturn-'));

  private constructor(port: number, flags: readonly string[]) {
    this.port = port;
    const quiet = [
      '-n',
      '--no-cli',
      '--no-dtls',
      '--no-rfc5780',
      '--simple-log',
      '-v',
      '--log-file',
      'stdout',
    ];
    const place = ['--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`];
    const files = [`--pidfile=${path.join(this.folder, 'pid')}`, `--db=${path.join(this.folder, 'db')}`];
    const { username, password } = turnUser;
    const users = ['--lt-cred-mech', '--realm=camera.test', `--user=${username}:${password}`];
    const all = [...quiet, ...place, ...files, ...users, '--allow-loopback-peers', ...flags];
    this.child = spawn('turnserver', all, { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: this.child.stdout! }).on('line', line => this.log.push(line));
    const kill = (): boolean => this.child.kill('SIGKILL');
    process.once('exit', kill);
    this.child.once('exit', () => process.off('exit', kill));
  }

  /** A server that answers and is ended after the test; undefined, with the test skipped, where there is no coturn. */
  static async start(t: TestContext, flags: readonly string[] = ['--no-tls']): Promise<Coturn | undefined> {
    if (!requireProgram(t, 'turnserver')) return undefined;
    const server = new Coturn(await freePort(), flags);
    t.after(() => server.stop());
    await server.untilAnswers();
    return server;
  }

  /** Resolves when a line of the log matches. */
  async logged(pattern: RegExp): Promise<string> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
      const found = this.log.find(line => pattern.test(line));
      if (found) return found;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    throw new Error(`not in the log of coturn: ${pattern}\n${this.log.slice(-30).join('\n')}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A binding request (RFC 8489 §5) until there is an answer. */
  private async untilAnswers(): Promise<void> {
    const socket = dgram.createSocket('udp4');
    const request = Buffer.from('000100002112a442000000000000000000000001', 'hex');
    const answered = once(socket, 'message');
    const timer = setInterval(() => socket.send(request, this.port, '127.0.0.1'), 50);
    const ended = once(this.child, 'exit').then(() => {
      throw new Error(`coturn ended:\n${this.log.join('\n')}`);
    });
    try {
      await Promise.race([answered, ended]);
    } finally {
      ended.catch(() => {});
      clearInterval(timer);
      socket.close();
    }
  }
}

/** A port of 127.0.0.1 that is free for UDP and most likely for TCP. */
async function freePort(): Promise<number> {
  const socket = dgram.createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(resolve));
  return port;
}
