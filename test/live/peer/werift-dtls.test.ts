import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificates, DtlsPair, honestPair, type Side } from './dtls-fixture.ts';

/** A plaintext record; sequence numbers need not be new, as nothing in it is protected. */
function plainRecord(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0]);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
}

/** The records of a datagram. */
function records(datagram: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < datagram.length; ) {
    const end = at + 13 + datagram.readUInt16BE(at + 11);
    found.push(datagram.subarray(at, end));
    at = end;
  }
  return found;
}

/** Cuts a plaintext handshake record into records of at most `size` bytes of body, last first. */
function fragmented(record: Buffer, size: number): Buffer[] {
  const isPlainHandshake = record[0] === 22 && record.readUInt16BE(3) === 0;
  const body = record.subarray(25);
  if (!isPlainHandshake || body.length <= size) return [record];
  const pieces: Buffer[] = [];
  for (let from = 0; from < body.length; from += size) {
    const piece = body.subarray(from, from + size);
    const header = Buffer.from(record.subarray(0, 25));
    header.writeUInt16BE(12 + piece.length, 11);
    header.writeUIntBE(from, 19, 3);
    header.writeUIntBE(piece.length, 22, 3);
    pieces.unshift(Buffer.concat([header, piece]));
  }
  return pieces;
}

function isConnected(pair: DtlsPair): boolean {
  const { client, server } = pair.outcome;
  return client.keys !== undefined && server.keys !== undefined;
}

