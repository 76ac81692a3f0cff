import assert from 'node:assert/strict';
import { createCipheriv, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SrtpProfile } from '../../../src/native/data-plane.ts';
import { ReplayWindow } from '../../../src/native/srtp/replay-window.ts';
import { CmSrtcpCipher, GcmSrtcpCipher } from '../../../src/native/srtp/srtcp-cipher.ts';
import { SrtcpSession, srtcpIndexLimit, srtcpSendersMax } from '../../../src/native/srtp/srtcp-session.ts';
import { deriveSessionKeys } from '../../../src/native/srtp/srtp-keys.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const profiles = ['AEAD_AES_128_GCM', 'AES128_CM_HMAC_SHA1_80'] as const satisfies SrtpProfile[];
const masterKey = bytesOf('e1f97a0d3e018be0d64fa32c06de4139');
const masterSalt = bytesOf('0ec675ad498afeebb6960b3aabe6');
const keysFor = (profile: SrtpProfile, seed = 0) => ({
  masterKey: masterKey.map(byte => byte ^ seed),
  masterSalt: masterSalt.subarray(0, profile === 'AEAD_AES_128_GCM' ? 12 : 14),
});

const report = (ssrc: number, bytes = 28): Buffer => {
  const packet = Buffer.alloc(bytes, 0x5a);
  packet.writeUInt32BE(0x80c9_0001, 0);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
};

describe('the SRTCP ciphers', () => {
  it('give the GCM packet of RFC 7714 §17.1', () => {
    const cipher = new GcmSrtcpCipher({
      cipherKey: bytesOf('000102030405060708090a0b0c0d0e0f'),
      authenticationKey: new Uint8Array(0),
      salt: bytesOf('517569642070726f2071756f'),
    });
    const packet = bytesOf(
      `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
       deadbeef deadbeef deadbeef deadbeef deadbeef`,
    );
    const sealed = cipher.seal(packet, 0x5d4);
    assert.equal(
      hexOf(sealed),
      hexOf(
        bytesOf(
          `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
           4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`,
        ),
      ),
    );
    assert.equal(hexOf(cipher.open(sealed, cipher.indexWord(sealed))!), hexOf(packet));
  });

  it('give the CM packet that other implementations test themselves with', () => {
    const session = new SrtcpSession(profiles[1], keysFor(profiles[1]), keysFor(profiles[1]), 1);
    const packet = bytesOf(`81c8000b cafebabe ${'ab'.repeat(16)}`);
    const sealed = session.protect(packet);
    assert.equal(
      hexOf(sealed),
      '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798',
    );
    assert.equal(hexOf(session.unprotect(sealed)!), hexOf(packet));
  });
});

