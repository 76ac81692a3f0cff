import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HandshakeAssembler, type HandshakeFragment } from '../../../src/live/peer/handshake-assembler.ts';

function fragment(sequence: number, body: Buffer, from = 0, to = body.length): HandshakeFragment {
  return {
    msg_type: 11,
    length: body.length,
    message_seq: sequence,
    fragment_offset: from,
    fragment_length: to - from,
    fragment: body.subarray(from, to),
  };
}

describe('the handshake assembler', () => {
  it('gives messages in order, whole, whatever the order, overlap and repetition of their fragments', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (bodies, stream) => {
          const random = stream[Symbol.iterator]();
          const next = (below: number): number => random.next().value % below;
          const fragments = bodies.flatMap((bytes, sequence) => {
            const body = Buffer.from(bytes);
            const cuts = [0, body.length, next(body.length + 1), next(body.length + 1)].sort((a, b) => a - b);
            const pieces = cuts
              .slice(1)
              .map((to, i) => fragment(sequence, body, Math.max(0, cuts[i]! - 2), to));
            return [...pieces, ...pieces.slice(0, 1)];
          });
          for (let i = fragments.length - 1; i > 0; i--) {
            const j = next(i + 1);
            [fragments[i], fragments[j]] = [fragments[j]!, fragments[i]!];
          }
          const assembler = new HandshakeAssembler();
          const got = fragments.flatMap(piece => assembler.add({ ...piece }));
          assert.deepEqual(
            got.map(message => [
              message.message_seq,
              message.fragment_offset,
              message.fragment.toString('hex'),
            ]),
            bodies.map((body, sequence) => [sequence, 0, Buffer.from(body).toString('hex')]),
          );
        },
      ),
    );
  });

  it('keeps nothing that lies about its length, is too long or too far ahead', () => {
    const assembler = new HandshakeAssembler();
    const body = Buffer.alloc(10);
    const lies: Partial<HandshakeFragment>[] = [
      { fragment_offset: 1 },
      { fragment_length: 9 },
      { length: 9 },
      { length: 2 ** 24 - 1 },
      { message_seq: 8 },
    ];
    for (const lie of lies) assert.deepEqual(assembler.add({ ...fragment(0, body), ...lie }), []);
    assert.equal(assembler.add(fragment(0, body)).length, 1);
    assert.ok(assembler.isRepeated(fragment(0, body)));
    assert.deepEqual(assembler.add(fragment(0, body)), []);
  });
});
