import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { Codec } from '../../src/base/tracks.ts';
import { g711SampleEntry } from '../../src/isobmff/audio-entry.ts';
import {
  readSegmentHead,
  type SegmentHeadInfo,
  segmentHead,
  segmentHeadBytesMax,
  segmentTag,
} from '../../src/isobmff/segment-head.ts';
import { boxAt, boxesOf, shapeOf } from './box-tree.ts';
import { fixtureClip } from './segments.ts';

const clip = fixtureClip('demo-720p30.h264', 30, true);
const info: SegmentHeadInfo = {
  deviceUuid: '1f3a9c02-77de-4b1a-9f00-0123456789ab',
  stream: 1,
  number: 4_000_000_000,
  baseWallUnixMs: Date.UTC(2026, 10, 23, 5, 30, 1, 234),
  format: clip.format,
};
const head = segmentHead(info, crc32);

const plain = { noNullPrototype: true };
const anyInfo: fc.Arbitrary<SegmentHeadInfo> = fc.record(
  {
    deviceUuid: fc.uuid(),
    stream: fc.constantFrom(0, 1),
    number: fc.nat(0xffff_ffff),
    baseWallUnixMs: fc.maxSafeInteger(),
    format: fc.record(
      {
        codec: fc.constantFrom(Codec.h264, Codec.h265),
        width: fc.nat(16_384),
        height: fc.nat(16_384),
        framesPerSecond: fc.oneof(fc.nat(1000), fc.constant(29.97)),
        audioCodec: fc.constantFrom(undefined, Codec.pcmu, Codec.pcma),
        videoEntry: fc.uint8Array({ minLength: 8, maxLength: 2000 }),
      },
      plain,
    ),
  },
  plain,
);

test('what is written is read', () => {
  fc.assert(
    fc.property(anyInfo, fc.uint8Array({ maxLength: 50 }), (any, behind) => {
      const bytes = segmentHead(any, crc32);
      const file = new Uint8Array(Buffer.concat([bytes, behind]));
      assert.deepEqual(readSegmentHead(file, crc32), {
        ...any,
        headBytes: bytes.length,
        tag: segmentTag(bytes),
      });
    }),
  );
});

test('is a fragmented movie of a video track and a track of sound', () => {
  const track = (header: string) =>
    `trak(tkhd mdia(mdhd hdlr minf(${header} dinf(dref) stbl(stsd stts stsc stsz stco))))`;
  const boxes = boxesOf(head);
  assert.equal(shapeOf(boxes), `ftyp moov(mvhd ${track('vmhd')} ${track('smhd')} mvex(trex trex)) uuid`);
  const stsd = boxAt(boxes, 'moov.trak[0].mdia.minf.stbl.stsd').body;
  assert.deepEqual(stsd.subarray(8), Buffer.from(clip.format.videoEntry));
  const tkhd = boxAt(boxes, 'moov.trak[0].tkhd').body;
  assert.deepEqual([tkhd.readUInt32BE(88) / 65_536, tkhd.readUInt32BE(92) / 65_536], [1280, 720]);
  const mdhd = boxAt(boxes, 'moov.trak[1].mdia.mdhd').body;
  assert.equal(mdhd.readUInt32BE(20), 8000);
  const created = Number(boxAt(boxes, 'moov.mvhd').body.readBigUInt64BE(4));
  assert.equal(
    created - Date.UTC(2026, 10, 23, 5, 30, 1) / 1000,
    (Date.UTC(1970, 0) - Date.UTC(1904, 0)) / 1000,
  );
});

test('has no second track without sound', () => {
  const bytes = segmentHead({ ...info, format: { ...clip.format, audioCodec: undefined } }, crc32);
  assert.match(shapeOf(boxesOf(bytes)), /^ftyp moov\(mvhd trak\([^ ]+ mdia\(.*\)\) mvex\(trex\)\) uuid$/);
  assert.equal(readSegmentHead(bytes, crc32)!.format.audioCodec, undefined);
});

