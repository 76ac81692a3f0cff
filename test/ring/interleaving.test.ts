/**
 * The ring's protocol, searched exhaustively: every schedule of a producer and a reader on a ring of two records.
 *
 * The model's steps are those of ring-producer.ts and ring-consumer.ts; the last test records the real code's accesses
 * and holds the two together. Each ordering step is then removed or weakened in turn: the search must find the torn
 * read that the step is there to prevent, or the step (or this test) is worthless.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { wordHead, wordTail, wordWaiters } from '../../src/ring/ring-layout.ts';
import { explore, type Program, type State, type Step, type StepKind } from './memory-model.ts';
import { makeRing, publish } from './ring-fixture.ts';

const slots = 2;

/** What can be taken from the protocol. */
interface Weakening {
  readonly tailBy?: StepKind | 'nothing' | 'store-after-fill';
  readonly headBy?: StepKind;
  readonly headBeforeFill?: boolean;
  readonly validateBy?: StepKind | 'nothing';
  readonly checkSlotBy?: StepKind | 'nothing';
  readonly headUnread?: boolean;
}

/** Publishes records `first` and `first + 1` over two older ones: claim, fill (two bytes), slot (two fields), commit. */
function producer(first: number, weakening: Weakening): Program {
  return function* () {
    for (let sequence = first; sequence < first + 2; sequence++) {
      const at = sequence % slots;
      const claim: Step = {
        name: `claim ${sequence}: TAIL = ${sequence - slots + 1}`,
        kind:
          weakening.tailBy === 'store-after-fill' || weakening.tailBy === 'nothing'
            ? 'store'
            : (weakening.tailBy ?? 'read-modify-write'),
        location: 'TAIL',
        run: memory => memory.set('TAIL', sequence - slots + 1),
      };
      const commit: Step = {
        name: `commit ${sequence}: HEAD = ${sequence + 1}`,
        kind: weakening.headBy ?? 'store',
        location: 'HEAD',
        run: memory => memory.set('HEAD', sequence + 1),
      };
      const fill = ['byte0', 'byte1', 'slot.offset', 'slot.length'].map(
        (field): Step => ({
          name: `fill ${sequence}: ${field}[${at}]`,
          kind: 'plain',
          location: `${field}[${at}]`,
          run: memory => memory.set(`${field}[${at}]`, sequence),
        }),
      );
      if (weakening.tailBy !== 'nothing' && weakening.tailBy !== 'store-after-fill') yield claim;
      if (weakening.headBeforeFill) yield commit;
      yield* fill;
      if (weakening.tailBy === 'store-after-fill') yield claim;
      if (!weakening.headBeforeFill) yield commit;
    }
  };
}

/** Reads record `sequence`: next (HEAD, slot, check), use (two bytes), validate. */
function reader(sequence: number, weakening: Weakening): Program {
  const at = sequence % slots;
  const read = (register: string, location: string, kind: StepKind, after?: string[]): Step => ({
    name: `read ${register}`,
    kind,
    location,
    run: (memory, registers) => registers.set(register, memory.get(location)!),
    ...(after && { after }),
  });
  return function* () {
    if (!weakening.headUnread) yield read('head', 'HEAD', 'load');
    yield read('offset', `slot.offset[${at}]`, 'plain');
    yield read('length', `slot.length[${at}]`, 'plain');
    if (weakening.checkSlotBy !== 'nothing')
      yield read('checked', 'TAIL', weakening.checkSlotBy ?? 'read-modify-write');
    // The bytes are found through the slot's fields: a data dependency.
    yield read('byte0', `byte0[${at}]`, 'plain', ['read offset', 'read length']);
    yield read('byte1', `byte1[${at}]`, 'plain', ['read offset', 'read length']);
    if (weakening.validateBy !== 'nothing')
      yield read('validated', 'TAIL', weakening.validateBy ?? 'read-modify-write');
  };
}

function search(sequence: number, weakening: Weakening = {}) {
  const memory: State = new Map([
    ['HEAD', 2],
    ['TAIL', 0],
  ]);
  for (let i = 0; i < slots; i++)
    for (const field of ['byte0', 'byte1', 'slot.offset', 'slot.length']) memory.set(`${field}[${i}]`, i);
  return explore(memory, [producer(2, weakening), reader(sequence, weakening)], (_memory, [, r]) => {
    const published = weakening.headUnread || (r!.get('head') ?? 0) > sequence;
    const checked = weakening.checkSlotBy === 'nothing' || (r!.get('checked') ?? sequence + 1) <= sequence;
    const validated = weakening.validateBy === 'nothing' || (r!.get('validated') ?? sequence + 1) <= sequence;
    if (!published || !checked) return undefined;
    if ((r!.get('offset') ?? sequence) !== sequence || (r!.get('length') ?? sequence) !== sequence)
      return 'a view was opened by torn slot fields';
    const whole = r!.has('byte0') && r!.has('byte1') && validated;
    if (whole && (r!.get('byte0') !== sequence || r!.get('byte1') !== sequence))
      return 'a torn record was accepted';
    return undefined;
  });
}

