/** The form of an upload: one file named img_file and nothing else (faults.md, row 25); the slots stay as they are. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HttpServer } from '../../src/http/server.ts';
import { FakeCamera, token } from './fake-services.ts';
import { raw } from './raw-client.ts';

const route = '/api/v1/system/upgrade';
const camera = new FakeCamera();
let server: HttpServer;
before(async () => {
  camera.upgrades.setUp();
  server = await camera.serve();
});
after(async () => {
  await server.close();
  camera.upgrades.restore();
});

async function send(
  body: string,
  type = 'multipart/form-data; boundary=xyz',
): Promise<{ status: number | undefined; code: string; fault: unknown }> {
  const head =
    `POST ${route} HTTP/1.1\r\nHost: a\r\nx-token: ${token}\r\n` +
    `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { responses } = await raw(server.port, head + body, { expect: 1 });
  const answer = JSON.parse(responses[0]?.body || '{}') as { code: string; details?: { fault?: unknown } };
  return { status: responses[0]?.status, code: answer.code, fault: answer.details?.fault };
}

const image = camera.upgrades.image().toString('latin1');
const disposition = (rest: string): string => `Content-Disposition: form-data; ${rest}\r\n`;
const file = disposition('name="img_file"; filename="a.img"');
const part = (head: string, content = image): string => `--xyz\r\n${head}\r\n${content}\r\n`;
const end = '--xyz--\r\n';

const bad: Readonly<Record<string, readonly [body: string, fault: string, type?: string]>> = {
  'without a part': [end, 'the part'],
  'that is empty': ['', 'its end'],
  'with a file under another name': [
    part(disposition('name="img"; filename="a"')) + end,
    'the name of the part',
  ],
  'with a file without a name': [part(disposition('filename="a"')) + end, 'the name of the part'],
  'without a file name': [part(disposition('name="img_file"')) + end, 'the part'],
  'with an empty file name': [part(disposition('name="img_file"; filename=""')) + end, 'the file name'],
  'without a disposition': [part('Content-Type: text/plain\r\n') + end, 'the part'],
  'with two files': [part(file) + part(file) + end, 'the number of parts'],
  'with a second file after the good one': [
    part(file) + part(disposition('name="img_file"; filename="b"'), 'x') + end,
    'the number of parts',
  ],
  'with a field in front': [part(disposition('name="a"'), 'b') + part(file) + end, 'the number of parts'],
  'with 5000 fields behind': [
    part(file) + part(disposition('name="a"'), 'b').repeat(5000) + end,
    'the number of parts',
  ],
  'with 64 KiB of head': [part(`${file}X-A: ${'a'.repeat(65_536)}\r\n`) + end, 'the head of the part'],
  'with 64 KiB in front of it': [`${'a'.repeat(65_536)}\r\n${part(file)}${end}`, 'the head of the part'],
  'with base64': [part(`${file}Content-Transfer-Encoding: base64\r\n`) + end, 'the encoding of the part'],
  'with quoted-printable': [
    part(`${file}Content-Transfer-Encoding: quoted-printable\r\n`) + end,
    'the encoding of the part',
  ],
  'without an end': [part(file), 'its end'],
  'that is cut off in its head': [`--xyz\r\n${file}`, 'its end'],
  'with a quoted boundary': [part(file) + end, 'the boundary', 'multipart/form-data; boundary="xyz"'],
  'with an empty boundary': [part(file) + end, 'the boundary', 'multipart/form-data; boundary='],
  'with a boundary of 71 characters': [
    part(file) + end,
    'the boundary',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
  ],
  'with two boundaries': [
    part(file) + end,
    'the boundary',
    'multipart/form-data; boundary=abc; boundary=xyz',
  ],
  'of another boundary': [part(file) + end, 'its end', 'multipart/form-data; boundary=abc'],
};
for (const [name, [body, fault, type]] of Object.entries(bad))
  test(`a form ${name} is refused with 400`, async () => {
    const answer = await send(body, type);
    assert.deepEqual(answer, { status: 400, code: 'form-invalid', fault });
    const states = camera.upgrades.status().slots.map(({ state }) => state);
    assert.deepEqual(states, ['good', 'empty', 'empty']);
  });

test('a form inside of a form is no image', async () => {
  const inner = `--in\r\n${file}\r\n${image}\r\n--in--\r\n`;
  const answer = await send(part(`${file}Content-Type: multipart/mixed; boundary=in\r\n`, inner) + end);
  assert.equal(answer.code, 'firmware-malformed');
});

test('a file name that leads out of its folder is only a name, and a boundary has 70 characters', async () => {
  const boundary = 'x'.repeat(70);
  const body = part(disposition('name="img_file"; filename="../../../tmp/x"')) + end;
  const answer = await send(
    body.replaceAll('--xyz', `--${boundary}`),
    `multipart/form-data; boundary=${boundary}`,
  );
  assert.equal(answer.status, 200);
});