test('the entry of FLAC carries its stream information, and that of G.711 its one channel', () => {
  const stsd = boxAt(boxesOf(head), 'moov.trak[1].mdia.minf.stbl.stsd').body;
  const entry = boxesOf(stsd.subarray(8))[0]!;
  assert.equal(entry.type, 'fLaC');
  assert.deepEqual([entry.body.readUInt16BE(16), entry.body.readUInt16BE(18)], [1, 16]);
  assert.equal(entry.body.readUInt32BE(24), 8000 * 65_536);
  const dfLa = boxesOf(entry.body.subarray(28))[0]!;
  assert.equal(dfLa.type, 'dfLa');
  assert.equal(dfLa.body.subarray(0, 8).toString('hex'), '00000000' + '80000022');
  assert.equal(dfLa.body.length, 8 + 34);
  // 20 bits of rate, 3 of channels less 1, 5 of sample size less 1
  assert.equal(dfLa.body.readUInt32BE(8 + 10) >>> 4, (8000 << 8) | (0 << 5) | 15);

  for (const [codec, type] of [
    [Codec.pcmu, 'ulaw'],
    [Codec.pcma, 'alaw'],
  ] as const) {
    const [box] = boxesOf(g711SampleEntry(codec));
    assert.deepEqual([box!.type, box!.bytes.length, box!.body.readUInt16BE(18)], [type, 60, 16]);
    const chan = boxesOf(box!.body.subarray(28))[0]!;
    assert.equal(chan.type, 'chan');
    assert.equal(chan.body.readUInt32BE(4), (100 << 16) | 1);
    assert.equal(box!.body.readUInt32BE(24), 8000 * 65_536);
  }
});

test('nothing of a head is borrowed, be it a Buffer or not', () => {
  const bytes = Buffer.from(head);
  const { format } = readSegmentHead(bytes, crc32)!;
  bytes.fill(0xff);
  assert.deepEqual(format.videoEntry, clip.format.videoEntry);
});

test('two segments have two tags', () => {
  const next = segmentHead({ ...info, number: 4_000_000_001 }, crc32);
  assert.notEqual(segmentTag(next), segmentTag(head));
});

test('a head that is cut off anywhere is none', () => {
  for (let bytes = 0; bytes < head.length; bytes++)
    assert.equal(readSegmentHead(head.subarray(0, bytes), crc32), undefined, `${bytes} bytes`);
});

test('a head with any bit flipped is none', () => {
  const bytes = head.slice();
  for (let bit = 0; bit < 8 * head.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readSegmentHead(bytes, crc32), undefined, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test('reads nothing outside of its bytes, even when the checksum fits', () => {
  const at = head.length - 4;
  const change = fc.tuple(fc.nat(head.length - 5), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(head.length), (changes, cut) => {
      const bytes = head.slice();
      for (const [offset, value] of changes) bytes[offset] = value;
      const fits = (): number => Buffer.from(head).readUInt32BE(at);
      const whole = readSegmentHead(bytes, fits);
      if (whole) {
        assert.ok(whole.headBytes <= bytes.length);
        assert.ok(whole.format.videoEntry.length <= bytes.length);
      }
      readSegmentHead(bytes.subarray(0, cut), fits);
    }),
    { numRuns: 1000 },
  );
});

test('takes no bytes for a head', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      assert.equal(readSegmentHead(bytes, crc32), undefined);
    }),
  );
});

test('refuses a UUID that is none and an entry that fits no reader', () => {
  const isInternal = (error: unknown): boolean => error instanceof CameraError && error.code === 'internal';
  assert.throws(() => segmentHead({ ...info, deviceUuid: 'none' }, crc32), isInternal);
  const format = { ...clip.format, videoEntry: new Uint8Array(segmentHeadBytesMax) };
  assert.throws(() => segmentHead({ ...info, format }, crc32), isInternal);
});
