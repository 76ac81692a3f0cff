/** Builds payload sources as a ring record is shaped: NAL units behind 4-byte lengths in shared memory. */
import type { PayloadSource } from '../../src/rtp/payloader.ts';

/** A record with these units. */
export function recordOf(units: readonly Uint8Array[]): PayloadSource {
  const total = units.reduce((sum, unit) => sum + 4 + unit.length, 0);
  const bytes = new Uint8Array(new SharedArrayBuffer(total));
  const view = new DataView(bytes.buffer);
  const starts: number[] = [];
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.length);
    bytes.set(unit, at + 4);
    starts.push(at + 4);
    at += 4 + unit.length;
  }
  return {
    bytes,
    nalCount: units.length,
    nalStart: i => starts[i]!,
    nalEnd: i => starts[i]! + units[i]!.length,
  };
}
