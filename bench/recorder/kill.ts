/**
 * What does a power cut cost? Kills the recorder at random moments, again and again on the same recordings, also while it
 * looks at what the life before left behind, and looks at what the next life finds.
 *
 * What the recorder told of must be there, in the same place of the same file, and every segment must decode without a
 * word, with as many pictures as the index says and no number missing between them. What is lost is the time from the end
 * of what was found to the newest picture that was captured; at most the configured loss. The index that a life is given
 * is whole, some seconds old, or empty, by turns. After some kills the tail behind what was told of is damaged too: cut,
 * zeroed or with bits flipped, as a card does that loses power.
 *
 * `npm run bench:kills -- --kills 300 --clip demo --jobs 4`. Some minutes. Ends with status 1 when anything was wrong.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import type { KnownSegment, RecorderReport } from '../../src/ipc/messages.ts';
import { countsAfter, type FragmentRecord, type SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { decodeClip } from '../../test/support/decoded-clip.ts';
import { mediaOf } from '../../test/support/test-media.ts';
import { printTable, quantileOf } from '../support/table.ts';
import type { LifeLine, LifeOptions } from './kill-process.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    clip: { type: 'string', default: 'demo' },
    jobs: { type: 'string', default: '4' },
    'max-loss-seconds': { type: 'string', default: '1' },
  },
});
const kills = Number(values.kills);
const media = mediaOf(values.clip);
const maxLossSeconds = Number(values['max-loss-seconds']);
const segmentSeconds = 10;
/** Longest life after the recorder is ready. */
const lifeMsMax = 5000;
const flag = (name: string): string | undefined =>
  media.flags.includes(name) ? media.flags[media.flags.indexOf(name) + 1] : undefined;
const script = fileURLToPath(new URL('kill-process.ts', import.meta.url));
const register = new URL('../../test/register.mjs', import.meta.url).href;

const failures: string[] = [];
const losses: number[] = [];
const counts = { kills: 0, beforeFirst: 0, duringLook: 0, damaged: 0, decoded: 0, found: 0 };

interface Known {
  segment: SegmentRecord;
  fragments: FragmentRecord[];
  /** Decoded since it was closed or found. */
  isDecoded: boolean;
}

/** One folder of recordings, and what an index would know of it. */
class Card {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-kill-'));
  private readonly segments = new Map<number, Known>();
  /** What was told of before the last kills, in the segments that were not closed: it has to be found again. */
  private readonly owed = new Map<number, readonly FragmentRecord[]>();
  private newestUnixMs: number | undefined;
  private readonly name: string;
  private life = 0;
  private decoding: Promise<void> = Promise.resolve();

  constructor(name: string) {
    this.name = name;
  }

