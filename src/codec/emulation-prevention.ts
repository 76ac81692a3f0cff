/**
 * Emulation prevention, both ways: a NAL unit carries 00 00 03 where its payload has 00 00 before a byte below 4, so
 * that no start code appears inside (ITU-T H.264 §7.3.1, §7.4.1; H.265 §7.3.1.1, §7.4.2).
 *
 * Pure functions for any thread. The media path never removes anything: only the few header bytes that are parsed.
 */

/**
 * Writes the payload of [start, end) of a NAL unit to `target` without its emulation prevention bytes and returns the
 * bytes written. Stops when `target` is full, which lets a caller unwrap a bounded prefix.
 */
export function removeEmulationPrevention(
  nalUnit: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let zeros = 0;
  let written = 0;
  for (let i = start; i < end && written < target.length; i++) {
    const byte = nalUnit[i]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    target[written++] = byte;
  }
  return written;
}

/** The payload of a whole NAL unit without emulation prevention, `headerBytes` passed over; a new array. */
export function payloadOf(nalUnit: Uint8Array, headerBytes: number): Uint8Array {
  const target = new Uint8Array(Math.max(0, nalUnit.length - headerBytes));
  return target.subarray(0, removeEmulationPrevention(nalUnit, headerBytes, nalUnit.length, target));
}

/**
 * A payload with the emulation prevention bytes that a NAL unit needs; a new array. A final 03 is added when the
 * payload ends in 00 (cabac_zero_words), as a NAL unit must not end in 00.
 */
export function addEmulationPrevention(payload: Uint8Array): Uint8Array {
  // At worst every second byte of the payload gets one byte more, and one at the end.
  const target = new Uint8Array(payload.length + (payload.length >> 1) + 1);
  let zeros = 0;
  let written = 0;
  for (const byte of payload) {
    if (zeros === 2 && byte <= 3) {
      target[written++] = 3;
      zeros = 0;
    }
    target[written++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  if (zeros > 0) target[written++] = 3;
  return target.subarray(0, written);
}
