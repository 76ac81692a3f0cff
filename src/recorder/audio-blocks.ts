/**
 * The sound of a recording: G.711 frames from the ring in, FLAC blocks on the time line of a segment out.
 *
 * Frames wait as bytes until a fragment ends; then all before its end are cut into blocks of about 100 ms and encoded
 * at once, some 0.3 ms of work for a second. The cut is made between samples, not between frames, so sound may run
 * ahead of the picture that ends a fragment; and what follows is the first of the next fragment or segment.
 *
 * Time: samples are counted, and the line on which they lie (audio-line.ts) follows the capture clock smoothly; where
 * the sound was interrupted the line jumps, and a gap remains. The blocks of one fragment follow each other in a `trun`
 * without gaps, so the block before a gap is said to last until its end; between fragments the next one begins later.
 * Left out and counted are samples before the segment's base, sound of another law than the segment's, less than 16
 * samples before an interruption (no block may be so small), and what no longer fits. Recorder thread only.
 */
import { type AudioCodec, Codec } from '../base/tracks.ts';
import { FlacEncoder } from '../codec/flac/flac-encoder.ts';
import { flacBlockSamplesMax, flacBlockSamplesMin } from '../codec/flac/frame-format.ts';
import { pcmaToLinear, pcmuToLinear } from '../codec/g711.ts';
import { RecordFlag } from '../ring/slot-layout.ts';
import { AudioFragment } from './audio-fragment.ts';
import { AudioLine } from './audio-line.ts';

/** What is needed of a record of the ring with G.711; a RingRecord fits. */
export interface AudioRecord {
  readonly bytes: Uint8Array;
  readonly codec: number;
  readonly flags: number;
  readonly captureMonoUs: number;
}

/** Samples of a block, about: 100 ms. */
const blockSamples = 800;
/** Cuts lie at multiples of so many samples: blocks that divide by 32 have the finest partitions. */
const cutSamples = 32;
/** Samples that may wait: 32 s, more than a fragment may be long (10 s) and a card may be stalled (15 s) together. */
const waitingSamplesMax = 8000 * 32;
/** Frames that may wait: those of 32 s, were each only 10 ms long. */
const waitingSpansMax = 3200;
/** Microseconds of one tick of the time line. */
const tickUs = 125;

export class AudioBlocks {
  readonly statistics = {
    /** Samples that were encoded. */
    samples: 0,
    blocks: 0,
    /** Bytes of the blocks. */
    bytes: 0,
    /** Interruptions of the sound, its beginning not among them. */
    gaps: 0,
    /** Samples that were left out; see above. */
    leftOutSamples: 0,
  };
  private readonly encoder = new FlacEncoder();
  private readonly block = new Int16Array(flacBlockSamplesMax);
  private readonly line = new AudioLine();
  /** Samples that wait, one byte each; those before `codeHead` are done with. */
  private readonly codes = new Uint8Array(waitingSamplesMax);
  private codeHead = 0;
  private codeCount = 0;
  /** Frames that wait: how many samples, where on the line, of which law, and whether an interruption is before. */
  private readonly spanSamples = new Uint32Array(waitingSpansMax);
  private readonly spanStartsUs = new Float64Array(waitingSpansMax);
  private readonly spanEndsUs = new Float64Array(waitingSpansMax);
  private readonly spanCodecs = new Uint8Array(waitingSpansMax);
  private readonly spanJumps = new Uint8Array(waitingSpansMax);
  private spanHead = 0;
  private spanCount = 0;
  private isInterrupted = false;
  private fragment = new AudioFragment();
  private otherFragment = new AudioFragment();
  private baseUs = Number.NEGATIVE_INFINITY;
  private codec: AudioCodec | undefined;
  private sampleNumber = 0;
  private end8k = 0;

  /** Until when sound has come, µs of the capture clock; -Infinity before the first. */
  get capturedUntilMonoUs(): number {
    return this.line.endUs;
  }

