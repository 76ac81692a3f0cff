/**
 * Decodes the FLAC frames that flac-encoder.ts makes, back to samples and back to the bytes of G.711 (RFC 9639).
 *
 * It reads what a card gave back, so it believes nothing: both checksums and each field are looked at, every loop is
 * bounded by the frame, and what is not of the encoder's subset (8 kHz, 16 bits, one channel, blocks of varying size;
 * constant, verbatim and fixed subframes; Rice parameters of 4 bits without escape) is refused. Pure; the functions
 * share buffers of their thread and return before another may use them; any thread.
 */
import { CameraError } from '../../base/errors.ts';
import { type AudioCodec, Codec } from '../../base/tracks.ts';
import { linearToPcma, linearToPcmu } from '../g711.ts';
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

/** The frame behind which zeros lie, so that reading a few bits too many reads those; the end is checked afterwards. */
const padded = new Uint8Array(flacFrameBytesMax + 16);
const decoded = new Int16Array(flacBlockSamplesMax);
/** Bytes of a header without coded number and block size, and of the CRC-16: a frame has more. */
const frameBytesMin = 11;

function invalid(reason: string): CameraError {
  return new CameraError('stream-invalid', `the FLAC frame cannot be decoded: ${reason}`);
}

/** 25 bits at least, at the high end of a signed 32-bit number, from bit `at` of the padded frame. */
function peek(at: number): number {
  const byte = at >> 3;
  return (
    ((padded[byte]! << 24) | (padded[byte + 1]! << 16) | (padded[byte + 2]! << 8) | padded[byte + 3]!) <<
    (at & 7)
  );
}

/** Bytes of the coded number that begins with `first`; 0: it is none. */
function codedNumberBytes(first: number): number {
  const ones = Math.clz32(~(first << 24));
  if (ones === 0) return 1;
  return ones === 1 || ones === 8 ? 0 : ones;
}

/**
 * Decodes one frame, which must be the whole of `frame`.
 * @param out receives the samples; flacBlockSamplesMax are always enough.
 * @returns how many samples there are. Throws CameraError `stream-invalid`; `out` may be written to then.
 */
export function decodeFlacFrame(frame: Uint8Array, out: Int16Array): number {
  const { length } = frame;
  if (length < frameBytesMin || length > flacFrameBytesMax) throw invalid(`${length} bytes`);
  if (crc16(frame, length) !== 0) throw invalid('its checksum differs');
  padded.set(frame);
  padded.fill(0, length, length + 16);

  const sizeCode = padded[2]! >> 4;
  const isKnown =
    ((padded[0]! << 8) | padded[1]!) === frameSync &&
    (sizeCode === blockSizeOneByte || sizeCode === blockSizeTwoBytes) &&
    (padded[2]! & 15) === sampleRateCode &&
    padded[3] === channelsAndSampleSize;
  const numberBytes = codedNumberBytes(padded[4]!);
  if (!isKnown || numberBytes === 0) throw invalid('its header is of another kind');
  const sizeAt = 4 + numberBytes;
  const headerBytes = sizeAt + (sizeCode === blockSizeOneByte ? 1 : 2);
  const lastSample =
    sizeCode === blockSizeOneByte ? padded[sizeAt]! : (padded[sizeAt]! << 8) | padded[sizeAt + 1]!;
  if (crc8(padded, headerBytes) !== padded[headerBytes]) throw invalid("its header's checksum differs");
  const count = lastSample + 1;
  if (count > flacBlockSamplesMax || count > out.length) throw invalid(`${count} samples`);

  const end = decodeSubframe(8 * (headerBytes + 1), 8 * (length - 2), out, count);
  if ((end + 7) >> 3 !== length - 2)
    throw invalid(`${length} bytes, of which ${((end + 7) >> 3) + 2} are used`);
  return count;
}

