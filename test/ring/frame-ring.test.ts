import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameRing, openFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import {
  wordDataBytes,
  wordHead,
  wordMagic,
  wordSlotCount,
  wordVersion,
} from '../../src/ring/ring-layout.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { ManualClock } from '../support/manual-clock.ts';

const invalid = { code: 'ring-invalid' };

function damaged(word: number, value: number): SharedArrayBuffer {
  const ring = createFrameRing({ dataBytes: 4096, slotCount: 8 });
  new Int32Array(ring)[word] = value;
  return ring;
}

test('a ring has the sizes it was asked for', () => {
  const views = openFrameRing(createFrameRing({ dataBytes: 65536, slotCount: 16 }));
  assert.equal(views.data.length, 65536);
  assert.equal(views.slotCount, 16);
});

for (const [what, sizes] of Object.entries({
  'a slot count that is no power of two': { dataBytes: 4096, slotCount: 7 },
  'a data area that is no multiple of the alignment': { dataBytes: 4097, slotCount: 8 },
  'too few slots': { dataBytes: 4096, slotCount: 2 },
  'a data area beyond 1 GiB': { dataBytes: 2 ** 31, slotCount: 8 },
  'sizes that are no numbers': { dataBytes: Number.NaN, slotCount: 8 },
}))
  test(`making a ring refuses ${what}`, () => {
    assert.throws(() => createFrameRing(sizes), invalid);
  });

for (const [what, ring] of Object.entries({
  'memory without the magic word': new SharedArrayBuffer(65536),
  'memory shorter than a header': new SharedArrayBuffer(16),
  'another magic word': damaged(wordMagic, 0x12345678),
  'another layout version': damaged(wordVersion, 99),
  'a data size that the memory does not have': damaged(wordDataBytes, 8192),
  'a slot count that the memory does not have': damaged(wordSlotCount, 16),
  'a slot count that is no power of two': damaged(wordSlotCount, 9),
}))
  test(`a reader, a producer and a waiter refuse ${what}`, () => {
    assert.throws(() => new RingConsumer(ring), invalid);
    assert.throws(() => new RingProducer(ring, new ManualClock()), invalid);
    assert.throws(() => new RingWait(ring), invalid);
  });

test('a producer refuses a ring whose words contradict one another', () => {
  assert.throws(() => new RingProducer(damaged(wordHead, -5), new ManualClock()), invalid);
  assert.throws(() => new RingProducer(damaged(wordHead, 9), new ManualClock()), invalid);
});