  /** One life of the recorder, ended by SIGKILL after so many ms. */
  async live(lifeMs: number): Promise<void> {
    this.life += 1;
    const life: LifeOptions = {
      folder: this.folder,
      known: this.known(),
      source: flag('--source') ?? 'demo',
      sourceFps: media.framesPerSecond,
      audioSource: flag('--audio-source') ?? 'auto',
      segmentSeconds,
      maxLossSeconds,
    };
    const child = spawn(process.execPath, ['--import', register, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(serialize(life));
    const state = { isLooked: false, firstKeyUnixMs: 0, newestUnixMs: 0, fragments: 0 };
    const timer = setTimeout(() => this.fail('no sign of readiness in 60 s', child), 60_000);
    const lines = createInterface({ input: child.stdout });
    lines.on('line', text => {
      const line = deserialize(Buffer.from(text, 'base64')) as LifeLine;
      if (line.type === 'captured') {
        state.newestUnixMs = line.wallUnixMs;
        if (line.isRandomAccess) state.firstKeyUnixMs ||= line.wallUnixMs;
      } else if (line.type === 'ready') {
        clearTimeout(timer);
        setTimeout(() => child.kill('SIGKILL'), lifeMs);
      } else {
        if (line.type === 'fragment') state.fragments += 1;
        this.take(line);
        if (line.type === 'card-looked' && line.isDone) {
          state.isLooked = true;
          this.settle();
        }
      }
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    if (child.signalCode !== 'SIGKILL')
      this.fail(`it ended by itself: ${child.exitCode ?? child.signalCode}`);
    clearTimeout(timer);
    counts.kills += 1;
    if (!state.isLooked) counts.duringLook += 1;
    this.newestUnixMs = undefined;
    if (state.firstKeyUnixMs > 0 && state.newestUnixMs > 0) {
      if (state.fragments === 0) counts.beforeFirst += 1;
      this.newestUnixMs = state.newestUnixMs;
      this.firstUnixMs = state.firstKeyUnixMs;
      this.livedUnixMs = state.newestUnixMs;
      this.told = state.fragments;
    }
    for (const [number, { segment, fragments }] of this.segments)
      if (!segment.isClosed) this.owed.set(number, [...fragments]);
    if (this.life % 3 === 0) this.damage();
  }

  /** Of the life before: the first and the last picture, and the fragments that it told of. */
  private firstUnixMs = 0;
  private livedUnixMs = 0;
  private told = 0;

  /** A last look, without a kill at a random moment. */
  async end(): Promise<void> {
    await this.live(2500);
    await this.decoding;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the index had durably when the power went. */
  private known(): KnownSegment[] {
    if (this.life % 4 === 0) return [];
    return [...this.segments.values()].flatMap(({ segment, fragments }) => {
      const kept = segment.isClosed ? fragments : fragments.slice(0, -randomInt(0, 9) || fragments.length);
      const last = kept.at(-1);
      const { stream, number, path: file, trailerOffset, isClosed } = segment;
      const endOffset = isClosed
        ? segment.endOffset
        : last
          ? last.offset + last.lengthBytes
          : segment.headBytes;
      return [{ stream, number, path: file, endOffset, trailerOffset, isClosed }];
    });
  }

  private take(report: RecorderReport): void {
    if (report.type === 'segment-opened') {
      if (this.segments.has(report.segment.number))
        this.fail(`number ${report.segment.number} is used twice`);
      this.segments.set(report.segment.number, { segment: report.segment, fragments: [], isDecoded: false });
    } else if (report.type === 'fragment') {
      const known = this.segments.get(report.segmentNumber);
      if (!known) this.fail(`a fragment of segment ${report.segmentNumber}, which was not opened`);
      known?.fragments.push(report.fragment);
    } else if (report.type === 'segment-closed') {
      const known = this.segments.get(report.segment.number);
      if (known) known.segment = report.segment;
    } else if (report.type === 'segment-found') {
      counts.found += 1;
      const { segment, fragments } = report;
      // An index that was lost finds all of them again; only what is not the same any more is decoded again.
      const had = this.segments.get(segment.number);
      const isSame =
        had?.segment.endOffset === segment.endOffset && had.fragments.length === fragments.length;
      const isDecoded = isSame && had.isDecoded;
      this.segments.set(segment.number, { segment, fragments: [...fragments], isDecoded });
    } else if (report.type === 'segments-missing') {
      for (const { number } of report.segments) {
        const had = this.segments.get(number)?.fragments.length ?? 0;
        if (had > 0) this.fail(`segment ${number} with ${had} fragments is said to be missing`);
        this.segments.delete(number);
      }
    } else if (report.type === 'failed') this.fail(`the recorder failed: ${JSON.stringify(report.error)}`);
    else if (report.type === 'card' && report.state !== 'recording' && report.state !== 'waiting')
      this.fail(`the recorder says ${report.state}: ${report.detail}`);
  }

  /** The card was looked at: compares what was told of before with what there is. */
  private settle(): void {
    const current = Math.max(...this.segments.keys());
    for (const [number, fragments] of this.owed) {
      const now = this.segments.get(number);
      for (const { number: fragment, offset, lengthBytes } of fragments) {
        const same = now?.fragments.find(each => each.number === fragment);
        if (same?.offset !== offset || same.lengthBytes !== lengthBytes)
          this.fail(
            `fragment ${fragment} of segment ${number}, which was told of, is ${JSON.stringify(same)} now`,
          );
      }
    }
    this.owed.clear();
    this.measureLoss(current);
    for (const known of [...this.segments.values()])
      if (known.segment.isClosed && !known.isDecoded) {
        known.isDecoded = true;
        this.decoding = this.decoding.then(() => this.decode(known));
      }
  }

  private measureLoss(current: number): void {
    if (this.newestUnixMs === undefined) return;
    const ends = [...this.segments.values()]
      .filter(({ segment }) => segment.number < current || segment.isClosed)
      .map(({ segment: { baseWallUnixMs }, fragments }) => {
        const last = fragments.at(-1);
        return last ? baseWallUnixMs + (last.videoStart90k + last.videoDuration90k) / 90 : 0;
      });
    const end = Math.max(this.firstUnixMs, ...ends.filter(unixMs => unixMs <= this.newestUnixMs! + 100));
    const loss = this.newestUnixMs + 1000 / media.framesPerSecond - end;
    this.newestUnixMs = undefined;
    losses.push(loss);
    if (loss > maxLossSeconds * 1000)
      this.fail(
        `${loss.toFixed(0)} ms are lost; of ${(this.livedUnixMs - this.firstUnixMs).toFixed(0)} ms, ${this.told} fragments told of; found ${JSON.stringify([...this.segments.values()].slice(-3).map(({ segment, fragments }) => [segment.number, segment.isClosed, fragments.length, segment.duration90k / 90, segment.baseWallUnixMs - this.firstUnixMs]))}`,
      );
  }

  private async decode({ segment, fragments }: Known): Promise<void> {
    const file = path.join(this.folder, ...segment.path.split('/'));
    const pictures = fragments.reduce((sum, { videoSamples }) => sum + videoSamples, 0);
    const last = fragments.at(-1);
    const after = last && countsAfter(last);
    if (after && (after.videoSamples !== pictures || after.fragments !== fragments.length))
      this.fail(`${segment.path}: counts ${JSON.stringify(after)} of ${fragments.length} fragments`);
    if (pictures === 0) return;
    try {
      const clip = await decodeClip(file, media, { hasSound: segment.format.audioCodec !== undefined });
      counts.decoded += 1;
      const steps = clip.pictures
        .slice(1)
        .map(({ number }, i) => (number - clip.pictures[i]!.number + media.frames) % media.frames);
      if (clip.pictures.length !== pictures)
        this.fail(`${segment.path}: ${clip.pictures.length} pictures, the index says ${pictures}`);
      else if (steps.some(step => step !== 1))
        this.fail(`${segment.path}: steps ${steps.filter(step => step !== 1)}`);
    } catch (error) {
      this.fail(`${segment.path}: ${String(error)}`);
    }
  }

  /** Damages what lies behind the last fragment that was told of, in the newest segment. */
  private damage(): void {
    const number = Math.max(...this.segments.keys());
    const known = this.segments.get(number);
    const last = known?.fragments.at(-1);
    if (!known || !last || known.segment.isClosed) return;
    const from = last.offset + last.lengthBytes;
    const file = openSync(path.join(this.folder, ...known.segment.path.split('/')), 'r+');
    const length = fstatSync(file).size;
    const kind = randomInt(0, 4);
    if (kind === 0 && length > from) ftruncateSync(file, from + randomInt(0, length - from));
    else if (kind === 1) writeSync(file, Buffer.alloc(randomInt(1, 300_000)), 0, undefined, length);
    else if (kind === 2 && length > from)
      writeSync(file, Buffer.alloc(length - from), 0, undefined, from + randomInt(0, length - from));
    else if (kind === 3 && length > from) {
      const byte = Buffer.alloc(1);
      const at = from + randomInt(0, length - from);
      readSync(file, byte, 0, 1, at);
      byte[0]! ^= 1 << randomInt(0, 8);
      writeSync(file, byte, 0, 1, at);
    }
    closeSync(file);
    counts.damaged += 1;
    // A fragment that was whole but not told of yet may be lost to the damage: only what was told of is owed.
    this.newestUnixMs = undefined;
  }

  private fail(text: string, child?: ChildProcess): void {
    failures.push(`${this.name}, life ${this.life}: ${text}`);
    console.log(`  ${failures.at(-1)}`);
    child?.kill('SIGKILL');
  }
}

async function work(job: number): Promise<void> {
  const card = new Card(`card ${job}`);
  while (counts.kills < kills) {
    await card.live(randomInt(0, lifeMsMax));
    if (counts.kills % 25 === 0) console.log(`${counts.kills} kills, ${failures.length} faults`);
  }
  await card.end();
}

await Promise.all(Array.from({ length: Number(values.jobs) }, (_, i) => work(i)));
const bounds = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1500, Number.POSITIVE_INFINITY];
printTable(
  ['lost at most ms', 'kills'],
  bounds.map((bound, i) => [
    bound,
    losses.filter(loss => loss <= bound && loss > (bounds[i - 1] ?? -1e9)).length,
  ]),
);
console.log(
  `${counts.kills} kills (${counts.duringLook} before the card was looked at, ${counts.beforeFirst} before the first ` +
    `fragment), ${counts.damaged} tails damaged; ${counts.found} segments found again, ${counts.decoded} decoded`,
);
console.log(
  `lost: p50 ${quantileOf(Float64Array.from(losses), 0.5).toFixed(0)} ms, largest ${Math.max(...losses).toFixed(0)} ms, ` +
    `allowed ${maxLossSeconds * 1000} ms`,
);
console.log(failures.length === 0 ? 'no fault' : `${failures.length} faults`);
process.exitCode = failures.length === 0 ? 0 : 1;