  /**
   * Takes a copy of one frame.
   * @param isIntact called after the bytes were copied: whether the ring did not overwrite them meanwhile.
   * @returns false: the frame was lost, for that reason or because no more may wait.
   */
  push(record: AudioRecord, isIntact: () => boolean): boolean {
    const { bytes, codec, flags, captureMonoUs } = record;
    const { length } = bytes;
    if (length === 0) return true;
    const tail = this.codeCount;
    const fits = tail + length <= waitingSamplesMax && this.spanCount < waitingSpansMax;
    if (fits && Number.isFinite(captureMonoUs)) {
      this.codes.set(bytes, tail);
      if (isIntact()) {
        const isDiscontinuous = this.isInterrupted || (flags & RecordFlag.discontinuity) !== 0;
        const isFirst = this.line.endUs === Number.NEGATIVE_INFINITY;
        this.isInterrupted = false;
        this.line.place(captureMonoUs, length, isDiscontinuous);
        this.keep(length, codec, this.line.jumped && !isFirst);
        return true;
      }
    }
    this.isInterrupted = true;
    this.statistics.leftOutSamples += length;
    return false;
  }

  /**
   * A segment begins: later blocks count their time, and their samples, from its base.
   * @param codec the law of its sound, undefined without: then everything is left out.
   */
  begin(baseCaptureMonoUs: number, codec: AudioCodec | undefined): void {
    this.baseUs = baseCaptureMonoUs;
    this.codec = codec;
    this.sampleNumber = 0;
    this.end8k = 0;
  }

  /**
   * Ends a fragment: encodes what was captured before `untilMonoUs`, up to 4 ms more; the rest waits for the next one.
   * @param untilMonoUs the end of the fragment's last picture; everything when left out.
   * @returns the blocks, maybe none; borrowed until the second call after this one, so that one fragment can be written
   *   while the next one is made.
   */
  flush(untilMonoUs: number = Number.POSITIVE_INFINITY): AudioFragment {
    const fragment = this.otherFragment;
    this.otherFragment = this.fragment;
    this.fragment = fragment;
    fragment.reset(this.end8k);
    this.leaveOutBeforeBase();
    while (this.spanHead < this.spanCount && this.spanStartsUs[this.spanHead]! < untilMonoUs) {
      const isOver =
        this.spanCodecs[this.spanHead] === this.codec
          ? this.takeRun(untilMonoUs)
          : this.leaveOutRun(untilMonoUs);
      if (!isOver) break;
    }
    this.compact();
    return fragment;
  }

  /** Appends the frame that was copied behind the waiting ones and placed on the line. */
  private keep(length: number, codec: number, isJump: boolean): void {
    const { line, spanCount: span, codeCount: tail } = this;
    const skipped = line.skippedSamples;
    this.statistics.leftOutSamples += skipped;
    if (skipped === length) return;
    if (skipped > 0) this.codes.copyWithin(tail, tail + skipped, tail + length);
    this.codeCount += length - skipped;
    this.spanSamples[span] = length - skipped;
    this.spanStartsUs[span] = line.startUs;
    this.spanEndsUs[span] = line.endUs;
    this.spanCodecs[span] = codec;
    this.spanJumps[span] = isJump ? 1 : 0;
    this.spanCount++;
  }

  private leaveOutBeforeBase(): void {
    while (this.spanHead < this.spanCount && this.spanStartsUs[this.spanHead]! < this.baseUs)
      this.leaveOut(this.samplesBefore(this.spanHead, this.baseUs));
  }

  /** Of the frames of another law all before `untilMonoUs`; returns whether those were all of them. */
  private leaveOutRun(untilMonoUs: number): boolean {
    const before = this.samplesBefore(this.spanHead, untilMonoUs);
    const isWhole = before === this.spanSamples[this.spanHead];
    this.leaveOut(before);
    return isWhole;
  }

