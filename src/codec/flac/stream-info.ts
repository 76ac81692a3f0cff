/**
 * The STREAMINFO block of the recorder's FLAC (RFC 9639 §8.2), as it lies in the `dfLa` box and behind `fLaC` in a file.
 *
 * It is the same for every recording: 8 kHz, one channel, 16 bits, blocks of varying size, the total and the checksum
 * of the samples unknown. Pure; any thread.
 */
import { flacBlockSamplesMax, flacBlockSamplesMin } from './frame-format.ts';

/** The 34 bytes, without the 4 bytes of a metadata block header; a new array. */
export function flacStreamInfo(): Uint8Array {
  const bytes = new Uint8Array(34);
  const view = new DataView(bytes.buffer);
  // Some players refuse a whole file whose smallest block size is 0, so it is what the standard allows at least.
  view.setUint16(0, flacBlockSamplesMin);
  view.setUint16(2, flacBlockSamplesMax);
  // Frame sizes stay 0, unknown. Then 20 bits rate, 3 bits channels - 1, 5 bits sample size - 1, 36 bits of samples.
  view.setUint32(10, (8000 << 12) | (0 << 9) | (15 << 4));
  return bytes;
}
