import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CameraError } from '../../src/base/errors.ts';
import { parseCommandLine } from '../../src/config/command-line.ts';

const parse = (...argv: string[]) => {
  const { command, flags, file } = parseCommandLine(argv);
  return { command, flags: Object.fromEntries(flags), file };
};

test('starts the camera without a command and with the command start', () => {
  assert.deepEqual(parse(), { command: 'start', flags: {}, file: undefined });
  assert.deepEqual(parse('start'), parse());
});

test('takes flags in both forms, before and after the command', () => {
  assert.deepEqual(parse('--port', '0', 'start', '--live-max-viewers=4', '--config', 'x.json'), {
    command: 'start',
    flags: { port: '0', 'live.maxViewers': '4' },
    file: 'x.json',
  });
});

test('a value may be empty, hold = and spaces, and begin with a dash when it is joined by =', () => {
  assert.deepEqual(parse('--sub-source', '', '--source', 'command:a --b=c', '--state=--odd').flags, {
    subSource: '',
    source: 'command:a --b=c',
    state: '--odd',
  });
  assert.deepEqual(parse('--port', '-1').flags, { port: '-1' });
});

test('a switch alone is on, and takes no word but true and false', () => {
  assert.deepEqual(parse('--https-enabled', 'start').flags, { 'https.enabled': 'true' });
  assert.deepEqual(parse('--https-enabled', '--port', '1').flags, { 'https.enabled': 'true', port: '1' });
  assert.deepEqual(parse('--https-enabled', 'false').flags, { 'https.enabled': 'false' });
  assert.deepEqual(parse('--https-enabled=no').flags, { 'https.enabled': 'no' });
});

test('--yes is no option of the configuration', () => {
  assert.equal(parseCommandLine(['factory-reset', '--yes']).yes, true);
  assert.equal(parseCommandLine(['factory-reset']).yes, false);
});

test('knows the other commands', () => {
  assert.equal(parse('config', 'show').command, 'config show');
  assert.equal(parse('config', 'check').command, 'config check');
  for (const text of ['--help', '-h', 'help']) assert.equal(parse(text).command, 'help');
  for (const text of ['user reset-password', 'token rotate-key', 'factory-reset', 'doctor'])
    assert.equal(parse(...text.split(' ')).command, text);
  assert.equal(parse('--version').command, 'version');
  assert.equal(parse('start', '--port', '1', '--help').command, 'help');
});

for (const [name, argv, message] of [
  ['an unknown flag', ['--prot', '80'], /no option "--prot"; did you mean --port\?/],
  ['an unknown flag with =', ['--prot=80'], /did you mean --port\?/],
  ['a flag that is like nothing', ['--xyzxyzxyz'], /^there is no option "--xyzxyzxyz"$/],
  ['an unknown short flag', ['-p', '80'], /no option "-p"/],
  ['an unknown command', ['strat'], /no command "strat"; did you mean start\?/],
  ['too many words', ['start', 'now'], /no command "start now"/],
  ['a flag without its value', ['--port'], /--port needs a value/],
  ['a flag whose value is the next flag', ['--port', '--host', 'x'], /--port needs a value/],
  ['a flag given twice', ['--port', '1', '--port=2'], /--port is given twice/],
  ['a file given twice', ['--config', 'a', '--config', 'b'], /--config is given twice/],
  ['a value for a flag that takes none', ['--help=yes'], /no option "--help"/],
] as const)
  test(`refuses ${name}`, () => {
    assert.throws(() => parse(...argv), { code: 'usage-invalid', message });
  });

test('whatever the arguments are, they are understood or refused with a reason', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('--port', '--config', 'start', '--', '-'))),
      argv => {
        try {
          parse(...argv);
        } catch (error) {
          assert.ok(error instanceof CameraError && error.code === 'usage-invalid', String(error));
        }
      },
    ),
  );
});
