import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planClip } from '../../src/clips/clip-plan.ts';
import type { ClipOptions, ClipPiece } from '../../src/clips/clip-types.ts';
import { tableBytes } from '../../src/clips/table-bytes.ts';
import {
  type FragmentRecord,
  noSamples,
  type SegmentRecord,
  type SegmentSamples,
} from '../../src/isobmff/recorded-segment.ts';
import { boxAt, boxesOf } from '../isobmff/box-tree.ts';
import { type Clip, fixtureClip } from '../isobmff/segments.ts';
import { baseUnixMs, demoSound, MadeClip, MadeRecording } from './made-recording.ts';

const kinds: ClipOptions[] = (['mp4', 'fmp4'] as const).flatMap(format =>
  (['flac', 'raw', 'none'] as const).map(audio => ({ format, audio })),
);
/** A key frame each second picture, as it were: the same few pictures again and again. */
const source = fixtureClip('scaling-hrd-128x96.h264', 30, true);
const pictures = Array.from({ length: 90 }, (_, i) => {
  const { bytes } = source.pictures[i % source.pictures.length]!;
  return { bytes, isSync: i % 30 === 0 };
});
const clip: Clip = { ...source, pictures };
const silentClip: Clip = { ...clip, format: { ...clip.format, audioCodec: undefined } };
const flac: ClipOptions = { format: 'mp4', audio: 'flac' };

function recorded(): MadeRecording {
  return new MadeRecording()
    .add(clip, { sound: demoSound.subarray(0, 24_000) })
    .add(clip, { sound: demoSound.subarray(24_000, 48_000), baseWallUnixMs: baseUnixMs + 3001, lost: [1] })
    .add(clip, { sound: demoSound.subarray(48_000, 72_000), baseWallUnixMs: baseUnixMs + 8000 });
}

for (const options of kinds)
  test(`any range of bytes of a clip as ${options.format} with sound ${options.audio} is that of the whole`, () => {
    const recording = recorded();
    const plan = recording.plan(712, 10_111, options);
    const whole = Buffer.from(new MadeClip(recording, plan).whole());
    assert.equal(whole.length, plan.lengthBytes);
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.nat(20_000),
        fc.integer({ min: 1, max: 9000 }),
        (from, count, atOnce) => {
          const to = Math.min(whole.length, from + count);
          const bytes = new MadeClip(recording, plan).read(from, to, atOnce);
          assert.ok(whole.subarray(from, to).equals(bytes));
        },
      ),
      { numRuns: 150 },
    );
  });

test('any range of time has the length that it says, and no picture outside of it', () => {
  const recording = recorded();
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.nat(10_900),
      fc.integer({ min: 1, max: 6000 }),
      (options, start, span) => {
        const range = { startUnixMs: baseUnixMs + start, endUnixMs: baseUnixMs + start + span };
        const pieces = recording.pieces(range, options);
        if (pieces.length === 0) return;
        const plan = planClip(range, pieces, options);
        assert.equal(new MadeClip(recording, plan).whole().length, plan.lengthBytes);
        assert.ok(plan.startUnixMs >= range.startUnixMs && plan.endUnixMs <= range.endUnixMs);
        assert.ok(plan.duration90k > 0 && plan.duration90k <= 90 * span + 90, `${plan.duration90k}`);
      },
    ),
    { numRuns: 300 },
  );
});

test('the entity differs for another range, another kind, another cut of the same', () => {
  const recording = recorded();
  const sources = [
    ...kinds.map(options => recording.plan(712, 9000, options)),
    recording.plan(713, 9000, flac),
    recording.plan(712, 8999, flac),
  ].map(({ etagSource }) => etagSource);
  assert.equal(new Set(sources).size, sources.length);
  assert.equal(recording.plan(712, 9000, flac).etagSource, recorded().plan(712, 9000, flac).etagSource);
});

test('nothing recorded is no clip', () => {
  const recording = recorded();
  for (const [start, end] of [
    [-5000, 0],
    [6500, 7900],
    [11_000, 12_000],
    // Within the gap of a segment.
    [3001 + 900, 3001 + 950],
  ] as const)
    assert.throws(() => recording.plan(start, end, flac), { code: 'recording-not-found' }, `${start}`);
});

