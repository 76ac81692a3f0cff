import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { fragmentRecord } from '../../src/isobmff/fragment-contents.ts';
import { type FragmentHeadInput, FragmentHeadWriter } from '../../src/isobmff/fragment-head.ts';
import { readFragmentHead } from '../../src/isobmff/fragment-reader.ts';
import { countsAfter, noSamples } from '../../src/isobmff/recorded-segment.ts';
import { boxAt, boxesOf, shapeOf } from './box-tree.ts';

const tag = 0xfeed_beef;
const sum = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, value) => total + value, 0);
const u32 = fc.nat(0xffff_ffff);

function inputOf(
  video: readonly (readonly [size: number, duration: number, isSync: boolean])[],
  audio: readonly (readonly [size: number, duration: number, samples: number])[],
  rest: { sequenceNumber: number; videoStart90k: number; audioStart8k: number; payloadCrc32: number },
): FragmentHeadInput {
  const videoSizes = video.map(([size]) => size);
  const audioSizes = audio.map(([size]) => size);
  return {
    ...rest,
    videoSamples: video.length,
    videoSizes,
    videoDurations: video.map(([, duration]) => duration),
    videoSyncs: video.map(([, , isSync]) => (isSync ? 1 : 0)),
    audioBlocks: audio.length,
    audioSizes,
    audioDurations: audio.map(([, duration]) => duration),
    audioBlockSamples: audio.map(([, , samples]) => samples),
    payloadBytes: sum(videoSizes) + sum(audioSizes),
  };
}

const anyInput: fc.Arbitrary<FragmentHeadInput> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(8_000_000), u32, fc.boolean()), { minLength: 1, maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(65_535), u32, fc.nat(65_535)), { maxLength: 20 }),
    fc.record({
      sequenceNumber: fc.integer({ min: 1, max: 0xffff_ffff }),
      videoStart90k: fc.maxSafeNat(),
      audioStart8k: fc.maxSafeNat(),
      payloadCrc32: u32,
    }),
  )
  .map(([video, audio, rest]) => inputOf(video, audio, rest));

/** The reader's answer that a writer's input should give. */
function expectedOf(input: FragmentHeadInput, moofBytes: number): unknown {
  const { sequenceNumber, ...rest } = input;
  return {
    ...rest,
    number: sequenceNumber - 1,
    tag,
    moofBytes,
    videoSizes: Uint32Array.from(input.videoSizes),
    videoDurations: Uint32Array.from(input.videoDurations),
    videoSyncs: Uint8Array.from(input.videoSyncs),
    audioSizes: Uint32Array.from(input.audioSizes),
    audioDurations: Uint32Array.from(input.audioDurations),
    audioBlockSamples: Uint32Array.from(input.audioBlockSamples),
  };
}

const small = inputOf(
  [
    [1000, 3000, true],
    [200, 3001, false],
    [300, 2999, false],
  ],
  [
    [70, 800, 800],
    [80, 801, 800],
    [9, 10, 16],
  ],
  { sequenceNumber: 8, videoStart90k: 2 ** 33 + 5, audioStart8k: 77, payloadCrc32: 0xdead_beef },
);
const smallHead = new FragmentHeadWriter(true, tag, crc32).write(small).slice();

test('what is written is read, one after the other in the same buffer', () => {
  const writer = new FragmentHeadWriter(true, tag, crc32);
  fc.assert(
    fc.property(anyInput, fc.uint8Array({ maxLength: 9 }), (input, behind) => {
      const bytes = writer.write(input);
      const moofBytes = writer.moofBytes(input.videoSamples, input.audioBlocks);
      assert.equal(bytes.length, moofBytes + 8);
      const file = new Uint8Array(Buffer.concat([bytes, behind]));
      assert.deepEqual(readFragmentHead(file, true, tag, crc32), expectedOf(input, moofBytes));
    }),
  );
});

test('a segment without sound has fragments without a track of sound', () => {
  const writer = new FragmentHeadWriter(false, tag, crc32);
  fc.assert(
    fc.property(anyInput, any => {
      const input = inputOf(
        Array.from({ length: any.videoSamples }, (_, i) => [any.videoSizes[i]!, 3000, i === 0] as const),
        [],
        { ...any, audioStart8k: 0 },
      );
      const bytes = writer.write(input);
      assert.match(shapeOf(boxesOf(bytes.subarray(0, -8))), /^moof\(mfhd uuid traf\(tfhd tfdt trun\)\)$/);
      assert.deepEqual(readFragmentHead(bytes, false, tag, crc32), expectedOf(input, bytes.length - 8));
    }),
  );
});

