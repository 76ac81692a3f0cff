/** A card that fails for a while, and readers that are too slow: what was told of stays, and what the ring holds is not lost. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { after, beforeEach, test } from 'node:test';
import type { FragmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { mendSegment } from '../../src/recorder/segment-repair.ts';
import { demo, deviceUuid, Recording } from './recorder-fixture.ts';

type Call = 'writev' | 'datasync' | 'truncate';

/** Stands between the recorder and the file system: calls that are to fail do, after or instead of what they do. */
class BadCard {
  private readonly prototype: Record<Call, (...given: unknown[]) => Promise<unknown>>;
  private readonly real = new Map<Call, (...given: unknown[]) => Promise<unknown>>();
  failing: { readonly calls: readonly Call[]; readonly code: string } | undefined;
  /** How many calls will fail. */
  times = 0;
  /** Whether only writes of a table do. */
  isTableOnly = false;
  /** Bytes that a write that fails has written before it does. */
  tornBytes = 0;

  private constructor(prototype: BadCard['prototype']) {
    this.prototype = prototype;
    for (const call of ['writev', 'datasync', 'truncate'] as const) this.stand(call);
  }

  static async make(): Promise<BadCard> {
    const file = await open('/dev/null');
    await file.close();
    return new BadCard(Object.getPrototypeOf(file) as BadCard['prototype']);
  }

  fail(code: string, ...calls: Call[]): void {
    this.failing = { calls, code };
    this.times = Number.POSITIVE_INFINITY;
  }

  heal(): void {
    this.failing = undefined;
    this.tornBytes = 0;
    this.isTableOnly = false;
  }

  restore(): void {
    for (const [call, real] of this.real) this.prototype[call] = real;
  }

  private stand(call: Call): void {
    const real = this.prototype[call];
    this.real.set(call, real);
    const card = this;
    this.prototype[call] = async function (this: FileHandle, ...given: unknown[]) {
      const { failing, tornBytes } = card;
      const isTable =
        call === 'writev' && Buffer.from((given[0] as Uint8Array[])[0]!).toString('latin1', 4, 8) === 'uuid';
      const isMeant = failing?.calls.includes(call) && (isTable || !card.isTableOnly) && card.times > 0;
      if (!failing || !isMeant) return real.apply(this, given);
      card.times--;
      if (call === 'writev' && tornBytes > 0) {
        const bytes = Buffer.concat(given[0] as Uint8Array[]).subarray(0, tornBytes);
        await this.write(bytes, 0, bytes.length, given[1] as number);
      }
      throw Object.assign(new Error(`${call} fails`), { code: failing.code });
    };
  }
}

const card = await BadCard.make();
beforeEach(() => card.heal());
after(() => card.restore());

/** Everything that was told of is in the files, in its place; fragments do not overlap, and no sample is without a length. */
async function checkAll(recording: Recording): Promise<FragmentRecord[]> {
  const all: FragmentRecord[] = [];
  for (const segment of recording.opened) {
    const told = recording.fragments
      .filter(({ segmentNumber }) => segmentNumber === segment.number)
      .map(({ fragment }) => fragment);
    const mended = await mendSegment(recording.folder, { deviceUuid, ...segment });
    assert.deepEqual(mended?.fragments ?? [], told, `segment ${segment.number}`);
    let end = 0;
    for (const fragment of told) {
      assert.ok(fragment.videoStart90k >= end, 'fragments overlap');
      assert.ok(fragment.videoDuration90k >= fragment.videoSamples, 'a picture has no duration');
      end = fragment.videoStart90k + fragment.videoDuration90k;
    }
    all.push(...told);
  }
  return all;
}

function picturesIn(fragments: readonly FragmentRecord[]): number {
  return fragments.reduce((sum, { videoSamples }) => sum + videoSamples, 0);
}

function soundIn(fragments: readonly FragmentRecord[]): number {
  return fragments.reduce((sum, { audioSamples }) => sum + audioSamples, 0);
}

for (const [code, ...calls] of [
  ['EIO', 'writev'],
  ['ENOSPC', 'writev'],
  ['EIO', 'datasync'],
  ['EIO', 'writev', 'datasync', 'truncate'],
] as const)
  for (const tornBytes of [0, 3000])
    test(`after a short ${code} of ${calls.join(', ')}, torn after ${tornBytes} bytes, no picture and no sound is missing`, async t => {
      const recording = new Recording(t);
      await recording.run(demo.pictures, 2, 0);
      card.fail(code, ...calls);
      card.times = 3;
      card.tornBytes = tornBytes;
      await recording.run(demo.pictures, 2, 0);
      await recording.recorder.finish();
      assert.equal(recording.failures.length, 3);
      const fragments = await checkAll(recording);
      const { lostPictures, lostRecords } = recording.recorder.counters;
      assert.deepEqual([lostPictures, lostRecords], [0, 0]);
      assert.equal(picturesIn(fragments), recording.published);
      assert.equal(recording.closed.length, 1, 'the same file goes on');
      assert.ok(soundIn(fragments) > 8000 * 3.95, `${soundIn(fragments)} samples`);
    });

