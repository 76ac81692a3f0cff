import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { G711Payloader } from '../../src/rtp/g711-payloader.ts';
import { recordOf } from '../support/nal-source.ts';
import { describePayloader, payloadsOf } from './payloader-conformance.ts';

const samples = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => seed * 13 + i * 5);

describePayloader({
  name: 'G.711',
  create: () => new G711Payloader(),
  depayload: payloads => [Uint8Array.from(Buffer.concat(payloads))],
  unitsMax: 1,
  unit: samples,
});

describe('G711Payloader', () => {
  it('sends a record of 20 ms as one packet, untouched', () => {
    assert.deepEqual(payloadsOf(new G711Payloader(), recordOf([samples(160)]), 1200), [samples(160)]);
  });

  it('splits a record longer than the limit into equal packets', () => {
    const payloads = payloadsOf(new G711Payloader(), recordOf([samples(2400)]), 1000);
    assert.deepEqual(
      payloads.map(payload => payload.length),
      [800, 800, 800],
    );
  });
});
