import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { iceServerRules } from '../../src/config/ice-server-rules.ts';
import {
  iceServerBytesMax,
  iceServersMax,
  maskIceServer,
  parseIceServer,
  parseIceServers,
  toLiveIceServers,
} from '../../src/config/ice-servers.ts';

const rules = { allowLoopback: false, ownAddresses: ['192.0.2.2', '2001:db8::2'] };

function ruleOf(list: unknown, used = rules): unknown {
  try {
    parseIceServers(list, used);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CameraError && error.code === 'ice-servers-invalid');
    return error.details.rule;
  }
}

describe('an ICE server', () => {
  it('is a STUN server when it is only host and port', () => {
    assert.deepEqual(parseIceServer('stun.l.google.com:19302', rules), {
      scheme: 'stun',
      host: 'stun.l.google.com',
      port: 19302,
      transport: 'udp',
    });
    assert.deepEqual(parseIceServer('[2001:DB8::1]:3478', rules)?.host, '2001:db8::1');
  });

  it('has the standard ports unless it tells its own', () => {
    const ports = ['stun:a.example', 'turn:u:p@a.example', 'turns:u:p@a.example', 'turn:u:p@[2001:db8::1]'];
    assert.deepEqual(
      ports.map(text => parseIceServer(text, rules)?.port),
      [3478, 3478, 5349, 3478],
    );
  });

  it('tells the transport, which is TCP for turns', () => {
    const texts = [
      'turn:u:p@a.example',
      'turn:u:p@a.example?transport=udp',
      'turn:u:p@a.example:99?transport=tcp',
      'turns:u:p@a.example',
      'TURNS:u:p@a.example?transport=tcp',
    ];
    assert.deepEqual(
      texts.map(text => parseIceServer(text, rules)?.transport),
      ['udp', 'udp', 'tcp', 'tcp', 'tcp'],
    );
  });

  it('has a password with any character: the last @ ends it, and percent-encoding is undone', () => {
    const credentials = (text: string): unknown => {
      const server = parseIceServer(text, rules);
      return server && [server.username, server.password, server.host];
    };
    assert.deepEqual(credentials('turn:u:p:q@r@a.example'), ['u', 'p:q@r', 'a.example']);
    assert.deepEqual(credentials('turn:17%3Au:%40%3f%25@a.example'), ['17:u', '@?%', 'a.example']);
    assert.deepEqual(credentials('turn:u:p?q@a.example'), ['u', 'p?q', 'a.example']);
    assert.deepEqual(credentials('turn:u%40home:%C3%BC@a.example'), ['u@home', 'ü', 'a.example']);
    assert.deepEqual(credentials('turn:a.example'), [undefined, undefined, 'a.example']);
  });

  const refused: Record<string, readonly unknown[]> = {
    type: [null, 1, {}, ['stun:a.example']],
    empty: ['', 'stun:', 'turn:', 'TURNS:'],
    length: [`stun:${'a.'.repeat(130)}b`, 'a'.repeat(300)],
    characters: [
      'stun:a.example\n',
      ' stun:a.example',
      'stun:a b',
      'stun:bücher.example',
      'stun:a\0',
      'stun:a\x7f',
    ],
    scheme: [
      'http://a.example',
      'https:443',
      'http:80',
      'stuns:5349',
      'a.example',
      'javascript:alert(1)',
      'stun',
    ],
    credentials: [
      'stun:u:p@a.example',
      'u:p@a.example:3478',
      'turn:@a.example',
      'turn:u@a.example',
      'turn:u:@a.example',
      'turn::p@a.example',
      'turn:u:%@a.example',
      'turn:u:%ff@a.example',
      'turn:u:p%0aq@a.example',
      'turn:u:p%00@a.example',
    ],
    masked: ['turn:***:***@a.example'],
    host: [
      'stun://a.example',
      'stun::3478',
      'turn:u:p@',
      'stun:0x7f.1',
      'stun:0x7f000001',
      'stun:2130706433',
      'stun:127.1',
      'stun:0177.0.0.1',
      'stun:1.2.3.4.5',
      'stun:3478',
      'stun:-a.example',
      'stun:a..example',
      'stun:a_b.example',
      'stun:a.example.',
      'stun:a%2eexample',
      'stun:2001:db8::1',
      'stun:[fe80::1%eth0]:3478',
      'stun:[1.2.3.4]',
      'stun:[2001:db8::1',
      'stun:a.example/path',
      'stun:a.example#x',
    ],
    address: [
      'stun:127.0.0.1',
      '127.255.255.254:3478',
      '[::1]:3478',
      'stun:localhost',
      'stun:LOCALHOST:3478',
      'stun:camera.localhost',
      'stun:localhost.localdomain',
      'stun:ip6-localhost',
      '0.0.0.0:3478',
      'stun:0.1.2.3',
      '169.254.169.254:80',
      '224.0.0.1:3478',
      '239.255.255.250:1900',
      '255.255.255.255:3478',
      'stun:[::]',
      'stun:[fe80::1]',
      'stun:[ff02::1]',
      'stun:[::ffff:127.0.0.1]',
      'stun:[::ffff:8.8.8.8]',
      'stun:[::127.0.0.1]',
      'stun:192.0.2.2',
      'turn:u:p@192.0.2.2',
      'stun:[2001:db8:0::2]',
    ],
    port: [
      'a.example:0',
      'stun:a.example:65536',
      'stun:a.example:NaN',
      'stun:a.example:',
      'stun:a.example:1e3',
    ],
    transport: [
      'turn:u:p@a.example?transport=sctp',
      'turn:u:p@a.example?',
      'turn:u:p@a.example?transport=udp&x=1',
      'turns:u:p@a.example?transport=udp',
      'stun:a.example?transport=udp',
    ],
  };
  for (const [rule, entries] of Object.entries(refused))
    it(`that breaks the rule "${rule}" is refused`, () => {
      for (const entry of entries) assert.equal(ruleOf([entry]), rule, JSON.stringify(entry));
    });

  it('may be on this machine where all viewers are', () => {
    const { ownAddresses } = rules;
    const loopback = { ...iceServerRules(['127.0.0.1']), ownAddresses };
    for (const text of ['stun:127.0.0.1', 'stun:[::1]', 'stun:localhost', 'stun:192.0.2.2'])
      assert.equal(ruleOf([text], loopback), undefined, text);
    assert.equal(ruleOf(['stun:169.254.1.1'], loopback), 'address');
    for (const addresses of [[], ['192.0.2.2'], ['127.0.0.1', '192.0.2.2']])
      assert.equal(iceServerRules(addresses).allowLoopback, false);
  });
});

