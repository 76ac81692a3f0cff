import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  verifiedCertificate,
  verifyCertificateVerify,
  verifyFinished,
  verifyServerKeyExchange,
} from '../../../src/live/peer/handshake-verifier.ts';
import { certificates } from './dtls-fixture.ts';

const pem = async () => {
  const { a } = await certificates;
  const der = Buffer.from(a.certPem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  return { ...a, der };
};

/** The tail of both messages: hash and signature algorithm, length, signature. */
function signed(data: Buffer, keyPem: string, algorithm = 0x0403): Buffer {
  const signature = sign('sha256', data, keyPem);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(algorithm);
  head.writeUInt16BE(signature.length, 2);
  return Buffer.concat([head, signature]);
}

describe('the certificate', () => {
  it('must have one of the announced fingerprints, in any letter case', async () => {
    const { der, fingerprint } = await pem();
    const wrong = `${'00:'.repeat(31)}00`;
    assert.ok(verifiedCertificate(der, [wrong, fingerprint.toLowerCase()]));
    assert.throws(() => verifiedCertificate(der, [wrong]), /not the one/);
    assert.throws(() => verifiedCertificate(der, []), /not the one/);
  });
});

describe('ServerKeyExchange', () => {
  it('must be signed with the certificate, for these randoms and this key', async () => {
    const { der, fingerprint, keyPem } = await pem();
    const certificate = verifiedCertificate(der, [fingerprint]);
    const [client, server] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const parameters = Buffer.from([3, 0, 29, 32, ...Buffer.alloc(32, 9)]);
    const message = Buffer.concat([parameters, signed(Buffer.concat([client, server, parameters]), keyPem)]);
    verifyServerKeyExchange(certificate, message, client, server);
    assert.throws(() => verifyServerKeyExchange(certificate, message, server, client), /is wrong/);
    const otherKey = Buffer.from(message);
    otherKey[20]! ^= 1;
    assert.throws(() => verifyServerKeyExchange(certificate, otherKey, client, server), /is wrong/);
    for (let length = 0; length < message.length; length++)
      assert.throws(() => verifyServerKeyExchange(certificate, message.subarray(0, length), client, server));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsa = signed(
      Buffer.concat([client, server, parameters]),
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      0x0401,
    );
    const byRsa = Buffer.concat([parameters, rsa]);
    assert.throws(() => verifyServerKeyExchange(certificate, byRsa, client, server), /not offered/);
  });
});

describe('CertificateVerify', () => {
  it('must be a signature over the messages before it', async () => {
    const { der, fingerprint, keyPem } = await pem();
    const certificate = verifiedCertificate(der, [fingerprint]);
    const transcript = Buffer.from('everything so far');
    verifyCertificateVerify(certificate, signed(transcript, keyPem), transcript);
    assert.throws(
      () => verifyCertificateVerify(certificate, signed(transcript, keyPem), Buffer.from('else')),
      /is wrong/,
    );
    assert.throws(() => verifyCertificateVerify(certificate, Buffer.alloc(0), transcript));
  });
});

describe('Finished', () => {
  it('must be the PRF of the master secret, the sender and the transcript', () => {
    const secret = Buffer.alloc(48, 7);
    const transcript = Buffer.from('all messages');
    const seed = Buffer.concat([
      Buffer.from('server finished'),
      createHash('sha256').update(transcript).digest(),
    ]);
    const a1 = createHmac('sha256', secret).update(seed).digest();
    const message = createHmac('sha256', secret).update(a1).update(seed).digest().subarray(0, 12);
    verifyFinished(message, secret, 'server', transcript);
    assert.throws(() => verifyFinished(message, secret, 'client', transcript), /does not fit/);
    assert.throws(() => verifyFinished(message, Buffer.alloc(48, 8), 'server', transcript), /does not fit/);
    assert.throws(() => verifyFinished(message, secret, 'server', Buffer.from('other')), /does not fit/);
    assert.throws(
      () => verifyFinished(message.subarray(0, 11), secret, 'server', transcript),
      /does not fit/,
    );
    assert.throws(() => verifyFinished(Buffer.alloc(0), secret, 'server', transcript), /does not fit/);
  });
});
