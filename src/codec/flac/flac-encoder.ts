/**
 * Encodes 16-bit mono sound of 8 kHz to FLAC frames (RFC 9639), one a block, each decodable by itself.
 *
 * Meant for what G.711 decodes to: such samples are multiples of 4 (µ-law) or 8 (A-law), which the format's wasted bits
 * take off at no loss. Silence becomes a constant subframe; everything else the fixed predictor of order 0 to 4 with
 * the smallest sum of residuals, in partitioned Rice codes whose parameters and partitions are the best there are,
 * found by counting; or it lies there verbatim when nothing is gained. Linear prediction is left out: on speech of
 * G.711, whose steps grow with the signal, it saves a few per cent of bytes and costs several times the work.
 *
 * Pure; nothing is allocated after the constructor; any thread.
 */
import { BitWriter } from './bit-writer.ts';
import { crc8, crc16 } from './checksums.ts';
import {
  blockSizeOneByte,
  blockSizeTwoBytes,
  channelsAndSampleSize,
  flacBlockSamplesMax,
  flacFrameBytesMax,
  frameSync,
  predictorOrderMax,
  riceParameterMax,
  SubframeType,
  sampleRateCode,
} from './frame-format.ts';

/** Blocks are cut into at most 2⁵ partitions: 800 samples divide by that, and finer ones cost more than they save. */
const partitionOrderMax = 5;
/** Rice parameters for each of which quotients are summed: 0 to 14, and one to make the length a multiple of 4. */
const rowLength = riceParameterMax + 2;
/** Zeros that one put writes. */
const zerosMax = 24;

export class FlacEncoder {
  private readonly frame = new Uint8Array(flacFrameBytesMax);
  private readonly writer = new BitWriter(this.frame);
  /** The samples without their wasted bits. */
  private readonly values = new Int32Array(flacBlockSamplesMax);
  /** The residuals, folded to non-negative numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 … */
  private readonly folded = new Uint32Array(flacBlockSamplesMax);
  /** By partition and Rice parameter: the sum of the quotients, which are coded in as many zeros. */
  private readonly quotients = new Float64Array((1 << partitionOrderMax) * rowLength);
  /** Best parameters, for each order of partitioning in a row of their own. */
  private readonly best = new Uint8Array((partitionOrderMax + 1) << partitionOrderMax);
  private readonly sums = new Float64Array(predictorOrderMax + 1);
  /** Bits of the residual as last planned. */
  private plannedBits = 0;

  /**
   * One frame of `samples[0, sampleCount)`.
   * @param sampleCount 1 to flacBlockSamplesMax; below 16 only in a stream's last block.
   * @param firstSampleNumber counted from anywhere, below 2³⁶.
   * @returns the frame, borrowed until the next call.
   */
  encode(samples: Int16Array, sampleCount: number, firstSampleNumber: number): Uint8Array {
    if (!(sampleCount >= 1 && sampleCount <= flacBlockSamplesMax && sampleCount <= samples.length))
      throw new RangeError(`a FLAC block of ${sampleCount} samples`);
    this.writer.reset();
    this.putHeader(sampleCount, firstSampleNumber);
    this.putSubframe(samples, sampleCount);
    const { writer, frame } = this;
    writer.align();
    writer.put(crc16(frame, writer.lengthBytes), 16);
    return frame.subarray(0, writer.lengthBytes);
  }

  private putHeader(sampleCount: number, firstSampleNumber: number): void {
    const { writer } = this;
    const oneByte = sampleCount <= 256;
    writer.put(frameSync, 16);
    writer.put(((oneByte ? blockSizeOneByte : blockSizeTwoBytes) << 4) | sampleRateCode, 8);
    writer.put(channelsAndSampleSize, 8);
    this.putCodedNumber(firstSampleNumber);
    writer.put(sampleCount - 1, oneByte ? 8 : 16);
    writer.put(crc8(this.frame, writer.lengthBytes), 8);
  }

