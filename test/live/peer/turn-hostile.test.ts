/** Servers that are wrong, slow or hostile: the viewer gets its session by the host candidates all the same. */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { IceServer, LogFields } from '../../../src/ipc/messages.ts';
import { Peer, type PeerOptions, processCertificate } from '../../../src/live/peer/peer.ts';
import { RelayBase } from '../../../src/live/peer/relay-base.ts';
import { ServerMemory } from '../../../src/live/peer/server-memory.ts';
import {
  activeResources,
  cameraCredentials,
  candidatesOf,
  closeAll,
  connect,
  makeCamera,
  makeViewer,
  viewerCredentials,
} from './peer-fixture.ts';
import { IceTestServer } from './server-fixture.ts';

const credentials = { username: 'alice-the-user', password: 'secret-word' } as const;

/** Lets the camera ask 127.0.0.1 as if it were a server elsewhere; what servers say is judged as usual. */
class TrustingMemory extends ServerMemory {
  override addressesOf(): Promise<readonly string[]> {
    return Promise.resolve(['127.0.0.1']);
  }
}

type Attribute = readonly [type: number, value: Buffer];

/** A STUN message, written from RFC 8489 §5 and §14 independently of src. */
function message(type: number, request: Buffer, attributes: readonly Attribute[] = []): Buffer {
  const body = attributes.map(([attribute, value]) => {
    const part = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
    part.writeUInt16BE(attribute, 0);
    part.writeUInt16BE(value.length, 2);
    value.copy(part, 4);
    return part;
  });
  const bytes = Buffer.concat([Buffer.alloc(4), request.subarray(4, 20), ...body]);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(bytes.length - 20, 2);
  return bytes;
}

const errorCode = (code: number): Attribute => [9, Buffer.from([0, 0, Math.trunc(code / 100), code % 100])];

/** XOR-MAPPED-ADDRESS and its like (RFC 8489 §14.2). */
function xorAddress(attribute: number, address: string, port: number): Attribute {
  const value = Buffer.from([0, 1, 0, 0, ...address.split('.').map(Number)]);
  value.writeUInt16BE(port ^ 0x2112, 2);
  for (const [i, byte] of [0x21, 0x12, 0xa4, 0x42].entries()) value[4 + i]! ^= byte;
  return [attribute, value];
}

/** A UDP socket on 127.0.0.1 that answers each datagram with what `answer` makes of it. */
class FakeServer {
  readonly requests: Buffer[] = [];
  private readonly socket = dgram.createSocket('udp4');

  static async open(t: TestContext, answer: (request: Buffer) => readonly Buffer[]): Promise<FakeServer> {
    const server = new FakeServer();
    const { socket } = server;
    socket.on('message', (request, { address, port }) => {
      server.requests.push(request);
      for (const bytes of answer(request)) socket.send(bytes, port, address);
    });
    await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
    t.after(() => socket.close());
    return server;
  }

  get port(): number {
    return this.socket.address().port;
  }
}

function serverAt(port: number, kind: 'stun' | 'turn', transport: 'udp' | 'tcp' = 'udp'): IceServer {
  return { kind, host: '127.0.0.1', port, transport, ...(kind === 'turn' && credentials) };
}

/** The types and addresses of what is offered; a session by the host candidates must come about. */
async function offered(options: Partial<PeerOptions>): Promise<string[]> {
  const startMs = performance.now();
  const camera = await makeCamera(options);
  const viewer = await makeViewer(camera);
  await connect({ camera, viewer });
  assert.ok(performance.now() - startMs < 3000);
  const candidates = candidatesOf(camera).map(({ type, address }) => `${type} ${address}`);
  await closeAll(camera, viewer);
  return candidates;
}

const host = ['host 127.0.0.1'];
const flood = Buffer.alloc(65_507, 1);

describe('a hostile STUN server', () => {
  const answers: Record<string, (request: Buffer) => Buffer[]> = {
    'answers with another transaction': request => {
      const other = Buffer.from(request);
      other.writeUInt32BE(0xbad, 16);
      return [message(0x0101, other, [xorAddress(0x20, '203.0.113.5', 5000)])];
    },
    'sends 64 KiB': () => [flood],
    'sends a STUN message of 64 KiB': request => [message(0x0101, request, [[0x8022, Buffer.alloc(60_000)]])],
    'tells a loopback address': request => [message(0x0101, request, [xorAddress(0x20, '127.0.0.1', 5000)])],
    'tells a link-local address': request => [
      message(0x0101, request, [xorAddress(0x20, '169.254.169.254', 80)]),
    ],
    'tells port 0': request => [message(0x0101, request, [xorAddress(0x20, '203.0.113.5', 0)])],
    'answers with an error': request => [message(0x0111, request, [errorCode(300)])],
    'answers with nothing in it': request => [message(0x0101, request)],
    'says nothing': () => [],
  };
  for (const [name, answer] of Object.entries(answers))
    it(`that ${name} adds nothing`, async t => {
      const server = await FakeServer.open(t, answer);
      const iceServers = [serverAt(server.port, 'stun')];
      const serverMemory = new TrustingMemory();
      assert.deepEqual(await offered({ iceServers, serverMemory, allowLoopback: false }), host);
      assert.ok(server.requests.length > 0);
    });
});