for (const profile of profiles) {
  describe(`SrtcpSession, ${profile}`, () => {
    const camera = (firstIndex?: number) =>
      new SrtcpSession(profile, keysFor(profile, 1), keysFor(profile, 2), firstIndex);
    const viewer = (firstIndex?: number) =>
      new SrtcpSession(profile, keysFor(profile, 2), keysFor(profile, 1), firstIndex);

    it('carries packets both ways', () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 8, maxLength: 300 }),
          fc.integer({ min: 1, max: srtcpIndexLimit - 1 }),
          (packet, index) => {
            assert.deepEqual(Uint8Array.from(viewer().unprotect(camera(index).protect(packet))!), packet);
            assert.deepEqual(Uint8Array.from(camera().unprotect(viewer(index).protect(packet))!), packet);
          },
        ),
        { numRuns: 50 },
      );
    });

    it('encrypts all but the first eight bytes and never uses an index twice', () => {
      const session = camera();
      const sealed = Array.from({ length: 20 }, () => session.protect(report(5)));
      assert.equal(new Set(sealed.map(packet => hexOf(packet.subarray(8, 24)))).size, 20);
      for (const packet of sealed) {
        assert.equal(hexOf(packet.subarray(0, 8)), '80c9000100000005');
        assert.ok(!hexOf(packet).includes('5a5a5a5a'));
      }
    });

    it('stops before the 31 bits of the index are used up', () => {
      const session = camera(srtcpIndexLimit - 1);
      session.protect(report(5));
      assert.throws(() => session.protect(report(5)), { code: 'internal' });
    });

    it('takes a packet once, however often it is replayed', () => {
      const [from, to] = [viewer(), camera()];
      const sealed = from.protect(report(5));
      assert.ok(to.unprotect(sealed));
      for (let k = 0; k < 1000; k++) assert.equal(to.unprotect(sealed), undefined);
    });

    it('takes packets in any order within its window of 64 and none behind it', () => {
      const from = viewer();
      const sealed = Array.from({ length: 70 }, () => from.protect(report(5)));
      const to = camera();
      assert.ok(to.unprotect(sealed[69]!));
      for (let k = 68; k > 5; k--) assert.ok(to.unprotect(sealed[k]!), `packet ${k}`);
      for (let k = 5; k >= 0; k--) assert.equal(to.unprotect(sealed[k]!), undefined, `packet ${k}`);
    });

    it('keeps the windows of several senders apart', () => {
      const to = camera();
      assert.ok(to.unprotect(viewer(1000).protect(report(5))));
      assert.ok(to.unprotect(viewer(1).protect(report(6))), 'a low index of another SSRC');
    });

    it('remembers a bounded number of senders, and forgets none of them', () => {
      const from = viewer();
      const to = camera();
      const sealed = Array.from({ length: srtcpSendersMax + 5 }, (_, ssrc) => from.protect(report(ssrc)));
      assert.equal(sealed.filter(packet => to.unprotect(packet)).length, srtcpSendersMax);
      for (const packet of sealed) assert.equal(to.unprotect(packet), undefined);
    });

    it('returns nothing for a packet of which one bit was changed, and takes the true one afterwards', () => {
      const to = camera();
      const sealed = viewer().protect(report(5));
      for (let bit = 0; bit < 8 * sealed.length; bit++) {
        const changed = Uint8Array.from(sealed);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(to.unprotect(changed), undefined, `bit ${bit}`);
      }
      assert.ok(to.unprotect(sealed));
    });

    it('is not moved by forged indexes and senders: their tag is wrong', () => {
      const to = camera();
      const from = viewer();
      assert.ok(to.unprotect(from.protect(report(5))));
      for (let k = 0; k < 200; k++) {
        const forged = Uint8Array.from(from.protect(report(5)));
        forged.fill(0xff, 9);
        forged[7] = k;
        assert.equal(to.unprotect(forged), undefined);
      }
      assert.ok(to.unprotect(from.protect(report(5))));
    });

    it('does not open its own packets: the directions have different keys', () => {
      const session = camera();
      assert.equal(session.unprotect(session.protect(report(5))), undefined);
    });

    it('returns nothing for bytes that are too short, too long or random', () => {
      const to = camera();
      for (let length = 0; length < 40; length++)
        assert.equal(to.unprotect(new Uint8Array(length)), undefined);
      assert.equal(to.unprotect(viewer().protect(report(5, 2100))), undefined);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
          assert.equal(to.unprotect(bytes), undefined);
        }),
      );
    });

    it('lets an authenticated packet without encryption through (E flag 0)', () => {
      const packet = report(5);
      const keys = deriveSessionKeys(profile, keysFor(profile, 2), 'srtcp');
      const word = bytesOf('00000007');
      assert.equal(hexOf(camera().unprotect(sealClear(profile, keys, packet, word))!), hexOf(packet));
    });
  });
}

/** An authenticated, unencrypted SRTCP packet by RFC 3711 §3.4 and RFC 7714 §9.3. */
function sealClear(
  profile: SrtpProfile,
  keys: { cipherKey: Uint8Array; authenticationKey: Uint8Array; salt: Uint8Array },
  packet: Buffer,
  word: Buffer,
): Buffer {
  const body = Buffer.concat([packet, word]);
  if (profile === 'AES128_CM_HMAC_SHA1_80') {
    const tag = createHmac('sha1', keys.authenticationKey).update(body).digest().subarray(0, 10);
    return Buffer.concat([body, tag]);
  }
  const nonce = Buffer.from(keys.salt);
  for (let k = 0; k < 4; k++) {
    nonce[2 + k]! ^= packet[4 + k]!;
    nonce[8 + k]! ^= word[k]!;
  }
  const cipher = createCipheriv('aes-128-gcm', keys.cipherKey, nonce);
  cipher.setAAD(body);
  cipher.final();
  return Buffer.concat([packet, cipher.getAuthTag(), word]);
}

describe('ReplayWindow', () => {
  it('accepts each index once, like a set that forgets what is older than 64', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 400 }), indexes => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        for (const index of indexes) {
          const expected = !seen.has(index) && index > highest - 64;
          assert.equal(window.isNew(index), expected);
          if (!expected) continue;
          window.accept(index);
          seen.add(index);
          highest = Math.max(highest, index);
        }
      }),
    );
  });
});

describe('CmSrtcpCipher', () => {
  it('does not change the packet that it opens', () => {
    const cipher = new CmSrtcpCipher(deriveSessionKeys(profiles[1], keysFor(profiles[1]), 'srtcp'));
    const sealed = cipher.seal(report(5), 3);
    const before = hexOf(sealed);
    cipher.open(sealed, cipher.indexWord(sealed));
    assert.equal(hexOf(sealed), before);
  });
});
