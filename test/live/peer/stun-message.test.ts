import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readStunMessage, StunAttribute, StunType, StunWriter } from '../../../src/live/peer/stun-message.ts';

const password = 'VOkJxbRl1RmTxUk/WvJxBt';

/** The sample messages of RFC 5769 §2.1–2.3, whose padding bytes are not zero. */
const request = Buffer.from(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
  'hex',
);
const response4 = Buffer.from(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'hex',
);
const response6 = Buffer.from(
  '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c',
  'hex',
);

describe('a STUN message', () => {
  it('of RFC 5769 is read with its attributes and its integrity', () => {
    const message = readStunMessage(request)!;
    assert.equal(message.type, StunType.request);
    assert.equal(message.transactionId, 'b7e7a701bc34d686fa87dfae');
    assert.equal(message.text(StunAttribute.username), 'evtj:h6vY');
    assert.equal(message.uint32(StunAttribute.priority), 0x6e0001ff);
    assert.equal(message.uint64(StunAttribute.iceControlled), 0x932ff9b151263b36n);
    assert.ok(message.isAuthentic(password));
    assert.ok(!message.isAuthentic(`${password}x`));
  });

  it('of RFC 5769 gives the mapped address of both families', () => {
    assert.deepEqual(readStunMessage(response4)?.mappedAddress, { address: '192.0.2.1', port: 32853 });
    const { address, port } = readStunMessage(response6)!.mappedAddress!;
    assert.deepEqual([address, port], ['2001:db8:1234:5678:11:2233:4455:6677', 32853]);
    assert.ok(readStunMessage(response6)?.isAuthentic(password));
  });

  it('that was written can be read, whatever the address', () => {
    const id = '00112233445566778899aabb';
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.constantFrom('::1', '2001:db8::7', 'fd00::2', '1:2:3:4:5:6:7:8', 'a::192.0.2.1'),
        ),
        fc.integer({ min: 1, max: 65535 }),
        fc.string({ minLength: 1, maxLength: 30 }),
        (address, port, key) => {
          const bytes = new StunWriter(StunType.success, id).mappedAddress(address, port).finish(key);
          const message = readStunMessage(bytes)!;
          assert.ok(message.isAuthentic(key));
          const written = new StunWriter(StunType.success, id)
            .mappedAddress(message.mappedAddress!.address, port)
            .finish(key);
          assert.deepEqual(written, bytes);
        },
      ),
    );
  });

  it('with an error code and flags is read', () => {
    const bytes = new StunWriter(StunType.error, 'ab'.repeat(12)).error(487, 'Role Conflict').finish('k');
    assert.equal(readStunMessage(bytes)?.errorCode, 487);
    const nominating = new StunWriter(StunType.request, 'ab'.repeat(12)).flag(StunAttribute.useCandidate);
    assert.ok(readStunMessage(nominating.finish('k'))?.has(StunAttribute.useCandidate));
  });

  it('without MESSAGE-INTEGRITY is not authentic', () => {
    const message = readStunMessage(new StunWriter(StunType.request, 'ab'.repeat(12)).finish())!;
    assert.ok(!message.isAuthentic(''));
  });

  it('with any changed bit is refused or no longer authentic', () => {
    for (let bit = 0; bit < request.length * 8; bit++) {
      // The type of FINGERPRINT, which stands behind what is signed.
      if (bit >= 800 && bit < 816) continue;
      const changed = Buffer.from(request);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.ok(!readStunMessage(changed)?.isAuthentic(password), `bit ${bit}`);
    }
  });

  it('does not count attributes behind MESSAGE-INTEGRITY', () => {
    const message = new StunWriter(StunType.request, 'ab'.repeat(12));
    const signed = message.text(StunAttribute.username, 'a:b').finish('k');
    const body = Buffer.concat([signed.subarray(0, -8), Buffer.from('00250000', 'hex')]);
    body.writeUInt16BE(body.length - 20, 2);
    assert.equal(readStunMessage(body)?.has(StunAttribute.useCandidate), false);
  });

  it('that is cut, lengthened or random never throws', () => {
    for (let length = 0; length < request.length; length++)
      assert.equal(readStunMessage(request.subarray(0, length)), undefined);
    assert.equal(readStunMessage(Buffer.concat([request, Buffer.alloc(4)])), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        const random = Buffer.from(bytes);
        const headed = Buffer.concat([request.subarray(0, 20), random.subarray(0, random.length & ~3)]);
        headed.writeUInt16BE(headed.length - 20, 2);
        for (const datagram of [random, headed]) {
          const message = readStunMessage(datagram);
          message?.isAuthentic(password);
          void [message?.mappedAddress, message?.errorCode, message?.uint64(1), message?.text(6)];
        }
      }),
      { numRuns: 2000 },
    );
  });
});
