import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  linearToPcma,
  linearToPcmu,
  pcmaSilence,
  pcmaToLinear,
  pcmuSilence,
  pcmuToLinear,
} from '../../src/codec/g711.ts';

test('decodes the decision points of G.711 tables 1 and 2', () => {
  // µ-law: code word 0x80 is the largest positive value 8031, 0xF0 is 30, 0xFE is 2, 0x00 is −8031 (14 bits).
  for (const [code, value] of [
    [0x80, 8031],
    [0xf0, 30],
    [0xef, 33],
    [0xfe, 2],
    [0xff, 0],
    [0x7f, 0],
    [0x00, -8031],
  ] as const)
    assert.equal(pcmuToLinear[code]! / 4, value + 0);
  // A-law after the inversion of even bits: 0xAA is 4032, 0xD5 is 1, 0x55 is −1, 0x2A is −4032 (13 bits).
  for (const [code, value] of [
    [0xaa, 4032],
    [0xd5, 1],
    [0x55, -1],
    [0x2a, -4032],
    [0xc5, 33],
  ] as const)
    assert.equal(pcmaToLinear[code]! / 8, value);
});

test('silence is the quietest code', () => {
  assert.equal(pcmuToLinear[pcmuSilence]! + 0, 0);
  assert.equal(pcmaToLinear[pcmaSilence], 8);
  assert.equal(linearToPcmu(0), pcmuSilence);
  assert.equal(linearToPcma(0), pcmaSilence);
});

for (const [name, encode, decode, bothZeros] of [
  ['µ-law', linearToPcmu, pcmuToLinear, true],
  ['A-law', linearToPcma, pcmaToLinear, false],
] as const) {
  test(`${name}: every code comes back from its sample`, () => {
    for (let code = 0; code < 256; code++) {
      // µ-law has two zeros; the encoder takes the positive one.
      if (bothZeros && code === 0x7f) continue;
      assert.equal(encode(decode[code]!), code);
    }
  });

  test(`${name}: every 16-bit sample is coded within half a step, which grows with its size`, () => {
    for (let sample = -32768; sample <= 32767; sample++) {
      const error = Math.abs(decode[encode(sample)]! - sample);
      assert.ok(error <= Math.abs(sample) / 32 + 16, `${sample}: ${error}`);
    }
  });
}
