import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoxWriter } from '../../src/isobmff/box-writer.ts';
import { mvex, type TrackInfo, trak } from '../../src/isobmff/movie-boxes.ts';
import { boxAt, boxesOf, shapeOf } from './box-tree.ts';

const track: TrackInfo = {
  trackId: 1,
  kind: 'video',
  durationMovie: 2 ** 33,
  durationMedia: 2 ** 34,
  timescale: 90_000,
  width: 640,
  height: 360,
  createdUnixMs: 0,
  edits: [],
  sampleEntries: [Uint8Array.of(0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65)],
};

test('an edit list begins with an empty edit and goes on inside the track', () => {
  const w = new BoxWriter();
  const edits = [
    { durationMovie: 4500, mediaTime: -1 },
    { durationMovie: 2 ** 33, mediaTime: 2 ** 32 + 1 },
  ];
  trak(w, { ...track, edits }, () => {});
  const { body } = boxAt(boxesOf(w.result()), 'trak.edts.elst');
  assert.deepEqual([body[0], body.readUInt32BE(4)], [1, 2]);
  assert.deepEqual([body.readBigUInt64BE(8), body.readBigInt64BE(16)], [4500n, -1n]);
  assert.deepEqual([body.readBigUInt64BE(28), body.readBigInt64BE(36)], [2n ** 33n, 2n ** 32n + 1n]);
  assert.deepEqual([body.readUInt32BE(24), body.readUInt32BE(44)], [0x1_0000, 0x1_0000], 'media_rate 1');
});

test('durations have 64 bits, and no box changes its size with what is in it', () => {
  const sizes = [0, 2 ** 50].map(duration => {
    const w = new BoxWriter();
    trak(w, { ...track, durationMovie: duration, durationMedia: duration, createdUnixMs: 1e15 }, () => {});
    const boxes = boxesOf(w.result());
    assert.equal(boxAt(boxes, 'trak.tkhd').body.readBigUInt64BE(28), BigInt(duration));
    assert.equal(boxAt(boxes, 'trak.mdia.mdhd').body.readBigUInt64BE(24), BigInt(duration));
    return w.offset;
  });
  assert.equal(sizes[0], sizes[1]);
});

test('tables may be holes that somebody else fills', () => {
  const w = new BoxWriter();
  trak(w, { ...track }, tables => {
    tables.beginFull('stsz', 0, 0).u32(0).u32(1000).hole(4000).finish();
    tables.beginFull('stco', 0, 0).u32(1).u32(77).finish();
  });
  const file = Buffer.alloc(w.offset);
  for (const { offset, bytes } of w.pieces()) file.set(bytes, offset);
  const boxes = boxesOf(file);
  assert.equal(boxAt(boxes, 'trak.mdia.minf.stbl.stsz').bytes.length, 20 + 4000);
  assert.equal(boxAt(boxes, 'trak.mdia.minf.stbl.stco').body.readUInt32BE(8), 77);
});

test('fragments that follow may tell how long they are together', () => {
  const w = new BoxWriter();
  mvex(w, 1, undefined, 2 ** 40);
  mvex(w, 1, 2);
  const boxes = boxesOf(w.result());
  assert.equal(shapeOf(boxes), 'mvex(mehd trex) mvex(trex trex)');
  assert.equal(boxAt(boxes, 'mvex.mehd').body.readBigUInt64BE(4), 2n ** 40n);
});
