import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import { type ConfigurationInput, fileBytesMax, loadConfiguration } from '../../src/config/load.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

function file(content: unknown): string {
  const name = path.join(folder, `${files++}.json`);
  const text =
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
  writeFileSync(name, text);
  return name;
}

/** The lines of the message with which loading fails. */
function problemsOf(input: ConfigurationInput): string[] {
  try {
    loadConfiguration(input);
  } catch (error) {
    assert.ok(error instanceof CameraError);
    assert.equal(error.code, 'config-invalid');
    return error.message.split('\n');
  }
  return assert.fail('the configuration was accepted');
}

const flags = (texts: Record<string, string>) => new Map(Object.entries(texts));

test('without any input every key has its default, and says so', () => {
  const { configuration, sources, warnings } = loadConfiguration();
  assert.deepEqual(configuration, {
    host: '0.0.0.0',
    port: 8080,
    state: './data',
    recorder: {
      enabled: true,
      streams: 'main',
      segmentSeconds: 300,
      maxLossSeconds: 1,
      keepFreeMb: 300,
      keepFreePercent: 3,
      maxAgeDays: 0,
      maxGb: 0,
      guard: 'auto',
    },
    recordings: '',
    source: 'demo',
    subSource: '',
    audioSource: 'auto',
    sourceFps: 0,
    log: { level: 'info', format: 'auto' },
    ring: { dataBytes: 16 * 1024 * 1024, slotCount: 2048 },
    live: {
      maxViewers: 16,
      maxPending: 4,
      offersPerMinute: 10,
      connectTimeoutSeconds: 15,
      viewerTimeoutSeconds: 30,
      maxSessionSeconds: 43_200,
      maxPayloadBytes: 1200,
      addresses: [],
      dataPlane: 'auto',
    },
    http: {
      names: [],
      origins: [],
      requestsPerSecond: 50,
      requestBurst: 100,
      maxConnections: 256,
      maxConnectionsPerAddress: 32,
      requestTimeoutSeconds: 10,
      openMetrics: false,
      validateReplies: false,
    },
    https: { enabled: false, certificate: '', key: '', redirectPort: 0 },
    accounts: {
      sessionSeconds: 43_200,
      sessionMaxSeconds: 2_592_000,
      maxSessions: 8,
      passwordLengthMin: 5,
      argon2MemoryKib: 19_456,
      argon2Iterations: 2,
      argon2Parallelism: 1,
      freeLoginFailures: 5,
      loginFailuresPerMinute: 60,
      setupTriesPerMinute: 5,
      linkSeconds: 3600,
    },
    firmware: {
      keys: [],
      developmentKey: false,
      backEnd: 'files',
      slots: '',
      command: '',
      board: '',
      allowDowngrade: false,
      maxImageMb: 512,
      trialSeconds: 180,
      uploadsPerHour: 3,
    },
  });
  assert.deepEqual(new Set(sources.values()), new Set(['default']));
  assert.deepEqual(warnings, []);
});

test('two loads share nothing that one of them could change', () => {
  const first = loadConfiguration().configuration;
  (first.live.addresses as string[]).push('192.0.2.1');
  assert.deepEqual(loadConfiguration().configuration.live.addresses, []);
});

test('flags win over the environment, the environment over the file, the file over the defaults', () => {
  const name = file({ port: 1, host: 'a', source: 'file:/x', live: { maxViewers: 2 } });
  const { configuration, sources } = loadConfiguration({
    file: name,
    environment: {
      OPENCAMERAD_PORT: '2',
      OPENCAMERAD_HOST: 'b',
      OPENCAMERAD_LIVE_MAX_VIEWERS: '3',
      PORT: '9',
    },
    flags: flags({ port: '3' }),
  });
  assert.deepEqual([configuration.port, configuration.host, configuration.source], [3, 'b', 'file:/x']);
  assert.equal(configuration.live.maxViewers, 3);
  assert.equal(configuration.live.maxPending, 4);
  assert.deepEqual(
    ['port', 'host', 'source', 'live.maxViewers', 'live.maxPending'].map(key => sources.get(key)),
    ['--port', 'OPENCAMERAD_HOST', `file ${name}`, 'OPENCAMERAD_LIVE_MAX_VIEWERS', 'default'],
  );
});

