import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SrtpProfile } from '../../../src/native/data-plane.ts';
import { CmKeyStream } from '../../../src/native/srtp/cm-key-stream.ts';
import { GcmSrtpSender } from '../../../src/native/srtp/srtp-gcm-sender.ts';
import { deriveSessionKeys } from '../../../src/native/srtp/srtp-keys.ts';
import { SrtpSender } from '../../../src/native/srtp/srtp-sender.ts';
import type { SrtpTransform } from '../../../src/native/srtp/srtp-transform.ts';
import { SrtpReceiver } from '../../support/srtp-receiver.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const none = new Uint8Array(0);

const profiles = ['AEAD_AES_128_GCM', 'AES128_CM_HMAC_SHA1_80'] as const satisfies SrtpProfile[];
const keysFor = (profile: SrtpProfile) => ({
  masterKey: bytesOf('e1f97a0d3e018be0d64fa32c06de4139'),
  masterSalt: bytesOf('0ec675ad498afeebb6960b3aabe6').subarray(0, profile === 'AEAD_AES_128_GCM' ? 12 : 14),
});

/** A header with one extension word, as our streams have. */
function headerOf(index: number, ssrc: number): Buffer {
  const header = bytesOf('90600000 00000001 00000000 bede0001 52000000');
  header.writeUInt16BE(index % 65536, 2);
  header.writeUInt32BE(ssrc, 8);
  return header;
}

/** Protects a packet in one piece. */
function protectWhole(sender: SrtpTransform, header: Uint8Array, payload: Uint8Array, index: number) {
  return sender.protect(header, header.length, none, 0, 0, payload, 0, payload.length, index);
}

