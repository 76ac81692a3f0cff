/**
 * What a process asks of the files below a folder, and what may lie there when the power goes at any moment of it.
 *
 * Writes, truncations and flushes by `FileHandle` are recorded as they are made. A cut then gives the state of each file:
 * what was flushed is there; of what was not, every sector of 512 bytes may be there or not, the length may be the old
 * one, the new one or any between, and what has a length and was not written is zero (as of a file system with delayed
 * allocation). A new file whose folder was not flushed may be missing. Not modelled: a card that lies about flushes, and
 * damage to what was flushed.
 */
import { mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';

type Method = 'writev' | 'truncate' | 'datasync' | 'sync';
type Call = (this: FileHandle, ...given: unknown[]) => Promise<unknown>;

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly lengthBytes: number };

type Event = { readonly file: string; readonly mark: number } & (Change | { readonly kind: 'flush' });

const sectorBytes = 512;

/** A sequence of numbers from 0 to below 1 that a seed decides. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** See the head of the file. One at a time: it stands in the place of the methods of all file handles. */
export class PowerCutLog {
  readonly events: Event[] = [];
  /** Whether a flush fails, by its number from 0, with EIO. */
  failsFlush: (number: number) => boolean = () => false;
  private readonly folder: string;
  private readonly mark: () => number;
  private readonly prototype: Record<Method, Call>;
  private readonly real: Readonly<Record<Method, Call>>;
  private readonly initial: ReadonlyMap<string, Buffer>;
  private flushes = 0;

  private constructor(
    folder: string,
    mark: () => number,
    initial: ReadonlyMap<string, Buffer>,
    prototype: Record<Method, Call>,
  ) {
    this.folder = folder;
    this.mark = mark;
    this.initial = initial;
    this.prototype = prototype;
    this.real = { ...pick(prototype) };
    const log = this;
    prototype.writev = async function (...given) {
      const result = (await log.real.writev.apply(this, given)) as { readonly bytesWritten: number };
      const bytes = Buffer.concat(given[0] as Uint8Array[]).subarray(0, result.bytesWritten);
      log.take(this, { kind: 'write', offset: given[1] as number, bytes: Buffer.from(bytes) });
      return result;
    };
    prototype.truncate = async function (...given) {
      const result = await log.real.truncate.apply(this, given);
      log.take(this, { kind: 'truncate', lengthBytes: given[0] as number });
      return result;
    };
    for (const method of ['datasync', 'sync'] as const)
      prototype[method] = async function (...given) {
        if (log.failsFlush(log.flushes++)) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        const result = await log.real[method].apply(this, given);
        log.take(this, { kind: 'flush' });
        return result;
      };
  }

  /**
   * Begins to record.
   * @param mark asked at each event; what a cut is told with ({@link markAt}).
   * @param initial files that lie there already, by their path below the folder.
   */
  static async begin(
    folder: string,
    mark: () => number,
    initial: ReadonlyMap<string, Buffer> = new Map(),
  ): Promise<PowerCutLog> {
    const file = await open('/dev/null');
    await file.close();
    return new PowerCutLog(folder, mark, initial, Object.getPrototypeOf(file) as Record<Method, Call>);
  }

  /** Records no more. */
  end(): void {
    Object.assign(this.prototype, this.real);
  }

  /** What the mark was when the event before which the power goes was made. */
  markAt(cut: number): number {
    return this.events[cut]?.mark ?? this.mark();
  }

  /** Files by their path below the folder, as they may be when the power goes before event `cut`. */
  stateAt(cut: number, random: () => number): Map<string, Buffer> {
    const durable = new Map(this.initial);
    const pending = new Map<string, Change[]>();
    const named = new Set(this.initial.keys());
    for (const event of this.events.slice(0, cut)) {
      const { file } = event;
      if (event.kind !== 'flush') pending.set(file, [...(pending.get(file) ?? []), event]);
      else if (file.endsWith('.mp4')) {
        const all = pending.get(file) ?? [];
        durable.set(file, all.reduce(applied, durable.get(file) ?? Buffer.alloc(0)));
        pending.delete(file);
        // A flush of a new file takes its name along on the usual journals, and the recorder does not rely on it.
      } else
        for (const each of [...durable.keys(), ...pending.keys()])
          if (path.dirname(each) === file) named.add(each);
    }
    const state = new Map<string, Buffer>();
    for (const file of new Set([...durable.keys(), ...pending.keys()])) {
      if (!named.has(file) && random() < 0.5) continue;
      state.set(file, torn(durable.get(file) ?? Buffer.alloc(0), pending.get(file) ?? [], random));
    }
    return state;
  }

  private take(handle: FileHandle, event: Change | { readonly kind: 'flush' }): void {
    const file = readlinkSync(`/proc/self/fd/${handle.fd}`);
    if (file !== this.folder && !file.startsWith(`${this.folder}/`)) return;
    this.events.push({ ...event, file: path.relative(this.folder, file), mark: this.mark() });
  }
}

/** Makes a folder hold just these files. */
export function putState(folder: string, state: ReadonlyMap<string, Buffer>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of state) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), bytes);
  }
}

function pick({ writev, truncate, datasync, sync }: Record<Method, Call>): Record<Method, Call> {
  return { writev, truncate, datasync, sync };
}

/** A file after a change, all of which came to the card. */
function applied(before: Buffer, change: Change): Buffer {
  const lengthBytes =
    change.kind === 'truncate'
      ? change.lengthBytes
      : Math.max(before.length, change.offset + change.bytes.length);
  const after = Buffer.alloc(lengthBytes);
  before.copy(after);
  if (change.kind === 'write') change.bytes.copy(after, change.offset);
  return after;
}

/** A file after changes of which parts came to the card. */
function torn(durable: Buffer, changes: readonly Change[], random: () => number): Buffer {
  let image = durable;
  // None, all, or some of the sectors.
  const mode = random();
  for (const change of changes) {
    const share = mode < 0.15 ? 0 : mode < 0.3 ? 1 : random();
    if (change.kind === 'truncate') {
      if (random() < share) image = applied(image, change);
      continue;
    }
    const { offset, bytes } = change;
    const whole = applied(image, { ...change, bytes: Buffer.alloc(0), offset: offset + bytes.length });
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + sectorBytes - ((offset + at) % sectorBytes));
      if (random() < share) bytes.copy(whole, offset + at, at, end);
      at = end;
    }
    image = whole;
  }
  // The length is told apart from the content; what was flushed keeps its own.
  const least = Math.min(durable.length, image.length);
  const length = random();
  if (length < 0.3) return image.subarray(0, least);
  if (length < 0.6) return image.subarray(0, least + Math.floor(random() * (image.length - least + 1)));
  return image;
}