describe('a hostile TURN server', () => {
  const challenge: Attribute[] = [errorCode(401), [0x14, Buffer.from('realm')], [0x15, Buffer.from('nonce')]];
  const isSigned = (request: Buffer): boolean => request.includes(Buffer.from([0, 8, 0, 20]));
  const answers: Record<string, (request: Buffer) => Buffer[]> = {
    'refuses the password': request => [message(0x0113, request, challenge)],
    'sends 64 KiB': () => [flood],
    'asks for credentials without a nonce': request => [message(0x0113, request, [errorCode(401)])],
    'has a nonce of 60 KB': request => [
      message(0x0113, request, [errorCode(401), [0x14, Buffer.from('r')], [0x15, Buffer.alloc(60_000, 97)]]),
    ],
    'always has a newer nonce': request => [
      message(0x0113, request, isSigned(request) ? [errorCode(438), ...challenge.slice(1)] : challenge),
    ],
    'allocates without a signature': request =>
      isSigned(request)
        ? [message(0x0103, request, [xorAddress(0x16, '203.0.113.5', 5000)])]
        : [message(0x0113, request, challenge)],
    'allocates an address of the camera': request => [
      message(0x0103, request, [xorAddress(0x16, '127.0.0.1', 5000), xorAddress(0x20, '127.0.0.1', 5000)]),
    ],
    'allocates nothing': request => [message(0x0103, request)],
    'is full': request => [message(0x0113, request, [errorCode(508)])],
    'says nothing': () => [],
  };
  for (const [name, answer] of Object.entries(answers))
    it(`that ${name} adds nothing and leaves nothing behind`, async t => {
      const server = await FakeServer.open(t, answer);
      const before = await activeResources();
      const iceServers = [serverAt(server.port, 'turn')];
      const serverMemory = new TrustingMemory();
      assert.deepEqual(await offered({ iceServers, serverMemory, allowLoopback: false }), host);
      assert.ok(server.requests.length > 0 && server.requests.length < 8);
      assert.deepEqual(await activeResources(), before);
    });

  it('that sends the camera to another server is not followed, to loopback or elsewhere', async t => {
    const trap = await FakeServer.open(t, () => []);
    const alternate: Attribute = [0x8023, Buffer.from([0, 1, trap.port >> 8, trap.port & 255, 127, 0, 0, 1])];
    const server = await FakeServer.open(t, request => [
      message(0x0113, request, [errorCode(300), alternate]),
    ]);
    for (const allowLoopback of [false, true]) {
      const serverMemory = new TrustingMemory();
      const iceServers = [serverAt(server.port, 'turn')];
      assert.deepEqual(await offered({ iceServers, serverMemory, allowLoopback }), host);
    }
    assert.equal(trap.requests.length, 0);
  });

  it('may send what it likes through an allocation: nothing is thrown, and only data of peers comes out', async t => {
    const received: string[] = [];
    const peer = xorAddress(0x12, '203.0.113.9', 9);
    const server = await FakeServer.open(t, request => [
      message(0x0103, request, [xorAddress(0x16, '203.0.113.5', 5000)]),
      Buffer.from([0x40]),
      Buffer.from([0x40, 0, 0, 9, 1]),
      Buffer.from([0x4f, 0xff, 0, 1, 1, 0, 0, 0]),
      Buffer.from([0x80, 0, 0, 0]),
      message(0x0017, request, [peer]),
      message(0x0017, request, [[0x13, Buffer.from('no peer')]]),
      message(0x0017, request, [
        [0x12, Buffer.from([0, 1])],
        [0x13, Buffer.from('bad peer')],
      ]),
      message(0x0103, request),
      Buffer.alloc(4097, 0x41),
      message(0x0017, request, [peer, [0x13, Buffer.from('data')]]),
    ]);
    const last = new Promise<void>(resolve => {
      const abortion = new AbortController();
      void RelayBase.open({
        transport: 'udp',
        host: 'a.example',
        address: '127.0.0.1',
        port: server.port,
        allowLoopback: false,
        signal: abortion.signal,
        receive: (base, bytes, address, port) => {
          received.push(`${bytes} ${address} ${port}`);
          void base.close().then(resolve);
        },
      });
    });
    await last;
    assert.deepEqual(received, ['data 203.0.113.9 9']);
  });

  for (const [name, bytes] of Object.entries({
    'a flood': flood,
    'a message that is too long': Buffer.from([1, 1, 0xff, 0xf0]),
    'the end of the connection': undefined,
  }))
    it(`over TCP that sends ${name} is given up at once`, async t => {
      const listener = createServer((socket: Socket) => {
        socket.on('error', () => {}).resume();
        if (bytes) socket.write(bytes);
        else socket.end();
      }).listen(0, '127.0.0.1');
      await once(listener, 'listening');
      t.after(() => listener.close());
      const { port } = listener.address() as { port: number };
      const iceServers = [serverAt(port, 'turn', 'tcp')];
      const startMs = performance.now();
      assert.deepEqual(await offered({ iceServers, serverMemory: new TrustingMemory() }), host);
      assert.ok(performance.now() - startMs < 900);
    });
});

