import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AudioCodec, Codec } from '../../src/base/tracks.ts';
import { flacToG711 } from '../../src/codec/flac/flac-decoder.ts';
import { AudioBlocks, type AudioRecord } from '../../src/recorder/audio-blocks.ts';
import type { AudioFragment } from '../../src/recorder/audio-fragment.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';

const intact = () => true;
const baseUs = 5_000_000;

/** Codes that tell a sample's place: no 16 of them in a row come twice, and none is the negative zero of µ-law. */
const allCodes = Uint8Array.from({ length: 60 * 61_440 }, (_, i) => {
  const mixed = Math.imul(i ^ 0x5bd1e995, 0x9e3779b1);
  const code = ((mixed ^ (mixed >>> 15)) >>> 3) & 0xff;
  return code === 0x7f ? 0x7e : code;
});

function codesFrom(sample: number, count: number): Uint8Array {
  return allCodes.subarray(sample, sample + count);
}

interface Frame extends AudioRecord {
  /** Number of its first sample in all that the source gave, what was lost among it. */
  readonly firstSample: number;
  /** When that was captured really. */
  readonly trueUs: number;
}

/** A source of sound with a clock of its own. */
class Source {
  sample = 0;
  timeUs: number;
  private readonly rate: number;
  private lastCaptureUs = Number.NEGATIVE_INFINITY;

  /** @param rate microseconds of the capture clock in a microsecond of the source's. */
  constructor(startUs: number, rate = 1) {
    this.timeUs = startUs;
    this.rate = rate;
  }

  frame(samples = 160, flags = 0, jitterUs = 0, codec: AudioCodec = Codec.pcmu): Frame {
    const captureMonoUs = Math.max(this.lastCaptureUs + 1, this.timeUs + jitterUs);
    this.lastCaptureUs = captureMonoUs;
    const frame = {
      bytes: codesFrom(this.sample, samples),
      codec,
      flags,
      captureMonoUs,
      firstSample: this.sample,
      trueUs: this.timeUs,
    };
    this.lose(samples);
    return frame;
  }

  lose(samples: number): void {
    this.sample += samples;
    this.timeUs += samples * 125 * this.rate;
  }

  frames(count: number): Frame[] {
    return Array.from({ length: count }, () => this.frame());
  }
}

interface Block {
  readonly startUs: number;
  readonly endUs: number;
  readonly samples: number;
  readonly codes: Uint8Array;
}

function blocksOf(fragment: AudioFragment, segmentBaseUs = baseUs, codec: AudioCodec = Codec.pcmu): Block[] {
  const found: Block[] = [];
  let at = 0;
  let start8k = fragment.start8k;
  for (let i = 0; i < fragment.blocks; i++) {
    const frame = fragment.payload.subarray(at, at + fragment.sizes[i]!);
    at += fragment.sizes[i]!;
    const codes = new Uint8Array(fragment.samples[i]!);
    assert.equal(flacToG711(frame, codec, codes), codes.length);
    const end8k = start8k + fragment.durations[i]!;
    found.push({
      startUs: segmentBaseUs + 125 * start8k,
      endUs: segmentBaseUs + 125 * end8k,
      samples: codes.length,
      codes,
    });
    start8k = end8k;
  }
  assert.equal(at, fragment.payload.length);
  assert.equal(
    fragment.sampleCount,
    found.reduce((sum, { samples }) => sum + samples, 0),
  );
  assert.equal(fragment.start8k + fragment.duration8k, start8k);
  return found;
}

function pushAll(audio: AudioBlocks, frames: readonly AudioRecord[]): void {
  for (const frame of frames) assert.equal(audio.push(frame, intact), true);
}

function started(codec: AudioCodec | undefined = Codec.pcmu): AudioBlocks {
  const audio = new AudioBlocks();
  audio.begin(baseUs, codec);
  return audio;
}

test('cuts sound into blocks of about 100 ms that follow each other, byte for byte the same', () => {
  const audio = started();
  pushAll(audio, new Source(baseUs).frames(50));
  const fragment = audio.flush();
  const blocks = blocksOf(fragment);
  assert.equal(fragment.start8k, 0);
  assert.deepEqual(
    blocks.map(({ samples, startUs, endUs }) => [samples, startUs - baseUs, endUs - baseUs]),
    Array.from({ length: 10 }, (_, i) => [800, 100_000 * i, 100_000 * (i + 1)]),
  );
  assert.deepEqual(Buffer.concat(blocks.map(({ codes }) => codes)), Buffer.from(codesFrom(0, 8000)));
});

