import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidateText, readCandidate } from '../../../src/live/offer/candidate.ts';

function read(text: string, allowLoopback = false) {
  return readCandidate(text, { type: 'a', value: `candidate:${text}`, lineNumber: 1 }, allowLoopback);
}

const at = (address: string): string => `1 1 udp 2122260223 ${address} 5000 typ host generation 0`;

describe('a candidate', () => {
  it('of UDP is read', () => {
    assert.deepEqual(
      read('842163049 1 UDP 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.1 rport 5000'),
      {
        foundation: '842163049',
        priority: 1677729535,
        address: '203.0.113.7',
        port: 46154,
        type: 'srflx',
      },
    );
  });

  it('has its IPv6 address in canonical form', () => {
    assert.equal(read(at('2001:DB8:0:0::0001'))?.address, '2001:db8::1');
  });

  it('is dropped when no viewer can have its address', () => {
    for (const address of [
      '127.0.0.1',
      '127.8.9.10',
      '::1',
      '0:0:0:0:0:0:0:1',
      '0.0.0.0',
      '0.1.2.3',
      '::',
      '169.254.169.254',
      'fe80::1',
      'fe80::1%eth0',
      '224.0.0.251',
      '239.1.2.3',
      'ff02::fb',
      '255.255.255.255',
      '240.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:192.0.2.1',
      '2130706433',
      '0x7f000001',
      '127.1',
      'localhost',
      'example.com',
      '335b36a7-028b-4868-bc14-6c13c235d9b9.local',
    ])
      assert.equal(read(at(address)), undefined, address);
  });

  it('of the loopback is taken where that is allowed, and nothing else with it', () => {
    assert.equal(read(at('127.0.0.1'), true)?.address, '127.0.0.1');
    assert.equal(read(at('::1'), true)?.address, '::1');
    for (const address of ['0.0.0.0', '169.254.1.1', 'fe80::1', '::ffff:127.0.0.1', 'localhost'])
      assert.equal(read(at(address), true), undefined, address);
  });

  it('of TCP, of another component, of an unknown type or with port 0 is dropped', () => {
    assert.equal(read('1 1 tcp 1 192.0.2.1 9 typ host tcptype active'), undefined);
    assert.equal(read('1 2 udp 1 192.0.2.1 5000 typ host'), undefined);
    assert.equal(read('1 1 udp 1 192.0.2.1 5000 typ magic'), undefined);
    assert.equal(read('1 1 udp 1 192.0.2.1 0 typ host'), undefined);
  });

  it('that breaks the grammar is an error', () => {
    for (const text of [
      '',
      '1 1 udp',
      '1 1 udp 1 192.0.2.1 65536 typ host',
      '1 1 udp 4294967296 192.0.2.1 1 typ host',
    ])
      assert.throws(() => read(text), { code: 'sdp-invalid' });
  });

  it('of ours can be read again', () => {
    const candidate = read(at('192.0.2.1'))!;
    assert.deepEqual(read(candidateText(candidate).slice('candidate:'.length)), candidate);
    const related = { address: '10.0.0.1', port: 7 };
    assert.match(
      candidateText({ ...candidate, type: 'srflx' }, related),
      / typ srflx raddr 10\.0\.0\.1 rport 7$/,
    );
  });
});
