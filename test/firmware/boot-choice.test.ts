/** What is started, and what follows from how it ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chooseBoot,
  confirm,
  endTrial,
  giveStartBack,
  rollBackTarget,
} from '../../src/firmware/boot-choice.ts';
import {
  type BootRecord,
  type BootSource,
  crashesMax,
  emptyBootRecord,
  type SlotRecord,
  trialStarts,
} from '../../src/firmware/boot-record.ts';

const slot = (version: string, state: SlotRecord['state']): SlotRecord => ({
  version,
  state,
  payloadSha256: '0'.repeat(64),
});
const expected = { pictures: true, recording: false };
const record = (changes: Partial<BootRecord>): BootRecord => ({ ...emptyBootRecord, ...changes });
const facts = (...missing: readonly BootSource[]) => ({
  isThere: (source: BootSource) => !missing.includes(source),
  nowUnixMs: 7,
});

/** a runs and is good; b was installed and is on trial. */
const onTrial = record({
  active: 'a',
  slots: { a: slot('1.0.0', 'good'), b: slot('2.0.0', 'untried') },
  trial: { slot: 'b', startsLeft: trialStarts, expected },
});

test('a device on which nothing was ever upgraded starts what it came with', () => {
  assert.deepEqual(chooseBoot(emptyBootRecord, facts()), {
    source: 'factory',
    isTrial: false,
    record: emptyBootRecord,
  });
});

test('a version on trial is started so often and no more; then the one before is, and it is bad', () => {
  let current = onTrial;
  for (let left = trialStarts - 1; left >= 0; left--) {
    const choice = chooseBoot(current, facts());
    assert.equal(choice.source, 'b');
    assert.equal(choice.isTrial, true);
    assert.equal(choice.record.trial?.startsLeft, left);
    current = choice.record;
  }
  const { source, isTrial, record: after } = chooseBoot(current, facts());
  assert.equal(`${source} ${isTrial}`, 'a false');
  assert.equal(after.trial, null);
  assert.equal(after.slots.b?.state, 'bad');
  assert.deepEqual(after.lastResult, {
    outcome: 'fell-back',
    version: '2.0.0',
    reason: 'it did not prove itself',
    atUnixMs: 7,
  });
});

test('a start that was ended from outside is given back', () => {
  const { record: once } = chooseBoot(onTrial, facts());
  assert.equal(giveStartBack(once).trial?.startsLeft, trialStarts);
  assert.equal(giveStartBack(emptyBootRecord), emptyBootRecord);
});

test('a version on trial whose files are gone is not started', () => {
  const { source, record: after } = chooseBoot(onTrial, facts('b'));
  assert.equal(source, 'a');
  assert.equal(after.lastResult?.reason, 'its files are not whole');
});

test('a version that proved itself is active, good, and the oldest that is taken from now on', () => {
  const after = confirm(onTrial, '2.0.0', 7);
  assert.equal(after.active, 'b');
  assert.equal(after.slots.b?.state, 'good');
  assert.equal(after.trial, null);
  assert.equal(after.highestVersion, '2.0.0');
  assert.equal(after.lastResult?.outcome, 'confirmed');
});

test('an older version that proves itself after a roll-back lowers nothing', () => {
  const back = record({ ...onTrial, highestVersion: '3.0.0' });
  assert.equal(confirm(back, '2.0.0', 7).highestVersion, '3.0.0');
});

test('crashes in a row make way for the other good slot, and without one for the factory', () => {
  const crashing = record({ ...onTrial, trial: null, crashes: crashesMax });
  const withOther = record({ ...crashing, slots: { ...crashing.slots, b: slot('0.9.0', 'good') } });
  assert.equal(chooseBoot(record({ ...crashing, crashes: crashesMax - 1 }), facts()).source, 'a');
  assert.equal(chooseBoot(withOther, facts()).source, 'b');
  const { source, record: after } = chooseBoot(crashing, facts());
  assert.equal(source, 'factory');
  assert.equal(after.slots.a?.state, 'bad');
  assert.equal(after.crashes, 0);
});

test('a factory that crashes is all that there is', () => {
  const crashing = record({ crashes: 100 });
  assert.equal(chooseBoot(crashing, facts()).source, 'factory');
});

test('a camera that is well again counts its crashes anew', () => {
  const crashed = record({ active: 'a', crashes: 3, slots: { a: slot('1.0.0', 'good'), b: null } });
  assert.equal(confirm(crashed, '1.0.0', 7).crashes, 0);
  assert.equal(confirm(emptyBootRecord, '1.0.0', 7), emptyBootRecord);
});

test('what an owner goes back to: the other good slot, else the factory, nothing during a trial', () => {
  const good = { a: slot('1.0.0', 'good'), b: slot('2.0.0', 'good') };
  assert.equal(rollBackTarget(record({ active: 'b', slots: good })), 'a');
  assert.equal(
    rollBackTarget(record({ active: 'a', slots: { ...good, b: slot('2.0.0', 'bad') } })),
    'factory',
  );
  assert.equal(rollBackTarget(record({ active: 'factory', slots: good })), 'a');
  assert.equal(rollBackTarget(emptyBootRecord), undefined);
  assert.equal(rollBackTarget(onTrial), undefined);
});

test('a failed roll-back to the factory leaves the active version', () => {
  const back = record({ ...onTrial, trial: { slot: 'factory', startsLeft: 0, expected } });
  assert.equal(chooseBoot(back, facts()).source, 'a');
  assert.equal(endTrial(back, 'x', 7).lastResult?.version, 'factory');
});

const source = fc.constantFrom<BootSource>('a', 'b', 'factory');
const anySlot = fc.option(
  fc
    .constantFrom<SlotRecord['state']>('installing', 'untried', 'good', 'bad')
    .map(state => slot('1.0.0', state)),
);
const anyRecord: fc.Arbitrary<BootRecord> = fc.record({
  active: source,
  slots: fc.record({ a: anySlot, b: anySlot }),
  trial: fc.option(
    fc.record({ slot: source, startsLeft: fc.integer({ min: -1, max: 4 }), expected: fc.constant(expected) }),
  ),
  highestVersion: fc.constant(null),
  crashes: fc.integer({ min: 0, max: 10 }),
  lastResult: fc.constant(null),
});

test('whatever the record says and whatever is missing, something that is there is started', () => {
  fc.assert(
    fc.property(anyRecord, fc.boolean(), fc.boolean(), (any, isA, isB) => {
      const isThere = (of: BootSource): boolean => of === 'factory' || (of === 'a' ? isA : isB);
      const choice = chooseBoot(any, { isThere, nowUnixMs: 7 });
      assert.ok(isThere(choice.source));
      // A trial always comes to an end.
      if (choice.isTrial) assert.ok(choice.record.trial!.startsLeft < any.trial!.startsLeft);
    }),
  );
});
