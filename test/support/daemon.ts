/** Starts the real daemon as its user does: the command line, its own state folder, a free port on 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface DaemonOptions {
  /** Further flags. */
  readonly flags?: readonly string[];
  /** Further modules for --import, in every thread of the daemon. */
  readonly imports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
}

export class Daemon {
  readonly url: string;
  readonly token: string;
  readonly process: ChildProcess;
  /** Everything the daemon wrote to its standard output so far, by lines. */
  readonly outputLines: string[];
  readonly log: string[];
  private readonly folder: string;

  private constructor(
    child: ChildProcess,
    folder: string,
    url: string,
    outputLines: string[],
    log: string[],
  ) {
    this.process = child;
    this.folder = folder;
    this.url = url;
    this.outputLines = outputLines;
    this.log = log;
    this.token = readFileSync(path.join(folder, 'state', 'setup-token'), 'utf8').trim();
  }

  /** Resolves when the ready line came; rejects with the log when the daemon ends before it. */
  static async start(options: DaemonOptions = {}): Promise<Daemon> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-test-'));
    const imports = ['./test/register.mjs', ...(options.imports ?? [])].flatMap(module => [
      '--import',
      module,
    ]);
    const flags = [
      '--host',
      options.host ?? '127.0.0.1',
      '--port',
      '0',
      '--state',
      path.join(folder, 'state'),
    ];
    const child = spawn(
      process.execPath,
      [...imports, 'src/cli.ts', 'start', ...flags, '--log-format', 'json', ...(options.flags ?? [])],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } },
    );
    // A test that fails in an odd way must not leave a camera behind.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const log: string[] = [];
    const outputLines: string[] = [];
    createInterface({ input: child.stderr! }).on('line', line => log.push(line));
    const lines = createInterface({ input: child.stdout! });
    const url = await new Promise<string>((resolve, reject) => {
      // After the ready line this rejects a settled promise, which does nothing.
      child.once('exit', status => {
        if (outputLines.length > 0) return;
        rmSync(folder, { recursive: true, force: true });
        reject(new Error(`the daemon ended with ${status} before it was ready:\n${log.join('\n')}`));
      });
      lines.on('line', line => {
        outputLines.push(line);
        const ready = /^ready (http:\/\/\S+)$/.exec(line);
        if (ready) resolve(ready[1]!);
      });
    });
    return new Daemon(child, folder, url, outputLines, log);
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

  /** Sends SIGTERM and resolves to the exit status. Idempotent. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
    return this.process.exitCode;
  }
}