describe('a DTLS session', () => {
  it('gives both sides the same keys, mirrored, and prefers AEAD_AES_128_GCM', async () => {
    const pair = await (await honestPair()).run();
    const { client, server } = pair.outcome;
    assert.equal(client.keys?.profile, 'AEAD_AES_128_GCM');
    assert.equal(server.keys?.profile, 'AEAD_AES_128_GCM');
    assert.deepEqual(client.keys.sendKeys, server.keys.receiveKeys);
    assert.deepEqual(client.keys.receiveKeys, server.keys.sendKeys);
    assert.notDeepEqual(client.keys.sendKeys, client.keys.receiveKeys);
    assert.deepEqual(
      [client.keys.sendKeys.masterKey.length, client.keys.sendKeys.masterSalt.length],
      [16, 12],
    );
    pair.close();
  });

  it('connects although datagrams are lost', async () => {
    for (let lost = 0; lost < 7; lost++) {
      let count = 0;
      const pair = await honestPair(datagram => (count++ === lost ? [] : [datagram]));
      await pair.run();
      assert.ok(isConnected(pair), `lost ${lost}`);
      pair.close();
    }
  });

  it('connects although datagrams come twice', async () => {
    const pair = await (await honestPair(datagram => [datagram, Buffer.from(datagram)])).run();
    assert.ok(isConnected(pair));
    pair.close();
  });

  it('connects although messages come in small fragments and in reverse order', async () => {
    const pair = await honestPair(datagram =>
      records(datagram)
        .reverse()
        .flatMap(record => fragmented(record, 60)),
    );
    await pair.run();
    assert.ok(isConnected(pair));
    pair.close();
  });

  it('refuses a server whose certificate is not the announced one', async () => {
    const { a, b, other } = await certificates;
    const expected = { client: a.fingerprint, server: other.fingerprint };
    const pair = new DtlsPair({ client: a, server: b }, expected);
    pair.client.start();
    await pair.until(() => pair.outcome.client.ended !== undefined);
    assert.match(pair.outcome.client.ended!.cause!.message, /not the one that the offer announced/);
    assert.equal(pair.outcome.client.keys, undefined);
    pair.close();
  });

  it('refuses a client whose certificate is not the announced one', async () => {
    const { a, b, other } = await certificates;
    const expected = { client: other.fingerprint, server: b.fingerprint };
    const pair = new DtlsPair({ client: a, server: b }, expected);
    pair.client.start();
    await pair.until(() => pair.outcome.server.ended !== undefined);
    assert.match(pair.outcome.server.ended!.cause!.message, /not the one that the offer announced/);
    assert.equal(pair.outcome.server.keys, undefined);
    pair.close();
  });

  it('refuses whoever shows the announced certificate without having its key', async () => {
    const { a, b, other } = await certificates;
    for (const thief of ['client', 'server'] as const) {
      const stolen = { ...(thief === 'client' ? a : b), keyPem: other.keyPem };
      const pair = new DtlsPair(
        { client: thief === 'client' ? stolen : a, server: thief === 'server' ? stolen : b },
        { client: a.fingerprint, server: b.fingerprint },
      );
      const victim: Side = thief === 'client' ? 'server' : 'client';
      pair.client.start();
      await pair.until(() => pair.outcome[victim].ended !== undefined);
      assert.match(pair.outcome[victim].ended!.cause!.message, /signature of .* is wrong/);
      assert.equal(pair.outcome[victim].keys, undefined);
      pair.close();
    }
  });

  it('refuses a handshake that was changed on the way', async () => {
    // Without extended_master_secret the keys do not depend on the messages: only Finished shows the change.
    const strip = (datagram: Buffer): Buffer[] => {
      const changed = Buffer.from(datagram);
      const at = changed.indexOf(Buffer.from('00170000', 'hex'));
      // In ClientHello and ServerHello; elsewhere the bytes mean something else.
      if (at >= 0 && changed[0] === 22 && (changed[13] === 1 || changed[13] === 2))
        changed.writeUInt16BE(0x7abc, at);
      return [changed];
    };
    const pair = await honestPair(strip);
    pair.client.start();
    await pair.until(() => pair.outcome.server.ended !== undefined);
    assert.match(pair.outcome.server.ended!.cause!.message, /CertificateVerify|Finished/);
    assert.equal(pair.outcome.server.keys, undefined);
    pair.close();
  });

  it('does not believe unauthenticated alerts, Finished messages and renegotiations', async () => {
    const finished = Buffer.concat([Buffer.from('1400000c0001000000000' + '00c', 'hex'), Buffer.alloc(12)]);
    const hello = Buffer.concat([Buffer.from('010000000000000000000000', 'hex')]);
    const junk = [
      plainRecord(21, Buffer.from([2, 40])),
      plainRecord(21, Buffer.from([1, 0])),
      plainRecord(22, finished),
      plainRecord(23, Buffer.from('data')),
      plainRecord(99, Buffer.from('data')),
      Buffer.from([22, 0xfe]),
      Buffer.alloc(0),
    ];
    const pair = await honestPair(datagram => [...junk, datagram, ...junk]);
    await pair.run();
    assert.ok(isConnected(pair));
    for (const session of [pair.client, pair.server])
      for (const datagram of [...junk, plainRecord(22, hello)]) session.receive(datagram);
    assert.deepEqual([pair.outcome.client.ended, pair.outcome.server.ended], [undefined, undefined]);
    pair.close();
  });

  it('tells the other side that it ends', async () => {
    for (const side of ['client', 'server'] as const) {
      const pair = await (await honestPair()).run();
      const other: Side = side === 'client' ? 'server' : 'client';
      pair[side].close();
      await pair.until(() => pair.outcome[other].ended !== undefined);
      assert.equal(pair.outcome[other].ended?.reason, 'closed');
      assert.equal(pair.outcome[side].ended, undefined);
      pair.close();
    }
  });

  it('sends its last flight again when the other side repeats its own, a limited number of times', async () => {
    const recorded: Buffer[] = [];
    const pair = await honestPair((datagram, from) => {
      if (from === 'client') recorded.push(datagram);
      return [datagram];
    });
    await pair.run();
    const sentBefore = pair.sent;
    for (let i = 0; i < 100; i++) pair.server.receive(Buffer.from(recorded.at(-1)!));
    const repeats = pair.sent - sentBefore;
    assert.ok(repeats >= 1 && repeats <= 16, `${repeats}`);
    pair.close();
  });

  it('never throws and never connects for random records', async () => {
    const { a, b } = await certificates;
    for (const role of ['client', 'server'] as const) {
      const expected = { client: a.fingerprint, server: b.fingerprint };
      const pair = new DtlsPair({ client: a, server: b }, expected, () => []);
      pair[role].start();
      for (let i = 0; i < 2000; i++) {
        const body = Buffer.from(Array.from({ length: i % 90 }, (_, k) => (i * 7919 + k * 104729) & 0xff));
        if (body.length > 0) body[0] = [1, 2, 3, 11, 12, 14, 15, 16, 20][i % 9]!;
        if (body.length >= 12) {
          body.writeUIntBE(body.length - 12, 1, 3);
          body.writeUInt16BE(i % 3, 4);
          body.writeUIntBE(0, 6, 3);
          body.writeUIntBE(body.length - 12, 9, 3);
        }
        pair[role].receive(plainRecord([20, 21, 22, 22, 22, 23][i % 6]!, body));
      }
      await new Promise(resolve => setImmediate(resolve));
      assert.equal(pair.outcome[role].keys, undefined);
      pair.close();
    }
  });

  it('leaves no timer behind, also in the middle of a handshake', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    const before = timers();
    for (let stop = 1; stop <= 6; stop++) {
      let count = 0;
      const pair = await honestPair(datagram => (++count >= stop ? [] : [datagram]));
      pair.client.start();
      for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve));
      pair.close();
    }
    assert.equal(timers(), before);
  });
});