test('a start in a gap begins with what comes next', () => {
  const plan = recorded().plan(6500, 9000, flac);
  assert.equal(plan.startUnixMs, baseUnixMs + 8000);
  assert.equal(plan.tracks.start90k, 0);
});

test('a clock that steps back shows the hour twice, each fragment once and in order', () => {
  const recording = new MadeRecording()
    .add(clip, { sound: demoSound.subarray(0, 24_000) })
    .add(clip, { sound: demoSound.subarray(24_000, 48_000), baseWallUnixMs: baseUnixMs + 1000 });
  const plan = recording.plan(0, 4000, flac);
  assert.deepEqual(
    plan.pieces.map(({ segment }) => segment.number),
    [1, 2],
  );
  assert.equal(plan.duration90k, 6 * 90_000);
  assert.equal(
    plan.fragments,
    recording.segments.reduce((sum, { counts }) => sum + counts.fragments, 0),
  );
});

test('pieces of another codec are left out and named', () => {
  const other = fixtureClip('scaling-hrd-130x98.h265', 30, true);
  const recording = new MadeRecording()
    .add(clip, {})
    .add(other, { baseWallUnixMs: baseUnixMs + 3000 })
    .add(clip, { baseWallUnixMs: baseUnixMs + 5000 });
  const plan = recording.plan(0, 8000, flac);
  assert.deepEqual(
    [plan.pieces, plan.leftOut].map(pieces => pieces.map(({ segment }) => segment.number)),
    [[1, 3], [2]],
  );
  assert.deepEqual(plan.gaps, [{ startUnixMs: baseUnixMs + 3000, endUnixMs: baseUnixMs + 5000 }]);
});

test('sound that begins later has an empty edit in front', () => {
  const recording = new MadeRecording()
    .add(silentClip, {})
    .add(clip, { sound: demoSound.subarray(0, 24_000), baseWallUnixMs: baseUnixMs + 3000 });
  for (const audio of ['flac', 'raw'] as const) {
    const bytes = new MadeClip(recording, recording.plan(0, 6000, { format: 'mp4', audio })).whole();
    const moov = boxesOf(bytes.subarray(32 - 4, 32 - 4 + Buffer.from(bytes).readUInt32BE(28)));
    const { body } = boxAt(moov, 'moov.trak[1].edts.elst');
    assert.equal(body.readUInt32BE(4), 2);
    assert.deepEqual([body.readBigUInt64BE(8), body.readBigInt64BE(16)], [270_000n, -1n]);
    assert.deepEqual([body.readBigUInt64BE(28), body.readBigInt64BE(36)], [270_000n, 0n]);
  }
});