describe('servers and the time to the answer', () => {
  it('an open port is found dead at once, so that the answer does not wait', async t => {
    const server = await FakeServer.open(t, () => []);
    const { port } = server;
    const closed = dgram.createSocket('udp4');
    await new Promise<void>(resolve => closed.bind(0, '127.0.0.1', resolve));
    const closedPort = closed.address().port;
    await new Promise<void>(resolve => closed.close(resolve));
    assert.notEqual(port, closedPort);
    const startMs = performance.now();
    assert.deepEqual(await offered({ iceServers: [serverAt(closedPort, 'turn')] }), host);
    assert.ok(performance.now() - startMs < 900);
  });

  it('one server of each kind is enough, and a silent one beside it is not waited for', async t => {
    const [good, silent] = await Promise.all([
      IceTestServer.open({ mapped: ['203.0.113.5', 4000], password: 'secret' }),
      IceTestServer.open({ hangs: true }),
    ]);
    t.after(() => {
      good.close();
      silent.close();
    });
    const turn = { username: 'user', password: 'secret' };
    const iceServers: IceServer[] = [good, silent].flatMap(({ port }) => [
      { kind: 'stun', host: '127.0.0.1', port },
      { kind: 'turn', host: '127.0.0.1', port, ...turn },
    ]);
    const startMs = performance.now();
    const candidates = await offered({ iceServers });
    assert.ok(performance.now() - startMs < 900);
    assert.deepEqual(candidates, [...host, 'srflx 203.0.113.5', 'relay 127.0.0.1']);
  });

  it('a server that was silent is left alone by the next sessions, told once, and without credentials', async t => {
    const lines: string[] = [];
    const serverMemory = new ServerMemory({
      warn: (text: string, fields?: LogFields) => lines.push(JSON.stringify([text, fields])),
    });
    const [stun, turn] = [await FakeServer.open(t, () => []), await FakeServer.open(t, () => [])];
    const iceServers = [serverAt(stun.port, 'stun'), serverAt(turn.port, 'turn')];
    const camera = await makeCamera({ iceServers, serverMemory });
    while (lines.length < 2) await new Promise(resolve => setTimeout(resolve, 20));
    await camera.close();
    const [stunRequests, turnRequests] = [stun.requests.length, turn.requests.length];
    assert.equal(stunRequests, 3);
    const startMs = performance.now();
    assert.deepEqual(await offered({ iceServers, serverMemory }), host);
    assert.ok(performance.now() - startMs < 900);
    assert.deepEqual([stun.requests.length, turn.requests.length], [stunRequests, turnRequests]);
    assert.equal(lines.length, 2);
    assert.doesNotMatch(lines.join(), /alice|secret/);
    assert.match(lines.join(), new RegExp(`turn:127.0.0.1:${turn.port}`));
    // Corrected credentials are another server.
    assert.equal(serverMemory.isFailed({ ...iceServers[1]!, password: 'corrected' }), false);
  });

  it('a name that resolves to this machine is not asked, nor one of many that are unknown', async () => {
    const lines: string[] = [];
    const serverMemory = new ServerMemory({
      warn: (_text: string, fields?: LogFields) => lines.push(String(fields?.server)),
    });
    const names = ['localhost', 'a.invalid', 'b.invalid', 'c.invalid', 'd.invalid'];
    const iceServers: IceServer[] = names.map(name => ({ kind: 'stun', host: name, port: 9 }));
    assert.deepEqual(await offered({ iceServers, serverMemory, allowLoopback: false }), host);
    while (lines.length < names.length) await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(lines.sort(), names.map(name => `stun:${name}:9`).sort());
  });

  it('a relay that comes after the answer carries the session where nothing else can', async () => {
    const before = await activeResources();
    const server = await IceTestServer.open({ delayMs: 700 });
    const { fingerprint } = await processCertificate();
    const fingerprints = [fingerprint];
    const viewer = await Peer.create({
      localAddresses: ['127.0.0.1'],
      credentials: viewerCredentials,
      remote: { ...cameraCredentials, candidates: [], iceLite: true, fingerprints, setup: 'active' },
    });
    const turn = { username: 'user', password: 'secret' };
    const camera = await makeCamera(
      {
        iceServers: [{ kind: 'turn', host: '127.0.0.1', port: server.port, ...turn }],
        localAddresses: ['::1'],
      },
      { candidates: candidatesOf(viewer), setup: 'passive' },
    );
    assert.deepEqual(
      candidatesOf(camera).map(({ type }) => type),
      ['host'],
    );
    const [connection] = await connect({ camera, viewer });
    assert.match(connection!.localAddress, /^127\.0\.0\.1:/);
    await closeAll(camera, viewer);
    server.close();
    assert.deepEqual(await activeResources(), before);
  });
});