describe('a list of ICE servers', () => {
  it('may be empty and has a longest length', () => {
    assert.deepEqual(parseIceServers([], rules), []);
    const server = 'stun:a.example';
    assert.equal(parseIceServers(Array(iceServersMax).fill(server), rules).length, iceServersMax);
    assert.equal(ruleOf(Array(iceServersMax + 1).fill(server)), 'too-many');
    for (const list of [null, undefined, server, {}, 1]) assert.equal(ruleOf(list), 'type');
  });

  it('is refused as a whole, with the place of the first bad entry and nothing of its text', () => {
    const list = ['stun:a.example', 'turn:alice:secret@127.0.0.1', 'http://x'];
    assert.throws(
      () => parseIceServers(list, rules),
      (error: CameraError) => {
        assert.deepEqual(error.details, { index: 1, rule: 'address' });
        assert.ok(!/alice|secret/.test(error.message));
        return true;
      },
    );
  });

  it('becomes what the live worker asks, without what it could not read', () => {
    const list = [
      'a.example:19302',
      'turn:u:p%40@b.example?transport=tcp',
      'turns:u:p@c.example',
      'nonsense',
    ];
    assert.deepEqual(toLiveIceServers(list), [
      { kind: 'stun', host: 'a.example', port: 19302, transport: 'udp' },
      { kind: 'turn', host: 'b.example', port: 3478, transport: 'tcp', username: 'u', password: 'p@' },
      { kind: 'turn', host: 'c.example', port: 5349, transport: 'tls', username: 'u', password: 'p' },
    ]);
  });
});

describe('masking', () => {
  it('hides user name and password and keeps the rest', () => {
    const masked: Record<string, string> = {
      'stun:a.example:1': 'stun:a.example:1',
      'turn:u:p@a.example:1?transport=tcp': 'turn:***:***@a.example:1?transport=tcp',
      'turns:u:p:q@r@a.example': 'turns:***:***@a.example',
      'turn:***:***@a.example': 'turn:***:***@a.example',
      'u:p@nonsense': '***:***@nonsense',
    };
    for (const [text, expected] of Object.entries(masked)) assert.equal(maskIceServer(text), expected);
  });

  it('lets nothing of any credentials through, and the server can still be told', () => {
    const word = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(word, word, (user, password) => {
        const text = `turn:${encodeURIComponent(user)}:${encodeURIComponent(password)}@a.example:1`;
        fc.pre(text.length <= iceServerBytesMax);
        assert.equal(maskIceServer(text), 'turn:***:***@a.example:1');
        if (text === 'turn:***:***@a.example:1') return;
        const server = parseIceServer(text, rules);
        assert.deepEqual([server?.username, server?.password], [user, password]);
      }),
    );
  });

  it('and taking apart throw nothing, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), text => {
        for (const entry of [text, `turn:${text}`, `stun:${text}`, `turn:u:${text}@a.example`]) {
          maskIceServer(entry);
          parseIceServer(entry, rules);
        }
      }),
    );
  });
});
