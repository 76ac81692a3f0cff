/**
 * Guards what src/live/peer/werift-dtls.ts knows of werift's inside: each test names one thing that a new version must
 * not change unnoticed. If one fails, read the adapter and the new version before repairing the test.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import * as werift from 'werift';

const require = createRequire(import.meta.url);

// biome-ignore lint/suspicious/noExplicitAny: the test looks at what the types do not show.
type Internals = any;

const transport = () => ({ type: 'test', onData: undefined, send: async () => {}, close: async () => {} });

async function client(): Promise<Internals> {
  const { certPem, keyPem, signatureHash } = await werift.CipherContext.createSelfSignedCertificateWithKey(
    { signature: werift.SignatureAlgorithm.ecdsa_3, hash: werift.HashAlgorithm.sha256_4 },
    werift.NamedCurveAlgorithm.secp256r1_23,
  );
  return new werift.DtlsClient({
    cert: certPem,
    key: keyPem,
    signatureHash,
    transport: transport() as never,
    srtpProfiles: [7, 1],
    extendedMasterSecret: true,
  });
}

describe('werift', () => {
  it('is the version that was read', () => {
    const folder = require.resolve('werift').replace(/lib[/\\].*$/, '');
    const { version } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
    assert.equal(version, '0.24.4');
  });

  it('is imported by one file of src alone', () => {
    const root = new URL('../../../src/', import.meta.url);
    const importers = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .filter(name => /from 'werift'/.test(readFileSync(new URL(name, root), 'utf8')))
      .map(name => name.replaceAll('\\', '/'))
      .sort();
    assert.deepEqual(importers, ['live/peer/werift-dtls.ts']);
  });

  it('puts its receiver into the transport and sends through it', async () => {
    const socket = await client();
    assert.equal(typeof socket.options.transport.onData, 'function');
    const sent: Buffer[] = [];
    socket.options.transport.send = async (data: Buffer) => sent.push(data);
    socket.transport.send(Buffer.from('x'));
    assert.equal(sent.length, 1);
  });

  it('keeps handshake handling, fragments and waiting in properties of the socket that can be replaced', async () => {
    const socket = await client();
    assert.equal(typeof socket.onHandleHandshakes, 'function');
    assert.equal(typeof socket.handleFragmentHandshake, 'function');
    assert.equal(typeof socket.waitForReady, 'function');
    const seen: number[] = [];
    socket.handleFragmentHandshake = (fragments: { msg_type: number }[]) => {
      seen.push(...fragments.map(fragment => fragment.msg_type));
      return [];
    };
    const done = Buffer.from('16fefd0000000000000001000c0e0000000000000000000000', 'hex');
    socket.options.transport.onData(done);
    assert.deepEqual(seen, [14]);
  });

  it('names the fields of a handshake fragment as the assembler expects', async () => {
    const socket = await client();
    let found: Internals;
    socket.handleFragmentHandshake = ([fragment]: Internals[]) => {
      found = fragment;
      return [];
    };
    socket.options.transport.onData(
      Buffer.from('16fefd00000000000000010010' + '0b0000100003000004000004' + 'aabbccdd', 'hex'),
    );
    const { msg_type, length, message_seq, fragment_offset, fragment_length, fragment } = found;
    assert.deepEqual([msg_type, length, message_seq, fragment_offset, fragment_length], [11, 16, 3, 4, 4]);
    assert.equal(fragment.toString('hex'), 'aabbccdd');
    assert.equal(found.serialize().toString('hex'), '0b0000100003000004000004aabbccdd');
  });

  it('keeps the flight of a client that has seen a ServerHello, with transmit in the prototype of all flights', async () => {
    const socket = await client();
    const hello = { msg_type: 2, message_seq: 0, fragment: Buffer.alloc(0) };
    await socket.onHandleHandshakes([hello]).catch(() => {});
    const flights = Object.getPrototypeOf(Object.getPrototypeOf(socket.flight5));
    assert.ok(Object.hasOwn(flights, 'transmit'));
    assert.equal(socket.flight5.dtls, socket.dtls);
    assert.equal(socket.flight5.nextFlight, 7);
  });

  it('has randoms, session type, transcript and flight where the verification looks for them', async () => {
    const socket = await client();
    socket.connect();
    assert.equal(socket.cipher.localRandom.serialize().length, 32);
    assert.equal(socket.cipher.sessionType, 1);
    assert.equal(socket.dtls.flight, 1);
    const [hello] = socket.dtls.sortedHandshakeCache;
    assert.equal(hello.msg_type, 1);
    assert.equal(hello.serialize().length, hello.length + 12);
    socket.dtls.flight = 99;
  });

  it('offers our SRTP profiles in our order', async () => {
    const socket = await client();
    const extension = socket.extensions.find((entry: { type: number }) => entry.type === 14);
    assert.equal(Buffer.from(extension.data).toString('hex').slice(0, 12), '000400070001');
  });
});
