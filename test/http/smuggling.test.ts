/** Rows 1 to 4 of the fault list over real sockets: requests that two parsers would read differently. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { raw } from './raw-client.ts';

const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  server = await camera.serve();
});
after(() => server.close());
beforeEach(() => {
  camera.liveRequests.length = 0;
});

const head = `Host: a\r\nx-token: ${token}\r\n`;
/** A request with an effect that is counted. */
const effect = `DELETE /api/v1/media/live/session/smuggled HTTP/1.1\r\n${head}\r\n`;
const post = `POST /api/v1/media/live/session HTTP/1.1\r\n${head}Content-Type: application/json\r\n`;

/** What is refused: one 400 at most, the connection closed, nothing done. */
async function refused(bytes: string): Promise<void> {
  const { responses, closed, text } = await raw(server.port, bytes);
  assert.ok(closed, 'the connection is closed');
  assert.ok(responses.length <= 1, `one answer at most: ${text.slice(0, 300)}`);
  for (const response of responses) assert.ok([400, 505].includes(response.status), String(response.status));
  assert.deepEqual(camera.liveRequests, []);
}

test('the counted effect counts', async () => {
  const { responses } = await raw(server.port, effect, { expect: 1 });
  assert.equal(responses[0]?.status, 200);
  assert.equal(camera.liveRequests.length, 1);
});

test('answers two lengths with a 400 problem and never runs the request in the tail', async () => {
  const bytes = `${post}Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc${effect}`;
  await refused(bytes);
  const { responses } = await raw(server.port, bytes);
  assert.equal(responses.length, 1);
  assert.equal(responses[0]?.status, 400);
  assert.equal(responses[0]?.headers.get('content-type'), 'application/problem+json');
  assert.equal((JSON.parse(responses[0]?.body ?? '') as { code: string }).code, 'request-malformed');
});

test('refuses an empty length with a request in the tail', () =>
  refused(`${post}Content-Length: \r\n\r\n${effect}`));

for (const encoding of [
  'chunked',
  'gzip, chunked',
  'chunked\t',
  'identity',
  'x',
  ' chunked',
  'chunked\r\nTransfer-Encoding: chunked',
])
  test(`refuses Transfer-Encoding ${JSON.stringify(encoding)}`, async () => {
    const chunks = `3\r\nabc\r\n0\r\n\r\n${effect}`;
    await refused(`${post}Transfer-Encoding: ${encoding}\r\n\r\n${chunks}`);
    await refused(`${post}Content-Length: 3\r\nTransfer-Encoding: ${encoding}\r\n\r\n${chunks}`);
    await refused(`${post}Transfer-Encoding: ${encoding}\r\nContent-Length: 3\r\n\r\n${chunks}`);
  });

for (const chunk of [
  'FFFFFFFFFFFFFFFFF\r\nabc',
  '+3\r\nabc\r\n0\r\n\r\n',
  '0x3\r\nabc\r\n0\r\n\r\n',
  '3;a=b\r\nabc\r\n0\r\n\r\n',
  '3\r\nabcXX0\r\n\r\n',
  '3\r\nabc\r\n',
])
  test(`refuses chunks ${JSON.stringify(chunk)}`, () =>
    refused(`${post}Transfer-Encoding: chunked\r\n\r\n${chunk}`));

for (const length of ['+3', '-3', '3, 3', '99999999999999999999', '0x3', '3 '])
  test(`does nothing for a Content-Length of ${JSON.stringify(length)} unless it is a number`, async () => {
    const bytes = `DELETE /api/v1/media/live/session/x HTTP/1.1\r\n${head}Content-Length: ${length}\r\n\r\nabc`;
    if (length.trim() === '3') {
      const { responses } = await raw(server.port, bytes, { expect: 1 });
      assert.equal(responses[0]?.status, 200);
    } else await refused(bytes);
  });

const device = 'GET /api/v1/device HTTP/1.1';
for (const [name, bytes] of Object.entries({
  'two Host': `${device}\r\nHost: b\r\n${head}\r\n`,
  'an empty Host': `${device}\r\nHost:\r\nx-token: ${token}\r\n\r\n`,
  'no Host': `${device}\r\nx-token: ${token}\r\n\r\n`,
  'the absolute form': `GET http://a/api/v1/device HTTP/1.1\r\n${head}\r\n`,
  'HTTP/1.0': `GET /api/v1/device HTTP/1.0\r\n${head}\r\n`,
  'HTTP/2.0': `GET /api/v1/device HTTP/2.0\r\n${head}\r\n`,
  'bare line feeds': `${device}\n${head.replaceAll('\r', '')}\n`,
}))
  test(`never answers ${name} with success, and closes`, () => refused(bytes));
