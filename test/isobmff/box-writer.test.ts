import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { BoxWriter } from '../../src/isobmff/box-writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('puts the size into each box when it ends, also when the buffer has to grow', () => {
  const w = new BoxWriter(8);
  w.begin('moov').begin('free').u8(7).finish().begin('skip').zeros(3).finish().finish();
  assert.equal(
    hex(w.result()),
    `0000001c${hex(Buffer.from('moov'))}00000009${hex(Buffer.from('free'))}070000000b${hex(Buffer.from('skip'))}000000`,
  );
});

test('writes every field big-endian', () => {
  const w = new BoxWriter();
  w.u8(0x12).u16(0x1234).u24(0x123456).u32(0xfedc_ba98).u64(0x1_2345_6789).u64(-1);
  w.fixed16(1.5).fixed8(1).f64(1).text('ab').bytes(Uint8Array.of(9, 8));
  assert.equal(
    hex(w.result()),
    '12' +
      '1234' +
      '123456' +
      'fedcba98' +
      '0000000123456789' +
      'ffffffffffffffff' +
      '00018000' +
      '0100' +
      '3ff0000000000000' +
      '616200' +
      '0908',
  );
});

test('counts a hole in sizes and offsets, and takes no memory for it', () => {
  const w = new BoxWriter();
  w.begin('moov').begin('stsz').hole(5_000_000_00).u16(1).finish();
  assert.equal(w.offset, 16 + 500_000_000 + 2);
  w.begin('stco').hole(8).finish().finish().hole(4);
  const pieces = w.pieces();
  assert.deepEqual(
    pieces.map(({ offset, bytes }) => [offset, bytes.length]),
    [
      [0, 16],
      [500_000_016, 2 + 8],
    ],
  );
  assert.equal(Buffer.from(pieces[0]!.bytes).readUInt32BE(0), 500_000_016 + 2 + 8 + 8);
  assert.equal(Buffer.from(pieces[0]!.bytes).readUInt32BE(8), 8 + 500_000_000 + 2);
  assert.equal(Buffer.from(pieces[1]!.bytes).readUInt32BE(2), 16);
  assert.equal(w.offset, 500_000_016 + 2 + 8 + 8 + 4);
});

test('gives pieces without holes at the front, the end and side by side', () => {
  const w = new BoxWriter().hole(3).hole(2).u8(1).hole(1).u8(2).u8(3);
  assert.deepEqual(
    w.pieces().map(({ offset, bytes }) => [offset, ...bytes]),
    [
      [5, 1],
      [7, 2, 3],
    ],
  );
  assert.deepEqual([...w.result()], [1, 2, 3]);
});

test('refuses what cannot be a file', () => {
  const isInternal = (error: unknown): boolean => error instanceof CameraError && error.code === 'internal';
  assert.throws(() => new BoxWriter().finish(), isInternal);
  assert.throws(() => new BoxWriter().begin('moov').result(), isInternal);
  assert.throws(() => new BoxWriter().begin('moov').pieces(), isInternal);
  assert.throws(
    () =>
      new BoxWriter()
        .begin('mdat')
        .hole(2 ** 32)
        .finish(),
    isInternal,
  );
});
