import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { fragmentRecord, SampleCollector } from '../../src/isobmff/fragment-contents.ts';
import { countsAfter, noSamples, type SegmentSamples } from '../../src/isobmff/recorded-segment.ts';
import {
  decodeTrailer,
  encodeTrailer,
  endBox,
  endBoxBytes,
  readEndBox,
  type SegmentEnd,
} from '../../src/isobmff/sample-table.ts';
import { boxesOf } from './box-tree.ts';

const tag = 0xfeed_beef;
const u32 = fc.nat(0xffff_ffff);

interface AnyFragment {
  gap: number;
  skipped: number;
  video: [size: number, duration: number, sync: number][];
  audio: [size: number, duration: number, samples: number][];
}

const anyFragment: fc.Arbitrary<AnyFragment> = fc.record({
  gap: fc.nat(100_000),
  skipped: fc.nat(3),
  video: fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(9000), fc.nat(1)), { minLength: 1, maxLength: 12 }),
  audio: fc.array(fc.tuple(fc.nat(2000), fc.nat(900), fc.nat(65_535)), { maxLength: 5 }),
});

function samplesOf(fragments: readonly AnyFragment[]): SegmentSamples {
  const collector = new SampleCollector();
  let before = noSamples;
  let offset = 900;
  let videoStart90k = 0;
  let number = 0;
  for (const { gap, skipped, video, audio } of fragments) {
    videoStart90k += gap;
    number += skipped;
    const contents = {
      videoStart90k,
      audioStart8k: Math.floor(videoStart90k / 12),
      videoSamples: video.length,
      videoSizes: video.map(([size]) => size),
      videoDurations: video.map(([, duration]) => duration),
      videoSyncs: video.map(([, , sync]) => sync),
      audioBlocks: audio.length,
      audioSizes: audio.map(([size]) => size),
      audioDurations: audio.map(([, duration]) => duration),
      audioBlockSamples: audio.map(([, , samples]) => samples),
    };
    const bytes = [...video, ...audio].reduce((sum, [size]) => sum + size, 300);
    const record = fragmentRecord(contents, { number, offset, lengthBytes: bytes }, before);
    collector.add(record, contents);
    before = countsAfter(record);
    offset += bytes;
    videoStart90k += record.videoDuration90k;
    number++;
  }
  return collector.samples();
}

const example = samplesOf([
  {
    gap: 0,
    skipped: 0,
    video: [
      [900, 3000, 1],
      [80, 3000, 0],
    ],
    audio: [[70, 800, 800]],
  },
  { gap: 9, skipped: 1, video: [[90, 3000, 0]], audio: [] },
  {
    gap: 0,
    skipped: 0,
    video: [
      [900, 3000, 1],
      [70, 3000, 0],
      [71, 3001, 0],
    ],
    audio: [
      [75, 801, 800],
      [20, 40, 40],
    ],
  },
]);
const trailer = encodeTrailer(example, tag, crc32);
const isDamaged = (error: unknown): boolean =>
  error instanceof CameraError && error.code === 'recording-damaged';

test('a table is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(anyFragment, { maxLength: 12 }), any => {
      const samples = samplesOf(any);
      const bytes = encodeTrailer(samples, tag, crc32);
      assert.deepEqual(decodeTrailer(bytes, tag, crc32), samples);
    }),
  );
});

test('a table is read wherever it lies in memory', () => {
  for (let offset = 0; offset < 4; offset++) {
    const memory = new Uint8Array(trailer.length + 8);
    memory.set(trailer, offset);
    const bytes = memory.subarray(offset, offset + trailer.length);
    assert.deepEqual(decodeTrailer(bytes, tag, crc32), example);
  }
});

test('nothing of a table is borrowed, be it a Buffer or not', () => {
  const bytes = Buffer.from(trailer);
  const samples = decodeTrailer(bytes, tag, crc32);
  bytes.fill(0xff);
  assert.deepEqual(samples, example);
});

test('a table takes 9 bytes a picture and 12 a block of sound', () => {
  const one: AnyFragment = { gap: 0, skipped: 0, video: [[1, 1, 1]], audio: [] };
  const bytesOf = (fragments: AnyFragment[]): number =>
    encodeTrailer(samplesOf(fragments), tag, crc32).length;
  const pictures = Array.from({ length: 1001 }, () => one.video[0]!);
  const blocks = Array.from({ length: 100 }, (): [number, number, number] => [1, 1, 1]);
  assert.equal(bytesOf([{ ...one, video: pictures }]) - bytesOf([one]), 9 * 1000);
  assert.equal(bytesOf([{ ...one, audio: blocks }]) - bytesOf([one]), 12 * 100);
  assert.equal(bytesOf([one, { ...one, video: [[1, 1, 1]] }]) - bytesOf([one]), 40 + 8);
});

