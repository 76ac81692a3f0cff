/**
 * Records for some seconds, with one flush that fails, and says for any moment of it what a power cut leaves: whether
 * recovery finds all that was told of, as it was written, and nothing else. For a test and for `npm run bench:power-cuts`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { FragmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { reconcileCard } from '../../src/recorder/card-reconcile.ts';
import { demo, deviceUuid, Recording } from '../recorder/recorder-fixture.ts';
import { PowerCutLog, putState, randomNumbers } from './power-cut-log.ts';

interface Told {
  readonly segmentNumber: number;
  readonly fragment: FragmentRecord;
}

/** What a cut left. */
export interface CutResult {
  /** Files that recovery found usable, by their path. */
  readonly files: readonly string[];
  readonly told: number;
  readonly found: number;
  /** Pictures that had been captured and are lost. */
  readonly lostPictures: number;
  /** Changes that recovery itself made to the card. */
  readonly repairs: number;
}

/** See the head of the file. */
export class PowerCuts {
  /** Moments at which the power may go. */
  readonly moments: number;
  private readonly recording: Recording;
  private readonly log: PowerCutLog;
  private readonly publishedAt: readonly number[];

  private constructor(recording: Recording, log: PowerCutLog, publishedAt: readonly number[]) {
    this.recording = recording;
    this.log = log;
    this.publishedAt = publishedAt;
    this.moments = log.events.length + 1;
  }

  static async record(t: Pick<TestContext, 'after'>, seconds: number, segmentMs: number): Promise<PowerCuts> {
    const recording = new Recording(t, { segmentMs });
    const publishedAt: number[] = [];
    const log = await PowerCutLog.begin(recording.folder, () => {
      publishedAt[recording.fragments.length] ??= recording.published;
      return recording.fragments.length;
    });
    try {
      // In the middle of the first and of another segment.
      log.failsFlush = number => number === 3 || number === 14;
      await recording.run(demo.pictures, seconds, 130_000);
      await recording.recorder.finish();
    } finally {
      log.end();
    }
    return new PowerCuts(recording, log, publishedAt);
  }

  /** Whether the moment is just before or behind a flush. */
  isAtFlush(moment: number): boolean {
    return [moment - 1, moment].some(at => this.log.events[at]?.kind === 'flush');
  }

  /** Lets the power go before an event, and again while recovery writes; rejects with an AssertionError. */
  async cut(folder: string, moment: number, seed: number): Promise<CutResult> {
    const random = randomNumbers(seed);
    const { fragments } = this.recording;
    const told = fragments.slice(0, this.log.markAt(moment));
    const state = this.log.stateAt(moment, random);
    putState(folder, state);
    const recovery = await PowerCutLog.begin(folder, () => 0, state);
    let found: Told[];
    try {
      ({ found } = await this.recover(folder, told));
    } finally {
      recovery.end();
    }
    const repairs = recovery.events.length;
    const again = recovery.stateAt(Math.floor(random() * (repairs + 1)), random);
    putState(folder, again);
    const second = await this.recover(folder, told);
    // What the first look found before the card was written to, the second does, too.
    assert.deepEqual(second.found, found);
    const pictures = found.reduce((sum, { fragment }) => sum + fragment.videoSamples, 0);
    const published = this.publishedAt[told.length] ?? this.recording.published;
    return {
      files: second.files,
      told: told.length,
      found: found.length,
      lostPictures: Math.max(0, published - pictures),
      repairs,
    };
  }

  private async recover(
    folder: string,
    told: readonly Told[],
  ): Promise<{ found: Told[]; files: readonly string[] }> {
    const found: Told[] = [];
    const files: string[] = [];
    const { done } = await reconcileCard({
      folder,
      deviceUuid,
      known: [],
      report: report => {
        if (report.type !== 'segment-found') return;
        const { segment } = report;
        files.push(segment.path);
        for (const fragment of report.fragments) found.push({ segmentNumber: segment.number, fragment });
      },
      onUnreadable: () => undefined,
    });
    await done;
    found.sort((a, b) => a.segmentNumber - b.segmentNumber || a.fragment.number - b.fragment.number);
    const all = this.recording.fragments;
    for (const each of found)
      assert.ok(
        all.some(one => same(one, each)),
        `a fragment was found that was never written: ${text(each)}`,
      );
    for (const each of told)
      assert.ok(
        found.some(one => same(one, each)),
        `a fragment that was told of is lost: ${text(each)}`,
      );
    for (const file of files) this.checkFile(folder, file, found);
    return { found, files };
  }

  /** Its fragments are as they were written, and it is boxes from the beginning to the end. */
  private checkFile(folder: string, file: string, found: readonly Told[]): void {
    const segment = this.recording.opened.find(({ path: of }) => of === file);
    assert.ok(segment, `${file} was never begun`);
    const is = readFileSync(path.join(folder, file));
    const was = readFileSync(this.recording.fileOf(segment));
    for (const each of found) {
      if (each.segmentNumber !== segment.number) continue;
      const { offset, lengthBytes } = each.fragment;
      const isSame = is.compare(was, offset, offset + lengthBytes, offset, offset + lengthBytes) === 0;
      assert.ok(isSame, `the bytes of ${text(each)} are others`);
    }
    let at = 0;
    while (at + 8 <= is.length && is.readUInt32BE(at) >= 8) at += is.readUInt32BE(at);
    assert.equal(at, is.length, `${file} is not boxes from the beginning to the end`);
  }
}

function same(a: Told, b: Told): boolean {
  return a.segmentNumber === b.segmentNumber && JSON.stringify(a.fragment) === JSON.stringify(b.fragment);
}

function text({ segmentNumber, fragment }: Told): string {
  return `${fragment.number} of segment ${segmentNumber}`;
}
