import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../../src/base/errors.ts';
import { type AudioCodec, Codec } from '../../../src/base/tracks.ts';
import { crc8, crc16 } from '../../../src/codec/flac/checksums.ts';
import { decodeFlacFrame, flacToG711 } from '../../../src/codec/flac/flac-decoder.ts';
import { FlacEncoder } from '../../../src/codec/flac/flac-encoder.ts';
import { pcmaToLinear, pcmuToLinear } from '../../../src/codec/g711.ts';
import { blocks, speechPcmu } from './sounds.ts';

const encoder = new FlacEncoder();

function encoded(samples: Int16Array, firstSampleNumber = 0): Uint8Array {
  return encoder.encode(samples, samples.length, firstSampleNumber).slice();
}

/** Makes both checksums right again; `headerBytes` with the CRC-8. */
function sealed(frame: Uint8Array, headerBytes: number): Uint8Array {
  frame[headerBytes - 1] = crc8(frame, headerBytes - 1);
  const crc = crc16(frame, frame.length - 2);
  frame[frame.length - 2] = crc >> 8;
  frame[frame.length - 1] = crc & 0xff;
  return frame;
}

const isInvalid = (error: unknown): boolean =>
  error instanceof CameraError && error.code === 'stream-invalid';

test('every block comes back as it was, whatever the number of its first sample', () => {
  const out = new Int16Array(4608);
  fc.assert(
    fc.property(blocks, fc.maxSafeNat(), (samples, number) => {
      assert.equal(decodeFlacFrame(encoded(samples, number % 2 ** 36), out), samples.length);
      assert.deepEqual(out.subarray(0, samples.length), samples);
    }),
    { numRuns: 1500 },
  );
});

for (const [name, law, linear] of [
  ['µ-law', Codec.pcmu, pcmuToLinear],
  ['A-law', Codec.pcma, pcmaToLinear],
] as const) {
  test(`${name} comes back byte for byte, all but the negative zero`, () => {
    const out = new Uint8Array(800);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 800, size: 'max' }), codes => {
        const frame = encoded(Int16Array.from(codes, code => linear[code]!));
        assert.equal(flacToG711(frame, law as AudioCodec, out), codes.length);
        const expected = law === Codec.pcmu ? codes.map(code => (code === 0x7f ? 0xff : code)) : codes;
        assert.deepEqual(out.subarray(0, codes.length), expected);
      }),
    );
  });
}

test('any flipped bit is found', () => {
  const out = new Int16Array(4608);
  const frame = encoded(speechPcmu.subarray(8000, 8800));
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const damaged = frame.slice();
    damaged[bit >> 3]! ^= 0x80 >> (bit & 7);
    assert.throws(() => decodeFlacFrame(damaged, out), isInvalid);
  }
});

test('a frame cut short, one with bytes behind it, and none at all are refused', () => {
  const out = new Int16Array(4608);
  const frame = encoded(speechPcmu.subarray(8000, 8800));
  for (let length = 0; length < frame.length; length++)
    assert.throws(() => decodeFlacFrame(frame.subarray(0, length), out), isInvalid);
  // Zeros behind a right CRC leave it at 0.
  const longer = new Uint8Array(frame.length + 1);
  longer.set(frame);
  assert.throws(() => decodeFlacFrame(longer, out), isInvalid);
  assert.throws(() => decodeFlacFrame(new Uint8Array(20_000), out), isInvalid);
});

test('a block larger than the room for it is refused', () => {
  const frame = encoded(speechPcmu.subarray(0, 800));
  assert.throws(() => decodeFlacFrame(frame, new Int16Array(799)), isInvalid);
  assert.throws(() => flacToG711(frame, Codec.pcmu, new Uint8Array(799)), isInvalid);
});

test('headers and subframes of another kind are refused, their checksums being right', () => {
  const out = new Int16Array(4608);
  for (const [at, value] of [
    // Fixed block size; 192 samples by table; 44.1 kHz; two channels; 24 bits; no coded number.
    [1, 0xf8],
    [2, 0x14],
    [2, 0x79],
    [3, 0x18],
    [3, 0x0c],
    [4, 0x80],
    [4, 0xff],
    // The first bit of the subframe; linear prediction; reserved types; wasted bits without end.
    [8, 0x80],
    [8, 0x40],
    [8, 0x04],
    [8, 0x1c],
  ] as const) {
    const frame = encoded(speechPcmu.subarray(8000, 8800));
    frame[at] = value;
    assert.throws(() => decodeFlacFrame(sealed(frame, 8), out), isInvalid, `byte ${at}: ${value}`);
  }
});

test('a prediction that leaves the 16 bits is refused', () => {
  // A straight line is predicted by order 2 from its first two samples; a steeper one leaves the range.
  const frame = encoded(Int16Array.from({ length: 300 }, (_, i) => 99 * i));
  assert.equal(frame[8], (8 + 2) << 1);
  assert.equal(frame[12], 99);
  frame[12] = 199;
  assert.throws(() => decodeFlacFrame(sealed(frame, 8), new Int16Array(4608)), /beyond its range/);
});

test('never reads or writes beyond, loops for ever or throws anything else, whatever the bytes', () => {
  const samples = fc.nat(70_000).map(at => speechPcmu.subarray(at, at + 800));
  const changes = fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(samples, changes, fc.nat(700), (sound, bytes, lost) => {
      let frame = encoded(sound);
      frame = frame.slice(0, Math.max(12, frame.length - lost));
      for (const [at, value] of bytes) frame[8 + (at % (frame.length - 8))] = value;
      const room = new Int16Array(802).fill(12345);
      try {
        decodeFlacFrame(sealed(frame, 8), room.subarray(1, 801));
      } catch (error) {
        assert.ok(isInvalid(error), String(error));
      }
      assert.equal(room[0], 12345);
      assert.equal(room[801], 12345);
    }),
    { numRuns: 3000 },
  );
});

test('of random bytes behind a right header nothing worse comes than an error', () => {
  const out = new Int16Array(4608);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 400, size: 'max' }), bytes => {
      const frame = Uint8Array.from([0xff, 0xf9, 0x74, 0x08, 0, 3, 0x1f, 0, ...bytes]);
      // Mostly fixed predictors: other types are refused at once.
      frame[8] = 0x10 | (frame[8]! & 0x0f);
      try {
        decodeFlacFrame(sealed(frame, 8), out);
      } catch (error) {
        assert.ok(isInvalid(error), String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
