/** Row 5 of the fault list: idle and slow connections are bounded, and others are served meanwhile. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { ConnectionLimits, type ConnectionTable } from '../../src/http/connection-limits.ts';
import { kernelConnections, parseRow } from '../../src/http/kernel-connections.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BareCamera } from './front-end-fixture.ts';
import { connected, raw } from './raw-client.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

function limits(options: {
  max?: number;
  maxPerAddress?: number;
  table?: ConnectionTable;
  clock?: ManualClock;
}) {
  return new ConnectionLimits({
    max: 100,
    maxPerAddress: 10,
    perSecond: 100_000,
    burst: 100_000,
    clock: new ManualClock(),
    logger,
    table: async () => new Map(),
    ...options,
  });
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('bounds the connections in all, and lets the next one in when one has ended', () => {
  const bounds = limits({ max: 3 });
  for (let i = 0; i < 3; i++) assert.ok(bounds.opened(`192.0.2.${i}`));
  assert.ok(!bounds.opened('192.0.2.9'));
  bounds.closed();
  assert.equal(bounds.open, 3);
  bounds.closed();
  assert.ok(bounds.opened('192.0.2.9'));
});

test('counts an IPv6 address by its /64', () => {
  const bounds = limits({ maxPerAddress: 2 });
  assert.ok(bounds.opened('2001:db8::1'));
  assert.ok(bounds.opened('2001:db8::2'));
  assert.ok(!bounds.opened('2001:db8::3'));
  assert.ok(bounds.opened('2001:db8:0:1::1'));
});

/** Limits with some connections of others, so that the total says nothing about one address. */
function busyLimits(options: Parameters<typeof limits>[0]) {
  const bounds = limits(options);
  for (let i = 0; i < 50; i++) assert.ok(bounds.opened(`198.51.100.${i}`));
  return bounds;
}

test('an address at its limit stays there while its connections are open, and gets in when they are not', async () => {
  const clock = new ManualClock();
  let rows = new Map([['192.0.2.1', 10]]);
  const bounds = busyLimits({ clock, table: async () => rows });
  for (let i = 0; i < 10; i++) assert.ok(bounds.opened('192.0.2.1'));
  const tryAgain = async (): Promise<boolean> => {
    const isIn = bounds.opened('192.0.2.1');
    if (!isIn) bounds.closed();
    clock.advanceUs(100_000);
    await turn();
    return isIn;
  };
  for (let i = 0; i < 20; i++) assert.ok(!(await tryAgain()));
  rows = new Map([['192.0.2.1', 9]]);
  await tryAgain();
  assert.ok(await tryAgain());
});

test('what is opened while the kernel is asked is not forgotten', async () => {
  let answer: (rows: Map<string, number>) => void = () => {};
  const bounds = busyLimits({
    maxPerAddress: 4,
    table: () =>
      new Promise(resolve => {
        answer = resolve;
      }),
  });
  for (let i = 0; i < 4; i++) assert.ok(bounds.opened('192.0.2.1'));
  // The third asked; the table has two that were there, and the third and fourth are added.
  answer(new Map([['192.0.2.1', 1]]));
  await turn();
  assert.ok(bounds.opened('192.0.2.1'));
  assert.ok(!bounds.opened('192.0.2.1'));
});

test('while there are few connections in all, the kernel is never asked', async () => {
  let asked = 0;
  const bounds = limits({
    table: async () => {
      asked++;
      return new Map();
    },
  });
  for (let i = 0; i < 4; i++) assert.ok(bounds.opened(`198.51.100.${i}`));
  for (let i = 0; i < 1000; i++) {
    assert.ok(bounds.opened('192.0.2.1'));
    bounds.closed();
  }
  assert.equal(asked, 0);
});

test('without a table of the kernel the total holds', async () => {
  const bounds = limits({ max: 20, table: async () => undefined });
  for (let i = 0; i < 8; i++) assert.ok(bounds.opened('192.0.2.1'));
  await turn();
  for (let i = 8; i < 20; i++) assert.ok(bounds.opened('192.0.2.1'));
  assert.ok(!bounds.opened('192.0.2.1'));
});

test('reads rows of the kernel’s tables', () => {
  const ports = new Set([8080]);
  const row = (local: string, remote: string, inode: number): string =>
    `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 00000000`;
  assert.deepEqual(parseRow(row('0100007F:1F90', '0200007F:E770', 7), ports), {
    inode: '7',
    address: '127.0.0.2',
  });
  const six = '0000000000000000FFFF00000100007F';
  assert.equal(parseRow(row(`${six}:1F90`, `${six}:BE13`, 7), ports)?.address, '127.0.0.1');
  const documentation = 'B80D0120000000000000000001000000';
  assert.equal(parseRow(row(`${six}:1F90`, `${documentation}:BE13`, 7), ports)?.address, '2001:db8::1');
  for (const other of [
    row('0100007F:1F91', '0200007F:E770', 7),
    row('0100007F:1F90', '0200007F:E770', 0),
    row('00000000:1F90', '00000000:0000', 7),
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '',
    'x',
  ])
    assert.equal(parseRow(other, ports), undefined, other);
});

