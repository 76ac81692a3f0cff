/** PUT /media/live/config and what GET /system shows of it: all or nothing, credentials masked (faults.md, 23). */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, beforeEach, test } from 'node:test';
import { withStoredCredentials } from '../../src/http/routes/live-config.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';

const stored = ['stun.l.google.com:19302', 'turn:user:secret@turn.example:3478?transport=udp'];
const masked = ['stun.l.google.com:19302', 'turn:***:***@turn.example:3478?transport=udp'];

let camera: FakeCamera;
let server: HttpServer;
const servers: HttpServer[] = [];
beforeEach(async () => {
  camera = new FakeCamera();
  camera.accounts.ice = stored;
  server = await camera.serve();
  servers.push(server);
});
after(async () => {
  for (const each of servers) await each.close();
});

async function put(body: unknown): Promise<{ status: number; json: Record<string, unknown>; text: string }> {
  const response = await fetch(new URL('/api/v1/media/live/config', server.url), {
    method: 'PUT',
    headers: { 'x-token': token, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: JSON.parse(text), text };
}

test('GET /system shows the servers with their credentials masked', async () => {
  const response = await fetch(new URL('/api/v1/system', server.url), { headers: { 'x-token': token } });
  const { live_session_config } = (await response.json()) as { live_session_config: unknown };
  assert.deepEqual(live_session_config, { ice_servers: masked });
});

test('a list is stored as it was sent and answered masked', async () => {
  for (const list of [['stun.l.google.com:19302'], ['turn:a:b@turn.example:3478'], stored, []]) {
    const { status, json } = await put({ ice_servers: list });
    assert.equal(status, 200, JSON.stringify(json));
    assert.deepEqual(camera.accounts.ice, list);
  }
  const { text } = await put({ ice_servers: ['turn:me:hidden@turn.example'] });
  assert.deepEqual(JSON.parse(text), { ice_servers: ['turn:***:***@turn.example'] });
});

const own = Object.values(networkInterfaces())
  .flatMap(entries => entries ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

for (const [name, servers] of [
  ['null', null],
  ['text', 'stun.l.google.com:19302'],
  ['33 entries', new Array(33).fill('stun.l.google.com:19302')],
  ['9 entries', new Array(9).fill('stun.l.google.com:19302')],
  ['an entry of 300 bytes', [`stun:${'a'.repeat(300)}.example`]],
  ['an entry that is a number', [3478]],
  ['http', ['http://stun.example:3478']],
  ['an empty stun:', ['stun:']],
  ['port 0', ['stun.example:0']],
  ['port 65536', ['stun.example:65536']],
  ['port NaN', ['stun.example:NaN']],
  ['[::1]', ['[::1]:3478']],
  ['localhost', ['localhost:3478']],
  ['127.1', ['127.1:3478']],
  ['an own address', [`${own ?? '127.0.0.1'}:3478`]],
  ['169.254.169.254', ['169.254.169.254:80']],
  ['224.0.0.1', ['224.0.0.1:3478']],
  ['an IDN', ['stün.example:3478']],
  ['a newline', ['stun.example:3478\nstun:evil.example']],
  ['one bad among good ones', ['stun.example:3478', 'stun:', 'stun2.example:3478']],
  ['a mask that nothing is stored for', ['turn:***:***@other.example:3478']],
] as const)
  test(`${name} is 400 for the whole request, and the old list stays`, async () => {
    const { status, text } = await put({ ice_servers: servers });
    assert.equal(status, 400, text);
    assert.equal(camera.accounts.ice, stored);
    assert.doesNotMatch(text, /evil|secret/);
  });

test('the fault names the entry by its number and the rule', async () => {
  const { json } = await put({ ice_servers: ['stun.example:3478', 'stun.example:0'] });
  assert.equal(json.code, 'ice-servers-invalid');
  assert.deepEqual(json.details, { index: 1, rule: 'port' });
});

test('an entry that comes back masked keeps its credentials, wherever it stands', async () => {
  const { status, json } = await put({ ice_servers: [masked[1], 'stun:new.example'] });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(camera.accounts.ice, [stored[1], 'stun:new.example']);
  assert.deepEqual(json, { ice_servers: [masked[1], 'stun:new.example'] });
});

test('of servers that look the same masked the first stands for the first, and none for two', () => {
  const twins = ['turn:a:1@turn.example', 'turn:b:2@turn.example'];
  const mask = 'turn:***:***@turn.example';
  assert.deepEqual(withStoredCredentials([mask, mask], twins), twins);
  assert.deepEqual(withStoredCredentials([mask], twins), ['turn:a:1@turn.example']);
  assert.deepEqual(withStoredCredentials([mask, mask, mask], twins), [...twins, mask]);
});

test('no credential is in the log', async () => {
  await put({ ice_servers: ['turn:me:hidden@turn.example'] });
  await put({ ice_servers: ['turn:me:hidden@turn.example:0'] });
  assert.doesNotMatch(JSON.stringify(camera.log), /hidden|secret/);
});