/** Decodes from bit `at`; returns where the subframe ends, which is at or before `end`. */
function decodeSubframe(at: number, end: number, out: Int16Array, count: number): number {
  const head = peek(at);
  const type = (head >>> 25) & 0x3f;
  let position = at + 8;
  let wasted = 0;
  if ((head >>> 24) & 1) {
    wasted = Math.clz32(peek(position)) + 1;
    position += wasted;
  }
  const sampleBits = 16 - wasted;
  if (head < 0 || sampleBits < 1) throw invalid('its subframe is of another kind');

  const order = type - SubframeType.fixed;
  if (type === SubframeType.constant) {
    out.fill(peek(position) >> (32 - sampleBits), 0, count);
    position += sampleBits;
  } else if (type === SubframeType.verbatim) {
    if (position + count * sampleBits > end) throw invalid('its samples are cut short');
    position = readSamples(position, sampleBits, out, count);
  } else if (order >= 0 && order <= predictorOrderMax && order < count) {
    position = readSamples(position, sampleBits, out, order);
    position = decodeResidual(position, end, out, count, order, sampleBits);
  } else {
    throw invalid(`subframes of type ${type} are not known`);
  }
  if (position > end) throw invalid('it is cut short');
  if (wasted > 0) for (let i = 0; i < count; i++) out[i]! <<= wasted;
  return position;
}

function readSamples(at: number, bits: number, out: Int16Array, count: number): number {
  for (let i = 0; i < count; i++) out[i] = peek(at + i * bits) >> (32 - bits);
  return at + count * bits;
}

/** Decodes the Rice codes and adds the prediction of a fixed predictor (RFC 9639 §9.2.5, §9.2.7). */
function decodeResidual(
  at: number,
  end: number,
  out: Int16Array,
  count: number,
  order: number,
  sampleBits: number,
): number {
  const partitionOrder = (peek(at) >>> 26) & 15;
  const length = count >> partitionOrder;
  if (peek(at) >>> 30 !== 0 || length << partitionOrder !== count || length <= order)
    throw invalid('its partitions are of another kind');
  // The last sample and its differences of first to third order; those of an order not used stay 0.
  let last0 = order > 0 ? out[order - 1]! : 0;
  let last1 = order > 1 ? last0 - out[order - 2]! : 0;
  let last2 = order > 2 ? last1 - (out[order - 2]! - out[order - 3]!) : 0;
  let last3 = order > 3 ? last2 - (out[order - 2]! - 2 * out[order - 3]! + out[order - 4]!) : 0;
  const unused = 32 - sampleBits;
  let beyond = 0;
  let position = at + 6;
  let i = order;
  for (let partitionEnd = length; partitionEnd <= count; partitionEnd += length) {
    const parameter = peek(position) >>> 28;
    position += 4;
    if (parameter > riceParameterMax) throw invalid('a Rice parameter is of another kind');
    for (; i < partitionEnd; i++) {
      let zeros = Math.clz32(peek(position));
      // Of a longer run of zeros only 24 are surely the frame's own.
      for (let run = zeros; run >= 24 && position <= end; zeros += run) {
        zeros += 24 - run;
        position += 24;
        run = Math.clz32(peek(position));
      }
      position += (zeros % 24) + 1;
      if (position + parameter > end) throw invalid('its residual is cut short');
      const value = (zeros << parameter) | ((peek(position) >>> 1) >>> (31 - parameter));
      position += parameter;
      const error = (value >>> 1) ^ -(value & 1);
      // From the difference of the predictor's order down to the sample itself.
      if (order > 3) last3 = (last3 + error) | 0;
      if (order > 2) last2 = (last2 + (order === 3 ? error : last3)) | 0;
      if (order > 1) last1 = (last1 + (order === 2 ? error : last2)) | 0;
      last0 = order === 0 ? error : (last0 + (order === 1 ? error : last1)) | 0;
      beyond |= ((last0 << unused) >> unused) ^ last0;
      out[i] = last0;
    }
  }
  if (beyond !== 0) throw invalid('a sample lies beyond its range');
  return position;
}

/**
 * Decodes one frame back to the G.711 that it was made of; -0 of µ-law comes back as +0, the rest as it was.
 * @param law of the G.711 that was encoded.
 * @param out receives the bytes, one a sample.
 * @returns how many there are. Throws CameraError `stream-invalid`.
 */
export function flacToG711(frame: Uint8Array, law: AudioCodec, out: Uint8Array): number {
  const count = decodeFlacFrame(frame, decoded);
  if (count > out.length) throw invalid(`${count} samples`);
  if (law === Codec.pcmu) for (let i = 0; i < count; i++) out[i] = linearToPcmu(decoded[i]!);
  else for (let i = 0; i < count; i++) out[i] = linearToPcma(decoded[i]!);
  return count;
}
