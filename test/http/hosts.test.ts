/** Row 20 of the fault list: the values of Host that the camera answers to, and those it must not (DNS rebinding). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostPolicy, type Machine } from '../../src/http/host-policy.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BareCamera } from './front-end-fixture.ts';
import { raw } from './raw-client.ts';

interface Options {
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly names?: readonly string[];
  readonly port?: number;
  readonly clock?: ManualClock;
  readonly machine?: Machine;
}

const machine: Machine = {
  addresses: () => ['127.0.0.1', '192.168.1.20', '::1', 'fe80::1:2%eth0', '2001:DB8:0:0::20'],
  hostname: () => 'Cam-7',
};

function policy(options: Options = {}): HostPolicy {
  const { port = 8080, scheme = 'http', host = '0.0.0.0', names = [] } = options;
  const hosts = new HostPolicy({
    scheme,
    host,
    names,
    clock: options.clock ?? new ManualClock(),
    machine,
    ...options,
  });
  hosts.listensOn(port);
  return hosts;
}

function check(hosts: HostPolicy, expected: boolean, list: readonly string[]): void {
  for (const host of list) assert.equal(hosts.allows(host), expected, `Host: ${host}`);
}

test('answers to its own addresses, in any spelling of IPv6', () =>
  check(policy(), true, [
    '127.0.0.1:8080',
    '127.8.9.10:8080',
    '192.168.1.20:8080',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]:8080',
    '[::ffff:192.168.1.20]:8080',
    '[::FFFF:c0a8:0114]:8080',
    '[2001:db8::20]:8080',
    '[fe80::1:2]:8080',
  ]));

test('answers to its own names, with a final dot too, in any case', () =>
  check(policy(), true, [
    'localhost:8080',
    'localhost.:8080',
    'cam-7:8080',
    'CAM-7.local:8080',
    'cam-7.local.:8080',
  ]));

test('row 20: refuses other names, other addresses, other ports and odd spellings', () =>
  check(policy(), false, [
    'evil.example:8080',
    'evil.example',
    'cam-7.local.evil.example:8080',
    '127.0.0.1.nip.io:8080',
    'cam-7.local..:8080',
    'cam-7.example:8080',
    'cam-70.local:8080',
    '192.168.1.21:8080',
    '[::1%25eth0]:8080',
    '[::1%eth0]:8080',
    '[fe80::1:2%25eth0]:8080',
    '[2001:db8::21]:8080',
    '[::ffff:8.8.8.8]:8080',
    '[127.0.0.1]:8080',
    '::1',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.0.0.1:08080',
    '127.0.0.1:8080:8080',
    '127.0.0.1:',
    'localhost:81',
    '2130706433:8080',
    '0x7f000001:8080',
    '0x7f.1:8080',
    '127.1:8080',
    '0177.0.0.1:8080',
    '127.0.0.1.:8081',
    'a@127.0.0.1:8080',
    '',
    '.',
    ':8080',
    '[]:8080',
    '*',
    'null',
    'localhost\u0000:8080',
    'lоcalhost:8080',
  ]));

test('the default port of the scheme may be left out, or be named', () => {
  check(policy({ port: 80 }), true, ['127.0.0.1', '127.0.0.1:80', 'cam-7.local', '[::1]']);
  check(policy({ port: 80 }), false, ['127.0.0.1:443', '127.0.0.1:8080']);
  check(policy({ port: 443, scheme: 'https' }), true, ['127.0.0.1', '127.0.0.1:443']);
  check(policy({ port: 443, scheme: 'https' }), false, ['127.0.0.1:80']);
  check(policy({ port: 443, scheme: 'http' }), false, ['127.0.0.1']);
});

test('a configured name stands for the port listened on and the default one, or for exactly the port it has', () => {
  const hosts = policy({
    names: ['Cam.Example', 'proxy.example:8443', '203.0.113.9', '[2001:db8::99]', 'x.example:443'],
  });
  check(hosts, true, [
    'cam.example:8080',
    'cam.example',
    'cam.example:80',
    'CAM.example.',
    'proxy.example:8443',
  ]);
  check(hosts, true, ['203.0.113.9', '203.0.113.9:8080', '[2001:db8:0::99]', 'x.example', 'x.example:443']);
  check(hosts, false, [
    'cam.example:443',
    'proxy.example',
    'proxy.example:8080',
    'a.cam.example',
    'cam.example.evil',
  ]);
});

test('the address that is configured to listen on is one of its own', () => {
  check(policy({ host: '198.51.100.7' }), true, ['198.51.100.7:8080']);
  check(policy({ host: 'Front.Door' }), true, ['front.door:8080']);
});

test('a new lease counts within seconds, and the old address no longer', () => {
  let address = '192.168.1.20';
  const clock = new ManualClock();
  const hosts = policy({ clock, machine: { addresses: () => [address], hostname: () => '' } });
  check(hosts, true, ['192.168.1.20:8080']);
  address = '10.0.0.5';
  clock.advanceUs(2_000_000);
  check(hosts, true, ['10.0.0.5:8080']);
  check(hosts, false, ['192.168.1.20:8080']);
});

test('the machine is not asked more than every two seconds, whatever is asked', () => {
  let asked = 0;
  const clock = new ManualClock();
  const addresses = (): readonly string[] => {
    asked++;
    return [];
  };
  const hosts = policy({ clock, machine: { addresses, hostname: () => 'x' } });
  for (let i = 0; i < 1000; i++) {
    hosts.allows(`10.0.${i >> 8}.${i & 255}:8080`);
    clock.advanceUs(2000);
  }
  assert.ok(asked <= 2, String(asked));
});

test('row 20 over the wire: 421, a problem document, nothing dispatched', async () => {
  const camera = await BareCamera.start();
  try {
    for (const host of [
      'evil.example',
      `evil.example:${camera.port}`,
      '127.0.0.1',
      '127.0.0.1:81',
      '0x7f.1',
    ]) {
      const request = `GET /api/v1/device HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      const { responses } = await raw(camera.port, request, { expect: 1 });
      assert.equal(responses[0]?.status, 421, host);
      assert.equal(responses[0]?.headers.get('content-type'), 'application/problem+json');
      assert.equal((JSON.parse(responses[0]!.body) as { code: string }).code, 'host-refused');
    }
    assert.deepEqual(camera.seen, []);
    const good = `GET /a HTTP/1.1\r\nHost: LocalHost:${camera.port}\r\n\r\n`;
    assert.equal((await raw(camera.port, good, { expect: 1 })).responses[0]?.status, 200);
    assert.ok(camera.log.some(({ level, fields }) => level === 'warn' && fields.host === 'evil.example'));
  } finally {
    await camera.stop();
  }
});
