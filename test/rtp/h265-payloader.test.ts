import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { H265Payloader } from '../../src/rtp/h265-payloader.ts';
import { depayloadH265 } from '../support/h265-depayloader.ts';
import { recordOf } from '../support/nal-source.ts';
import { describePayloader, payloadsOf } from './payloader-conformance.ts';

/** A unit with these header fields, filled with a pattern. */
function nal(type: number, length: number, { f = 0, layerId = 0, tid = 1, seed = 0 } = {}): Uint8Array {
  const word = (f << 15) | (type << 9) | (layerId << 3) | tid;
  return Uint8Array.from({ length }, (_, i) =>
    i === 0 ? word >> 8 : i === 1 ? word & 255 : seed * 31 + i * 7,
  );
}

const split = (units: readonly Uint8Array[], limit: number): Uint8Array[] =>
  payloadsOf(new H265Payloader(), recordOf(units), limit);

describePayloader({
  name: 'H.265',
  create: () => new H265Payloader(),
  depayload: depayloadH265,
  unitsMax: 12,
  unit: (length, seed) =>
    nal(seed % 48, length, { f: (seed >> 6) & 1, layerId: (seed >> 7) % 64, tid: 1 + (seed % 7), seed }),
});

describe('H265Payloader', () => {
  it('sends a unit that fits as it is', () => {
    const slice = nal(1, 1200);
    assert.deepEqual(split([slice], 1200), [slice]);
  });

  it('splits a NAL unit larger than the payload limit into fragmentation units', () => {
    const payloads = split([nal(19, 1202, { layerId: 33, tid: 2 })], 1200);
    assert.deepEqual(
      payloads.map(payload => [...payload.subarray(0, 3), payload.length]),
      // Type 49 with LayerId 33 and TID 2; S, then E, with the unit's type 19.
      [
        [0x63, 0x0a, 0x80 | 19, 603],
        [0x63, 0x0a, 0x40 | 19, 603],
      ],
    );
  });

  it('sets neither S nor E in the fragments between', () => {
    const payloads = split([nal(1, 5000)], 1000);
    assert.deepEqual(
      payloads.map(payload => payload[2]! & 0xc0),
      [0x80, 0, 0, 0, 0, 0x40],
    );
  });

  it('puts the parameter sets into one aggregation packet', () => {
    const sets = [nal(32, 24), nal(33, 40), nal(34, 8)];
    const [ap, ...fragments] = split([...sets, nal(19, 3000)], 1200);
    const expected = sets.flatMap(unit => [0, unit.length, ...unit]);
    assert.deepEqual([...ap!], [0x60, 0x01, ...expected]);
    assert.equal(fragments.length, 3);
  });

  it('gives an aggregation packet the lowest LayerId and TID of its units, and any F', () => {
    const units = [nal(1, 10, { layerId: 40, tid: 3 }), nal(1, 10, { layerId: 35, tid: 5, f: 1 })];
    const [ap] = split(units, 1200);
    assert.deepEqual([...ap!.subarray(0, 2)], [0x80 | (48 << 1) | 1, ((35 & 31) << 3) | 3]);
  });

  it('fills an aggregation packet to the last byte of the limit and no further', () => {
    const units = [nal(1, 50), nal(1, 45)];
    assert.equal(split(units, 2 + 2 + 50 + 2 + 45).length, 1);
    assert.deepEqual(split(units, 2 + 2 + 50 + 2 + 44), units);
  });

  it('does not send units whose type RFC 7798 would read as a packet, nor ones without a whole header', () => {
    const slice = nal(1, 100);
    const foreign = Array.from({ length: 16 }, (_, i) => nal(48 + i, 20));
    assert.deepEqual(split([...foreign, slice, Uint8Array.of(2), nal(49, 5000)], 1200), [slice]);
  });
});