/** A day in segments of five minutes that are no files: fragments of a second, 120 pictures each. */
function day(): { pieces: ClipPiece[]; samples: (piece: ClipPiece) => SegmentSamples } {
  const perSegment = 300;
  const fragmentBytes = 2_500_000;
  const fragments = Array.from(
    { length: perSegment },
    (_, number): FragmentRecord => ({
      number,
      offset: 2000 + number * fragmentBytes,
      lengthBytes: fragmentBytes,
      startsWithSync: true,
      videoStart90k: number * 90_000,
      videoDuration90k: 90_000,
      videoSamples: 120,
      syncSamples: 1,
      audioStart8k: number * 8000,
      audioBlocks: 10,
      audioSamples: 8000,
      audioBytes: 8000,
      before: {
        fragments: number,
        videoSamples: 120 * number,
        syncSamples: number,
        audioBlocks: 10 * number,
        audioSamples: 8000 * number,
        audioBytes: 8000 * number,
      },
    }),
  );
  const first = fragments[0]!;
  const last = fragments.at(-1)!;
  const pieces = Array.from({ length: 288 }, (_, i): ClipPiece => {
    const segment: SegmentRecord = {
      stream: 0,
      number: i + 1,
      path: `main/${i}.mp4`,
      baseWallUnixMs: baseUnixMs + i * 300_000,
      format: { ...clip.format, videoEntry: clip.format.videoEntry.slice() },
      headBytes: 2000,
      endOffset: 2000 + perSegment * fragmentBytes,
      duration90k: 300 * 90_000,
      counts: noSamples,
      gaps: 0,
      trailerOffset: 0,
      isClosed: true,
    };
    return {
      segment,
      first,
      last,
      lastVideoSamples: 120,
      lastSyncSamples: 1,
      lastAudioBlocks: 10,
      lastVideoEnd90k: 300 * 90_000,
      firstAudioStart8k: 0,
      leadAudioBlocks: 0,
      leadVideoSamples: 0,
    };
  });
  const samples: SegmentSamples = {
    fragments,
    videoSizes: new Uint32Array(perSegment * 120).fill(20_000),
    videoDurations: new Uint32Array(perSegment * 120).fill(750),
    videoSyncs: Uint8Array.from({ length: perSegment * 120 }, (_, i) => (i % 120 === 0 ? 1 : 0)),
    audioSizes: new Uint32Array(perSegment * 10).fill(800),
    audioDurations: new Uint32Array(perSegment * 10).fill(800),
    audioBlockSamples: new Uint32Array(perSegment * 10).fill(800),
  };
  return { pieces, samples: () => samples };
}

test('a day of 216 GB has offsets beyond 32 bits, and no region is large but ranges of files', () => {
  const { pieces, samples } = day();
  const range = { startUnixMs: baseUnixMs, endUnixMs: baseUnixMs + 86_400_000 };
  const plan = planClip(range, pieces, flac);
  assert.equal(plan.duration90k, 86_400 * 90_000);
  const held = plan.regions.reduce(
    (sum, region) => sum + (region.kind === 'bytes' ? region.lengthBytes : 0),
    0,
  );
  assert.ok(held < 5000, `${held} bytes held`);
  let offset = 0;
  for (const region of plan.regions) {
    assert.equal(region.offset, offset);
    offset += region.lengthBytes;
  }
  assert.equal(offset, plan.lengthBytes);
  assert.ok(offset > 200e9);
  const table = plan.regions.findLast(region => region.kind === 'table' && region.table === 'videoOffsets')!;
  assert.ok(table.kind === 'table');
  const bytes = Buffer.from(
    tableBytes(plan, table, samples(pieces.at(-1)!), table.lengthBytes - 8, table.lengthBytes),
  );
  const { last } = pieces.at(-1)!;
  const file = plan.regions.at(-1)!;
  assert.ok(file.kind === 'file');
  const picturesAt = last.offset + last.lengthBytes - 8000 - 120 * 20_000;
  const moofAndHeader = Number(bytes.readBigUInt64BE()) - file.offset + file.fileOffset - last.offset;
  assert.ok(moofAndHeader > 0 && moofAndHeader < 3000);
  assert.ok(Number(bytes.readBigUInt64BE()) > 200e9);
  assert.ok(picturesAt > last.offset);
});

test('a gap of more than twelve hours is shortened, for durations of samples have 32 bits', () => {
  const { pieces } = day();
  const late = {
    ...pieces[1]!,
    segment: { ...pieces[1]!.segment, baseWallUnixMs: baseUnixMs + 20 * 3_600_000 },
  };
  const range = { startUnixMs: baseUnixMs, endUnixMs: baseUnixMs + 86_400_000 };
  const plan = planClip(range, [pieces[0]!, late], flac);
  assert.equal(plan.duration90k, (600 + 12 * 3600) * 90_000);
});

test('samples of another segment are refused', () => {
  const recording = recorded();
  const plan = recording.plan(0, 9000, flac);
  const table = plan.regions.find(region => region.kind === 'table' && region.piece === 1)!;
  assert.ok(table.kind === 'table');
  const { segment, first } = plan.pieces[0]!;
  const other = recording.samplesOf(segment, first, first);
  assert.throws(() => tableBytes(plan, table, other, 0, 8), { code: 'recording-damaged' });
});
