/** Relayed bases on a real TURN server (Debian's coturn), whose log tells its side. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DatagramReceiver } from '../../../src/live/peer/ice-base.ts';
import { Peer, processCertificate } from '../../../src/live/peer/peer.ts';
import { RelayBase, type RelayOptions } from '../../../src/live/peer/relay-base.ts';
import { TurnError } from '../../../src/live/peer/turn-client.ts';
import { Coturn, turnUser } from '../../support/coturn.ts';
import { requireProgram } from '../../support/requires.ts';
import {
  activeResources,
  cameraCredentials,
  candidatesOf,
  closeAll,
  connect,
  makeCamera,
  viewerCredentials,
} from './peer-fixture.ts';

const signal = new AbortController().signal;

/** A relayed base and what came to it. */
class End {
  base!: RelayBase;
  readonly received: string[] = [];

  static async open(server: Coturn, options: Partial<RelayOptions> = {}): Promise<End> {
    const end = new End();
    const place = { host: '127.0.0.1', address: '127.0.0.1', port: server.port, transport: 'udp' } as const;
    const receive: DatagramReceiver = (_base, bytes) => end.received.push(bytes.toString());
    end.base = await RelayBase.open({
      ...place,
      ...turnUser,
      allowLoopback: true,
      receive,
      signal,
      ...options,
    });
    return end;
  }

  send(text: string, to: End): void {
    const { address, port } = to.base.candidate;
    this.base.send(Buffer.from(text), port, address);
  }
}

