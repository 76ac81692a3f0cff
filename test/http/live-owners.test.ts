/** Live sessions end with the session of the user that opened them, whatever the moment. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { LiveOwners, ownedSessionsMax } from '../../src/http/live-owners.ts';
import { ManualClock } from '../support/manual-clock.ts';

const clock = new ManualClock();
const later = clock.wallUnixMs() + 60_000;
let closed: string[];
let owners: LiveOwners;
beforeEach(() => {
  closed = [];
  owners = new LiveOwners(clock, id => closed.push(id));
});

function own(sid: string, liveSessionId: string, validUntilUnixMs = later): void {
  owners.begin(sid).own(liveSessionId, validUntilUnixMs);
}

test('the end of a session closes all that it watches, and nothing of another', () => {
  own('a', 'a1');
  own('b', 'b1');
  own('a', 'a2');
  owners.sessionsEnded(['a', 'unknown']);
  assert.deepEqual(closed, ['a1', 'a2']);
  assert.equal(owners.size, 1);
  owners.sessionsEnded(['a']);
  assert.deepEqual(closed, ['a1', 'a2']);
});

test('what ended by itself is not closed again', () => {
  own('a', 'a1');
  owners.ended('a1');
  owners.ended('never-was');
  owners.sessionsEnded(['a']);
  assert.deepEqual(closed, []);
});

test('an opening learns that its session ended while it was under way', () => {
  const lost = owners.begin('a');
  const kept = owners.begin('b');
  owners.sessionsEnded(['a']);
  assert.equal(lost.isLost, true);
  assert.equal(kept.isLost, false);
  lost.forget();
  kept.own('b1', later);
  owners.sessionsEnded(['b']);
  assert.deepEqual(closed, ['b1']);
});

test('a table that is full drops what is over by its time, and closes the oldest of the rest', () => {
  own('a', 'over', clock.wallUnixMs());
  for (let i = 0; i < ownedSessionsMax; i++) own('a', `live-${i}`);
  assert.equal(owners.size, ownedSessionsMax);
  assert.deepEqual(closed, []);
  own('a', 'one-more');
  assert.equal(owners.size, ownedSessionsMax);
  assert.deepEqual(closed, ['live-0']);
});
