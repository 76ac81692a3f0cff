/** Starts the real daemon as its user does: the command line, its own state folder, a free port on 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { commandLine } from './command-line.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The user that {@link Daemon.start} creates unless it is told otherwise. */
export const owner = { email: 'owner@camera.example', password: 'a good long password' } as const;

/**
 * What every daemon under test gets unless the test gives the same flag: bounds that only their own tests should meet,
 * cheap passwords, and a check of every answer against the API's description.
 */
const usualFlags: Readonly<Record<string, string>> = {
  '--host': '127.0.0.1',
  '--port': '0',
  '--log-format': 'json',
  '--http-requests-per-second': '100000',
  '--http-request-burst': '100000',
  '--http-max-connections': '2000',
  '--http-max-connections-per-address': '2000',
  '--http-validate-replies': 'true',
  '--live-offers-per-minute': '1000000',
  '--accounts-argon2-memory-kib': '1024',
  '--accounts-argon2-iterations': '2',
};

export interface DaemonOptions {
  /** Further flags, each value an entry of its own. */
  readonly flags?: readonly string[];
  /** Further modules for --import, in every thread of the daemon. */
  readonly imports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
  /** False: the camera is left at factory state, and {@link Daemon.token} is its setup token. */
  readonly claim?: boolean;
}

export class Daemon {
  /** Everything the daemon wrote to its standard output so far, by lines; of all its lives. */
  readonly outputLines: string[] = [];
  /** Lines of standard error, of all its lives. */
  readonly log: string[] = [];
  /** The state folder. */
  readonly state: string;
  /** Of the running life; the port may be another after a restart. */
  url = '';
  /** The access token, or the setup token of a camera that was not claimed. */
  token = '';
  private child: ChildProcess | undefined;
  private readonly folder: string;
  private readonly argv: readonly string[];
  private readonly env: Readonly<Record<string, string>>;

  private constructor(options: DaemonOptions) {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-test-'));
    this.state = path.join(this.folder, 'state');
    const flags = [...(options.host ? ['--host', options.host] : []), ...(options.flags ?? [])];
    const usual = Object.entries(usualFlags).filter(
      ([flag]) => !flags.some(given => given === flag || given.startsWith(`${flag}=`)),
    );
    this.argv = [
      ...(options.imports ?? []).flatMap(module => ['--import', module]),
      ...[...commandLine, 'start', '--state', this.state],
      ...usual.flat(),
      ...flags,
    ];
    this.env = options.env ?? {};
  }

  /** Resolves when the ready line came; rejects with the log when the daemon ends before it. */
  static async start(options: DaemonOptions = {}): Promise<Daemon> {
    const daemon = new Daemon(options);
    try {
      await daemon.launch();
      daemon.token = readFileSync(path.join(daemon.state, 'setup-token'), 'utf8').trim();
      if (options.claim !== false) await daemon.claim();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  get process(): ChildProcess {
    return this.child!;
  }

  /** Ends the process by the signal and starts it again on the same state; sessions live on. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.end(signal);
    await this.launch();
  }

  /** Ends the process and resolves when it is gone; the state stays. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Creates {@link owner} with the setup token and logs in. */
  async claim(): Promise<void> {
    const created = await this.fetch('/api/v1/user', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(owner),
    });
    if (!created.ok) throw new Error(`create user: ${created.status} ${await created.text()}`);
    this.token = await this.logIn();
  }

  /** A new session; resolves to its token. */
  async logIn(email: string = owner.email, password: string = owner.password): Promise<string> {
    const response = await fetch(new URL('/api/v1/user/token/obtain', this.url), {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}` },
    });
    if (!response.ok) throw new Error(`log in: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  /** A request with the token; the path is relative to the daemon's address. */
  fetch(target: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(target, this.url), { ...init, headers: { 'x-token': this.token, ...init.headers } });
  }

  async json<T>(target: string): Promise<T> {
    const response = await this.fetch(target);
    if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** A counter or gauge of /metrics; undefined when it is not there. */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await this.fetch('/metrics')).text();
    const line = text.split('\n').find(candidate => candidate.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** Asks until `check` answers something else than undefined; rejects after 20 s with the log. */
  async until<T>(check: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const answer = await check();
      if (answer !== undefined) return answer;
      if (Date.now() > deadline)
        throw new Error(`${what} did not happen in 20 s:\n${this.log.slice(-40).join('\n')}`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  /** Sends SIGTERM and resolves to the exit status; removes the state. Idempotent. */
  async stop(): Promise<number | null> {
    if (this.child) await this.end('SIGTERM');
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
    return this.child?.exitCode ?? null;
  }

  private async launch(): Promise<void> {
    const child = spawn(process.execPath, ['--max-semi-space-size=1', ...this.argv], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      // As npm start and the systemd unit set it.
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '4194304', UV_THREADPOOL_SIZE: '16', ...this.env },
    });
    this.child = child;
    // A test that fails in an odd way must not leave a camera behind.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    createInterface({ input: child.stderr! }).on('line', line => this.log.push(line));
    const lines = createInterface({ input: child.stdout! });
    this.url = await new Promise<string>((resolve, reject) => {
      // After the ready line this rejects a settled promise, which does nothing.
      child.once('exit', status =>
        reject(new Error(`the daemon ended with ${status} before it was ready:\n${this.log.join('\n')}`)),
      );
      lines.on('line', line => {
        this.outputLines.push(line);
        const ready = /^ready (https?:\/\/\S+)$/.exec(line);
        if (ready) resolve(ready[1]!);
      });
    });
  }
}
