// The expected values are what ffprobe 5.1 says of the fixtures (profile, level, size, r_frame_rate).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { Codec } from '../../src/base/tracks.ts';
import { addEmulationPrevention } from '../../src/codec/emulation-prevention.ts';
import * as h264 from '../../src/codec/h264/sequence-parameter-set.ts';
import * as h265 from '../../src/codec/h265/sequence-parameter-set.ts';
import { syntaxOf } from '../../src/codec/syntax-of.ts';
import { BitWriter, bytesOf, cutAll, fixture } from './streams.ts';

function setOf(name: string): Uint8Array {
  const codec = name.endsWith('h264') ? Codec.h264 : Codec.h265;
  const syntax = syntaxOf(codec);
  const first = cutAll(codec, fixture(name)).pictures[0]!;
  return first.nalUnits.find(nalUnit => syntax.parameterSetKind(syntax.nalUnitType(nalUnit[0]!)) === 'sps')!;
}

const expectations = {
  '1080p60.h264': [1920, 1080, 60, 66, 192, 42],
  'demo-720p30.h264': [1280, 720, 30, 66, 192, 31],
  'slices-b-322x242.h264': [322, 242, 25, 100, 0, 13],
  'scaling-hrd-128x96.h264': [128, 96, 25, 244, 0, 10],
  'demo-720p30-hevc.h265': [1280, 720, 30, 1, 0, 93],
  'slices-b-322x242.h265': [322, 242, 25, 1, 0, 60],
  'scaling-hrd-130x98.h265': [130, 98, 25, 2, 0, 60],
};
for (const [
  name,
  [width, height, framesPerSecond, profileIdc, profileCompatibility, levelIdc],
] of Object.entries(expectations)) {
  test(`reads the format of ${name}`, () => {
    const parse = name.endsWith('h264') ? h264.parseFormat : h265.parseFormat;
    assert.deepEqual(parse(setOf(name)), {
      width,
      height,
      framesPerSecond,
      profileIdc,
      profileCompatibility,
      levelIdc,
    });
  });
}

test('reads chroma format and bit depth of high profiles', () => {
  const avc = h264.parseSequenceParameterSet(setOf('scaling-hrd-128x96.h264'));
  assert.deepEqual([avc.chromaFormatIdc, avc.bitDepthLuma, avc.bitDepthChroma], [3, 10, 10]);
  const hevc = h265.parseSequenceParameterSet(setOf('scaling-hrd-130x98.h265'));
  assert.deepEqual([hevc.chromaFormatIdc, hevc.bitDepthLuma, hevc.bitDepthChroma], [1, 10, 10]);
});

/** A Baseline or interlaced set, written from §7.3.2.1.1. */
function h264Set(fields: {
  widthUnits?: number;
  heightUnits?: number;
  interlaced?: boolean;
  crop?: number[];
  ticks?: [number, number];
}) {
  const { widthUnits = 120, heightUnits = 68, interlaced = false, crop, ticks } = fields;
  const writer = new BitWriter().u(8, 77).u(8, 0x40).u(8, 40).ue(3);
  writer.ue(4).ue(1).u(1, 0).se(-1).se(5).ue(2).se(7).se(-9).ue(2).u(1, 0);
  writer
    .ue(widthUnits - 1)
    .ue(heightUnits - 1)
    .u(1, interlaced ? 0 : 1);
  if (interlaced) writer.u(1, 1);
  writer.u(1, 1).u(1, crop ? 1 : 0);
  for (const offset of crop ?? []) writer.ue(offset);
  writer.u(1, ticks ? 1 : 0);
  if (ticks) {
    writer.u(1, 1).u(8, 255).u(16, 4).u(16, 3); // sample aspect ratio
    writer.u(1, 1).u(1, 0); // overscan
    writer.u(1, 1).u(4, 5).u(1, 1).u(24, 0x010101);
    writer.u(1, 1).ue(1).ue(1);
    writer.u(1, 1).u(32, ticks[0]).u(32, ticks[1]).u(1, 1);
    writer.u(4, 0); // no HRD, no pic_struct, no restriction
  }
  return bytesOf([0x67], addEmulationPrevention(writer.end()));
}

describe('H.264 sequence parameter set', () => {
  test('crops in pairs of lines per field when frame_mbs_only_flag is 0', () => {
    const set = h264.parseSequenceParameterSet(
      h264Set({ heightUnits: 34, interlaced: true, crop: [0, 0, 0, 2] }),
    );
    assert.deepEqual([set.width, set.height, set.id, set.frameMacroblocksOnly], [1920, 1080, 3, false]);
  });

  test('has a frame rate of half the tick rate after a full VUI front', () => {
    assert.equal(h264.parseFormat(h264Set({ ticks: [1001, 60000] })).framesPerSecond, 60000 / 2002);
  });

  test('takes a time base of 90 kHz or of zero units for no frame rate', () => {
    assert.equal(h264.parseFormat(h264Set({ ticks: [1, 180000] })).framesPerSecond, 0);
    assert.equal(h264.parseFormat(h264Set({ ticks: [0, 50] })).framesPerSecond, 0);
  });

  test('refuses pictures over 16,384 samples and crops larger than the picture', () => {
    assert.equal(h264.parseFormat(h264Set({ widthUnits: 1024 })).width, 16384);
    assert.throws(() => h264.parseFormat(h264Set({ widthUnits: 1025 })), { code: 'stream-invalid' });
    assert.throws(() => h264.parseFormat(h264Set({ heightUnits: 600, interlaced: true })), {
      code: 'stream-invalid',
    });
    assert.throws(() => h264.parseFormat(h264Set({ crop: [960, 0, 0, 0] })), { code: 'stream-invalid' });
    assert.throws(() => h264.parseFormat(h264Set({ crop: [0, 4294967294, 0, 0] })), {
      code: 'stream-invalid',
    });
  });
});