test('is a moof by the standard, whose offsets point to the samples', () => {
  const boxes = boxesOf(smallHead.subarray(0, -8));
  const traf = 'traf(tfhd tfdt trun)';
  assert.equal(shapeOf(boxes), `moof(mfhd uuid ${traf} ${traf})`);
  assert.equal(boxAt(boxes, 'moof.mfhd').body.readUInt32BE(4), 8);
  for (const [index, trackId, start, entries] of [
    [0, 1, 2 ** 33 + 5, [3000, 1000, 0x0200_0000, 3001, 200, 0x0101_0000, 2999, 300, 0x0101_0000]],
    [1, 2, 77, [800, 70, 801, 80, 10, 9]],
  ] as const) {
    const tfhd = boxAt(boxes, `moof.traf[${index}].tfhd`).body;
    assert.deepEqual([tfhd.readUInt32BE(0), tfhd.readUInt32BE(4)], [0x02_0000, trackId]);
    const tfdt = boxAt(boxes, `moof.traf[${index}].tfdt`).body;
    assert.deepEqual([tfdt[0], tfdt.readBigUInt64BE(4)], [1, BigInt(start)]);
    const trun = boxAt(boxes, `moof.traf[${index}].trun`).body;
    assert.equal(trun.readUInt32BE(0), index === 0 ? 0x701 : 0x301);
    assert.equal(trun.readUInt32BE(4), 3);
    assert.equal(trun.readUInt32BE(8), smallHead.length + (index === 0 ? 0 : 1500));
    assert.deepEqual(
      entries.map((_, i) => trun.readUInt32BE(12 + 4 * i)),
      entries,
    );
  }
  const mdat = Buffer.from(smallHead.subarray(-8));
  assert.deepEqual([mdat.readUInt32BE(0), mdat.toString('latin1', 4)], [8 + 1500 + 159, 'mdat']);
});

test('a fragment of another segment is none, unless any is taken', () => {
  assert.equal(readFragmentHead(smallHead, true, tag + 1, crc32), undefined);
  assert.equal(readFragmentHead(smallHead, true, undefined, crc32)!.tag, tag);
});

test('a fragment with sound is none of a segment without, and the other way round', () => {
  assert.equal(readFragmentHead(smallHead, false, tag, crc32), undefined);
  const writer = new FragmentHeadWriter(false, tag, crc32);
  const silent = writer.write(inputOf([[5, 5, true]], [], { ...small }));
  assert.equal(readFragmentHead(silent, true, tag, crc32), undefined);
});

test('a head that is cut off anywhere is none', () => {
  for (let bytes = 0; bytes < smallHead.length; bytes++)
    assert.equal(readFragmentHead(smallHead.subarray(0, bytes), true, tag, crc32), undefined);
});

test('a head with any bit flipped is none', () => {
  const bytes = smallHead.slice();
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readFragmentHead(bytes, true, tag, crc32), undefined, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test('reads nothing outside of its bytes, even when the checksum fits', () => {
  const crcAt = 8 + 16 + 24 + 4;
  const fits = (): number => Buffer.from(smallHead).readUInt32BE(crcAt);
  assert.ok(readFragmentHead(smallHead, true, tag, fits));
  const change = fc.tuple(fc.nat(smallHead.length / 4 - 1), fc.oneof(u32, fc.nat(300)));
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(smallHead.length),
      fc.boolean(),
      (changes, cut, hasAudio) => {
        // What lies around the bytes is set to ones: a read outside would show in the sums.
        const around = Buffer.alloc(smallHead.length + 64, 0xff);
        const bytes = around.subarray(32, 32 + smallHead.length);
        bytes.set(smallHead);
        for (const [word, value] of changes) if (4 * word !== crcAt) bytes.writeUInt32BE(value, 4 * word);
        for (const part of [bytes, bytes.subarray(0, cut)]) {
          const head = readFragmentHead(part, hasAudio, undefined, fits);
          if (!head) continue;
          assert.ok(head.moofBytes + 8 <= part.length);
          assert.equal(head.payloadBytes, sum(head.videoSizes) + sum(head.audioSizes));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('takes no bytes for a head', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, hasAudio) => {
      assert.equal(readFragmentHead(bytes, hasAudio, undefined, crc32), undefined);
    }),
  );
});

test('refuses counts out of bounds and sizes that do not add up', () => {
  const isInternal = (error: unknown): boolean => error instanceof CameraError && error.code === 'internal';
  const writer = new FragmentHeadWriter(true, tag, crc32);
  assert.throws(() => writer.write({ ...small, videoSamples: 0 }), isInternal);
  assert.throws(() => writer.write({ ...small, videoSamples: 65_536 }), isInternal);
  assert.throws(() => writer.write({ ...small, audioBlocks: 65_536 }), isInternal);
  assert.throws(() => writer.write({ ...small, payloadBytes: small.payloadBytes + 1 }), isInternal);
  assert.throws(() => new FragmentHeadWriter(false, tag, crc32).write(small), isInternal);
  assert.deepEqual(writer.write(small), smallHead, 'the writer is none the worse');
});

test('the largest fragment is read', () => {
  const count = 65_535;
  const video = Array.from({ length: count }, (_, i) => [1, 750, i === 0] as const);
  const audio = Array.from({ length: count }, () => [2, 1, 1] as const);
  const input = inputOf(video, audio, small);
  const bytes = new FragmentHeadWriter(true, tag, crc32).write(input);
  assert.deepEqual(readFragmentHead(bytes, true, tag, crc32), expectedOf(input, bytes.length - 8));
});

test('the record of a fragment sums up its samples', () => {
  const before = { ...noSamples, fragments: 3, videoSamples: 90, audioBytes: 5 };
  const record = fragmentRecord(small, { number: 7, offset: 1234, lengthBytes: 5678 }, before);
  assert.deepEqual(record, {
    number: 7,
    offset: 1234,
    lengthBytes: 5678,
    startsWithSync: true,
    videoStart90k: 2 ** 33 + 5,
    videoDuration90k: 9000,
    videoSamples: 3,
    syncSamples: 1,
    audioStart8k: 77,
    audioBlocks: 3,
    audioSamples: 1616,
    audioBytes: 159,
    before,
  });
  assert.deepEqual(countsAfter(record).videoSamples, 93);
});
