/** Sounds for the tests of FLAC, and the file that other programs read them in. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { flacStreamInfo } from '../../../src/codec/flac/stream-info.ts';
import { linearToPcma, pcmaToLinear, pcmuToLinear } from '../../../src/codec/g711.ts';

/** µ-law bytes of the bundled speech. */
export const speech: Uint8Array = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../../assets/demo/demo-speech.ulaw', import.meta.url))),
);
export const speechPcmu: Int16Array = Int16Array.from(speech, code => pcmuToLinear[code]!);
export const speechPcma: Int16Array = Int16Array.from(
  speechPcmu,
  sample => pcmaToLinear[linearToPcma(sample)]!,
);

const any16 = fc.integer({ min: -32768, max: 32767 });
const counts = fc.oneof(
  fc.integer({ min: 16, max: 1300 }),
  fc.integer({ min: 1, max: 40 }).map(n => 32 * n),
  fc.constantFrom(16, 192, 255, 256, 257, 576, 4096, 4608),
);

function block(sample: fc.Arbitrary<number>): fc.Arbitrary<Int16Array> {
  return counts.chain(count =>
    fc
      .array(sample, { minLength: count, maxLength: count, size: 'max' })
      .map(values => Int16Array.from(values)),
  );
}

/** Blocks of everything that the encoder treats differently: 16 to 4608 samples. */
export const blocks: fc.Arbitrary<Int16Array> = fc.oneof(
  block(any16),
  block(fc.integer({ min: 0, max: 255 }).map(code => pcmuToLinear[code]!)),
  block(fc.integer({ min: 0, max: 255 }).map(code => pcmaToLinear[code]!)),
  block(fc.constantFrom(-8, 8)),
  block(fc.constantFrom(-32768, 32767)),
  block(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -32768)),
  // One value all through.
  fc.tuple(counts, any16).map(([count, value]) => new Int16Array(count).fill(value)),
  // Pieces of speech.
  fc.tuple(counts, fc.nat(speech.length - 4608)).map(([count, at]) => speechPcmu.slice(at, at + count)),
  fc.tuple(counts, fc.nat(speech.length - 4608)).map(([count, at]) => speechPcma.slice(at, at + count)),
  // Curves that predictors of each order follow, and the jump where they run over 16 bits.
  fc
    .tuple(counts, fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 5 }))
    .map(([count, factors]) =>
      Int16Array.from({ length: count }, (_, i) =>
        factors.reduce((sum, factor, power) => sum + factor * (i / 16) ** power, 0),
      ),
    ),
  // Any number of wasted bits.
  fc
    .tuple(block(any16), fc.integer({ min: 0, max: 15 }))
    .map(([samples, bits]) => samples.map(s => s << bits)),
);

/** Frames as a native FLAC file (RFC 9639 §6). */
export function flacFile(frames: readonly Uint8Array[]): Buffer {
  // The last metadata block, type 0, of 34 bytes.
  return Buffer.concat([Buffer.from('fLaC'), Buffer.from([0x80, 0, 0, 34]), flacStreamInfo(), ...frames]);
}