test('ends a fragment within the 4 ms behind the given time, and the next one goes on with the next sample', () => {
  const audio = started();
  pushAll(audio, new Source(baseUs).frames(100));
  const first = blocksOf(audio.flush(baseUs + 833_333));
  const second = blocksOf(audio.flush());
  assert.ok(first.at(-1)!.endUs >= baseUs + 833_333 && first.at(-1)!.endUs <= baseUs + 837_333);
  assert.equal(second[0]!.startUs, first.at(-1)!.endUs);
  assert.deepEqual(
    Buffer.concat([...first, ...second].map(({ codes }) => codes)),
    Buffer.from(codesFrom(0, 16_000)),
  );
});

test('sound that comes after the fragment whose time it has lies in the next one, at its time', () => {
  const audio = started();
  const frames = new Source(baseUs).frames(50);
  pushAll(audio, frames.slice(0, 25));
  assert.equal(audio.capturedUntilMonoUs, baseUs + 500_000);
  assert.equal(audio.flush(baseUs + 800_000).sampleCount, 4000);
  pushAll(audio, frames.slice(25));
  const late = audio.flush(baseUs + 1_600_000);
  assert.equal(late.start8k, 4000);
  assert.equal(late.sampleCount, 4000);
});

test('the sound of one fragment stays while the next one is made', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(50));
  const first = audio.flush();
  const bytes = first.payload.slice();
  pushAll(audio, source.frames(200));
  audio.flush();
  assert.deepEqual(first.payload, bytes);
  assert.equal(first.blocks, 10);
});

test('samples before the base of the segment are left out, to the sample', () => {
  const audio = started();
  pushAll(audio, new Source(baseUs - 50_000).frames(50));
  const fragment = audio.flush();
  assert.equal(fragment.start8k, 0);
  assert.equal(fragment.sampleCount, 8000 - 400);
  assert.equal(audio.statistics.leftOutSamples, 400);
  assert.deepEqual(blocksOf(fragment)[0]!.codes.subarray(0, 100), codesFrom(400, 100));
});

test('a new segment goes on with the next sample and counts time and samples anew', () => {
  const audio = started();
  const secondBaseUs = baseUs + 1_000_050;
  pushAll(audio, new Source(baseUs).frames(100));
  const first = blocksOf(audio.flush(secondBaseUs));
  audio.begin(secondBaseUs, Codec.pcmu);
  const fragment = audio.flush();
  // The coded number in the frame's header is 0.
  assert.equal(fragment.payload[4], 0);
  const second = blocksOf(fragment, secondBaseUs);
  assert.ok(Math.abs(second[0]!.startUs - first.at(-1)!.endUs) <= 125);
  assert.equal(
    first.concat(second).reduce((sum, { samples }) => sum + samples, 0),
    16_000,
  );
  assert.equal(audio.statistics.leftOutSamples, 0);
});

test('an interruption becomes a gap: within a fragment the block before lasts until its end', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(10));
  source.lose(2400);
  pushAll(audio, source.frames(10));
  const fragment = audio.flush();
  assert.deepEqual([...fragment.samples.subarray(0, fragment.blocks)], [800, 800, 800, 800]);
  assert.deepEqual([...fragment.durations.subarray(0, fragment.blocks)], [800, 3200, 800, 800]);
  assert.equal(audio.statistics.gaps, 1);
});

test('an interruption between two fragments leaves time between them', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(10));
  assert.equal(audio.flush().duration8k, 1600);
  source.lose(2400);
  pushAll(audio, source.frames(10));
  assert.equal(audio.flush().start8k, 4000);
});

test('a frame of 20 ms that is missing is a gap at once when the source says so', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(10));
  source.lose(160);
  pushAll(audio, [source.frame(160, RecordFlag.discontinuity), ...source.frames(9)]);
  const fragment = audio.flush();
  assert.deepEqual([...fragment.durations.subarray(0, fragment.blocks)], [800, 960, 800, 800]);
});

test('and within 120 ms when nobody says so', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(10));
  source.lose(160);
  const frames = source.frames(20);
  pushAll(audio, frames);
  assert.equal(audio.statistics.gaps, 0);
  const blocks = blocksOf(audio.flush());
  assert.equal(audio.statistics.gaps, 1);
  assert.equal(blocks.at(-1)!.endUs, source.timeUs);
  assert.equal(blocks.find(({ startUs }) => startUs >= frames[6]!.trueUs)!.codes.length > 0, true);
});

test('a discontinuity that is none in time leaves no gap', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, [...source.frames(5), source.frame(160, RecordFlag.discontinuity), ...source.frames(4)]);
  const fragment = audio.flush();
  assert.deepEqual([...fragment.durations.subarray(0, fragment.blocks)], [800, 800]);
  assert.equal(audio.statistics.gaps, 0);
});

