/** Buffers that are lent in turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PiecePool } from '../../src/http/piece-pool.ts';

test('lends so many buffers and no more, to who has waited longest first', async () => {
  const pool = new PiecePool(2, 10);
  const [one, other] = [await pool.take(), await pool.take()];
  assert.notEqual(one, other);
  assert.equal(one.length, 10);
  const order: string[] = [];
  const waiting = ['first', 'second', 'third'].map(async name => {
    const buffer = await pool.take();
    order.push(name);
    return buffer;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  pool.give(other);
  assert.equal(await waiting[0], other);
  pool.give(one);
  assert.equal(await waiting[1], one);
  assert.deepEqual(order, ['first', 'second']);
  pool.give(one);
  assert.equal(await waiting[2], one);
});

test('who keeps a buffer loses it to another that has none, the one that kept it longest first', async () => {
  const pool = new PiecePool(2, 10);
  const lost: string[] = [];
  const [one, other] = [await pool.take(), await pool.take()];
  pool.keep(one, () => lost.push('one'));
  pool.keep(other, () => lost.push('other'));
  assert.equal(await pool.take(), one);
  assert.deepEqual(lost, ['one']);
  pool.give(other);
  assert.equal(await pool.take(), other);
  assert.deepEqual(lost, ['one'], 'what was given back was not lost');
  assert.equal(pool.isWanted, false);
  const third = pool.take();
  assert.equal(pool.isWanted, true);
  pool.give(one);
  assert.equal(await third, one);
});
