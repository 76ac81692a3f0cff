/**
 * Reads one sample of an MP4 file, NAL units each behind a big-endian length (ISO/IEC 14496-15 §5.3.2, §8.3.2), as an
 * access unit with the same classification and the same omissions as AccessUnitCutter. No bytes are copied.
 *
 * One thread, one object a track. The lengths are checked against the sample: CameraError 'stream-invalid' tells where
 * they do not fit. A sample is taken as one access unit; both fields of a field pair are in it.
 */
import { CameraError } from '../base/errors.ts';
import type { VideoCodec } from '../base/tracks.ts';
import type { AccessUnit } from './access-unit.ts';
import { parameterSetBytesMax, sliceHeaderBytesMax } from './limits.ts';
import { PendingAccessUnit } from './pending-access-unit.ts';
import { syntaxOf } from './syntax-of.ts';
import type { AccessUnitRules, VideoSyntax } from './video-syntax.ts';

/** The reader; see the file's comment. */
export class LengthPrefixedReader {
  private readonly syntax: VideoSyntax;
  private readonly rules: AccessUnitRules;
  private readonly lengthSize: 1 | 2 | 4;
  private readonly unit = new PendingAccessUnit(new Uint8Array());

  /** `lengthSize`: bytes of each length, lengthSizeMinusOne + 1 of avcC or hvcC. */
  constructor(codec: VideoCodec, lengthSize: 1 | 2 | 4) {
    this.syntax = syntaxOf(codec);
    this.rules = this.syntax.createAccessUnitRules();
    this.lengthSize = lengthSize;
  }

  /** Takes a parameter set from outside the samples (avcC, hvcC), so that slice headers can be read to the end. */
  learn(nalUnit: Uint8Array): void {
    if (!this.syntax.isWellFormed(nalUnit, 0, nalUnit.length)) return;
    const kind = this.syntax.parameterSetKind(this.syntax.nalUnitType(nalUnit[0]!));
    if (kind !== undefined && nalUnit.length <= parameterSetBytesMax) this.rules.learn(kind, nalUnit);
  }

  /**
   * The access unit of a sample: its table points into `sample`, and it is borrowed until the next call. Throws
   * CameraError 'stream-invalid' when a length runs over the end or no slice is in it.
   */
  read(sample: Uint8Array): AccessUnit {
    const { syntax, rules, unit, lengthSize } = this;
    unit.bytes = sample;
    unit.clear();
    rules.startAccessUnit();
    let slices = 0;
    let offset = 0;
    while (offset < sample.length) {
      const start = offset + lengthSize;
      if (start > sample.length) throw invalidSample('A NAL unit length is cut off.', offset, sample);
      let length = 0;
      while (offset < start) length = 256 * length + sample[offset++]!;
      const end = start + length;
      if (end > sample.length) throw invalidSample('A NAL unit ends behind its sample.', start, sample);
      offset = end;
      if (length === 0) continue;
      if (!syntax.isWellFormed(sample, start, end))
        throw invalidSample('A NAL unit header is broken.', start, sample);
      if (syntax.isIgnorable(sample, start)) continue;
      const type = syntax.nalUnitType(sample[start]!);
      if (syntax.isSlice(type)) {
        rules.admitSlice(sample, start, Math.min(end, start + sliceHeaderBytesMax));
        slices++;
      } else if (syntax.parameterSetKind(type) !== undefined) this.learn(sample.subarray(start, end));
      if (!unit.add(start, end)) throw invalidSample('A sample has too many NAL units.', start, sample);
    }
    if (slices === 0) throw invalidSample('A sample has no slice.', 0, sample);
    unit.randomAccess = rules.randomAccess;
    unit.nonReference = rules.nonReference;
    unit.bidirectional = rules.bidirectional;
    return unit;
  }
}

function invalidSample(message: string, offset: number, sample: Uint8Array): CameraError {
  return new CameraError('stream-invalid', message, { offset, sampleBytes: sample.length });
}