  /** Encodes what follows without an interruption, until `untilMonoUs`; returns whether that was all of it. */
  private takeRun(untilMonoUs: number): boolean {
    const codec = this.spanCodecs[this.spanHead];
    let samples = 0;
    let wanted = 0;
    let end = this.spanHead;
    do {
      wanted += this.samplesBefore(end, untilMonoUs);
      samples += this.spanSamples[end]!;
      end++;
    } while (end < this.spanCount && this.spanJumps[end] === 0 && this.spanCodecs[end] === codec);
    const isClosed = end < this.spanCount;
    let taken = Math.min(samples, Math.ceil(wanted / cutSamples) * cutSamples);
    if (isClosed && samples - taken < flacBlockSamplesMin) taken = samples;
    if (taken < flacBlockSamplesMin) {
      if (isClosed && taken === samples) this.leaveOut(samples);
      return isClosed && taken === samples;
    }
    this.encodeRun(taken);
    return taken === samples;
  }

  private encodeRun(samples: number): void {
    const { fragment } = this;
    const start8k = this.tickOf(this.spanStartsUs[this.spanHead]!);
    if (fragment.blocks === 0) fragment.start8k = start8k;
    else fragment.stretchLast(start8k - this.end8k);
    this.end8k = start8k;
    const blocks = Math.max(1, Math.round(samples / blockSamples));
    let done = 0;
    for (let block = 1; block <= blocks; block++) {
      const share = (samples * block) / blocks;
      const end = block === blocks ? samples : Math.floor(share / cutSamples) * cutSamples;
      this.encodeBlock(end - done);
      done = end;
    }
  }

  private encodeBlock(samples: number): void {
    const { block, codes, codeHead, statistics } = this;
    const linear = this.codec === Codec.pcmu ? pcmuToLinear : pcmaToLinear;
    for (let i = 0; i < samples; i++) block[i] = linear[codes[codeHead + i]!]!;
    const frame = this.encoder.encode(block, samples, this.sampleNumber);
    const end8k = this.tickOf(this.advance(samples));
    this.fragment.add(frame, samples, end8k - this.end8k);
    this.sampleNumber += samples;
    this.end8k = end8k;
    statistics.samples += samples;
    statistics.blocks++;
    statistics.bytes += frame.length;
  }

  private leaveOut(samples: number): void {
    this.statistics.leftOutSamples += samples;
    this.advance(samples);
  }

  /** Takes samples from the waiting ones; returns where on the line they end. */
  private advance(samples: number): number {
    this.codeHead += samples;
    let left = samples;
    let endUs = this.spanStartsUs[this.spanHead] ?? 0;
    while (left > 0) {
      const span = this.spanHead;
      const inSpan = this.spanSamples[span]!;
      if (this.spanJumps[span] === 1) {
        this.spanJumps[span] = 0;
        this.statistics.gaps++;
      }
      if (left < inSpan) {
        const startUs = this.spanStartsUs[span]!;
        endUs = startUs + ((this.spanEndsUs[span]! - startUs) * left) / inSpan;
        this.spanStartsUs[span] = endUs;
        this.spanSamples[span] = inSpan - left;
        return endUs;
      }
      endUs = this.spanEndsUs[span]!;
      left -= inSpan;
      this.spanHead++;
    }
    return endUs;
  }

  /** How many samples of a waiting frame begin before a time. */
  private samplesBefore(span: number, timeUs: number): number {
    const samples = this.spanSamples[span]!;
    const startUs = this.spanStartsUs[span]!;
    const endUs = this.spanEndsUs[span]!;
    if (timeUs >= endUs) return samples;
    return Math.max(0, Math.min(samples, Math.ceil(((timeUs - startUs) / (endUs - startUs)) * samples)));
  }

  private tickOf(timeUs: number): number {
    return Math.round((timeUs - this.baseUs) / tickUs);
  }

  /** Moves what still waits to the beginning. */
  private compact(): void {
    const { spanHead, spanCount } = this;
    this.codes.copyWithin(0, this.codeHead, this.codeCount);
    this.codeCount -= this.codeHead;
    this.codeHead = 0;
    for (const spans of [
      this.spanSamples,
      this.spanStartsUs,
      this.spanEndsUs,
      this.spanCodecs,
      this.spanJumps,
    ])
      spans.copyWithin(0, spanHead, spanCount);
    this.spanCount -= spanHead;
    this.spanHead = 0;
  }
}
