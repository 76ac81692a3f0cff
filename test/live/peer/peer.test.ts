import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { describe, it } from 'node:test';
import { readStunMessage, StunAttribute, StunType, StunWriter } from '../../../src/live/peer/stun-message.ts';
import { warmUp } from '../../../src/live/peer/warm-up.ts';
import {
  activeResources,
  cameraCredentials,
  candidatesOf,
  closeAll,
  closed,
  connect,
  connected,
  makeCamera,
  makeEnds,
  makeViewer,
  vanish,
  viewerCredentials,
} from './peer-fixture.ts';

describe('a peer', () => {
  it('connects, also when the offer has no candidates, and both sides have the same keys', async () => {
    const ends = await makeEnds();
    const [camera, viewer] = await connect(ends);
    assert.deepEqual(camera?.sendKeys, viewer?.receiveKeys);
    assert.deepEqual(camera?.receiveKeys, viewer?.sendKeys);
    assert.equal(camera?.remoteAddress, viewer?.localAddress);
    await closeAll(ends.camera, ends.viewer);
  });

  it('connects over IPv6', async () => {
    const ends = await makeEnds({ localAddresses: ['::1'] });
    const [camera] = await connect(ends);
    assert.match(camera!.remoteAddress, /^\[::1\]:\d+$/);
    await closeAll(ends.camera, ends.viewer);
  });

  it('connects as DTLS server when the offer is active', async () => {
    const camera = await makeCamera({}, { setup: 'active' });
    assert.equal(camera.local.setup, 'passive');
    const viewer = await makeViewer(camera);
    assert.equal(viewer.local.setup, 'active');
    await connect({ camera, viewer });
    await closeAll(camera, viewer);
  });

  it('keeps the ClientHello of a viewer that is quicker than start()', async () => {
    const camera = await makeCamera({}, { setup: 'active' });
    const viewer = await makeViewer(camera);
    viewer.start();
    const first = await connected(camera);
    assert.ok(first);
    await closeAll(camera, viewer);
  });

  it('connects to a viewer that believes to be controlled, too', async () => {
    const camera = await makeCamera();
    const viewer = await makeViewer(camera, {}, { iceLite: false });
    await connect({ camera, viewer });
    await closeAll(camera, viewer);
  });

  it('connects when both sides believe to be controlling', async () => {
    const camera = await makeCamera({}, { iceLite: true });
    const viewer = await makeViewer(camera);
    await connect({ camera, viewer });
    await closeAll(camera, viewer);
  });

  it('passes datagrams both ways, SRTP and SRTCP alone', async () => {
    const ends = await makeEnds();
    await connect(ends);
    const got = new Promise<Buffer>(resolve => ends.camera.onDatagram(bytes => resolve(Buffer.from(bytes))));
    for (const first of [64, 127, 192, 255]) ends.viewer.send(Buffer.from([first, 1, 2]));
    ends.viewer.send(Buffer.from([0x80, 200, 7]));
    assert.deepEqual(await got, Buffer.from([0x80, 200, 7]));
    const back = new Promise<Buffer>(resolve => ends.viewer.onDatagram(bytes => resolve(Buffer.from(bytes))));
    ends.camera.send(new Uint8Array([0x90, 9]));
    assert.deepEqual(await back, Buffer.from([0x90, 9]));
    assert.equal(ends.camera.sendFailures, 0);
    assert.equal(ends.camera.sendQueueBytes, 0);
    await closeAll(ends.camera, ends.viewer);
  });

  it('takes nothing from other addresses', async () => {
    const ends = await makeEnds();
    await connect(ends);
    let received = 0;
    ends.camera.onDatagram(() => received++);
    const stranger = dgram.createSocket('udp4');
    const { address, port } = candidatesOf(ends.camera)[0]!;
    const before = ends.camera.rejectedDatagrams;
    const sent = [Buffer.from([0x80, 200]), Buffer.from([22, 0xfe, 0xfd]), Buffer.from([0, 1])];
    for (const bytes of sent) stranger.send(bytes, port, address);
    ends.viewer.send(Buffer.from([0x80, 200]));
    while (ends.camera.rejectedDatagrams < before + sent.length || received === 0)
      await new Promise(resolve => setImmediate(resolve));
    assert.equal(received, 1);
    stranger.close();
    await closeAll(ends.camera, ends.viewer);
  });

  it('connects in spite of 200 stray ClientHellos and unauthentic checks before the viewer', async () => {
    const ends = await makeEnds();
    const { address, port } = candidatesOf(ends.camera)[0]!;
    const stranger = dgram.createSocket('udp4');
    const hello = Buffer.from(`16fefd00000000000000000031${'01'.repeat(49)}`, 'hex');
    for (let i = 0; i < 200; i++) {
      stranger.send(hello, port, address);
      const check = new StunWriter(StunType.request, i.toString(16).padStart(24, '0'))
        .text(StunAttribute.username, `${cameraCredentials.ufrag}:${viewerCredentials.ufrag}`)
        .flag(StunAttribute.useCandidate);
      stranger.send(check.finish('not the password at all!'), port, address);
    }
    await connect(ends);
    stranger.close();
    await closeAll(ends.camera, ends.viewer);
  });

  it('answers a check with the right credentials and no other', async () => {
    const camera = await makeCamera();
    const { address, port } = candidatesOf(camera)[0]!;
    const socket = dgram.createSocket('udp4');
    const username = `${cameraCredentials.ufrag}:${viewerCredentials.ufrag}`;
    const check = (id: string, name: string, password?: string): Buffer =>
      new StunWriter(StunType.request, id.repeat(24))
        .text(StunAttribute.username, name)
        .uint32(StunAttribute.priority, 1)
        .uint64(StunAttribute.iceControlling, 1n)
        .finish(password);
    const answers: string[] = [];
    const last = new Promise<void>(resolve =>
      socket.on('message', bytes => {
        const message = readStunMessage(bytes)!;
        if (message.type !== StunType.success) return;
        assert.ok(message.isAuthentic(cameraCredentials.pwd));
        answers.push(message.transactionId[0]!);
        resolve();
      }),
    );
    socket.send(check('1', username, 'wrong'), port, address);
    socket.send(check('2', 'other:name', cameraCredentials.pwd), port, address);
    socket.send(check('3', username), port, address);
    socket.send(check('4', username, cameraCredentials.pwd), port, address);
    await last;
    assert.deepEqual(answers, ['4']);
    assert.equal(camera.rejectedDatagrams, 3);
    socket.close();
    await camera.close();
  });
});

