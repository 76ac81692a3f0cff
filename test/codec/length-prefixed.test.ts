import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { Codec } from '../../src/base/tracks.ts';
import { LengthPrefixedReader } from '../../src/codec/length-prefixed.ts';
import { bytesOf, cutAll, fixture, hexOf, payload, pictureOf } from './streams.ts';

function sampleOf(nalUnits: readonly Uint8Array[], lengthSize: number): Uint8Array {
  return bytesOf(
    ...nalUnits.flatMap(nalUnit => [nalUnit.length.toString(16).padStart(2 * lengthSize, '0'), nalUnit]),
  );
}

for (const name of ['slices-b-322x242.h264', 'scaling-hrd-128x96.h264', 'slices-b-322x242.h265'])
  for (const lengthSize of [4, 2] as const)
    test(`${name}: samples with lengths of ${lengthSize} bytes are classified as the cutter does`, () => {
      const codec = name.endsWith('h264') ? Codec.h264 : Codec.h265;
      const reader = new LengthPrefixedReader(codec, lengthSize);
      for (const picture of cutAll(codec, fixture(name)).pictures)
        assert.deepEqual(pictureOf(reader.read(sampleOf(picture.nalUnits, lengthSize))), picture);
    });

test('parameter sets from outside tell whether B slices reorder', () => {
  const pictures = cutAll(Codec.h265, fixture('slices-b-322x242.h265')).pictures;
  const sample = sampleOf(pictures[2]!.nalUnits, 4);
  const reader = new LengthPrefixedReader(Codec.h265, 4);
  assert.equal(reader.read(sample).bidirectional, false); // slice_type lies behind fields that the sets size
  for (const nalUnit of pictures[0]!.nalUnits.slice(0, 3)) reader.learn(nalUnit);
  assert.equal(reader.read(sample).bidirectional, true);
});

test('lengths of one byte, delimiters and empty NAL units are understood', () => {
  const unit = new LengthPrefixedReader(Codec.h264, 1).read(bytesOf('02 09f0 00 03 658880 02 0c80'));
  assert.deepEqual(hexOf([pictureOf(unit)]), [['658880']]);
});

test('a length that runs over the end, a cut-off length, a broken header and a sample without slice are invalid', () => {
  const reader = new LengthPrefixedReader(Codec.h264, 4);
  for (const sample of [
    '',
    '00000004 658880',
    'ffffffff 658880',
    '00000003 658880 0000',
    '00000003 e58880',
    '00000002 0680',
  ])
    assert.throws(() => reader.read(bytesOf(sample)), { code: 'stream-invalid' });
});

test('any sample is read or refused with stream-invalid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(Codec.h264, Codec.h265),
      fc.constantFrom(1, 2, 4),
      payload,
      (codec, lengthSize, sample) => {
        try {
          const unit = new LengthPrefixedReader(codec, lengthSize as 1 | 2 | 4).read(sample);
          for (let i = 0; i < unit.nalCount; i++) {
            assert.ok(unit.nalTable[2 * i]! < unit.nalTable[2 * i + 1]!);
            assert.ok(unit.nalTable[2 * i + 1]! <= sample.length);
          }
        } catch (error) {
          assert.ok(error instanceof CameraError && error.code === 'stream-invalid', `${error}`);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
