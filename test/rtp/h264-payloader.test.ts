import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { H264Payloader } from '../../src/rtp/h264-payloader.ts';
import { depayloadH264 } from '../support/h264-depayloader.ts';
import { recordOf } from '../support/nal-source.ts';
import { describePayloader, payloadsOf } from './payloader-conformance.ts';

/** A unit with this header byte, filled with a pattern. */
function nal(header: number, length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i === 0 ? header : seed * 31 + i * 7));
}

const split = (units: readonly Uint8Array[], limit: number): Uint8Array[] =>
  payloadsOf(new H264Payloader(), recordOf(units), limit);

describePayloader({
  name: 'H.264',
  create: () => new H264Payloader(),
  depayload: depayloadH264,
  unitsMax: 12,
  // Any F and NRI, any of the types 1–23.
  unit: (length, seed) => nal((((seed >> 5) % 8) << 5) | (1 + (seed % 23)), length, seed),
});

describe('H264Payloader', () => {
  it('sends a unit that fits as it is', () => {
    const slice = nal(0x41, 1200);
    assert.deepEqual(split([slice], 1200), [slice]);
  });

  it('splits a NAL unit larger than the payload limit into FU-A packets', () => {
    const payloads = split([nal(0x65, 1201)], 1200);
    assert.deepEqual(
      payloads.map(payload => [payload[0], payload[1], payload.length]),
      // NRI 3 and type 28; start and type 5, end and type 5; 1200 bytes without the header in two halves.
      [
        [0x7c, 0x85, 602],
        [0x7c, 0x45, 602],
      ],
    );
  });

  it('sets neither start nor end bit in the fragments between', () => {
    const payloads = split([nal(0x41, 5000)], 1000);
    assert.deepEqual(
      payloads.map(payload => payload[1]! & 0xe0),
      [0x80, 0, 0, 0, 0, 0x40],
    );
  });

  it('puts parameter sets into one STAP-A with the highest NRI of them', () => {
    const sps = nal(0x47, 10);
    const pps = nal(0x28, 4);
    const [stap, ...fragments] = split([sps, pps, nal(0x65, 3000)], 1200);
    assert.equal(stap![0], 0x58);
    assert.deepEqual([...stap!.subarray(1, 3)], [0, 10]);
    assert.deepEqual([...stap!.subarray(3, 13)], [...sps]);
    assert.deepEqual([...stap!.subarray(13)], [0, 4, ...pps]);
    assert.equal(fragments.length, 3);
  });

  it('sets F in a STAP-A when a unit in it has it', () => {
    assert.equal(split([nal(0x01, 10), nal(0x81, 10)], 1200)[0]![0], 0x80 | 24);
  });

  it('puts a whole small picture into one packet', () => {
    const units = [nal(0x67, 20), nal(0x68, 5), nal(0x06, 30), nal(0x65, 700)];
    assert.equal(split(units, 1200).length, 1);
  });

  it('fills a STAP-A to the last byte of the limit and no further', () => {
    const units = [nal(0x41, 50), nal(0x41, 45)];
    assert.equal(split(units, 1 + 2 + 50 + 2 + 45).length, 1);
    assert.deepEqual(split(units, 1 + 2 + 50 + 2 + 44), units);
  });

  it('makes no STAP-A of one unit between two large ones', () => {
    const middle = nal(0x06, 20);
    const payloads = split([nal(0x65, 2000), middle, nal(0x65, 2000)], 1200);
    assert.deepEqual(payloads[2], middle);
    assert.equal(payloads.length, 5);
  });

  it('starts a new STAP-A behind 64 units', () => {
    const units = Array.from({ length: 65 }, () => nal(0x41, 4));
    const payloads = split(units, 1200);
    assert.deepEqual(
      payloads.map(payload => payload[0]! & 31),
      [24, 1],
    );
  });

  it('does not send units whose type RFC 6184 would read as a packet, nor empty ones', () => {
    const slice = nal(0x41, 100);
    const foreign = [0, 24, 25, 26, 27, 28, 29, 30, 31].map(type => nal(0x60 | type, 20));
    assert.deepEqual(split([...foreign, slice, new Uint8Array(0), nal(0x7c, 5000)], 1200), [slice]);
  });

  it('passes over an unsendable unit without losing the large one behind it', () => {
    const payloads = split([nal(0x1c, 20), nal(0x65, 3000)], 1200);
    assert.deepEqual(depayloadH264(payloads), [nal(0x65, 3000)]);
  });
});
