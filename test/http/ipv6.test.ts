/** Listening on `::`: both families, bracketed hosts, and addresses counted as what they are. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { addressText } from '../../src/http/remote-address.ts';
import { BareCamera } from './front-end-fixture.ts';
import { raw } from './raw-client.ts';

test('writes addresses in their canonical form, and IPv4 in an IPv6 wrapper as IPv4', () => {
  const text = (hex: string): string => addressText(Buffer.from(hex, 'hex'));
  assert.equal(text('7f000001'), '127.0.0.1');
  assert.equal(text('00000000000000000000ffffc0a80114'), '192.168.1.20');
  assert.equal(text('00000000000000000000000000000001'), '::1');
  assert.equal(text('20010db8000000000000000000000020'), '2001:db8::20');
  assert.equal(text('20010db8000000010000000000000000'), '2001:db8:0:1::');
  assert.equal(text('fe80000000000000abcd00000000ef01'), 'fe80::abcd:0:0:ef01');
  assert.equal(text(''), '');
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(address => address?.address === '::1');

describe('listening on ::', { skip: !hasIpv6 && 'this machine has no IPv6' }, () => {
  let camera: BareCamera;
  before(async () => {
    camera = await BareCamera.start({ host: '::' });
  });
  after(() => camera.stop());

  const addressSeen = async (host: string, header: string): Promise<string> => {
    const request = `GET / HTTP/1.1\r\nHost: ${header}:${camera.port}\r\n\r\n`;
    const { responses } = await raw(camera.port, request, { expect: 1, host });
    assert.equal(responses[0]?.status, 200, header);
    return (JSON.parse(responses[0]!.body) as { remoteAddress: string }).remoteAddress;
  };

  test('serves both families, each under its own address', async () => {
    assert.equal(await addressSeen('127.0.0.1', '127.0.0.1'), '127.0.0.1');
    assert.equal(await addressSeen('::1', '[::1]'), '::1');
    assert.equal(await addressSeen('::1', 'localhost'), '::1');
    assert.equal(await addressSeen('::1', '[0:0::0:1]'), '::1');
    assert.equal(await addressSeen('127.0.0.1', '[::ffff:127.0.0.1]'), '127.0.0.1');
  });

  test('refuses a bracketed host that is not its own', async () => {
    for (const host of ['[2001:db8::1]', '[::1%25lo]', '[::]1', '[::1', '::1']) {
      const request = `GET / HTTP/1.1\r\nHost: ${host}:${camera.port}\r\n\r\n`;
      const { responses } = await raw(camera.port, request, { expect: 1, host: '::1' });
      assert.ok([400, 421].includes(responses[0]!.status), host);
    }
  });

  test('serves TLS on ::1', async () => {
    const secure = await BareCamera.start({ host: '::1', https: { enabled: true } });
    const request = `GET / HTTP/1.1\r\nHost: [::1]:${secure.port}\r\n\r\n`;
    const { responses } = await raw(secure.port, request, { expect: 1, host: '::1', tls: true });
    assert.equal(responses[0]?.status, 200);
    await secure.stop();
  });

  test('bounds the connections of ::1 without touching those of 127.0.0.1', async () => {
    const small = await BareCamera.start({ host: '::', http: { maxConnectionsPerAddress: 3 } });
    const sockets = await Promise.all(
      Array.from(
        { length: 6 },
        () =>
          new Promise<ReturnType<typeof connect>>(resolve => {
            const socket = connect({ port: small.port, host: '::1' }, () => resolve(socket));
            socket.on('error', () => {});
          }),
      ),
    );
    while (small.frontEnd.connections.open !== 3) await new Promise(resolve => setImmediate(resolve));
    const response = await fetch(`http://127.0.0.1:${small.port}/`);
    assert.equal(response.status, 200);
    for (const socket of sockets) socket.destroy();
    await small.stop();
  });
});
