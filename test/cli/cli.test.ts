import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { commandLine } from '../support/command-line.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs the real command line to its end. */
function run(argv: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...commandLine, ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...environment },
  });
  return { status, stdout, stderr };
}

test('--help prints the options on standard output with status 0', () => {
  const { status, stdout, stderr } = run(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /--port NUMBER/);
  assert.equal(stderr, '');
});

test('--version prints the version alone', () => {
  const { status, stdout } = run(['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('bad usage has status 2, the reason on standard error and nothing on standard output', () => {
  const { status, stdout, stderr } = run(['start', '--prot', '80']);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /no option "--prot"; did you mean --port\?/);
});

test('a bad configuration has status 2 and names key, origin, value and expectation, for start as for check', () => {
  for (const command of [['start'], ['config', 'check']]) {
    const { status, stdout, stderr } = run(command, { OPENCAMERAD_PORT: 'eighty' });
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /port \(OPENCAMERAD_PORT\): "eighty" cannot be used, expected a whole number from 0 to 65535/,
    );
  }
});

test('no control character of an argument reaches the terminal', () => {
  const { status, stderr } = run(['--\u001b[2J', '--source=\u001b]0;title\u0007']);
  assert.equal(status, 2);
  const controls = [...stderr].filter(character => character < ' ' && character !== '\n');
  assert.deepEqual(controls, []);
});

test('config show prints every key with its value and origin', () => {
  const file = path.join(folder, 'camera.json');
  writeFileSync(file, JSON.stringify({ live: { maxViewers: 3 } }));
  const { status, stdout } = run(['config', 'show', '--config', file, '--port', '0'], {
    OPENCAMERAD_HOST: '::1',
  });
  assert.equal(status, 0);
  const shown = JSON.parse(stdout);
  assert.deepEqual(shown.port, { value: 0, source: '--port' });
  assert.deepEqual(shown.host, { value: '::1', source: 'OPENCAMERAD_HOST' });
  assert.deepEqual(shown['live.maxViewers'], { value: 3, source: `file ${file}` });
  assert.deepEqual(shown['ring.dataBytes'], { value: 16_777_216, source: 'default' });
});

test('config check accepts a good configuration and warns of strange variables', () => {
  const { status, stdout, stderr } = run(['config', 'check'], { OPENCAMERAD_HOTS: 'x' });
  assert.equal(status, 0);
  assert.equal(stdout, 'the configuration is valid\n');
  assert.match(stderr, /OPENCAMERAD_HOTS means nothing; did you mean OPENCAMERAD_HOST\?/);
});

test('a state folder that cannot be used fails the start with status 1 and says why', () => {
  writeFileSync(path.join(folder, 'file'), '');
  const { status, stdout, stderr } = run(['start', '--state', path.join(folder, 'file'), '--port', '0']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /state folder .* cannot be used/);
});
