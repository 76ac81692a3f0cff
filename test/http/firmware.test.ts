/** POST /system/upgrade and its roll-back over real slots (faults.md, rows 25 to 29), GET as JSON. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { UpgradeState } from '../../src/firmware/upgrades.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { keyPair } from '../firmware/images.ts';
import { FakeCamera, token } from './fake-services.ts';
import { connected, raw } from './raw-client.ts';

const route = '/api/v1/system/upgrade';
let camera: FakeCamera;
let server: HttpServer;
let slots: string;

beforeEach(async () => {
  camera = new FakeCamera();
  slots = camera.upgrades.setUp();
  server = await camera.serve();
});
afterEach(async () => {
  await server.close();
  camera.upgrades.restore();
});

interface Document {
  readonly state: UpgradeState;
  readonly code?: string;
  readonly slots: readonly { name: string; version: string | null; state: string }[];
  readonly lastResult: { outcome: string; version: string; reason?: string } | null;
  readonly progress: { receivedBytes: number; totalBytes: number } | null;
}

async function ask(path = '', init: RequestInit = {}): Promise<{ status: number; body: Document }> {
  const headers = { 'x-token': token };
  const response = await fetch(new URL(route + path, server.url), { headers, ...init });
  return { status: response.status, body: (await response.json()) as Document };
}

function upload(image: Uint8Array, init: RequestInit = {}): ReturnType<typeof ask> {
  const form = new FormData();
  form.set('img_file', new Blob([new Uint8Array(image)]), 'firmware.img');
  return ask('', { method: 'POST', body: form, ...init });
}

/** The slots as they were before anything came. */
async function isUntouched(): Promise<void> {
  const { body } = await ask();
  assert.deepEqual(
    body.slots.map(({ name, state }) => `${name} ${state}`),
    ['factory good', 'a empty', 'b empty'],
  );
  const left = existsSync(slots) ? readdirSync(slots).filter(name => !name.startsWith('boot')) : [];
  assert.deepEqual(left, []);
}

/** Resolves when an upgrade is in one of the states. */
function stateIs(...states: readonly UpgradeState[]): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (states.includes(camera.upgrades.status().state)) {
        end?.();
        resolve();
      }
    };
    const end = camera.upgrades.watch(look);
    look();
  });
}

test('without a key every upload is refused with 403, and the audit log has it', async () => {
  camera.upgrades.restore();
  const { status, body } = await upload(camera.upgrades.image());
  assert.equal(status, 403);
  assert.equal(body.code, 'firmware-not-set-up');
  assert.deepEqual(camera.audited, ['upgrade-refused']);
  assert.equal((await ask()).body.state, 'off');
});

test('without a session it is 401, and nothing is in the audit log', async () => {
  for (const headers of [{}, { 'x-token': 'wrong' }])
    assert.equal((await upload(camera.upgrades.image(), { headers })).status, 401);
  assert.deepEqual(camera.audited, []);
  await isUntouched();
});

test('another media type is 415', async () => {
  const headers = { 'x-token': token, 'content-type': 'application/octet-stream' };
  assert.equal((await ask('', { method: 'POST', headers, body: new Uint8Array(10) })).status, 415);
});

test('a good image is installed before the answer, and the camera is told to start it', async () => {
  const image = camera.upgrades.image();
  const restarted = camera.upgrades.restarted();
  const { status, body } = await upload(image);
  assert.equal(status, 200);
  assert.equal(body.state, 'ready');
  assert.deepEqual(body.slots[1], { name: 'a', version: '1.1.0', state: 'untried' });
  assert.deepEqual(body.progress, { receivedBytes: image.length, totalBytes: image.length });
  assert.deepEqual(readdirSync(path.join(slots, 'a')).sort(), ['inventory.json', 'software']);
  assert.ok(!existsSync(path.join(slots, 'payload.part')));
  assert.deepEqual(camera.audited, ['upgrade-started', 'upgrade-installed']);
  await restarted;
  assert.equal((await ask()).body.state, 'restarting');
});