test('sound that claims a time already taken is left out until its time is new', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(20));
  // The source starts again and sends the last 150 ms once more.
  const again = new Source(baseUs + 250_000);
  pushAll(audio, [again.frame(160, RecordFlag.discontinuity), ...again.frames(19)]);
  const blocks = blocksOf(audio.flush());
  assert.equal(audio.statistics.leftOutSamples, 1200);
  assert.equal(blocks.at(-1)!.endUs, baseUs + 650_000);
  blocks.slice(1).forEach((block, i) => {
    assert.equal(block.startUs, blocks[i]!.endUs);
  });
});

test('a frame that the ring overwrote while it was copied is lost, and a gap remains', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(10));
  assert.equal(
    audio.push(source.frame(), () => false),
    false,
  );
  pushAll(audio, source.frames(10));
  const fragment = audio.flush();
  assert.deepEqual([...fragment.durations.subarray(0, fragment.blocks)], [800, 960, 800, 800]);
  assert.equal(audio.statistics.leftOutSamples, 160);
});

test('less than 16 samples before an interruption join the block in front, or are left out when that is written', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, [source.frame(800), source.frame(10)]);
  source.lose(2400);
  pushAll(audio, [source.frame(800), source.frame(10)]);
  const first = audio.flush(baseUs + 99_000);
  assert.deepEqual([...first.samples.subarray(0, first.blocks)], [810]);
  const second = audio.flush(source.timeUs - 10 * 125);
  assert.deepEqual([...second.samples.subarray(0, second.blocks)], [800]);
  source.lose(2400);
  pushAll(audio, [source.frame(800)]);
  const third = audio.flush();
  assert.deepEqual([...third.samples.subarray(0, third.blocks)], [800]);
  assert.equal(audio.statistics.leftOutSamples, 10);
});

test('a source that says nothing gives no blocks, and the time where they would begin', () => {
  const audio = started();
  assert.deepEqual([audio.flush(baseUs + 1e6).blocks, audio.flush(baseUs + 2e6).start8k], [0, 0]);
  pushAll(audio, new Source(baseUs).frames(5));
  audio.flush();
  const empty = audio.flush();
  assert.deepEqual([empty.blocks, empty.start8k, empty.payload.length, empty.duration8k], [0, 800, 0, 0]);
});

test('sound of another law waits for the segment that has it, and is left out of the one that has not', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(25));
  const alaw = Array.from({ length: 50 }, () => source.frame(160, RecordFlag.discontinuity, 0, Codec.pcma));
  pushAll(audio, alaw);
  assert.equal(audio.flush(baseUs + 800_000).sampleCount, 4000);
  assert.equal(audio.statistics.leftOutSamples, 2400);
  audio.begin(baseUs + 800_000, Codec.pcma);
  const fragment = audio.flush();
  assert.equal(fragment.start8k, 0);
  const codes = Buffer.concat(blocksOf(fragment, baseUs + 800_000, Codec.pcma).map(block => block.codes));
  assert.deepEqual(codes, Buffer.from(codesFrom(6400, 5600)));
});

test('a segment without sound leaves all of it out', () => {
  const audio = new AudioBlocks();
  audio.begin(baseUs, undefined);
  pushAll(audio, new Source(baseUs).frames(10));
  assert.equal(audio.flush().blocks, 0);
  assert.equal(audio.statistics.leftOutSamples, 1600);
});

test('keeps 32 s of sound while a card hangs, leaves out what comes then, and goes on', () => {
  const audio = started();
  const source = new Source(baseUs);
  pushAll(audio, source.frames(1600));
  for (const frame of source.frames(100)) assert.equal(audio.push(frame, intact), false);
  assert.equal(audio.flush().sampleCount, 256_000);
  pushAll(audio, source.frames(5));
  assert.equal(audio.flush().start8k, 272_000);
  assert.equal(audio.statistics.leftOutSamples, 16_000);
});

test('frames that cannot be are not taken', () => {
  const audio = started();
  const frame = new Source(baseUs).frame();
  assert.equal(audio.push({ ...frame, captureMonoUs: Number.NaN }, intact), false);
  assert.equal(audio.push({ ...frame, bytes: new Uint8Array(300_000) }, intact), false);
  assert.equal(audio.push({ ...frame, bytes: new Uint8Array(0) }, intact), true);
  assert.equal(audio.flush().blocks, 0);
});

