/**
 * A real camera as a child process, as its user starts it: the command line, a state folder of its own, a free port.
 *
 * What is measured is what is installed: from the bundle the daemon's bundle beside this one is started, from the sources
 * its sources. Passwords are cheap, limits on requests wide. The process is ended by `stop`, and killed when this one ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../context.ts';
import { cpuSeconds } from './process-usage.ts';

const isSource = import.meta.url.endsWith('.ts');
const commandLine = isSource
  ? ['--import', fileOf('../../test/register.mjs'), fileOf('../../src/cli.ts')]
  : [fileOf('./cli.js')];

const usualFlags = {
  '--host': '127.0.0.1',
  '--port': '0',
  '--log-level': 'warn',
  '--log-format': 'json',
  '--http-requests-per-second': '100000',
  '--http-request-burst': '100000',
  '--live-addresses': '127.0.0.1',
  '--live-offers-per-minute': '1000000',
  '--accounts-argon2-memory-kib': '1024',
  '--accounts-argon2-iterations': '2',
} as const;

/** The camera has so long to be ready, or to do what it is asked for, ms: a small board is slow. */
const patienceMs = 60_000;
/** After SIGTERM it has so long before it is killed, ms. */
const stopMs = 10_000;
const logLinesMax = 200;

const user = { email: 'owner@camera.example', password: 'a good long password' } as const;

export class Camera {
  url = '';
  /** From the start of the process to the line that says that it serves, ms. */
  readyMs = 0;
  /** Seconds of CPU until then. */
  readyCpuSeconds = 0;
  /** The end of what it wrote to standard error. */
  readonly log: string[] = [];
  private readonly context: BenchContext;
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly kill: () => void;
  private token = '';

  private constructor(context: BenchContext, flags: readonly string[]) {
    this.context = context;
    this.folder = mkdtempSync(path.join(context.folder, 'camera-'));
    const usual = Object.entries(usualFlags).filter(([flag]) => !flags.includes(flag));
    this.child = spawn(
      process.execPath,
      [
        ...['--max-semi-space-size=1', ...commandLine, 'start', '--state', path.join(this.folder, 'state')],
        ...usual.flat(),
        ...flags,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        // As npm start and the systemd unit set it. Settings of this shell's camera must not be this one's.
        env: { ...environment(), MALLOC_MMAP_THRESHOLD_: '4194304', UV_THREADPOOL_SIZE: '16' },
      },
    );
    this.kill = () => void this.child.kill('SIGKILL');
    process.once('exit', this.kill);
    createInterface({ input: this.child.stderr! }).on('line', line => {
      this.log.push(line);
      if (this.log.length > logLinesMax) this.log.shift();
    });
  }

  /** Resolves when it serves; with `isClaimed`, when its user is there and logged in. Rejects with the log. */
  static async start(
    context: BenchContext,
    flags: readonly string[],
    { isClaimed = true }: { isClaimed?: boolean } = {},
  ): Promise<Camera> {
    const startedMs = performance.now();
    const camera = new Camera(context, flags);
    try {
      camera.url = await camera.ready();
      camera.readyMs = performance.now() - startedMs;
      camera.readyCpuSeconds = cpuSeconds(camera.pid);
      if (isClaimed) await camera.claim();
      return camera;
    } catch (error) {
      await camera.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The header that lets requests in. */
  get headers(): Readonly<Record<string, string>> {
    return { 'x-token': this.token };
  }

  /** A request with the token; ends with the run. */
  fetch(target: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(target, this.url), {
      signal: this.context.signal,
      ...init,
      headers: { ...this.headers, ...init.headers },
    });
  }

  async json<T>(target: string): Promise<T> {
    const response = await this.fetch(target);
    if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    return (await this.fetch('/metrics')).text();
  }

  /** Asks until there is an answer. */
  async until<T>(what: string, check: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const answer = await check();
      if (answer !== undefined) return answer;
      if (performance.now() > deadline) throw new Error(`${what} did not happen:\n${this.logEnd()}`);
      await this.context.sleep(50);
    }
  }

  /** Resolves when its source gives pictures. */
  async pictures(): Promise<void> {
    await this.until('a first picture', async () =>
      /^opencamera_capture_main_access_units_total [1-9]/m.test(await this.metrics()) ? true : undefined,
    );
  }

  /** Ends the process and removes its folder. Idempotent; never rejects. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(this.kill, stopMs);
      await exited;
      clearTimeout(timer);
    }
    process.off('exit', this.kill);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  private ready(): Promise<string> {
    const { child, context } = this;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`the camera ${why}:\n${this.logEnd()}`));
      const timer = setTimeout(() => fail('was not ready in time'), patienceMs);
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), { once: true });
      child.once('exit', exitStatus => {
        clearTimeout(timer);
        fail(`ended with ${exitStatus} before it was ready`);
      });
      createInterface({ input: child.stdout! }).on('line', line => {
        const [, url] = /^ready (https?:\/\/\S+)$/.exec(line) ?? [];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
    });
  }

  /** Creates the user by the setup token, and logs in. */
  private async claim(): Promise<void> {
    this.token = readFileSync(path.join(this.folder, 'state/setup-token'), 'utf8').trim();
    const created = await this.fetch('/api/v1/user', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(user),
    });
    if (!created.ok) throw new Error(`create user: ${created.status} ${await created.text()}`);
    const credentials = Buffer.from(`${user.email}:${user.password}`).toString('base64');
    const response = await this.fetch('/api/v1/user/token/obtain', {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
    });
    if (!response.ok) throw new Error(`log in: ${response.status} ${await response.text()}`);
    this.token = ((await response.json()) as { access_token: string }).access_token;
  }

  private logEnd(): string {
    return this.log.slice(-20).join('\n');
  }
}

function environment(): NodeJS.ProcessEnv {
  // The addon's place is a setting of this machine, not of a camera.
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('OPENCAMERAD_') || name === 'OPENCAMERAD_ADDON',
  );
  return Object.fromEntries(kept);
}

function fileOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