test('the file may be named by the environment, and the flag wins', () => {
  const [one, two] = [file({ port: 1 }), file({ port: 2 })];
  const environment = { OPENCAMERAD_CONFIG: one };
  assert.equal(loadConfiguration({ environment }).configuration.port, 1);
  assert.equal(loadConfiguration({ environment, file: two }).configuration.port, 2);
});

test('an empty text is a value: no sub stream, no sound', () => {
  const { configuration } = loadConfiguration({ flags: flags({ subSource: '', audioSource: '' }) });
  assert.deepEqual([configuration.subSource, configuration.audioSource], ['', '']);
});

test('names every wrong value with its key, origin, value and what is expected', () => {
  const name = file({ ring: { slotCount: 100 }, live: { addresses: ['192.0.2.1', 'localhost'] } });
  const problems = problemsOf({
    file: name,
    environment: { OPENCAMERAD_PORT: '70000', OPENCAMERAD_LOG_LEVEL: 'loud' },
    flags: flags({ 'live.maxViewers': 'many', source: 'webcam' }),
  });
  assert.deepEqual(problems.toSorted(), [
    `live.addresses (file ${name}): ["192.0.2.1","localhost"] cannot be used, expected at most 16 IP addresses`,
    'live.maxViewers (--live-max-viewers): "many" cannot be used, expected a whole number from 1 to 256',
    'log.level (OPENCAMERAD_LOG_LEVEL): "loud" cannot be used, expected one of debug, info, warn, error',
    'port (OPENCAMERAD_PORT): 70000 cannot be used, expected a whole number from 0 to 65535',
    `ring.slotCount (file ${name}): 100 cannot be used, expected one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536`,
    'source (--source): "webcam" cannot be used, expected demo, file:PATH, command:SHELL COMMAND or v4l2:DEVICE of at ' +
      'most 4096 characters',
  ]);
});

for (const [key, value] of [
  ['port', '-1'],
  ['port', '65536'],
  ['port', ''],
  ['host', ''],
  ['host', 'a b'],
  ['host', 'x'.repeat(300)],
  ['state', ''],
  ['state', 'a\u0000b'],
  ['source', ''],
  ['source', 'file:'],
  ['source', 'command+pcma:x'],
  ['source', 'DEMO'],
  ['audioSource', 'v4l2:/dev/video0'],
  ['sourceFps', '241'],
  ['ring.dataBytes', '1048577'],
  ['ring.dataBytes', '4096'],
  ['live.maxViewers', '0'],
  ['live.maxPayloadBytes', '1401'],
  ['live.addresses', '192.0.2.1,192.0.2.1'],
  ['live.addresses', '192.0.2.1,'],
] as const)
  test(`refuses ${key} = ${JSON.stringify(value.slice(0, 20))}`, () => {
    const problems = problemsOf({ flags: flags({ [key]: value }) });
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, new RegExp(`^${key} \\(--`));
  });

for (const [key, value] of [
  ['host', '::'],
  ['host', 'fe80::1%eth0'],
  ['source', 'command:ffmpeg -i "x y" -f h264 -'],
  ['subSource', 'v4l2:/dev/video0'],
  ['audioSource', 'command+pcma:arecord'],
  ['audioSource', 'file:a.ulaw'],
  ['sourceFps', '29.97'],
  ['port', '0'],
] as const)
  test(`accepts ${key} = ${JSON.stringify(value)}`, () => {
    loadConfiguration({ flags: flags({ [key]: value }) });
  });