describe('a peer ends', () => {
  it('with dtls-failed and without media when the certificate is not the announced one', async () => {
    const camera = await makeCamera({}, { fingerprints: [`${'00:'.repeat(31)}00`] });
    const viewer = await makeViewer(camera);
    let isConnected = false;
    camera.onConnected(() => {
      isConnected = true;
    });
    const reason = closed(camera);
    camera.start();
    viewer.start();
    assert.equal(await reason, 'dtls-failed');
    assert.match(camera.closeCause!.message, /not the one that the offer announced/);
    assert.equal(isConnected, false);
    await closeAll(camera, viewer);
  });

  it('with connect-timeout when nobody comes, started or not, and frees its sockets', async () => {
    const before = await activeResources();
    const started = await makeCamera({ connectTimeoutMs: 20 }, { candidates: [] });
    const abandoned = await makeCamera({ connectTimeoutMs: 20 });
    started.start();
    assert.deepEqual(await Promise.all([closed(started), closed(abandoned)]), [
      'connect-timeout',
      'connect-timeout',
    ]);
    await closeAll(started, abandoned);
    assert.deepEqual(await activeResources(), before);
  });

  it('with closed-by-viewer when the viewer says so', async () => {
    const ends = await makeEnds();
    await connect(ends);
    const reason = closed(ends.camera);
    await ends.viewer.close();
    assert.equal(await reason, 'closed-by-viewer');
    await ends.camera.close();
  });

  it('with consent-expired when the viewer vanishes without a word', async () => {
    const ends = await makeEnds({ consentTimeoutMs: 200 });
    await connect(ends);
    const reason = closed(ends.camera);
    await vanish(ends.viewer);
    assert.equal(await reason, 'consent-expired');
    await closeAll(ends.camera, ends.viewer);
  });

  it('not as long as the viewer consents', async () => {
    const ends = await makeEnds({ consentTimeoutMs: 100 });
    await connect(ends);
    let ended: string | undefined;
    ends.camera.onClosed(reason => {
      ended = reason;
    });
    const consents = (): number => consentMs(ends.camera);
    const first = consents();
    while (consents() < first + 500 && ended === undefined)
      await new Promise(resolve => setTimeout(resolve, 10));
    assert.equal(ended, undefined);
    await closeAll(ends.camera, ends.viewer);
  });

  it('once, however often it is closed, and sends nothing afterwards', async () => {
    const ends = await makeEnds();
    await connect(ends);
    const reasons: string[] = [];
    ends.camera.onClosed(reason => reasons.push(reason));
    const viewerClosed = closed(ends.viewer);
    await Promise.all([ends.camera.close(), ends.camera.close()]);
    await ends.camera.close();
    ends.camera.send(Buffer.from([0x80]));
    ends.camera.start();
    assert.deepEqual(reasons, ['closed']);
    assert.equal(await closed(ends.camera), 'closed');
    assert.equal(await viewerClosed, 'closed-by-viewer');
    assert.equal(ends.camera.sendQueueBytes, 0);
  });
});

