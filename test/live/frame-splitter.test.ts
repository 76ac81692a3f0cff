import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Codec } from '../../src/base/tracks.ts';
import { FrameSplitter } from '../../src/live/frame-splitter.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { Camera } from './live-fixture.ts';

function makeSplitter() {
  const camera = new Camera();
  return { camera, consumer: new RingConsumer(camera.ring), splitter: new FrameSplitter(1200) };
}

describe('the frame splitter', () => {
  it('splits each record by its own codec', () => {
    const { camera, consumer, splitter } = makeSplitter();
    const prefixes = [Codec.h264, Codec.h265].map(codec => {
      const table = splitter.split(consumer.read(camera.picture(5000, { codec }))!);
      return [table.count, table.rows[1]];
    });
    // FU-A has 2 bytes before the fragment, FU has 3.
    assert.deepEqual(prefixes, [
      [5, 2],
      [5, 3],
    ]);
    for (const codec of [Codec.pcmu, Codec.pcma])
      assert.equal(
        splitter.split(consumer.read(camera.sound(new Uint8Array(160), { codec }))!).payloadLength(0),
        160,
      );
  });

  it('splits a record once, however many viewers send it', () => {
    const { camera, consumer, splitter } = makeSplitter();
    const sequence = camera.picture(5000);
    const table = splitter.split(consumer.read(sequence)!);
    table.rows[0] = 12_345;
    assert.equal(splitter.split(consumer.read(sequence)!).rows[0], 12_345, 'still the first split');
    splitter.forget();
    assert.notEqual(splitter.split(consumer.read(sequence)!).rows[0], 12_345);
  });

  it('gives the same split when a record comes again after others', () => {
    const { camera, consumer, splitter } = makeSplitter();
    const first = camera.keyPicture(7000);
    const other = camera.picture(300);
    const before = Array.from(splitter.split(consumer.read(first)!).rows.slice(0, 40));
    splitter.split(consumer.read(other)!);
    assert.deepEqual(Array.from(splitter.split(consumer.read(first)!).rows.slice(0, 40)), before);
  });

  it('gives no packet for a codec that it does not know', () => {
    const { camera, consumer, splitter } = makeSplitter();
    const sequence = camera.picture(5000, { codec: 9 as Codec });
    assert.equal(splitter.split(consumer.read(sequence)!).count, 0);
  });
});