for (const [what, sequence] of [
  ['a record that is overwritten meanwhile', 0],
  ['a record that is overwritten by the second claim', 1],
  ['a record that is published meanwhile', 2],
  ['the second record that is published meanwhile', 3],
] as const)
  test(`no schedule lets a reader accept a torn record: ${what}`, t => {
    const outcome = search(sequence);
    t.diagnostic(`${outcome.states} states`);
    assert.equal(outcome.violation, undefined);
    assert.ok(outcome.states > 100, 'the search explored something');
  });

test('some schedule lets the reader accept each record, so that the check above is not empty', () => {
  for (const sequence of [0, 1, 2, 3]) {
    const memory: State = new Map([
      ['HEAD', 2],
      ['TAIL', 0],
    ]);
    for (let i = 0; i < slots; i++)
      for (const field of ['byte0', 'byte1', 'slot.offset', 'slot.length']) memory.set(`${field}[${i}]`, i);
    const outcome = explore(memory, [producer(2, {}), reader(sequence, {})], (_memory, [, r]) =>
      (r!.get('head') ?? 0) > sequence &&
      (r!.get('validated') ?? 9) <= sequence &&
      r!.get('byte0') === sequence
        ? 'accepted'
        : undefined,
    );
    assert.equal(outcome.violation?.message, 'accepted', `record ${sequence}`);
  }
});

const removals: Record<string, Weakening> = {
  'the claim does not move TAIL': { tailBy: 'nothing' },
  'the claim moves TAIL only after the bytes were written': { tailBy: 'store-after-fill' },
  'the claim moves TAIL by a store instead of an exchange': { tailBy: 'store' },
  'the commit moves HEAD before the bytes are written': { headBeforeFill: true },
  'the commit moves HEAD by a plain write': { headBy: 'plain' },
  'the reader does not look at HEAD': { headUnread: true },
  'the reader opens the view without checking the slot': { checkSlotBy: 'nothing' },
  'the reader checks the slot by a load': { checkSlotBy: 'load' },
  'the reader does not validate after use': { validateBy: 'nothing' },
  'the reader validates by a load instead of a read-modify-write': { validateBy: 'load' },
};
for (const [what, weakening] of Object.entries(removals))
  test(`the search finds a torn read when ${what}`, t => {
    const found = [0, 1, 2, 3]
      .map(sequence => search(sequence, weakening).violation)
      .find(violation => violation);
    assert.ok(found, 'removing this step went unnoticed');
    t.diagnostic(`${found.message}: ${found.schedule.join(' → ')}`);
  });

test('the code makes the accesses of the model, in its order', t => {
  const { ring, producer: ringProducer } = makeRing();
  const ringReader = new RingConsumer(ring);
  const names = new Map([
    [wordHead, 'HEAD'],
    [wordTail, 'TAIL'],
    [wordWaiters, 'waiters'],
  ]);
  const trace: string[] = [];
  for (const operation of ['exchange', 'store', 'load', 'add'] as const) {
    const original = Atomics[operation] as (...args: unknown[]) => unknown;
    t.mock.method(Atomics, operation, (...args: unknown[]) => {
      trace.push(`${operation} ${names.get(args[1] as number) ?? args[1]}`);
      return original.apply(Atomics, args);
    });
  }
  for (const operation of ['setUint32', 'getUint32'] as const) {
    const original = DataView.prototype[operation] as (...args: unknown[]) => unknown;
    t.mock.method(DataView.prototype, operation, function (this: DataView, ...args: unknown[]) {
      const step = operation === 'setUint32' ? 'write slot' : 'read slot';
      if (trace.at(-1) !== step) trace.push(step);
      return original.apply(this, args);
    });
  }
  const during = (action: () => void): string[] => {
    trace.length = 0;
    action();
    return [...trace];
  };
  assert.deepEqual(
    during(() => ringProducer.claim(10).abandon()),
    ['exchange TAIL'],
    'claim',
  );
  assert.deepEqual(
    during(() => publish(ringProducer, 10, 1)),
    ['exchange TAIL', 'write slot', 'store HEAD', 'load waiters'],
    'claim, fill, commit',
  );
  let record: ReturnType<typeof ringReader.next>;
  assert.deepEqual(
    during(() => {
      record = ringReader.next();
    }),
    ['load HEAD', 'read slot', 'add TAIL'],
    'next',
  );
  assert.deepEqual(
    during(() => ringReader.validate(record!)),
    ['add TAIL'],
    'validate',
  );
});