const other = keyPair();
const refusals: readonly {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  image(): Buffer;
}[] = [
  {
    name: 'no image at all',
    status: 400,
    code: 'firmware-malformed',
    image: () => Buffer.from('GIF89a, and more of that'),
  },
  { name: 'an empty file', status: 400, code: 'firmware-truncated', image: () => Buffer.alloc(0) },
  {
    name: 'another key',
    status: 403,
    code: 'firmware-untrusted',
    image: () => camera.upgrades.image({}, undefined, other.privateKey),
  },
  {
    name: 'a changed bit in the manifest',
    status: 403,
    code: 'firmware-signature-invalid',
    image: () => changed(camera.upgrades.image(), 100),
  },
  {
    name: 'a changed bit in the payload',
    status: 400,
    code: 'firmware-corrupt',
    image: () => changed(camera.upgrades.image(), -3),
  },
  {
    name: 'a cut off end',
    status: 400,
    code: 'firmware-truncated',
    image: () => camera.upgrades.image().subarray(0, -1),
  },
  {
    name: 'a byte too much',
    status: 413,
    code: 'firmware-too-long',
    image: () => Buffer.concat([camera.upgrades.image(), Buffer.alloc(1)]),
  },
  {
    name: 'another board',
    status: 409,
    code: 'firmware-board-mismatch',
    image: () => camera.upgrades.image({ boards: ['other'] }),
  },
  {
    name: 'the version that runs',
    status: 409,
    code: 'firmware-installed',
    image: () => camera.upgrades.image({ version: '1.0.0' }),
  },
  {
    name: 'an older version',
    status: 409,
    code: 'firmware-downgrade',
    image: () => camera.upgrades.image({ version: '0.9.9' }),
  },
  {
    name: 'a version that needs one in between',
    status: 409,
    code: 'firmware-step-missing',
    image: () => camera.upgrades.image({ version: '2.0.0', minimumVersion: '1.5.0' }),
  },
  {
    name: 'a payload that is no archive',
    status: 400,
    code: 'firmware-malformed',
    image: () => camera.upgrades.image({}, Buffer.from('no archive')),
  },
  {
    name: 'a payload of more than is allowed',
    status: 413,
    code: 'firmware-too-large',
    image: () => camera.upgrades.image({ payloadBytes: 900_000_000 }),
  },
];
for (const { name, status, code, image } of refusals)
  test(`an image with ${name} is refused with ${status} ${code}; slots and state are as before`, async () => {
    const answer = await upload(image());
    assert.equal(answer.body.code, code);
    assert.equal(answer.status, status);
    await isUntouched();
    assert.equal((await ask()).body.state, 'failed');
    assert.equal(camera.audited.at(-1), 'upgrade-refused');
    assert.equal((await upload(camera.upgrades.image())).status, 200);
  });

test('a refusal comes to a client that sends all before it reads, whatever the size', async () => {
  for (const bytes of [100_000, 1_000_000])
    assert.equal((await upload(Buffer.alloc(bytes))).body.code, 'firmware-malformed');
});

test('a body that says it is too large is refused before it comes', async () => {
  const { responses } = await raw(
    server.port,
    `POST ${route} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n` +
      'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1073741824\r\n\r\n--x\r\n',
    { expect: 1 },
  );
  assert.equal(responses[0]?.status, 413);
  assert.equal(responses[0]?.headers.get('connection'), 'close');
  await isUntouched();
});

/** A request whose body the test sends itself. */
async function begun(image: Uint8Array): Promise<{ socket: Socket; form: Buffer }> {
  const form = Buffer.concat([
    Buffer.from('--x\r\nContent-Disposition: form-data; name="img_file"; filename="a"\r\n\r\n'),
    image,
    Buffer.from('\r\n--x--\r\n'),
  ]);
  const socket = await connected(server.port);
  socket.write(
    `POST ${route} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n` +
      `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ${form.length}\r\n\r\n`,
  );
  await stateIs('receiving');
  return { socket, form };
}

for (const share of [0, 0.01, 0.5, 0.999])
  test(`an upload that is aborted at ${share * 100} % leaves nothing, and the next one is taken`, async () => {
    const image = camera.upgrades.image();
    const { socket, form } = await begun(image);
    const sent = Math.floor(form.length * share);
    if (sent > 0) socket.write(form.subarray(0, sent));
    if (share > 0.1) await received(100);
    const failed = stateIs('failed');
    socket.destroy();
    await failed;
    await isUntouched();
    assert.equal((await upload(image)).status, 200);
  });

test('a second upload while one is under way is refused with 409, and the first goes on', async () => {
  const image = camera.upgrades.image();
  const { socket, form } = await begun(image);
  const second = await upload(image);
  assert.equal(second.status, 409);
  assert.equal(second.body.code, 'firmware-busy');
  const ready = stateIs('ready', 'failed');
  socket.write(form);
  await ready;
  assert.equal((await ask()).body.state, 'ready');
  socket.destroy();
});

test('nothing is taken between the installation and the restart', async () => {
  assert.equal((await upload(camera.upgrades.image())).status, 200);
  assert.equal((await upload(camera.upgrades.image({ version: '1.2.0' }))).body.code, 'firmware-busy');
  assert.equal((await ask('/rollback', { method: 'POST' })).body.code, 'firmware-busy');
});

test('uploads of an address are counted, good or not', async () => {
  await server.close();
  camera.upgrades.configuration = { ...camera.upgrades.configuration, uploadsPerHour: 2 };
  camera.upgrades.setUp();
  server = await camera.serve();
  for (let i = 0; i < 2; i++) assert.equal((await upload(Buffer.alloc(100))).status, 400);
  const response = await fetch(new URL(route, server.url), {
    method: 'POST',
    headers: { 'x-token': token, 'content-type': 'multipart/form-data; boundary=x' },
    body: 'x',
  });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), '1800');
});

test('a roll-back without a version before is refused with 409', async () => {
  const { status, body } = await ask('/rollback', { method: 'POST' });
  assert.equal(status, 409);
  assert.equal(body.code, 'firmware-no-previous');
});

/** Resolves when so many bytes of the image under way are with the camera. */
async function received(bytes: number): Promise<void> {
  while ((camera.upgrades.status().progress?.receivedBytes ?? 0) < bytes) await setImmediate();
}

/** With one bit flipped; a negative place counts from the end. */
function changed(bytes: Buffer, at: number): Buffer {
  const place = at < 0 ? bytes.length + at : at;
  bytes[place]! ^= 1;
  return bytes;
}