  /** UTF-8 of a number of up to 36 bits (RFC 9639 §9.1.5). */
  private putCodedNumber(number: number): void {
    const { writer } = this;
    if (number < 0x80) {
      writer.put(number, 8);
      return;
    }
    // n bytes hold 5n + 1 bits, and the first says n by as many ones.
    let bytes = 2;
    while (number >= 2 ** (5 * bytes + 1)) bytes++;
    const high = Math.floor(number / 2 ** (6 * (bytes - 1)));
    writer.put(((0xff00 >> bytes) & 0xff) | high, 8);
    for (let i = bytes - 2; i >= 0; i--) writer.put(0x80 | (Math.floor(number / 2 ** (6 * i)) & 0x3f), 8);
  }

  private putSubframe(samples: Int16Array, count: number): void {
    const { values } = this;
    const first = samples[0]!;
    let ones = 0;
    let differences = 0;
    for (let i = 0; i < count; i++) {
      const sample = samples[i]!;
      ones |= sample;
      differences |= sample ^ first;
    }
    if (differences === 0) {
      this.putSubframeHeader(SubframeType.constant, 0);
      this.writer.put(first & 0xffff, 16);
      return;
    }
    // The lowest bit that is 1 in any sample.
    const wasted = 31 - Math.clz32(ones & -ones);
    for (let i = 0; i < count; i++) values[i] = samples[i]! >> wasted;
    const sampleBits = 16 - wasted;
    const order = this.chooseOrder(count);
    const partitionOrder = this.planResidual(count, order);
    const bits = order * sampleBits + 6 + this.plannedBits;
    const isVerbatim = bits >= count * sampleBits;
    this.putSubframeHeader(isVerbatim ? SubframeType.verbatim : SubframeType.fixed + order, wasted);
    const mask = (1 << sampleBits) - 1;
    const raw = isVerbatim ? count : order;
    for (let i = 0; i < raw; i++) this.writer.put(values[i]! & mask, sampleBits);
    if (!isVerbatim) this.putResidual(count, order, partitionOrder);
  }

  private putSubframeHeader(type: number, wasted: number): void {
    this.writer.put((type << 1) | (wasted > 0 ? 1 : 0), 8);
    // The number of wasted bits less 1 in unary: so many zeros, then a one.
    if (wasted > 0) this.writer.put(1, wasted);
  }

