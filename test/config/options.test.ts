import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { helpText } from '../../src/config/help.ts';
import { environmentPrefix, expectationOf, options, redact, valueOfText } from '../../src/config/options.ts';
import { nearest } from '../../src/config/suggest.ts';

const option = (key: string) => options.find(candidate => candidate.key === key)!;

test('every key has its flag and its environment variable, made from its name', () => {
  assert.deepEqual(
    ['port', 'subSource', 'live.maxViewers'].map(key => [option(key).flag, option(key).variable]),
    [
      ['--port', 'OPENCAMERAD_PORT'],
      ['--sub-source', 'OPENCAMERAD_SUB_SOURCE'],
      ['--live-max-viewers', 'OPENCAMERAD_LIVE_MAX_VIEWERS'],
    ],
  );
  assert.equal(new Set(options.map(({ flag }) => flag)).size, options.length);
  assert.equal(new Set(options.map(({ variable }) => variable)).size, options.length);
});

test('no option takes the name of a flag that the command line has for itself', () => {
  for (const { flag } of options) assert.ok(!['--config', '--help', '--version'].includes(flag));
});

test('the names that scripts rely on exist with their defaults', () => {
  const promised = {
    host: '0.0.0.0',
    port: 8080,
    state: './data',
    source: 'demo',
    subSource: '',
    audioSource: 'auto',
  };
  for (const [key, value] of Object.entries(promised)) assert.deepEqual(option(key).schema.default, value);
  assert.ok(option('recordings'));
});

test('the ring holds at least 4 s of 20 Mbit/s by default', () => {
  assert.ok((option('ring.dataBytes').schema.default as number) >= (4 * 20_000_000) / 8);
});

test('reads whole numbers strictly', () => {
  const read = (text: string) => valueOfText(option('port').schema, text);
  assert.deepEqual(['0', '80', '-1', '65536'].map(read), [0, 80, -1, 65536]);
  for (const text of [
    '',
    ' 80',
    '80 ',
    '0x50',
    '8e1',
    '80.0',
    '+80',
    '080',
    '٣',
    '1_000',
    'NaN',
    'Infinity',
    '9'.repeat(20),
  ])
    assert.equal(read(text), undefined, JSON.stringify(text));
});

test('reads numbers with decimals strictly', () => {
  const read = (text: string) => valueOfText(option('sourceFps').schema, text);
  assert.deepEqual(['0', '29.97', '-0.5'].map(read), [0, 29.97, -0.5]);
  for (const text of ['', '.5', '5.', '1,5', '1e3', '30fps'])
    assert.equal(read(text), undefined, JSON.stringify(text));
});

test('reads booleans as the words true and false alone', () => {
  const schema = { type: 'boolean', description: '', default: false } as const;
  assert.equal(valueOfText(schema, 'true'), true);
  assert.equal(valueOfText(schema, 'false'), false);
  for (const text of ['', 'TRUE', 'yes', '1']) assert.equal(valueOfText(schema, text), undefined);
});

test('reads a list by commas, and nothing as the empty list', () => {
  const read = (text: string) => valueOfText(option('live.addresses').schema, text);
  assert.deepEqual(read(''), []);
  assert.deepEqual(read('192.0.2.1,::1'), ['192.0.2.1', '::1']);
});

test('every integer of the safe range that is written plainly is read back', () => {
  fc.assert(
    fc.property(fc.integer(), number => {
      assert.equal(valueOfText(option('port').schema, String(number)), number);
    }),
  );
});

test('says what is expected in words', () => {
  assert.equal(expectationOf(option('port').schema), 'a whole number from 0 to 65535');
  assert.equal(expectationOf(option('log.level').schema), 'one of debug, info, warn, error');
  assert.match(
    expectationOf(option('source').schema),
    /^demo, file:PATH, command:SHELL COMMAND or v4l2:DEVICE/,
  );
  assert.equal(expectationOf(option('live.addresses').schema), 'at most 16 IP addresses');
});

test('takes the credentials out of URLs, with an @ or a slash in the password too', () => {
  assert.equal(redact('ffmpeg -i rtsp://user:p@ss/word@cam/1 -f x'), 'ffmpeg -i rtsp://***@cam/1 -f x');
  assert.equal(redact('http://cam/1'), 'http://cam/1');
});

test('suggests the nearest word, swapped letters included, and nothing when none is near', () => {
  assert.equal(nearest('--prot', ['--host', '--port']), '--port');
  assert.equal(
    nearest('--live-max-viewer', ['--live-max-viewers', '--live-max-pending']),
    '--live-max-viewers',
  );
  assert.equal(nearest('--zzzzzzzz', ['--host', '--port']), undefined);
  assert.equal(nearest('x'.repeat(100_000), ['--host']), undefined);
});

test('help names every flag, variable, key and default, in at most 80 columns', () => {
  const text = helpText('1.2.3');
  for (const { flag, variable, key } of options)
    for (const name of [flag, variable, key]) assert.ok(text.includes(name), `${name} is missing`);
  assert.match(text, /--port NUMBER\n {6}TCP port.*\n {6}Default: 8080; 0 to 65535\./);
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.ok(text.includes(`${environmentPrefix}CONFIG`));
});