const onLinux = { skip: process.platform !== 'linux', concurrency: true, timeout: 30_000 };
describe('over the wire', onLinux, () => {
  const cameras: BareCamera[] = [];
  after(async () => {
    for (const camera of cameras) await camera.stop();
  });

  async function start(http: Parameters<typeof BareCamera.start>[0]): Promise<BareCamera> {
    const camera = await BareCamera.start(http);
    cameras.push(camera);
    return camera;
  }

  const closedMs = async (socket: Socket, beginMs: number): Promise<number> => {
    socket.on('error', () => {});
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
    return performance.now() - beginMs;
  };

  test('the kernel tells who is connected', async () => {
    const camera = await start({});
    const sockets = await Promise.all(Array.from({ length: 5 }, () => connected(camera.port, '127.0.0.3')));
    await fetch(`http://127.0.0.1:${camera.port}/`);
    const counts = await kernelConnections(new Set([camera.port]));
    assert.equal(counts?.get('127.0.0.3'), 5);
    for (const socket of sockets) socket.destroy();
  });

  for (const tls of [false, true])
    test(`row 5: 500 slow and idle ${tls ? 'TLS' : 'HTTP'} connections of one address take 32 places, are ended within 15 s, and others are served`, async t => {
      const camera = await start({
        http: { maxConnections: 256, maxConnectionsPerAddress: 32 },
        https: { enabled: tls },
      });
      const beginMs = performance.now();
      const starts = [
        '',
        'GET / HTTP/1.1\r\nX: ',
        `POST / HTTP/1.1\r\nHost: 127.0.0.1:${camera.port}\r\nContent-Length: 9999\r\n\r\n`,
      ];
      const slow: Socket[] = [];
      for (let i = 0; i < 500; i++) {
        const socket = await connected(camera.port, '127.0.0.2');
        socket.on('error', () => {});
        socket.write(starts[i % 3]!);
        slow.push(socket);
      }
      const dripping = setInterval(() => {
        slow.forEach((socket, index) => {
          if (index % 3 !== 0 && socket.writable) socket.write('x');
        });
      }, 1000);
      const ended = Promise.all(slow.map(socket => closedMs(socket, beginMs)));
      assert.ok(camera.frontEnd.connections.open <= 32, String(camera.frontEnd.connections.open));
      const { responses } = await raw(
        camera.port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${camera.port}\r\n\r\n`,
        { expect: 1, tls },
      );
      assert.equal(responses[0]?.status, 200);
      const times = await ended;
      clearInterval(dripping);
      const slowestMs = Math.max(...times);
      t.diagnostic(
        `${times.filter(ms => ms < 3000).length} refused at once, the last ended after ${Math.round(slowestMs)} ms`,
      );
      assert.ok(slowestMs < 15_000, `${slowestMs} ms`);
      while (camera.frontEnd.connections.open > 0) await turn();
    });

  test('connections of many addresses meet the total, and each new one gets in when one ends', async () => {
    const camera = await start({ http: { maxConnections: 20, maxConnectionsPerAddress: 10 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 30; i++) {
      const socket = await connected(camera.port, `127.0.1.${i % 5}`);
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await turn();
    assert.equal(camera.frontEnd.connections.open, 20);
    for (const socket of sockets) socket.destroy();
    while (camera.frontEnd.connections.open > 0) await turn();
    assert.equal((await fetch(`http://127.0.0.1:${camera.port}/`)).status, 200);
  });

  test('a client without keep-alive is never refused for connections that have ended', async () => {
    const camera = await start({ http: { maxConnections: 64, maxConnectionsPerAddress: 8 } });
    const standing = await connected(camera.port, '127.0.0.4');
    standing.on('error', () => {});
    for (let i = 0; i < 60; i++) {
      const { responses } = await raw(
        camera.port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${camera.port}\r\n\r\n`,
        { expect: 1 },
      );
      assert.equal(responses[0]?.status, 200, `request ${i}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    standing.destroy();
  });

  test('one address opens connections no faster than it may ask', async () => {
    const camera = await start({ http: { requestsPerSecond: 10, requestBurst: 20 } });
    const sockets = await Promise.all(Array.from({ length: 60 }, () => connected(camera.port, '127.0.0.5')));
    await turn();
    const { open } = camera.frontEnd.connections;
    assert.ok(open >= 20 && open <= 25, String(open));
    for (const socket of sockets) socket.destroy();
  });
});