test('trailer and end are boxes that a player passes over', () => {
  const end = endBox(
    { trailerOffset: 1, trailerBytes: 2, duration90k: 3, gaps: 0, counts: noSamples, tag },
    crc32,
  );
  assert.deepEqual(
    boxesOf(new Uint8Array(Buffer.concat([trailer, end]))).map(({ type, bytes }) => [type, bytes.length]),
    [
      ['uuid', trailer.length],
      ['uuid', endBoxBytes],
    ],
  );
});

test('a table of another segment is refused, unless any is taken', () => {
  assert.throws(() => decodeTrailer(trailer, tag + 1, crc32), isDamaged);
  assert.deepEqual(decodeTrailer(trailer, undefined, crc32), example);
});

test('a table that is cut off or too long is refused', () => {
  for (let bytes = 0; bytes < trailer.length; bytes++)
    assert.throws(() => decodeTrailer(trailer.subarray(0, bytes), tag, crc32), isDamaged);
  const longer = new Uint8Array(trailer.length + 4);
  longer.set(trailer);
  assert.throws(() => decodeTrailer(longer, tag, crc32), isDamaged);
});

test('a table with any bit flipped is refused', () => {
  const bytes = trailer.slice();
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodeTrailer(bytes, tag, crc32), isDamaged, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test('believes no count, sum or order behind a checksum that fits', () => {
  const words = trailer.length / 4;
  const change = fc.tuple(fc.integer({ min: 6, max: words - 2 }), fc.oneof(u32, fc.nat(8)));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
      const bytes = Buffer.from(trailer);
      for (const [word, value] of changes) bytes.writeUInt32LE(value, 4 * word);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
      let samples: SegmentSamples;
      try {
        samples = decodeTrailer(bytes, undefined, crc32);
      } catch (error) {
        assert.ok(isDamaged(error), String(error));
        return;
      }
      const { fragments } = samples;
      const total = fragments.reduce((sum, { videoSamples }) => sum + videoSamples, 0);
      assert.equal(total, samples.videoSizes.length);
      for (const [i, fragment] of fragments.entries()) {
        assert.ok(Number.isSafeInteger(fragment.videoStart90k) && fragment.videoStart90k >= 0);
        if (i > 0) assert.ok(fragment.offset >= fragments[i - 1]!.offset + fragments[i - 1]!.lengthBytes);
      }
    }),
    { numRuns: 2000 },
  );
});

test('refuses tables whose fragments are empty, out of order or beyond the file', () => {
  const fragmentAt = 24 + 16;
  for (const [field, value] of [
    [16, 2], // number of the first, that of the second
    [20, 0xffff_ff00], // offset
    [24, 0xffff_ffff], // length
    [28, 0], // pictures
    [28, 3],
    [32, 2], // blocks
  ] as const) {
    const bytes = Buffer.from(trailer);
    bytes.writeUInt32LE(value, fragmentAt + field);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
    assert.throws(() => decodeTrailer(bytes, tag, crc32), isDamaged, `field ${field}`);
  }
  for (const start of [-1, 0.5, Number.NaN, 1e300, 7000]) {
    const bytes = Buffer.from(trailer);
    bytes.writeDoubleLE(start, fragmentAt);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
    assert.throws(() => decodeTrailer(bytes, tag, crc32), isDamaged, `start ${start}`);
  }
});

const anyEnd: fc.Arbitrary<SegmentEnd> = fc.record(
  {
    trailerOffset: u32,
    trailerBytes: u32,
    duration90k: fc.maxSafeNat(),
    gaps: u32,
    tag: u32,
    counts: fc.record(
      {
        fragments: u32,
        videoSamples: u32,
        syncSamples: u32,
        audioBlocks: u32,
        audioSamples: u32,
        audioBytes: u32,
      },
      { noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
);

test('an end box is read as it was written, and is none when a bit of it is flipped or bytes are missing', () => {
  fc.assert(
    fc.property(anyEnd, fc.nat(8 * endBoxBytes - 1), fc.nat(endBoxBytes - 1), (end, bit, cut) => {
      const bytes = endBox(end, crc32);
      assert.equal(bytes.length, endBoxBytes);
      assert.deepEqual(readEndBox(bytes, crc32), end);
      assert.equal(readEndBox(bytes.subarray(0, cut), crc32), undefined);
      assert.equal(readEndBox(bytes.subarray(cut + 1), crc32), undefined);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(readEndBox(bytes, crc32), undefined);
    }),
  );
});

test('takes no bytes for an end box', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: endBoxBytes, maxLength: endBoxBytes }), bytes => {
      assert.equal(readEndBox(bytes, crc32), undefined);
    }),
  );
  assert.equal(readEndBox(new Uint8Array(endBoxBytes), crc32), undefined);
});