/** A Main profile set with what real encoders seldom use, written from §7.3.2.2.1 and §7.3.7. */
function h265Set(level: number, tier: number) {
  const writer = new BitWriter().u(4, 0).u(3, 2).u(1, 1);
  const profile = () => writer.u(2, 0).u(1, tier).u(5, 1).u(32, 0x60000000).u(32, 0x90000000).u(16, 0);
  profile().u(8, level);
  writer.u(2, 0b11).u(2, 0b01).u(12, 0); // sub-layer 0: profile and level, 1: level only; then reserved pairs
  profile().u(8, 30).u(8, 60);
  writer.ue(5).ue(1).ue(1928).ue(1088).u(1, 1).ue(0).ue(4).ue(0).ue(4); // conformance window
  writer.ue(0).ue(0).ue(4).u(1, 1);
  writer.ue(1).ue(0).ue(0).ue(2).ue(1).ue(0).ue(4).ue(2).ue(0); // three sub-layers
  writer.ue(0).ue(3).ue(0).ue(3).ue(0).ue(0);
  writer.u(1, 1).u(1, 1); // scaling lists: the first predicted, one with values, the rest predicted
  for (let sizeId = 0; sizeId < 4; sizeId++)
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (sizeId !== 2 || matrixId !== 1) writer.u(1, 0).ue(0);
      else {
        writer.u(1, 1).se(8);
        for (let i = 0; i < 64; i++) writer.se(i % 3);
      }
    }
  writer.u(2, 0).u(1, 1).u(8, 0x77).ue(0).ue(2).u(1, 1); // PCM
  writer.ue(3); // short-term reference picture sets: explicit, predicted, predicted
  writer.ue(2).ue(1).ue(0).u(1, 1).ue(1).u(1, 1).ue(0).u(1, 0);
  writer.u(1, 1).u(1, 1).ue(0).u(1, 1).u(1, 0).u(1, 1).u(1, 0).u(1, 0).u(1, 1); // keeps three of four
  writer.u(1, 1).u(1, 0).ue(2).u(4, 0b1111);
  writer.u(1, 1).ue(2).u(8, 1).u(1, 1).u(8, 2).u(1, 0); // long-term
  writer.u(2, 0b10).u(1, 1); // VUI
  writer.u(1, 1).u(8, 1).u(1, 0).u(1, 1).u(4, 5).u(1, 0).u(1, 0).u(3, 0);
  writer.u(1, 1).ue(0).ue(0).ue(0).ue(0); // default display window
  writer.u(1, 1).u(32, 1001).u(32, 30000).u(1, 0).u(1, 0);
  return bytesOf('4201', addEmulationPrevention(writer.end()));
}

test('H.265: reaches the VUI past sub-layers, scaling lists, PCM, predicted reference sets and long-term ones', () => {
  assert.deepEqual(h265.parseFormat(h265Set(123, 1)), {
    width: 1920,
    height: 1080,
    framesPerSecond: 30000 / 1001,
    profileIdc: 1,
    profileCompatibility: 1,
    levelIdc: 123,
  });
  const set = h265.parseSequenceParameterSet(h265Set(123, 0));
  assert.deepEqual([set.id, set.highestTemporalId, set.reorders], [5, 2, true]);
  assert.equal(set.sliceSegmentAddressBits, 10); // 31 × 17 coding tree blocks of 64
});

describe('whatever bytes a sequence parameter set has', () => {
  const sets = Object.keys(expectations).map(name => ({ name, nalUnit: setOf(name) }));
  for (const { name, nalUnit } of [...sets, { name: 'written.h265', nalUnit: h265Set(93, 0) }]) {
    test(`${name}: 2,000 mutations give a format within bounds or stream-invalid, nothing else`, () => {
      const parse = name.endsWith('h264') ? h264.parseFormat : h265.parseFormat;
      const change = fc.tuple(fc.integer({ min: 1, max: nalUnit.length - 1 }), fc.nat(255));
      fc.assert(
        fc.property(fc.array(change, { maxLength: 6 }), fc.nat(nalUnit.length), (changes, length) => {
          const mutated = nalUnit.slice(0, changes.length % 2 === 0 ? nalUnit.length : length);
          for (const [at, value] of changes) if (at < mutated.length) mutated[at] = value;
          try {
            const { width, height, framesPerSecond } = parse(mutated);
            assert.ok(width > 0 && width <= 16384 && height > 0 && height <= 16384);
            assert.ok(framesPerSecond >= 0 && framesPerSecond <= 1000);
          } catch (error) {
            assert.ok(error instanceof CameraError, `${error}`);
            assert.equal(error.code, 'stream-invalid');
          }
        }),
        { numRuns: 2000 },
      );
    });
  }
});