async function until(check: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !check(); ) {
    if (Date.now() > deadline) throw new Error('not in 10 s');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Opens two ends whose channels to one another are bound. */
async function openPair(server: Coturn, options: Partial<RelayOptions> = {}): Promise<[End, End]> {
  const ends: [End, End] = [await End.open(server, options), await End.open(server, options)];
  const [a, b] = ends;
  // The permission of b for a comes with its first datagram, which a has no permission for yet.
  b.send('hello', a);
  await server.logged(/CHANNEL_BIND processed, success/);
  a.send('first', b);
  await until(() => b.received.includes('first'));
  b.send('second', a);
  await until(() => a.received.includes('second'));
  return ends;
}

for (const transport of ['udp', 'tcp'] as const)
  test(`a relayed base over ${transport} carries datagrams both ways by channels`, async t => {
    const server = await Coturn.start(t);
    if (!server) return;
    const before = await activeResources();
    const ends = await openPair(server, { transport });
    const [a, b] = ends;
    assert.equal(a.base.candidate.type, 'relay');
    assert.equal(a.base.candidate.address, '127.0.0.1');
    const texts = Array.from({ length: 50 }, (_, i) => `${i} ${'x'.repeat(i * 20 + (i % 4))}`);
    for (const text of texts) a.send(text, b);
    await until(() => b.received.length === 51);
    assert.deepEqual(b.received.slice(1), texts);
    assert.equal(a.base.sendFailures, 0);
    await Promise.all(ends.map(({ base }) => base.close()));
    assert.deepEqual(await activeResources(), before);
  });

test('a relayed base lives on past its lifetime and past stale nonces', async t => {
  const server = await Coturn.start(t, ['--no-tls', '--max-allocate-lifetime=2', '--stale-nonce=1']);
  if (!server) return;
  const ends = await openPair(server);
  const [a, b] = ends;
  await until(() => server.log.filter(line => /refreshed/.test(line)).length >= 4);
  await server.logged(/438/);
  assert.ok(!server.log.some(line => /allocation timeout/.test(line)));
  a.send('late', b);
  await until(() => b.received.includes('late'));
  await Promise.all(ends.map(({ base }) => base.close()));
});

test('channels in use are bound anew before they and their permissions end', async t => {
  const server = await Coturn.start(t, ['--no-tls', '--channel-lifetime=2', '--permission-lifetime=2']);
  if (!server) return;
  const ends = await openPair(server, { bindMs: 500 });
  const [a, b] = ends;
  const binds = (): number => server.log.filter(line => /CHANNEL_BIND processed, success/.test(line)).length;
  for (let i = 0; binds() < 16; i++) {
    a.send(`a${i}`, b);
    b.send(`b${i}`, a);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  // Eight bindings of each at half a second are twice the lifetime.
  a.send('late', b);
  b.send('late', a);
  await until(() => a.received.includes('late') && b.received.includes('late'));
  await Promise.all(ends.map(({ base }) => base.close()));
});

test('a closed base gives its allocation back, so that the quota of one allows the next one', async t => {
  const server = await Coturn.start(t, ['--no-tls', '--user-quota=1']);
  if (!server) return;
  const first = await End.open(server);
  await assert.rejects(End.open(server), (error: TurnError) => error.code === 486);
  await first.base.close();
  await server.logged(/delete: realm/);
  await (await End.open(server)).base.close();
});

test('an opening that nobody waits for any more gives its allocation back, too', async t => {
  const server = await Coturn.start(t, ['--no-tls', '--user-quota=1']);
  if (!server) return;
  // The moments of the whole opening, which takes some ms.
  for (const waitMs of [0, 1, 2, 3, 4, 6]) {
    const abortion = new AbortController();
    setTimeout(() => abortion.abort(), waitMs);
    const opened = await End.open(server, { signal: abortion.signal }).catch(() => undefined);
    await opened?.base.close();
  }
  let end: End | undefined;
  for (const deadline = Date.now() + 10_000; !end && Date.now() < deadline; ) {
    end = await End.open(server).catch(() => undefined);
    if (!end) await new Promise(resolve => setTimeout(resolve, 200));
  }
  assert.ok(end, 'an allocation was left');
  await end.base.close();
});

test('a wrong password is told at once, without a word of the credentials', async t => {
  const server = await Coturn.start(t);
  if (!server) return;
  const before = await activeResources();
  const cases = [
    { password: 'secret-word' },
    { username: 'nobody-known', password: 'secret-word' },
    { username: undefined, password: undefined },
  ];
  for (const credentials of cases)
    await assert.rejects(End.open(server, credentials), (error: Error) => {
      assert.ok(error instanceof TurnError);
      assert.equal(error.code, 401);
      assert.doesNotMatch(
        JSON.stringify([error.message, error.stack, { ...error }]),
        /secret-word|nobody-known/,
      );
      return true;
    });
  assert.deepEqual(await activeResources(), before);
});

test('a session goes over the relay when no other pair is usable, and ends with its allocation', async t => {
  const server = await Coturn.start(t);
  if (!server) return;
  const before = await activeResources();
  const iceServers = [{ kind: 'turn', host: '127.0.0.1', port: server.port, ...turnUser }] as const;
  const { fingerprint } = await processCertificate();
  const viewer = await Peer.create({
    localAddresses: ['127.0.0.1'],
    credentials: viewerCredentials,
    remote: {
      ...cameraCredentials,
      candidates: [],
      iceLite: true,
      fingerprints: [fingerprint],
      setup: 'active',
    },
  });
  // The camera's own address is of another family than all of the viewer's.
  const camera = await makeCamera(
    { iceServers, localAddresses: ['::1'] },
    { candidates: candidatesOf(viewer), setup: 'passive' },
  );
  const relayed = candidatesOf(camera).filter(({ type }) => type === 'relay');
  assert.equal(relayed.length, 1);
  const [connection] = await connect({ camera, viewer });
  assert.equal(connection?.localAddress, `127.0.0.1:${relayed[0]!.port}`);
  const got = new Promise<Buffer>(resolve => viewer.onDatagram(bytes => resolve(Buffer.from(bytes))));
  camera.send(Buffer.concat([Buffer.from([0x80, 1]), Buffer.alloc(1200, 7)]));
  assert.equal((await got).length, 1202);
  const back = new Promise<Buffer>(resolve => camera.onDatagram(bytes => resolve(Buffer.from(bytes))));
  viewer.send(Buffer.from([0x80, 201]));
  assert.deepEqual(await back, Buffer.from([0x80, 201]));
  await closeAll(camera, viewer);
  await server.logged(/refreshed.*lifetime=0/);
  assert.deepEqual(await activeResources(), before);
});

/** A self-signed certificate for 127.0.0.1. */
function makeCertificate(t: TestContext): { certificate: string; key: string } | undefined {
  if (!requireProgram(t, 'openssl')) return undefined;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-turns-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [certificate, key] = ['cert.pem', 'key.pem'].map(name => path.join(folder, name)) as [string, string];
  const subject = ['-subj', '/CN=turn', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const { status, stderr } = spawnSync(
    'openssl',
    ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return { certificate, key };
}

test('a server over TLS is believed only when an authority vouches for its certificate', async t => {
  const files = makeCertificate(t);
  if (!files) return;
  const port = await freeTcpPort();
  const flags = [`--cert=${files.certificate}`, `--pkey=${files.key}`, `--tls-listening-port=${port}`];
  const server = await Coturn.start(t, flags);
  if (!server) return;
  await assert.rejects(End.open(server, { transport: 'tls', port }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  // Authorities are read once by a process, so the other case needs its own.
  const child = spawn(
    process.execPath,
    [
      ...['--import', fileURLToPath(new URL('../../register.mjs', import.meta.url))],
      fileURLToPath(new URL('./turn-tls-child.ts', import.meta.url)),
      String(port),
    ],
    {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: files.certificate },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [status] = await once(child, 'exit');
  assert.equal(status, 0);
  await server.logged(/refreshed.*lifetime=0/);
});

async function freeTcpPort(): Promise<number> {
  const { createServer } = await import('node:net');
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, 'close');
  return port;
}