test('JSON types in the file must be right: a number in quotes is not a number', () => {
  assert.match(problemsOf({ file: file({ port: '8080' }) })[0]!, /^port \(file .*\): "8080" cannot be used/);
  assert.match(problemsOf({ file: file({ port: null }) })[0]!, /^port .*: null cannot be used/);
  assert.match(problemsOf({ file: file({ live: 5 }) })[0]!, /^live: 5 cannot be used, expected an object/);
  assert.match(problemsOf({ file: file({ live: [] }) })[0]!, /^live: \[\] cannot be used/);
});

test('refuses keys that it does not know, with the nearest one that it does', () => {
  assert.deepEqual(problemsOf({ file: file({ live: { maxViewer: 3 }, prt: 1 }) }), [
    '"live.maxViewer" in the file is no key; did you mean live.maxViewers?',
    '"prt" in the file is no key; did you mean port?',
  ]);
});

test('keys of the language itself in the file are unknown keys and change nothing', () => {
  const problems = problemsOf({ file: file('{"__proto__": {"port": 1}, "constructor": {}, "toString": 1}') });
  assert.equal(problems.length, 3);
  assert.equal((Object.prototype as { port?: unknown }).port, undefined);
});

test('says when the file is missing, is no JSON, is no object, is not UTF-8 or is too large', () => {
  assert.match(problemsOf({ file: path.join(folder, 'nobody') })[0]!, /cannot be read: ENOENT/);
  assert.match(problemsOf({ file: folder })[0]!, /cannot be read: EISDIR/);
  assert.match(problemsOf({ file: file('{"port": 1,}') })[0]!, /is not JSON/);
  assert.match(problemsOf({ file: file('[]') })[0]!, /^the file: \[\] cannot be used, expected an object/);
  assert.match(problemsOf({ file: file(Uint8Array.of(0xff, 0xfe)) })[0]!, /cannot be read/);
  assert.match(problemsOf({ file: file(' '.repeat(fileBytesMax + 1)) })[0]!, /larger than/);
  assert.match(problemsOf({ file: '/dev/zero' })[0]!, /larger than/);
});

test('reads a file with a byte order mark', () => {
  assert.equal(loadConfiguration({ file: file('\ufeff{"port": 5}') }).configuration.port, 5);
});

test('tells a bounded number of problems', () => {
  const keys = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`unknown${i}`, 1]));
  const problems = problemsOf({ file: file(keys) });
  assert.equal(problems.length, 21);
  assert.equal(problems.at(-1), '… and 30 more');
});

test('warns of environment variables with our prefix that mean nothing', () => {
  const { warnings } = loadConfiguration({ environment: { OPENCAMERAD_PROT: '1', OTHER: '2' } });
  assert.deepEqual(warnings, [
    'the environment variable OPENCAMERAD_PROT means nothing; did you mean OPENCAMERAD_PORT?',
  ]);
});

test('does not repeat the credentials of a source that it refuses', () => {
  const [text] = problemsOf({ flags: flags({ source: 'rtsp://user:secret@cam/1' }) });
  assert.doesNotMatch(text!, /secret/);
  assert.match(text!, /\*\*\*@cam/);
});

for (const [key, good, bad] of [
  [
    'http.names',
    ['camera.example', 'camera.example:8443', '[2001:db8::1]:80', '192.0.2.1'],
    ['', 'a b', 'http://x', 'x/y', '.x', 'x:port', 'x:123456', 'x:0', 'x:0443'],
  ],
  [
    'http.origins',
    ['https://hub.example', 'http://192.0.2.1:8123', 'http://[2001:db8::1]'],
    ['null', '*', 'https://hub.example/', 'HTTPS://hub.example', 'https://hub.example:443', 'hub.example'],
  ],
] as const)
  test(`${key} takes what a browser would write and nothing else`, () => {
    for (const text of good) loadConfiguration({ flags: flags({ [key]: text }) });
    for (const text of bad) if (text) problemsOf({ flags: flags({ [key]: text }) });
  });

test('a certificate needs its key, and the other way round', () => {
  for (const key of ['https.certificate', 'https.key'])
    assert.match(
      problemsOf({ flags: flags({ [key]: '/x.pem' }) }).join(),
      /https\.certificate and https\.key go together/,
    );
});
