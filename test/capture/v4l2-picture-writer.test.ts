import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { V4l2PictureWriter } from '../../src/capture/v4l2-picture-writer.ts';
import { cutAll, fixture } from '../codec/streams.ts';
import { annexB, bytesOf, hex, idr, inter, makeCapture, pps, sps } from './capture-fixture.ts';

/** A writer whose pictures are given as the bytes of a driver's buffer. */
function makeWriter(codec: typeof Codec.h264 | typeof Codec.h265 = Codec.h264, dataBytes?: number) {
  const capture = makeCapture(dataBytes === undefined ? {} : { dataBytes });
  const reasons: string[] = [];
  const { writer, clock } = capture;
  const pictures = new V4l2PictureWriter({
    ...{ writer, clock, codec, framesPerSecond: 30 },
    onByteStream: reason => reasons.push(reason),
  });
  let captureMonoUs = clock.monoUs();
  const write = (buffer: Uint8Array) => {
    captureMonoUs += 33_333;
    const read = (offset: number, target: Uint8Array) =>
      target.set(buffer.subarray(offset, offset + target.length));
    pictures.write(buffer.length, read, captureMonoUs);
  };
  return { ...capture, pictures, write, reasons };
}

for (const [name, codec, file, delimiter] of [
  ['H.264', Codec.h264, 'slices-b-322x242.h264', '09f0'],
  ['H.265', Codec.h265, 'slices-b-322x242.h265', '460150'],
] as const)
  for (const front of ['', delimiter])
    test(`pictures of several slices lie in the ring as they were: ${name}${front && ', delimiter in front'}`, () => {
      const { write, reader, reasons, statistics } = makeWriter(codec);
      const units = cutAll(codec, fixture(file))
        .pictures.map(({ nalUnits }) => nalUnits)
        .slice(0, 10);
      for (const picture of units) write(annexB(...(front ? [bytesOf(front)] : []), ...picture));
      const records = reader.take();
      assert.deepEqual(
        records.map(record => record.units.slice(-1)),
        units.map(picture => picture.slice(-1).map(hex)),
      );
      assert.ok(records[0]!.randomAccess && units.some(picture => picture.length > 2));
      assert.deepEqual(reasons, []);
      assert.equal(statistics.dropped, 0);
    });

test('zeros behind a picture, as drivers pad it, are not in the record', () => {
  const { write, reader, reasons } = makeWriter();
  write(Buffer.concat([annexB(sps, pps, idr(40)), new Uint8Array(100)]));
  assert.deepEqual(reader.take()[0]!.units, [sps, pps, idr(40)].map(hex));
  assert.deepEqual(reasons, []);
});

for (const [name, buffer] of [
  ['bytes that are no NAL units', Uint8Array.from({ length: 200 }, (_, i) => 1 + (i % 250))],
  ['zeros alone', new Uint8Array(64)],
  ['a start code alone', Uint8Array.from([0, 0, 0, 1])],
  ['a single byte', Uint8Array.from([7])],
  ['a delimiter alone', annexB(bytesOf('09f0'))],
] as const)
  test(`${name}: nothing of it reaches the ring, and the next key frame does`, () => {
    const { write, reader, pictures } = makeWriter();
    write(buffer);
    write(annexB(sps, pps, idr(40)));
    write(annexB(inter(30)));
    assert.deepEqual(
      reader.take().map(record => record.units.at(-1)),
      [idr(40), inter(30)].map(hex),
    );
    assert.ok(pictures.isByteStream);
  });

test('a picture larger than the ring is dropped and counted', () => {
  const { write, reader, statistics } = makeWriter(Codec.h264, 8192);
  write(annexB(sps, pps, idr(5000)));
  write(annexB(sps, pps, idr(40)));
  assert.equal(statistics.tooLarge, 1);
  assert.deepEqual(
    reader.take().map(record => record.units.at(-1)),
    [hex(idr(40))],
  );
});

test('what the device throws leaves no claim open', () => {
  const { pictures, write, reader } = makeWriter();
  const gone = new Error('ENODEV');
  let reads = 0;
  const read = () => {
    if (++reads > 1) throw gone;
  };
  assert.throws(() => pictures.write(100, read, 1), gone);
  write(annexB(sps, pps, idr(40)));
  assert.equal(reader.take().length, 1);
});