describe('SRTP key derivation', () => {
  it('gives the keys of RFC 3711 appendix B.3', () => {
    const keys = deriveSessionKeys(profiles[1], keysFor(profiles[1]), 'srtp');
    assert.equal(hexOf(keys.cipherKey), 'c61e7a93744f39ee10734afe3ff7a087');
    assert.equal(hexOf(keys.salt), '30cbbc08863d8c85d49db34a9ae1');
    assert.equal(hexOf(keys.authenticationKey), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('gives GCM a salt of 12 bytes and other keys to SRTCP than to SRTP', () => {
    const srtp = deriveSessionKeys(profiles[0], keysFor(profiles[0]), 'srtp');
    const srtcp = deriveSessionKeys(profiles[0], keysFor(profiles[0]), 'srtcp');
    assert.equal(srtp.salt.length, 12);
    assert.equal(srtp.authenticationKey.length, 0);
    assert.notEqual(hexOf(srtp.cipherKey), hexOf(srtcp.cipherKey));
    assert.notEqual(hexOf(srtp.salt), hexOf(srtcp.salt));
  });

  it('refuses master keys and salts of a wrong length', () => {
    for (const [profile, keyBytes, saltBytes] of [
      [profiles[0], 16, 14],
      [profiles[1], 16, 12],
      [profiles[1], 32, 14],
    ] as const)
      assert.throws(
        () =>
          deriveSessionKeys(
            profile,
            { masterKey: new Uint8Array(keyBytes), masterSalt: new Uint8Array(saltBytes) },
            'srtp',
          ),
        { code: 'internal' },
      );
  });
});

describe('CmKeyStream', () => {
  const key = bytesOf('2B7E151628AED2A6ABF7158809CF4F3C');
  const salt = bytesOf('F0F1F2F3F4F5F6F7F8F9FAFBFCFD');
  const read = (stream: CmKeyStream, index: number, start: number, end: number): string => {
    stream.seek(index, end);
    const { words, offset } = stream;
    return hexOf(new Uint8Array(words.buffer, words.byteOffset + 4 * offset + start, end - start));
  };

  it('gives the key stream of RFC 3711 appendix B.2', () => {
    const stream = new CmKeyStream(key, salt, 0);
    assert.equal(
      read(stream, 0, 0, 48),
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
    assert.equal(
      read(stream, 0, 0xfeff * 16, 0xff02 * 16),
      'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44',
    );
  });

  it('gives each index its own stream, the same whether it was made ahead, alone or again', () => {
    const fresh = (index: number): string => read(new CmKeyStream(key, salt, 5), index, 0, 100);
    const stream = new CmKeyStream(key, salt, 5);
    const seen = new Set<string>();
    for (const index of [7, 8, 9, 3, 10, 22, 23, 24, 500, 499, 8, 501, 70_000]) {
      const found = read(stream, index, 0, 100);
      assert.equal(found, fresh(index), `index ${index}`);
      seen.add(found);
    }
    assert.equal(seen.size, 12, '8 came twice');
  });

  it('is right when a longer packet follows shorter ones', () => {
    const stream = new CmKeyStream(key, salt, 5);
    for (const [index, length] of [
      [1, 10],
      [2, 1200],
      [3, 20],
      [4, 5000],
      [5, 1500],
    ] as const)
      assert.equal(
        read(stream, index, 0, length),
        read(new CmKeyStream(key, salt, 5), index, 0, length),
        `index ${index}`,
      );
  });
});

describe('SrtpSender', () => {
  it('gives the GCM packet of RFC 7714 §16.1.1', () => {
    const sender = new GcmSrtpSender(
      {
        cipherKey: bytesOf('000102030405060708090a0b0c0d0e0f'),
        authenticationKey: none,
        salt: bytesOf('517569642070726f2071756f'),
      },
      0x5501_a0b2,
    );
    const payload = Buffer.from('Gallia est omnis divisa in partes tres');
    assert.equal(
      hexOf(protectWhole(sender, bytesOf('8040f17b 8041f8d3 5501a0b2'), payload, 0xf17b)),
      '8040f17b8041f8d35501a0b2' +
        'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833' +
        '899d7f27beb16a9152cf765ee4390cce',
    );
  });

  it('gives the CM packet that other implementations test themselves with', () => {
    // The keys of RFC 3711 B.3; the packet is the reference packet of libsrtp's validation test.
    const sender = new SrtpSender(profiles[1], keysFor(profiles[1]), 0xcafe_babe);
    const packet = protectWhole(sender, bytesOf('800f1234decafbadcafebabe'), Buffer.alloc(16, 0xab), 0x1234);
    assert.equal(
      hexOf(packet),
      '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    );
  });

  for (const profile of profiles) {
    const open = (rollOver = 0) => new SrtpReceiver(profile, keysFor(profile), rollOver);
    const create = (ssrc = 77) => new SrtpSender(profile, keysFor(profile), ssrc);

    describe(profile, () => {
      it('sends packets that an independent receiver opens, from prefix and shared memory, at any index', () => {
        const shared = new Uint8Array(new SharedArrayBuffer(4000));
        shared.set(randomBytes(4000));
        fc.assert(
          fc.property(
            fc.nat(9),
            fc.nat(70),
            fc.nat(1500),
            fc.nat(2000),
            fc.oneof(fc.nat(100_000), fc.integer({ min: 2 ** 32 - 5, max: 2 ** 48 - 1 })),
            fc.nat(0xffff_ffff),
            (prefixStart, prefixLength, bodyLength, bodyStart, index, ssrc) => {
              const prefix = Uint8Array.from({ length: 80 }, (_, i) => i * 3);
              const header = headerOf(index, ssrc);
              const packet = create(ssrc).protect(
                header,
                header.length,
                prefix,
                prefixStart,
                prefixLength,
                shared,
                bodyStart,
                bodyLength,
                index,
              );
              const received = open(Math.floor(index / 65536)).unprotect(packet);
              assert.equal(received?.index, index);
              assert.equal(
                hexOf(received.packet),
                hexOf(header) +
                  hexOf(prefix.subarray(prefixStart, prefixStart + prefixLength)) +
                  hexOf(shared.subarray(bodyStart, bodyStart + bodyLength)),
              );
            },
          ),
          { numRuns: 200 },
        );
      });

      it('adds its overhead and nothing else, and leaves the header readable', () => {
        const sender = create();
        const packet = protectWhole(sender, headerOf(1, 77), Buffer.alloc(1000), 1);
        assert.equal(packet.length, 20 + 1000 + sender.overheadBytes);
        assert.equal(hexOf(packet.subarray(0, 20)), hexOf(headerOf(1, 77)));
        assert.equal(sender.overheadBytes, profile === 'AEAD_AES_128_GCM' ? 16 : 10);
      });

      it('goes on over the roll-over at 2^16: the receiver counts along', () => {
        const sender = create();
        const receiver = open();
        for (let index = 65_530; index < 65_545; index++) {
          const payload = Buffer.from(`packet ${index}`);
          const received = receiver.unprotect(protectWhole(sender, headerOf(index, 77), payload, index));
          assert.equal(received?.index, index);
          assert.equal(hexOf(received.packet.subarray(20)), hexOf(payload));
        }
      });

      it('goes on where the index leaves 32 bits, and uses each of its 48 bits', () => {
        const sender = create();
        const receiver = open(65_535);
        for (let index = 2 ** 32 - 3; index < 2 ** 32 + 3; index++)
          assert.equal(
            receiver.unprotect(protectWhole(sender, headerOf(index, 77), Buffer.from('x'), index))?.index,
            index,
          );
        const last = 2 ** 48 - 1;
        const packet = protectWhole(sender, headerOf(last, 77), Buffer.alloc(40), last);
        assert.equal(open(2 ** 32 - 1).unprotect(packet)?.index, last);
        // Same sequence number, one bit of the roll-over counter apart: another key stream.
        const seen = new Set<string>();
        for (let bit = 0; bit < 32; bit++) {
          const index = 5 + 2 ** (16 + bit);
          seen.add(
            hexOf(protectWhole(create(), headerOf(index, 77), Buffer.alloc(16), index).subarray(20, 36)),
          );
        }
        assert.equal(seen.size, 32);
      });

      it('gives the same bytes for a packet sent again, whatever was sent in between', () => {
        const sender = create();
        const send = (index: number): string =>
          hexOf(protectWhole(sender, headerOf(index, 77), Buffer.alloc(300, index), index));
        const first = Array.from({ length: 40 }, (_, i) => send(i));
        for (const index of [39, 0, 20, 5]) assert.equal(send(index), first[index]);
        send(40);
        assert.equal(send(17), first[17]);
      });

      it('returns packets that later calls do not change', () => {
        const sender = create();
        const packet = protectWhole(sender, headerOf(1, 77), Buffer.alloc(100, 1), 1);
        const before = hexOf(packet);
        for (let index = 2; index < 50; index++)
          protectWhole(sender, headerOf(index, 77), Buffer.alloc(1000, 2), index);
        assert.equal(hexOf(packet), before);
      });

      it('encrypts a packet larger than any before, and one without payload', () => {
        for (const length of [0, 1, 2100, 30_000, 65_000]) {
          const payload = randomBytes(length);
          const received = open().unprotect(protectWhole(create(), headerOf(9, 77), payload, 9));
          assert.equal(hexOf(received!.packet.subarray(20)), hexOf(payload), `${length} bytes`);
        }
      });

      it('is opened by no receiver after one bit was changed', () => {
        const packet = protectWhole(create(), headerOf(9, 77), Buffer.from('some payload'), 9);
        for (let k = 0; k < packet.length; k++) {
          if (k === 0 || k === 14 || k === 15) continue; // These make it a different shape, not a false tag.
          const changed = Uint8Array.from(packet);
          changed[k]! ^= 1;
          assert.equal(open().unprotect(changed), undefined, `byte ${k}`);
        }
      });

      it('refuses an index out of 48 bits, or other than the header has', () => {
        for (const index of [-1, 2 ** 48, 1.5, Number.NaN, 6])
          assert.throws(() => protectWhole(create(), headerOf(5, 77), Buffer.alloc(10), index), {
            code: 'internal',
          });
      });

      it('refuses a header that is no RTP header, and a packet that no datagram holds', () => {
        assert.throws(() => protectWhole(create(), headerOf(5, 77).subarray(0, 14), none, 5), {
          code: 'internal',
        });
        assert.throws(() => protectWhole(create(), headerOf(5, 77), Buffer.alloc(65_500), 5), {
          code: 'internal',
        });
      });
    });
  }
});
