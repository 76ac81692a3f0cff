/**
 * The camera as a device runs it, for the measurements of upgrades: the built daemon under its launcher, with slots of files, in a
 * process group of its own so that power can be taken from all of it; and images of other versions of the same code.
 *
 * Needs `npm run build` and, for the native addon in the images, `npm run build:native`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startOfProcess } from '../../src/firmware/slots-lock.ts';
import type { UpgradeStatus } from '../../src/firmware/upgrades.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = path.join(root, 'dist/cli.js');
const target = `${process.platform}-${process.arch}`;
const owner = { email: 'owner@camera.example', password: 'a good long password' };

/** Until a camera serves; the longest that was ever seen here is a tenth of it. */
const readyTimeoutMs = 30_000;

/** Makes signed images of the built daemon in a folder; returns their paths by version. */
export function makeImages(folder: string, versions: readonly string[]): ReadonlyMap<string, string> {
  if (!existsSync(cli)) throw new Error('dist/ is missing: npm run build');
  return new Map(
    versions.map(version => {
      const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] as const };
      const words = ['--target', target, '--no-build', '--version-override', version, '--out', folder];
      execFileSync(process.execPath, ['scripts/bundle.mjs', ...words], {
        ...options,
        stdio: [...options.stdio],
      });
      const bundle = path.join(folder, `bundle-${version}-${target}.tar.gz`);
      const image = path.join(folder, `${version}.img`);
      signImage(bundle, image, version);
      return [version, image];
    }),
  );
}

/** Signs a payload with the development key. */
export function signImage(payload: string, image: string, version: string): void {
  const key = path.join(root, 'assets/firmware/development.key');
  const words = ['--key', key, '--version', version, '--board', target, '--out', image];
  execFileSync(process.execPath, [cli, 'firmware', 'sign', payload, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** See the head of the file. */
export class LaunchedCamera {
  /** Holds all that the camera writes. */
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-upgrade-'));
  readonly log: string[] = [];
  /** Moments at which a camera said that it serves, on `performance.now()`. */
  readonly readyMs: number[] = [];
  url = '';
  token = '';
  private readonly flags: readonly string[];
  private port = 0;
  private launcher: ChildProcess | undefined;
  private readyListeners: (() => void)[] = [];

  constructor(flags: readonly string[] = []) {
    this.flags = flags;
  }

  get slots(): string {
    return path.join(this.folder, 'state/firmware');
  }

  /** Whether the launcher lives. */
  get isUp(): boolean {
    return (
      this.launcher !== undefined && this.launcher.exitCode === null && this.launcher.signalCode === null
    );
  }

  /** Process ids of launcher and camera; undefined for what is not there. */
  get pids(): { readonly launcher: number | undefined; readonly camera: number | undefined } {
    let camera: number | undefined;
    try {
      const { child } = JSON.parse(readFileSync(path.join(this.slots, 'lock'), 'utf8'));
      if (child && startOfProcess(child.pid) === child.started) camera = child.pid;
    } catch {
      // No lock, or one that is just being written.
    }
    return { launcher: this.isUp ? this.launcher?.pid : undefined, camera };
  }

  /** Starts it, or the launcher again; resolves when a camera serves. The first time the user is made. */
  async start(): Promise<void> {
    this.port ||= await freePort();
    this.url = `http://127.0.0.1:${this.port}/`;
    const words = [
      '--host',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--state',
      path.join(this.folder, 'state'),
    ];
    const flags = [
      '--firmware-development-key',
      'true',
      '--firmware-uploads-per-hour',
      '1000000',
      ...this.flags,
    ];
    const launcher = spawn(process.execPath, ['--max-semi-space-size=1', cli, 'start', ...words, ...flags], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '4194304', UV_THREADPOOL_SIZE: '16' },
    });
    this.launcher = launcher;
    createInterface({ input: launcher.stderr }).on('line', line => this.log.push(line));
    createInterface({ input: launcher.stdout }).on('line', line => {
      if (!line.startsWith('ready ')) return;
      this.readyMs.push(performance.now());
      for (const listener of this.readyListeners.splice(0)) listener();
    });
    await this.ready();
    if (this.token === '') await this.claim();
  }

  /** Resolves when the next camera serves; rejects when the launcher ends before, or it takes too long. */
  async ready(): Promise<void> {
    const { launcher } = this;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string) => () => reject(new Error(`${what}:\n${this.log.slice(-30).join('\n')}`));
      timer = setTimeout(fail('no camera serves'), readyTimeoutMs);
      this.readyListeners.push(resolve);
      launcher!.once('exit', fail('the launcher ended'));
    }).finally(() => clearTimeout(timer));
  }

  fetch(target: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(target, this.url), { ...init, headers: { 'x-token': this.token, ...init.headers } });
  }

  async json<Value>(target: string): Promise<Value> {
    const response = await this.fetch(target);
    if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Value;
  }

  upgrade(): Promise<UpgradeStatus> {
    return this.json('/api/v1/system/upgrade');
  }

  /** Sends an image; resolves to the answer. */
  upload(image: string, signal?: AbortSignal): Promise<Response> {
    const form = new FormData();
    form.set('img_file', new Blob([readFileSync(image)]), path.basename(image));
    return this.fetch('/api/v1/system/upgrade', { method: 'POST', body: form, ...(signal && { signal }) });
  }

  /** Takes the power from launcher and camera. */
  async killAll(): Promise<void> {
    const { launcher } = this;
    if (!launcher?.pid) return;
    const isUp = this.isUp;
    const ended = once(launcher, 'exit');
    try {
      process.kill(-launcher.pid, 'SIGKILL');
    } catch {
      // Nothing of it lives.
    }
    if (isUp) await ended;
  }

  /** Resolves when the launcher has ended by itself, or after a time. */
  async endsWithin(timeoutMs: number): Promise<void> {
    if (!this.isUp) return;
    const aborting = new AbortController();
    const timer = setTimeout(() => aborting.abort(), timeoutMs);
    await once(this.launcher!, 'exit', { signal: aborting.signal }).catch(() => undefined);
    clearTimeout(timer);
  }

  async remove(): Promise<void> {
    await this.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async claim(): Promise<void> {
    this.token = readFileSync(path.join(this.folder, 'state/setup-token'), 'utf8').trim();
    const headers = { 'content-type': 'application/json' };
    await this.fetch('/api/v1/user', { method: 'POST', headers, body: JSON.stringify(owner) });
    this.token = await this.logIn();
  }

  /** A new session; resolves to its token. */
  async logIn(): Promise<string> {
    const credentials = Buffer.from(`${owner.email}:${owner.password}`).toString('base64');
    const response = await fetch(new URL('/api/v1/user/token/obtain', this.url), {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
    });
    if (!response.ok) throw new Error(`log in: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
