import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import type { AccessUnit } from '../../src/codec/access-unit.ts';
import { ParameterSetTracker } from '../../src/codec/parameter-sets.ts';
import { BitWriter, bytesOf, cutAll, fixture, h264Slice, hex } from './streams.ts';

/** An access unit of NAL units that lie somewhere in a larger array. */
function unitOf(nalUnits: readonly Uint8Array[], randomAccess = true): AccessUnit {
  const nalTable: number[] = [];
  let offset = 5;
  for (const nalUnit of nalUnits) {
    nalTable.push(offset + 4, offset + 4 + nalUnit.length);
    offset += 4 + nalUnit.length;
  }
  const bytes = bytesOf(new Uint8Array(5), ...nalUnits.flatMap(nalUnit => ['00000001', nalUnit]));
  const flags = { randomAccess, nonReference: false, bidirectional: false };
  return { bytes, nalTable: Int32Array.from(nalTable), nalCount: nalUnits.length, ...flags };
}

/** A Baseline sequence parameter set. */
function h264Set(id: number, widthMacroblocks: number): Uint8Array {
  const writer = new BitWriter().u(8, 66).u(8, 192).u(8, 30).ue(id).ue(0).ue(2).ue(1).u(1, 0);
  writer
    .ue(widthMacroblocks - 1)
    .ue(14)
    .u(1, 1)
    .u(1, 1)
    .u(1, 0)
    .u(1, 0);
  return bytesOf([0x67], writer.end());
}

/** A picture parameter set; `more` makes another content. */
function h264PictureSet(id: number, sequenceSetId: number, more = 0): Uint8Array {
  return bytesOf([0x68], new BitWriter().ue(id).ue(sequenceSetId).u(2, 0).ue(more).end());
}

const idr = h264Slice(0x65, 0, bytesOf('80'));
const idrOfPictureSet1 = bytesOf([0x65], new BitWriter().ue(0).ue(7).ue(1).end());
const set = h264Set(0, 20);
const pictureSet = h264PictureSet(0, 0);

for (const [name, codec, count, width] of [
  ['demo-720p30.h264', Codec.h264, 2, 1280],
  ['demo-720p30-hevc.h265', Codec.h265, 3, 1280],
] as const)
  test(`${name}: knows all sets and the format after the first picture, and puts them before a bare one`, () => {
    const { pictures } = cutAll(codec, fixture(name));
    const tracker = new ParameterSetTracker(codec);
    assert.deepEqual([tracker.complete, tracker.format], [false, undefined]);
    const first = unitOf(pictures[0]!.nalUnits);
    assert.equal(tracker.observe(first), false);
    assert.equal(tracker.complete, true);
    assert.equal(tracker.format?.width, width);
    assert.deepEqual(tracker.missingFrom(first), []);
    const bare = unitOf(pictures[0]!.nalUnits.slice(-1));
    assert.deepEqual(tracker.missingFrom(bare).map(hex), pictures[0]!.nalUnits.slice(0, count).map(hex));
    assert.equal(tracker.observe(first), false);
  });

test('a set of the same identifier with other content is a change, a repeated or a further one is not', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  assert.equal(tracker.observe(unitOf([set, pictureSet, idr])), false);
  assert.equal(tracker.observe(unitOf([set, pictureSet, idr])), false);
  assert.equal(tracker.observe(unitOf([h264PictureSet(1, 0), idr], false)), false);
  assert.equal(tracker.observe(unitOf([h264PictureSet(0, 0, 1), idr])), true);
  assert.equal(tracker.observe(unitOf([h264Set(0, 40), idr])), true);
  assert.equal(tracker.format?.width, 640);
  assert.deepEqual(
    tracker.nalUnits.map(hex),
    [h264Set(0, 40), h264PictureSet(0, 0, 1), h264PictureSet(1, 0)].map(hex),
  );
});

test('the format is of the set that the random access picture refers to, and its change is one', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  const sets = [h264Set(0, 20), h264Set(1, 40), h264PictureSet(0, 0), h264PictureSet(1, 1)];
  assert.equal(tracker.observe(unitOf([...sets, idr])), false);
  assert.equal(tracker.format?.width, 320);
  assert.equal(tracker.observe(unitOf([idrOfPictureSet1])), true);
  assert.equal(tracker.format?.width, 640);
  assert.equal(tracker.observe(unitOf([idrOfPictureSet1])), false);
});

test('what is missing comes in the order SPS, PPS, whatever the order of their arrival', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  tracker.store(h264PictureSet(1, 0));
  tracker.store(pictureSet);
  assert.equal(tracker.complete, false);
  tracker.store(set);
  assert.equal(tracker.complete, true);
  assert.deepEqual(
    tracker.missingFrom(unitOf([pictureSet, idr])).map(hex),
    [set, h264PictureSet(1, 0)].map(hex),
  );
});

test('stored sets are copies', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  const bytes = set.slice();
  tracker.store(bytes);
  const unit = unitOf([pictureSet, idr]);
  tracker.observe(unit);
  bytes.fill(0xff);
  unit.bytes.fill(0xff);
  assert.deepEqual(tracker.nalUnits.map(hex), [set, pictureSet].map(hex));
});

test('a set that cannot be read is counted, and the one known before stays', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  tracker.observe(unitOf([set, pictureSet, idr]));
  assert.equal(tracker.observe(unitOf([bytesOf('67 42'), idr])), false);
  assert.equal(tracker.observe(unitOf([bytesOf(set, new Uint8Array(9000).fill(1)), idr])), false);
  assert.equal(tracker.invalidSets, 2);
  assert.equal(tracker.format?.width, 320);
});

test('store refuses what is no parameter set with stream-invalid', () => {
  const tracker = new ParameterSetTracker(Codec.h264);
  for (const nalUnit of [bytesOf(''), idr, bytesOf('67'), bytesOf('e7 42'), bytesOf('68')])
    assert.throws(() => tracker.store(nalUnit), { code: 'stream-invalid' });
  assert.throws(() => new ParameterSetTracker(Codec.h265).store(bytesOf('40 01')), {
    code: 'stream-invalid',
  });
});