const steps = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({ kind: fc.constant('frames' as const), count: fc.integer({ min: 1, max: 60 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('loss' as const), count: fc.integer({ min: 2, max: 200 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('silence' as const),
        count: fc.integer({ min: 9, max: 200 }),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('flush' as const),
        count: fc.integer({ min: -300, max: 300 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('segment' as const),
        count: fc.integer({ min: 0, max: 300 }),
      }),
    },
  ),
  { minLength: 5, maxLength: 60 },
);

test('the time line: in order, without overlap, within 10 ms of the capture, gaps where sound is missing', () => {
  fc.assert(
    fc.property(
      steps,
      fc.double({ min: 0.99, max: 1.01, noNaN: true }),
      fc.constantFrom(80, 160, 160, 160, 240, 37, 1024),
      fc.infiniteStream(fc.double({ min: -2000, max: 2000, noNaN: true })),
      (plan, rate, frameSamples, jitters) => {
        const audio = started();
        const source = new Source(baseUs, rate);
        const given: Frame[] = [];
        const found: Block[] = [];
        let segmentBaseUs = baseUs;
        let previousEndUs = Number.NEGATIVE_INFINITY;
        let flags = 0;
        const flushes: { untilUs: number; given: number; blocks: number }[] = [];
        const flush = (untilUs: number): void => {
          const blocks = blocksOf(audio.flush(untilUs), segmentBaseUs);
          found.push(...blocks);
          const reachedUs = Math.min(untilUs, audio.capturedUntilMonoUs);
          flushes.push({ untilUs: reachedUs, given: given.length, blocks: found.length });
          // The cut is made at a multiple of 32 samples, and rounded to a tick.
          if (blocks.length > 0) assert.ok(blocks.at(-1)!.endUs <= untilUs + 32 * 125 * 1.02 + 250);
        };
        for (const { kind, count } of plan) {
          if (kind === 'frames') {
            for (let i = 0; i < count; i++) {
              const frame = source.frame(frameSamples, flags, jitters.next().value);
              flags = 0;
              given.push(frame);
              audio.push(frame, intact);
            }
          } else if (kind === 'loss') {
            // 25 ms at least: what is less than 10 ms may be smoothed away.
            source.lose(count * 100);
            flags = RecordFlag.discontinuity;
          } else if (kind === 'silence') {
            // Nobody says that something is missing, but it is more than 100 ms.
            source.lose(count * 100 + 900);
          } else if (kind === 'flush') {
            flush(source.timeUs + count * 1000);
          } else {
            const nextBaseUs = Math.max(segmentBaseUs, source.timeUs - count * 1000);
            flush(nextBaseUs);
            segmentBaseUs = nextBaseUs;
            audio.begin(segmentBaseUs, Codec.pcmu);
          }
        }
        flush(Number.POSITIVE_INFINITY);

        let sample = 0;
        let frame = 0;
        let previousSample = -1;
        for (const [number, block] of found.entries()) {
          assert.ok(block.samples >= 16 && block.samples <= 1200, `${block.samples} samples`);
          // Where its samples came from: at or behind the end of the block before.
          const at = given.findIndex(({ firstSample, bytes }, i) => {
            if (i < frame) return false;
            for (let from = Math.max(sample, firstSample); from < firstSample + bytes.length; from++) {
              if (Buffer.compare(codesFrom(from, 16), block.codes.subarray(0, 16)) !== 0) continue;
              sample = from;
              return true;
            }
            return false;
          });
          assert.ok(at >= 0, 'a block has samples of its source that were not in a block before');
          frame = at;
          assert.equal(Buffer.compare(block.codes, codesFrom(sample, block.samples)), 0);
          const trueUs = given[at]!.trueUs + (sample - given[at]!.firstSample) * 125 * rate;
          const distance = block.startUs - trueUs;
          assert.ok(Math.abs(distance) <= 10_000, `a block lies ${distance} µs from its capture`);
          // Only less than 16 samples wait although a fragment ended behind them.
          for (const before of flushes)
            if (before.blocks <= number && before.given > at)
              assert.ok(block.startUs >= before.untilUs - 16 * 125 * 1.02 - 250, 'a block came too late');
          // Bases of segments lie between ticks.
          assert.ok(block.startUs >= previousEndUs - 125, 'blocks do not overlap');
          if (sample === previousSample)
            assert.ok(block.startUs - previousEndUs <= 125, 'there is no gap where nothing is missing');
          previousSample = sample + block.samples;
          previousEndUs = block.endUs;
          sample = previousSample;
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('blocks last 2 % more or less than their samples at most', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.99, max: 1.01, noNaN: true }),
      fc.array(fc.double({ min: -9000, max: 9000, noNaN: true }), { minLength: 150, maxLength: 150 }),
      (rate, jitters) => {
        const audio = started();
        const source = new Source(baseUs + 10_000, rate);
        for (const jitter of jitters) audio.push(source.frame(160, 0, jitter), intact);
        for (const { samples, startUs, endUs } of blocksOf(audio.flush()))
          assert.ok(Math.abs((endUs - startUs) / 125 - samples) <= 0.02 * samples + 1);
        assert.equal(audio.statistics.gaps, 0);
      },
    ),
    { numRuns: 200 },
  );
});
