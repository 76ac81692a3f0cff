import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { crc8, crc16 } from '../../../src/codec/flac/checksums.ts';
import { FlacEncoder } from '../../../src/codec/flac/flac-encoder.ts';
import { requireProgram } from '../../support/requires.ts';
import { blocks, flacFile, speechPcma, speechPcmu } from './sounds.ts';

/** What ffmpeg makes of blocks; it checks both checksums of each frame and must not complain. */
function decodedByFfmpeg(sounds: readonly Int16Array[], firstSampleNumber = 0): Int16Array {
  const encoder = new FlacEncoder();
  let number = firstSampleNumber;
  const frames = sounds.map(samples => {
    const frame = encoder.encode(samples, samples.length, number).slice();
    number += samples.length;
    return frame;
  });
  const { stdout, stderr, status } = spawnSync(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'warning', '-err_detect', 'crccheck+explode'],
      ...['-f', 'flac', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'],
    ],
    { input: flacFile(frames), maxBuffer: 2 ** 28 },
  );
  assert.equal(String(stderr), '');
  assert.equal(status, 0);
  return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}

function joined(sounds: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(sounds.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const samples of sounds) {
    all.set(samples, at);
    at += samples.length;
  }
  return all;
}

function cut(samples: Int16Array, blockSamples: number): Int16Array[] {
  return Array.from({ length: Math.ceil(samples.length / blockSamples) }, (_, i) =>
    samples.subarray(i * blockSamples, (i + 1) * blockSamples),
  );
}

function checkWithFfmpeg(t: TestContext, sounds: readonly Int16Array[], firstSampleNumber?: number): void {
  if (!requireProgram(t, 'ffmpeg')) return;
  assert.deepEqual(decodedByFfmpeg(sounds, firstSampleNumber), joined(sounds));
}

test('ffmpeg decodes 600 blocks of every kind to the same samples', t => {
  const seed = Date.now() | 0;
  t.diagnostic(`seed ${seed}`);
  checkWithFfmpeg(t, fc.sample(blocks, { numRuns: 600, seed }));
});

test('ffmpeg decodes speech of both laws to the same samples', t => {
  checkWithFfmpeg(t, [...cut(speechPcmu, 800), ...cut(speechPcma, 777)]);
});

test('ffmpeg decodes frames whose sample numbers take up to six bytes', t => {
  // Its reader of numbers ends at 31 bits, three days; an hour is the longest segment.
  for (const number of [100, 2000, 2 ** 16 - 4000, 2 ** 21 - 4000, 2 ** 26 - 4000, 2 ** 31 - 8000])
    checkWithFfmpeg(t, cut(speechPcmu.subarray(0, 8000), 800), number);
});

test('ffmpeg decodes a last block of a single sample', t => {
  checkWithFfmpeg(t, [speechPcmu.subarray(0, 800), Int16Array.of(-4)]);
});

test('writes the header of RFC 9639, the sample number in the manner of UTF-8', () => {
  const encoder = new FlacEncoder();
  const silence = new Int16Array(4608);
  for (const [count, number, expected] of [
    [800, 0, 'fff974080003 1f'],
    [256, 0x7f, 'fff964087f ff'],
    [257, 0x80, 'fff97408c280 0100'],
    [16, 0x7ff, 'fff96408dfbf 0f'],
    [16, 0x800, 'fff96408e0a080 0f'],
    [16, 0xffff, 'fff96408efbfbf 0f'],
    [16, 0x1f_ffff, 'fff96408f7bfbfbf 0f'],
    [16, 0x20_0000, 'fff96408f888808080 0f'],
    [16, 0x7fff_ffff, 'fff96408fdbfbfbfbfbf 0f'],
    [4608, 2 ** 36 - 1, 'fff97408febfbfbfbfbfbf 11ff'],
  ] as const) {
    const frame = Buffer.from(encoder.encode(silence, count, number));
    const header = Buffer.from(expected.replace(' ', ''), 'hex');
    assert.equal(frame.subarray(0, header.length).toString('hex'), header.toString('hex'));
    assert.equal(crc8(frame, header.length + 1), 0);
    assert.equal(crc16(frame, frame.length), 0);
  }
});

test('one value all through takes the bytes of one sample', () => {
  const frame = new FlacEncoder().encode(new Int16Array(800).fill(-8), 800, 0);
  // Header 8, subframe header 1, sample 2, CRC-16 2.
  assert.equal(Buffer.from(frame.subarray(8, 11)).toString('hex'), '00fff8');
  assert.equal(frame.length, 13);
});

test('no block takes more than its samples verbatim', () => {
  const encoder = new FlacEncoder();
  fc.assert(
    fc.property(blocks, samples => {
      const { length } = encoder.encode(samples, samples.length, 2 ** 36 - 1);
      assert.ok(length <= 14 + 3 + 2 * samples.length + 2, `${length} bytes for ${samples.length} samples`);
    }),
    { numRuns: 300 },
  );
});

test('speech takes less than G.711, in blocks of 100 ms', () => {
  const encoder = new FlacEncoder();
  for (const sound of [speechPcmu, speechPcma]) {
    const bytes = cut(sound, 800).reduce(
      (sum, block) => sum + encoder.encode(block, block.length, 0).length,
      0,
    );
    assert.ok(bytes < sound.length, `${bytes} bytes`);
  }
});

test('refuses a block without samples, one too large, and one beyond its array', () => {
  const encoder = new FlacEncoder();
  for (const count of [0, 4609, 801, Number.NaN])
    assert.throws(() => encoder.encode(new Int16Array(count === 801 ? 800 : 5000), count, 0), RangeError);
});
