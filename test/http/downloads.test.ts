/** Long bodies on real sockets: whole and in order whatever the client does, and nothing left behind when it goes. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraError } from '../../src/base/errors.ts';
import { ask, collect, DownloadServer, fill, PatternSource } from './downloads-fixture.ts';

function assertBody(body: Uint8Array, lengthBytes: number): void {
  assert.equal(body.length, lengthBytes);
  const expected = new Uint8Array(lengthBytes);
  fill(expected, 0);
  assert.equal(Buffer.compare(body, expected), 0, 'the bytes differ');
}

async function using(
  options: Parameters<typeof DownloadServer.start>[0],
  body: (server: DownloadServer) => Promise<void>,
): Promise<void> {
  const server = await DownloadServer.start(options);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

for (const tls of [false, true]) {
  const over = tls ? 'over TLS' : 'in plain';

  for (const lengthBytes of [1, 1000, 64 * 1024, 64 * 1024 + 1, 3_000_001])
    test(`sends ${lengthBytes} bytes ${over}, and the next reply on the same connection`, () =>
      using({ tls }, async server => {
        server.next = new PatternSource(lengthBytes);
        const socket = ask(server.port, tls);
        const { head, body } = await collect(socket);
        assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
        assert.match(head, /content-type: video\/mp4/i);
        assert.equal(head.match(/content-length/gi)?.length, 1);
        assertBody(body, lengthBytes);
        assert.deepEqual(await server.ended(1), ['sent']);
        assert.equal(server.next.closed, 1);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        assertBody((await collect(socket)).body, lengthBytes);
        socket.destroy();
      }));

  test(`sends all in order to clients that stop and go, from a source that gives little at a time, ${over}`, () =>
    using({ tls, probeMs: 20 }, async server => {
      const lengthBytes = 12_000_007;
      const results = await Promise.all(
        [0.01, 0.3, 1].map(async share => {
          server.next = new PatternSource(lengthBytes);
          server.next.share = share;
          const socket = ask(server.port, tls);
          await delay(100);
          let pauses = 0;
          const { body } = await collect(socket, {
            step: bytes => {
              if (bytes / 2_000_000 < pauses) return;
              pauses += 1;
              return delay(150);
            },
          });
          socket.destroy();
          return body;
        }),
      );
      for (const body of results) assertBody(body, lengthBytes);
      assert.deepEqual(await server.ended(3), ['sent', 'sent', 'sent']);
    }));

  test(`a client that leaves anywhere leaves nothing behind, ${over}`, () =>
    using({ tls, probeMs: 20 }, async server => {
      const sources: PatternSource[] = [];
      const stops = [0, 1, 200, 70_000, 1_000_000, 5_000_000];
      for (const stopAfter of stops) {
        server.next = new PatternSource(30_000_000);
        sources.push(server.next);
        const socket = ask(server.port, tls);
        // Over TLS nothing is asked before the handshake is over.
        await collect(socket, { stopAfter: Math.max(stopAfter, tls ? 1 : 0) });
        socket.destroy();
      }
      assert.deepEqual(new Set(await server.ended(stops.length)), new Set(['aborted']));
      assert.equal(server.downloads.count, 0);
      for (const { closed } of sources) assert.equal(closed, 1);
    }));

  test(`a client that reads nothing is cut, ${over}`, () =>
    using({ tls, probeMs: 20, stallMs: 300 }, async server => {
      server.next = new PatternSource(100_000_000);
      const socket = ask(server.port, tls);
      assert.deepEqual(await server.ended(1), ['stalled']);
      assert.equal(server.next.closed, 1);
      socket.destroy();
    }));
}

for (const tls of [false, true])
  test(`a client that stops and goes does not make the source read anything twice${tls ? ', over TLS' : ''}`, () =>
    using({ tls, probeMs: 20 }, async server => {
      const source = new PatternSource(30_000_000);
      let from = 0;
      source.before = offset => assert.equal(offset, from, 'read again, or left out');
      const read = source.read.bind(source);
      source.read = async (into, offset) => {
        const bytes = await read(into, offset);
        from = offset + bytes;
        return bytes;
      };
      server.next = source;
      const socket = ask(server.port, tls);
      let next = 0;
      const { body } = await collect(socket, {
        step: bytes => {
          if (bytes < next) return;
          next = bytes + 4_000_000;
          return delay(60);
        },
      });
      assertBody(body, 30_000_000);
      assert.deepEqual(await server.ended(1), ['sent']);
      socket.destroy();
    }));

test('a client that is slow but reads is not cut', () =>
  using({ probeMs: 50, stallMs: 400 }, async server => {
    server.next = new PatternSource(20_000_000);
    const socket = ask(server.port);
    // Every pause alone is shorter than the limit, all together are much longer.
    let next = 0;
    const { body } = await collect(socket, {
      step: bytes => {
        if (bytes < next) return;
        next = bytes + 1_500_000;
        return delay(200);
      },
    });
    assertBody(body, 20_000_000);
    socket.destroy();
  }));

test('a source that fails before the first byte leaves the reply to others', () =>
  using({}, async server => {
    server.next = new PatternSource(1_000_000);
    server.next.before = () => {
      throw new CameraError('card-failed', 'it is gone');
    };
    const { head, body } = await collect(ask(server.port));
    assert.match(head, /^HTTP\/1\.1 503 /);
    assert.equal(body.toString(), 'card-failed');
    assert.equal(server.next.closed, 1);
  }));

test('a source that fails later ends the connection short of the length, and no other bytes come', () =>
  using({}, async server => {
    server.next = new PatternSource(10_000_000);
    server.next.before = offset => {
      if (offset > 3_000_000) throw new CameraError('card-failed', 'it is gone');
    };
    const { head, body } = await collect(ask(server.port));
    assert.match(head, /content-length: 10000000/i);
    assert.ok(body.length > 1_000_000 && body.length < 10_000_000, String(body.length));
    assertBody(body, body.length);
    assert.deepEqual(await server.ended(1), ['failed']);
    assert.equal(server.next.closed, 1);
  }));

test('refuses one download too many, and takes it when another has ended', () =>
  using({ downloadsMax: 2 }, async server => {
    server.next = new PatternSource(50_000_000);
    const sockets = [ask(server.port), ask(server.port)];
    for (const socket of sockets) await collect(socket, { stopAfter: 1 });
    const refused = ask(server.port);
    assert.equal((await collect(refused)).body.toString(), 'clip-too-busy');
    sockets[0]!.destroy();
    await server.ended(2);
    const taken = ask(server.port);
    assert.match((await collect(taken, { stopAfter: 1000 })).head, /^HTTP\/1\.1 200/);
    for (const socket of [...sockets, refused, taken]) socket.destroy();
  }));

test('at most four downloads read at a time, and the others take their turn', () =>
  using({}, async server => {
    let reading = 0;
    let most = 0;
    const sockets = [];
    for (let client = 0; client < 20; client++) {
      const source = new PatternSource(2_000_000);
      const asked = new Promise<void>(resolve => {
        source.before = async () => {
          resolve();
          reading += 1;
          most = Math.max(most, reading);
          await delay(2);
          reading -= 1;
        };
      });
      server.next = source;
      sockets.push(ask(server.port));
      await asked;
    }
    for (const { body } of await Promise.all(sockets.map(socket => collect(socket))))
      assertBody(body, 2_000_000);
    for (const socket of sockets) socket.destroy();
    assert.ok(most <= 4, String(most));
  }));

test('ends what runs when the server closes', () =>
  using({}, async server => {
    server.next = new PatternSource(50_000_000);
    const socket = ask(server.port);
    await collect(socket, { stopAfter: 1 });
    await server.stop();
    assert.equal(server.next.closed, 1);
    assert.deepEqual(server.ends, ['aborted']);
    socket.destroy();
  }));