  /** The order of the predictor with the least sum of residuals. */
  private chooseOrder(count: number): number {
    const { values, sums } = this;
    if (count <= 2 * predictorOrderMax) return 0;
    sums.fill(0);
    let last0 = values[3]!;
    let last1 = last0 - values[2]!;
    const before = values[2]! - values[1]!;
    let last2 = last1 - before;
    let last3 = last2 - (before - (values[1]! - values[0]!));
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    let sum4 = 0;
    // Each order's residual is the difference of two of the order below. 4608 × 2²⁰ fits a double.
    for (let i = predictorOrderMax; i < count; i++) {
      const error0 = values[i]!;
      const error1 = error0 - last0;
      const error2 = error1 - last1;
      const error3 = error2 - last2;
      const error4 = error3 - last3;
      sum0 += Math.abs(error0);
      sum1 += Math.abs(error1);
      sum2 += Math.abs(error2);
      sum3 += Math.abs(error3);
      sum4 += Math.abs(error4);
      last0 = error0;
      last1 = error1;
      last2 = error2;
      last3 = error3;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    sums[4] = sum4;
    let best = 0;
    for (let order = 1; order <= predictorOrderMax; order++) if (sums[order]! < sums[best]!) best = order;
    return best;
  }

  /** Fills `folded` and finds the best partitioning: its order is returned, its parameters lie in `best`. */
  private planResidual(count: number, order: number): number {
    this.foldResidual(count, order);
    let finest = 0;
    while (finest < partitionOrderMax && count % (2 << finest) === 0 && count >> (finest + 1) > order)
      finest++;
    this.sumQuotients(count, order, finest);
    let chosen = finest;
    this.plannedBits = Number.POSITIVE_INFINITY;
    for (let partitionOrder = finest; partitionOrder >= 0; partitionOrder--) {
      const bits = this.choosePartitionParameters(count, order, partitionOrder);
      if (bits < this.plannedBits) {
        this.plannedBits = bits;
        chosen = partitionOrder;
      }
      if (partitionOrder > 0) this.mergeQuotients(1 << (partitionOrder - 1));
    }
    return chosen;
  }

  private foldResidual(count: number, order: number): void {
    const { values, folded } = this;
    let last0 = order > 0 ? values[order - 1]! : 0;
    let last1 = order > 1 ? last0 - values[order - 2]! : 0;
    let last2 = order > 2 ? last1 - (values[order - 2]! - values[order - 3]!) : 0;
    let last3 = order > 3 ? last2 - (values[order - 2]! - 2 * values[order - 3]! + values[order - 4]!) : 0;
    for (let i = order; i < count; i++) {
      const error0 = values[i]!;
      const error1 = error0 - last0;
      const error2 = error1 - last1;
      const error3 = error2 - last2;
      const error =
        order < 2
          ? order === 0
            ? error0
            : error1
          : order === 2
            ? error2
            : order === 3
              ? error3
              : error3 - last3;
      last0 = error0;
      last1 = error1;
      last2 = error2;
      last3 = error3;
      folded[i] = (error << 1) ^ (error >> 31);
    }
  }

  private sumQuotients(count: number, order: number, partitionOrder: number): void {
    const { folded, quotients } = this;
    const length = count >> partitionOrder;
    for (let partition = 0; partition < 1 << partitionOrder; partition++) {
      const start = partition === 0 ? order : partition * length;
      const end = (partition + 1) * length;
      const row = partition * rowLength;
      quotients.fill(0, row, row + rowLength);
      // Four parameters at a time are summed in registers, until all quotients are 0.
      let fourth = 1;
      for (let parameter = 0; parameter < rowLength && fourth > 0; parameter += 4) {
        let first = 0;
        let second = 0;
        let third = 0;
        fourth = 0;
        for (let i = start; i < end; i++) {
          const quotient = folded[i]! >>> parameter;
          first += quotient;
          second += quotient >>> 1;
          third += quotient >>> 2;
          fourth += quotient >>> 3;
        }
        quotients[row + parameter] = first;
        quotients[row + parameter + 1] = second;
        quotients[row + parameter + 2] = third;
        quotients[row + parameter + 3] = fourth;
      }
    }
  }

  /** Two rows become one: those of the next coarser partitioning, which has `partitions`. */
  private mergeQuotients(partitions: number): void {
    const { quotients } = this;
    for (let partition = 0; partition < partitions; partition++)
      for (let i = partition * rowLength; i < (partition + 1) * rowLength; i++)
        quotients[i] = quotients[i + partition * rowLength]! + quotients[i + (partition + 1) * rowLength]!;
  }

  /** The best parameter of each partition; returns the bits of all partitions. */
  private choosePartitionParameters(count: number, order: number, partitionOrder: number): number {
    const { quotients, best } = this;
    const length = count >> partitionOrder;
    let bits = 0;
    for (let partition = 0; partition < 1 << partitionOrder; partition++) {
      const symbols = partition === 0 ? length - order : length;
      let least = Number.POSITIVE_INFINITY;
      for (let parameter = 0; parameter <= riceParameterMax; parameter++) {
        const cost = symbols * (parameter + 1) + quotients[partition * rowLength + parameter]!;
        if (cost >= least) break;
        least = cost;
        best[(partitionOrder << partitionOrderMax) + partition] = parameter;
      }
      bits += 4 + least;
    }
    return bits;
  }

  private putResidual(count: number, order: number, partitionOrder: number): void {
    const { writer, folded, best } = this;
    const length = count >> partitionOrder;
    // 2 bits 0: Rice parameters of 4 bits.
    writer.put(partitionOrder, 6);
    let at = order;
    for (let partition = 0; partition < 1 << partitionOrder; partition++) {
      const parameter = best[(partitionOrder << partitionOrderMax) + partition]!;
      const mask = (1 << parameter) - 1;
      writer.put(parameter, 4);
      for (const end = (partition + 1) * length; at < end; at++) {
        const value = folded[at]!;
        let zeros = value >>> parameter;
        const low = (1 << parameter) | (value & mask);
        if (zeros + parameter < zerosMax) writer.put(low, zeros + parameter + 1);
        else {
          for (; zeros > zerosMax; zeros -= zerosMax) writer.put(0, zerosMax);
          writer.put(0, zeros);
          writer.put(low, parameter + 1);
        }
      }
    }
  }
}
