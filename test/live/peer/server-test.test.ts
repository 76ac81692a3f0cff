/** Trying ICE servers for their owner, against servers of the test's own. */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { testServers } from '../../../src/live/peer/server-test.ts';
import { readStunMessage, StunType, StunWriter } from '../../../src/live/peer/stun-message.ts';

const here = { localAddresses: ['127.0.0.1'], allowLoopback: true };

test('a STUN server that answers says where it saw the camera, and one that is silent is told apart', async t => {
  const server = dgram.createSocket('udp4');
  t.after(() => server.close());
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (bytes, from) => {
    const request = readStunMessage(bytes);
    if (request?.type !== StunType.request) return;
    const answer = new StunWriter(StunType.success, request.transactionId);
    server.send(answer.mappedAddress('203.0.113.5', 4711).finish(), from.port, from.address);
  });
  const silent = dgram.createSocket('udp4');
  t.after(() => silent.close());
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const [good, bad, unknown] = await testServers(
    [
      { kind: 'stun', host: '127.0.0.1', port: server.address().port },
      { kind: 'stun', host: '127.0.0.1', port: silent.address().port },
      { kind: 'stun', host: 'no-such-name.invalid', port: 3478 },
    ],
    here,
  );
  assert.equal(good?.reason, null);
  assert.equal(good?.address, '203.0.113.5:4711');
  assert.ok(good.roundTripMs! >= 0);
  assert.match(bad?.reason ?? '', /did not answer/);
  assert.match(unknown?.reason ?? '', /name is unknown/);
});

test('a server of this very machine is not asked where viewers come from outside', async () => {
  const [report] = await testServers([{ kind: 'stun', host: '127.0.0.1', port: 9 }], {
    localAddresses: ['127.0.0.1'],
    allowLoopback: false,
  });
  assert.match(report?.reason ?? '', /not allowed/);
});