describe('the local side', () => {
  it('has a socket a usable address and leaves out the others', async () => {
    const camera = await makeCamera({ localAddresses: ['127.0.0.1', '203.0.113.254', '127.0.0.2'] });
    assert.deepEqual(
      candidatesOf(camera).map(({ address }) => address),
      ['127.0.0.1', '127.0.0.2'],
    );
    const [first, second] = candidatesOf(camera);
    assert.ok(first!.priority > second!.priority);
    await camera.close();
  });

  it('is an error when no address can be bound', async () => {
    await assert.rejects(makeCamera({ localAddresses: ['203.0.113.254'] }), { code: 'internal' });
  });

  it('has random credentials of the required length', async () => {
    const { credentials: _, ...rest } = { credentials: undefined };
    const camera = await makeCamera({ ...rest, credentials: undefined as never });
    assert.match(camera.local.ufrag, /^[A-Za-z0-9+/]{8}$/);
    assert.match(camera.local.pwd, /^[A-Za-z0-9+/]{24}$/);
    await camera.close();
  });
});

describe('the warm-up', () => {
  it('connects, and leaves nothing behind', async () => {
    const before = await activeResources();
    assert.equal(await warmUp(), true);
    assert.deepEqual(await activeResources(), before);
  });
});

describe('without ICE servers', () => {
  it('no packet goes anywhere but to the viewer', async () => {
    const targets = new Set<string>();
    const { send } = dgram.Socket.prototype;
    dgram.Socket.prototype.send = function (this: dgram.Socket, ...values: unknown[]) {
      targets.add(String(values.find(value => typeof value === 'string')));
      return (send as (...all: unknown[]) => void).apply(this, values);
    } as typeof send;
    try {
      const ends = await makeEnds();
      await connect(ends);
      await closeAll(ends.camera, ends.viewer);
    } finally {
      dgram.Socket.prototype.send = send;
    }
    assert.deepEqual([...targets], ['127.0.0.1']);
  });
});

/** When the last consent came, by the agent's clock. */
function consentMs(peer: object): number {
  return (peer as { agent: { consentMs: number } }).agent.consentMs;
}
