/**
 * The launcher: `opencamerad start` on a camera with file slots. It starts the version that the boot record names, as a
 * process of its own, and starts the next one when that asks for it.
 *
 * It is the part of the device that is never upgraded, so it does little, and reads of the configuration only what it
 * must: a configuration that only a newer version understands must not keep that version from starting. A version on
 * trial gets a few starts and a time limit (firmware/boot-choice.ts decides). Every other end of the camera is the end of
 * the launcher, with the same status: whoever starts it (systemd, a person) sees no difference. A launcher that is killed
 * takes the camera with it; a second one waits for what the first has left behind, and refuses while the first lives.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BootChoice, chooseBoot, endTrial, giveStartBack } from '../firmware/boot-choice.ts';
import {
  type BootRecord,
  type BootSource,
  readBootRecord,
  writeBootRecord,
} from '../firmware/boot-record.ts';
import { checkSlotFolder, entryOf, softwareFolder } from '../firmware/slot-folder.ts';
import { SlotsLock } from '../firmware/slots-lock.ts';

/** The status with which a camera asks to be started again (EX_TEMPFAIL of sysexits.h). */
export const restartStatus = 75;
const configurationStatus = 2;
const failedStatus = 1;

/** So much longer than the camera's own limit: for one that hangs. */
export const trialGraceMs = 20_000;
/** Between two starts of a version on trial that ended by itself. */
const retryDelayMs = 1000;
/** The camera's own bounded stop takes 2 s. */
const stopTimeoutMs = 10_000;

export interface LaunchOptions {
  /** Absolute path of the slots. */
  readonly folder: string;
  /** Milliseconds after which a version on trial that is neither confirmed nor ended counts as one that hangs. */
  readonly trialLimitMs: number;
  /** What was typed behind the program's name. */
  readonly argv: readonly string[];
  /** The file that was started, and is the factory's camera too. */
  readonly ownEntry: string;
  readonly factoryVersion: string;
  /** Names of the variables that tell the camera where it lies and what the launcher is. */
  readonly variables: { readonly slot: string; readonly factoryVersion: string };
  /** A line for people. */
  say(text: string): void;
}

/** Runs the camera until it ends for good; resolves to the exit status. Rejects with CameraError when slots cannot be used. */
export async function launch(options: LaunchOptions): Promise<number> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const lock = await SlotsLock.take(options.folder);
  try {
    return await new Launcher(options, lock).run();
  } finally {
    lock.release();
  }
}

interface End {
  readonly status: number | null;
  readonly timedOut: boolean;
}

class Launcher {
  private readonly options: LaunchOptions;
  private readonly lock: SlotsLock;
  private child: ChildProcess | undefined;
  private isStopping = false;

  constructor(options: LaunchOptions, lock: SlotsLock) {
    this.options = options;
    this.lock = lock;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => this.stop(signal));
  }

  async run(): Promise<number> {
    for (;;) {
      const choice = await this.choose();
      if (this.isStopping) return 0;
      const end = await this.runChild(choice);
      const again = this.conclude(choice, end);
      if (!again) return end.status ?? failedStatus;
      if (end.status !== restartStatus) await delay(retryDelayMs);
      if (this.isStopping) return 0;
    }
  }

  /** Decides, and writes the decision before anything is started. */
  private async choose(): Promise<BootChoice> {
    const { folder, say } = this.options;
    const found = readBootRecord(folder);
    if (found.from === 'previous') say('the boot record was damaged; the one before is taken');
    let { record } = found;
    const isThere = (source: BootSource): boolean => source === 'factory' || existsSync(this.entry(source));
    for (;;) {
      const choice = chooseBoot(record, { isThere, nowUnixMs: Date.now() });
      const fault = choice.isTrial ? await this.faultOf(choice.source) : undefined;
      if (fault === undefined) {
        if (choice.record === found.record || this.write(choice.record)) return choice;
        // What cannot be counted is not tried: it would be tried for ever.
        return chooseBoot({ ...choice.record, trial: null, crashes: 0 }, { isThere, nowUnixMs: Date.now() });
      }
      say(`version ${this.versionOf(choice.record, choice.source)} is not started: ${fault}`);
      record = endTrial(choice.record, fault, Date.now());
    }
  }

  private async faultOf(source: BootSource): Promise<string | undefined> {
    if (source === 'factory') return undefined;
    try {
      await checkSlotFolder(path.join(this.options.folder, source));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  private async runChild({ source, isTrial, record }: BootChoice): Promise<End> {
    const { options } = this;
    const { folder, say, variables } = options;
    if (source !== 'factory' || isTrial)
      say(
        `starting version ${this.versionOf(record, source)} from slot ${source}` +
          (isTrial ? ` on trial, ${record.trial?.startsLeft} starts left` : ''),
      );
    const child = spawn(process.execPath, [...process.execArgv, this.entry(source), ...options.argv], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [variables.slot]: source, [variables.factoryVersion]: options.factoryVersion },
    });
    this.child = child;
    if (child.pid !== undefined) this.lock.holdsChild(child.pid);
    let timedOut = false;
    const timer = isTrial
      ? setTimeout(() => {
          // The camera ends its own trial in time unless it hangs; one that has proved itself is none any more.
          if (readBootRecord(folder).record.trial?.slot !== source) return;
          say('the version on trial hangs and is ended');
          timedOut = true;
          child.kill('SIGKILL');
        }, options.trialLimitMs)
      : undefined;
    const status = await new Promise<number | null>(resolve => {
      child.once('error', () => resolve(null));
      child.once('exit', code => resolve(code));
    });
    clearTimeout(timer);
    this.child = undefined;
    return { status, timedOut };
  }

  /** Writes down what the end means; returns whether something is started again. */
  private conclude({ source, isTrial }: BootChoice, { status, timedOut }: End): boolean {
    const { record } = readBootRecord(this.options.folder);
    const isOnTrial = isTrial && record.trial?.slot === source;
    if (timedOut) {
      this.write(endTrial(record, 'it hung', Date.now()));
      return true;
    }
    if (this.isStopping || status === 0) {
      if (isOnTrial) this.write(giveStartBack(record));
      return false;
    }
    if (status === restartStatus || isOnTrial) return true;
    if (status !== configurationStatus) this.write({ ...record, crashes: record.crashes + 1 });
    return false;
  }

  private stop(signal: NodeJS.Signals): void {
    this.isStopping = true;
    const { child } = this;
    if (!child) return;
    child.kill(signal);
    setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs).unref();
  }

  private write(record: BootRecord): boolean {
    try {
      writeBootRecord(this.options.folder, record);
      return true;
    } catch (error) {
      this.options.say(`the boot record cannot be written: ${(error as Error).message}`);
      return false;
    }
  }

  private entry(source: BootSource): string {
    return source === 'factory' ? this.options.ownEntry : entryOf(path.join(this.options.folder, source));
  }

  private versionOf(record: BootRecord, source: BootSource): string {
    if (source === 'factory') return this.options.factoryVersion;
    const known = record.slots[source]?.version;
    if (known !== undefined) return known;
    try {
      const file = path.join(softwareFolder(path.join(this.options.folder, source)), 'package.json');
      return String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version);
    } catch {
      return 'unknown';
    }
  }
}
