import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods } from 'werift';
import {
  activeResources,
  cameraCredentials,
  candidatesOf,
  closeAll,
  connect,
  makeCamera,
  makeViewer,
} from './peer-fixture.ts';
import { IceTestServer, type ServerOptions } from './server-fixture.ts';

/** The candidates of a camera that asks this server, by type. */
async function gathered(
  options: ServerOptions,
  kind: 'stun' | 'turn',
  credentials: { username?: string; password?: string } = {},
): Promise<Record<string, string[]>> {
  const server = await IceTestServer.open(options);
  const iceServers = [{ kind, host: '127.0.0.1', port: server.port, ...credentials }];
  const camera = await makeCamera({ iceServers });
  const types: Record<string, string[]> = {};
  for (const { type, address } of candidatesOf(camera)) types[type] = [...(types[type] ?? []), address];
  await camera.close();
  server.close();
  return types;
}

describe('a STUN server', () => {
  it('tells the reflexive address', async () => {
    const types = await gathered({ mapped: ['203.0.113.5', 4000] }, 'stun');
    assert.deepEqual(types, { host: ['127.0.0.1'], srflx: ['203.0.113.5'] });
  });

  it('that gives an address no viewer could use, or the host address, adds nothing', async () => {
    for (const mapped of [['224.0.0.1', 1] as const, ['0.0.0.0', 1] as const, undefined])
      assert.deepEqual(await gathered(mapped ? { mapped } : {}, 'stun'), { host: ['127.0.0.1'] });
  });

  it('that hangs, or answers what was not asked, costs 3 s at most and leaves nothing behind', async () => {
    const before = await activeResources();
    const faults: ServerOptions[] = [{ hangs: true }, { wrongTransaction: true }];
    const startMs = performance.now();
    const found = await Promise.all(faults.map(options => gathered(options, 'stun')));
    assert.ok(performance.now() - startMs < 4000);
    for (const types of found) assert.deepEqual(types, { host: ['127.0.0.1'] });
    assert.deepEqual(await activeResources(), before);
  });

  it('on a refused address or with an unknown name is not asked', async () => {
    const server = await IceTestServer.open();
    const iceServers = [
      { kind: 'stun', host: '127.0.0.1', port: server.port },
      { kind: 'stun', host: 'localhost', port: server.port },
      { kind: 'stun', host: 'no-such-host.invalid', port: server.port },
    ] as const;
    const camera = await makeCamera({ iceServers, allowLoopback: false });
    assert.equal(camera.local.candidates.length, 1);
    assert.deepEqual(server.requests, []);
    await camera.close();
    server.close();
  });
});

describe('a TURN server', () => {
  const credentials = { username: 'user', password: 'secret' };

  it('relays a whole session', async () => {
    const before = await activeResources();
    const server = await IceTestServer.open();
    const iceServers = [{ kind: 'turn', host: '127.0.0.1', port: server.port, ...credentials }] as const;
    const camera = await makeCamera({ iceServers });
    const relayed = candidatesOf(camera).filter(({ type }) => type === 'relay');
    assert.equal(relayed.length, 1);
    const viewer = await makeViewer(camera, {}, { ...cameraCredentials, candidates: relayed });
    const [connection] = await connect({ camera, viewer });
    assert.equal(connection?.localAddress, `127.0.0.1:${relayed[0]!.port}`);
    const got = new Promise<Buffer>(resolve => viewer.onDatagram(bytes => resolve(Buffer.from(bytes))));
    camera.send(Buffer.from([0x80, 1, 2, 3]));
    assert.deepEqual(await got, Buffer.from([0x80, 1, 2, 3]));
    const back = new Promise<Buffer>(resolve => camera.onDatagram(bytes => resolve(Buffer.from(bytes))));
    viewer.send(Buffer.from([0x80, 201]));
    assert.deepEqual(await back, Buffer.from([0x80, 201]));
    assert.ok(server.requests.includes(methods.CHANNEL_BIND));
    await closeAll(camera, viewer);
    server.close();
    assert.deepEqual(await activeResources(), before);
  });

  it('with a wrong password, an error or no answer leaves the host candidates and nothing behind', async () => {
    const before = await activeResources();
    const results = await Promise.all([
      gathered({}, 'turn', { username: 'user', password: 'wrong' }),
      gathered({ errorCode: 300 }, 'turn', credentials),
      gathered({ errorCode: 486 }, 'turn', credentials),
      gathered({ hangs: true }, 'turn', credentials),
    ]);
    for (const types of results) assert.deepEqual(types, { host: ['127.0.0.1'] });
    assert.deepEqual(await activeResources(), before);
  });
});