test('a card that fails the same file again and again gets another one, from a random access point on', async t => {
  const recording = new Recording(t);
  await recording.run(demo.pictures, 2, 0);
  card.fail('EIO', 'writev');
  for (let i = 0; i < 4; i++) await recording.run(demo.pictures, 0.9, 0);
  assert.ok(recording.failures.length > 4);
  card.heal();
  await recording.run(demo.pictures, 2, 0);
  await recording.recorder.finish();
  assert.equal(recording.abandoned.length, 1);
  const fragments = await checkAll(recording);
  assert.equal(recording.opened.length, 2);
  assert.ok(recording.fragments.find(({ segmentNumber }) => segmentNumber > 1)?.fragment.startsWithSync);
  const missing = recording.published - picturesIn(fragments);
  assert.equal(missing, recording.recorder.counters.lostPictures);
  assert.ok(
    missing < demo.pictures.length,
    `${missing} pictures are missing, more than up to a random access point`,
  );
});

test('after an outage that outlasts the ring recording goes on at a random access point, and sound is in time', async t => {
  const recording = new Recording(t, { dataBytes: 256 * 1024 });
  await recording.run(demo.pictures, 1, 0);
  card.fail('EROFS', 'writev', 'datasync');
  await recording.run(demo.pictures, 6, 0);
  card.heal();
  await recording.run(demo.pictures, 3, 0);
  await recording.recorder.finish();
  const fragments = await checkAll(recording);
  assert.ok(recording.recorder.counters.lostRecords > 0);
  const last = recording.closed.at(-1)!;
  const own = recording.fragments.filter(({ segmentNumber }) => segmentNumber === last.number);
  assert.ok(own[0]!.fragment.startsWithSync);
  for (const { fragment } of own) {
    const { audioBlocks, audioStart8k, videoStart90k } = fragment;
    if (audioBlocks > 0)
      assert.ok(Math.abs(audioStart8k / 8 - videoStart90k / 90) < 120, 'sound is beside its pictures');
  }
  assert.ok(picturesIn(fragments) < recording.published);
});

test('the first picture behind what a reader missed is a random access point', async t => {
  const recording = new Recording(t, { dataBytes: 512 * 1024 });
  await recording.run(demo.pictures, 2, 0);
  for (let i = 0; i < 500; i++) recording.publish(demo.pictures[i % demo.pictures.length]!);
  await recording.recorder.step();
  const before = recording.fragments.length;
  await recording.run(demo.pictures, 2, 0);
  await recording.recorder.finish();
  await checkAll(recording);
  assert.ok(recording.recorder.counters.lostRecords > 0);
  assert.equal(recording.fragments[before]?.fragment.startsWithSync, true);
});

test('a source that falls silent for a while does not make fragments that overlap', async t => {
  const recording = new Recording(t);
  for (const silenceMs of [900, 1010, 1040, 5000]) {
    await recording.run(demo.pictures, 1, 0);
    // The silence is noticed before the next picture comes, and what was pending is written.
    for (let ms = 0; ms < silenceMs; ms += 50) {
      recording.clock.advanceUs(50_000);
      await recording.recorder.step();
    }
  }
  await recording.run(demo.pictures, 1, 0);
  await recording.recorder.finish();
  assert.equal(picturesIn(await checkAll(recording)), recording.published);
});

test('pictures captured at the same moment have a duration each', async t => {
  const recording = new Recording(t);
  for (let i = 0; i < 90; i++) {
    recording.publish(demo.pictures[i % demo.pictures.length]!);
    if (i % 3 !== 0) recording.clock.advanceUs(-1e6 / 30);
    await recording.recorder.step();
  }
  await recording.recorder.finish();
  assert.equal(picturesIn(await checkAll(recording)), 90);
});

test('a file that cannot be begun leaves nothing on the card, however often it is tried', async t => {
  const recording = new Recording(t);
  card.fail('ENOSPC', 'writev');
  await recording.run(demo.pictures, 1, 0);
  assert.ok(recording.failures.length > 10);
  const files = readdirSync(recording.folder, { recursive: true }).map(String);
  assert.deepEqual(
    files.filter(name => name.includes('.mp4')),
    [],
  );
  card.heal();
  await recording.run(demo.pictures, 1, 0);
  await recording.recorder.finish();
  assert.equal(picturesIn(await checkAll(recording)), recording.published, 'the ring had all of it');
});

test('a file whose table cannot be written is left to be mended, and the next one begins without a loss', async t => {
  const recording = new Recording(t, { segmentMs: 2000 });
  await recording.run(demo.pictures, 1, 0);
  card.fail('ENOSPC', 'writev');
  card.isTableOnly = true;
  card.times = 1;
  await recording.run(demo.pictures, 4, 0);
  await recording.recorder.finish();
  assert.equal(recording.failures.length, 1);
  assert.equal(recording.abandoned.length, 1);
  assert.equal(picturesIn(await checkAll(recording)), recording.published);
});
