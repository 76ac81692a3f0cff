/** Row 19 of the fault list: pages of other origins read nothing and change nothing, unless their origin is listed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gate, type GateRequest } from '../../src/http/gate.ts';
import { type HeaderField, HeaderFields } from '../../src/http/header-fields.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BareCamera, generous } from './front-end-fixture.ts';
import { raw } from './raw-client.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const listed = 'https://nvr.example';
const gate = new Gate({
  http: { ...generous, names: ['cam.local'], origins: [listed, 'http://nvr.example:8000'] },
  scheme: 'http',
  host: '0.0.0.0',
  clock: new ManualClock(),
  logger: silent,
});
gate.listensOn(80);

function request(
  method: string,
  fields: readonly HeaderField[],
  path = '/api/v1/media/live/session',
): GateRequest {
  return {
    method,
    path,
    headers: new HeaderFields([['host', 'cam.local'], ...fields]),
    remoteAddress: '192.0.2.1',
  };
}
const codeOf = (each: GateRequest): string | undefined => gate.check(each)?.code;

const foreign = [
  'null',
  'http://evil',
  'https://cam.local.evil',
  'http://cam.local:81',
  'http://cam.local.',
  'https://cam.local',
  'HTTP://CAM.LOCAL',
  'http://CAM.local',
  'http://cam.local/',
  'http://nvr.example',
  'https://nvr.example:443',
  'HTTPS://NVR.EXAMPLE',
  'https://nvr.example.',
  '*',
  '',
  'file://',
];

for (const origin of foreign)
  test(`row 19: a page of ${JSON.stringify(origin)} changes nothing, reads nothing and is granted nothing`, () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'BREW'])
      assert.equal(codeOf(request(method, [['origin', origin]])), 'origin-refused', method);
    for (const method of ['GET', 'HEAD'])
      assert.equal(codeOf(request(method, [['origin', origin]], '/api/v1/user/logout')), 'origin-refused');
    const get = request('GET', [['origin', origin]]);
    assert.equal(codeOf(get), undefined);
    assert.deepEqual(gate.replyHeaders(get), { vary: 'Origin' });
    const preflight = request('OPTIONS', [
      ['origin', origin],
      ['access-control-request-method', 'GET'],
      ['access-control-request-headers', 'x-token'],
    ]);
    assert.equal(gate.preflight(preflight), undefined);
  });

test('the camera’s own page may change things', () => {
  assert.equal(
    codeOf(
      request('POST', [
        ['origin', 'http://cam.local'],
        ['sec-fetch-site', 'same-origin'],
      ]),
    ),
    undefined,
  );
  assert.equal(codeOf(request('POST', [['origin', 'http://cam.local']])), undefined);
});

test('who sends neither Origin nor Sec-Fetch-Site is no browser and passes', () => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) assert.equal(codeOf(request(method, [])), undefined);
});

test('Sec-Fetch-Site alone gives a foreign page away', () => {
  for (const site of ['cross-site', 'same-site', 'Cross-Site', '', 'x']) {
    assert.equal(codeOf(request('POST', [['sec-fetch-site', site]])), 'origin-refused', site);
    assert.equal(
      codeOf(request('GET', [['sec-fetch-site', site]], '/api/v1/user/logout')),
      'origin-refused',
      site,
    );
    assert.equal(codeOf(request('GET', [['sec-fetch-site', site]])), undefined, site);
  }
  assert.equal(
    codeOf(
      request('POST', [
        ['origin', 'http://cam.local'],
        ['sec-fetch-site', 'cross-site'],
      ]),
    ),
    'origin-refused',
  );
  assert.equal(
    codeOf(
      request('POST', [
        ['sec-fetch-site', 'none'],
        ['sec-fetch-site', 'cross-site'],
      ]),
    ),
    'origin-refused',
  );
  for (const site of ['same-origin', 'none'])
    assert.equal(codeOf(request('POST', [['sec-fetch-site', site]])), undefined);
});

test('a listed origin may change things and read the answer, and * is never said', () => {
  const post = request('POST', [
    ['origin', listed],
    ['sec-fetch-site', 'cross-site'],
  ]);
  assert.equal(codeOf(post), undefined);
  assert.deepEqual(gate.replyHeaders(post), {
    vary: 'Origin',
    'access-control-allow-origin': listed,
    'access-control-expose-headers':
      'x-request-id, retry-after, location, etag, accept-ranges, content-range, content-location, content-disposition',
  });
});

test('a preflight of a listed origin is granted what the API has', () => {
  const fields: HeaderField[] = [
    ['origin', listed],
    ['access-control-request-method', 'PUT'],
  ];
  assert.deepEqual(gate.preflight(request('OPTIONS', fields)), {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
      'access-control-allow-headers':
        'x-token, authorization, content-type, range, if-range, if-match, if-none-match',
      'access-control-max-age': '600',
      vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
    },
    body: '',
  });
  // An OPTIONS that is no preflight is the router's.
  assert.equal(gate.preflight(request('OPTIONS', [['origin', listed]])), undefined);
});

let camera: BareCamera;
before(async () => {
  camera = await BareCamera.start({ http: { origins: [listed] } });
});
after(() => camera.stop());

test('over the wire a preflight is 204 without a body or a length, and the connection goes on', async () => {
  const host = `Host: 127.0.0.1:${camera.port}\r\n`;
  const preflight = `OPTIONS /a HTTP/1.1\r\n${host}Origin: ${listed}\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
  const { responses, text } = await raw(camera.port, `${preflight}GET /b HTTP/1.1\r\n${host}\r\n`, {
    expect: 2,
  });
  assert.deepEqual(
    responses.map(({ status }) => status),
    [204, 200],
  );
  const [{ headers }] = responses as [(typeof responses)[0]];
  assert.doesNotMatch(text.slice(0, text.indexOf('\r\n\r\n')), /content-length|transfer-encoding/i);
  assert.equal(headers.get('access-control-allow-origin'), listed);
  assert.equal(headers.get('vary'), 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  assert.equal(headers.get('access-control-allow-credentials'), undefined);
  assert.equal(responses[1]?.headers.get('access-control-allow-origin'), undefined);
  assert.equal(responses[1]?.headers.get('vary'), 'Origin');
  assert.deepEqual(camera.seen, ['/b']);
});

test('over the wire a foreign POST is 403 with a problem document and not dispatched', async () => {
  camera.seen.length = 0;
  const response = await fetch(`http://127.0.0.1:${camera.port}/x`, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
  });
  assert.equal(response.status, 403);
  assert.equal(((await response.json()) as { code: string }).code, 'origin-refused');
  assert.deepEqual(camera.seen, []);
});
