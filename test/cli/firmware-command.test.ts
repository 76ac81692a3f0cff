/** `opencamerad firmware …` as whoever makes images uses it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { commandLine } from '../support/command-line.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'firmware-command-'));
  writeFileSync(path.join(folder, 'payload'), 'x'.repeat(300_000));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function firmware(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...commandLine, 'firmware', ...argv], {
    encoding: 'utf8',
    cwd: folder,
  });
}

test('a key is made, an image signed, looked at and checked; a changed one is refused', () => {
  assert.equal(firmware('keygen', '--out', 'key').status, 0);
  assert.equal(statSync(path.join(folder, 'key')).mode & 0o777, 0o600);
  const signed = firmware(
    ...['sign', 'payload', '--key', 'key', '--version', '1.2.3', '--board', 'rpi4,rpi5', '--out', 'image'],
  );
  assert.equal(signed.status, 0, signed.stderr);
  const { version, boards, payloadBytes, signature } = JSON.parse(firmware('inspect', 'image').stdout);
  assert.deepEqual(
    [version, boards, payloadBytes, signature],
    ['1.2.3', ['rpi4', 'rpi5'], 300_000, 'not checked'],
  );
  const verified = firmware('verify', 'image', '--key', 'key.pub', '--board', 'rpi5');
  assert.equal(verified.status, 0, verified.stderr);
  assert.match(verified.stdout, /^good: version 1\.2\.3 for rpi4, rpi5, signed by [0-9a-f]{16}\n$/);
  assert.match(firmware('verify', 'image', '--key', 'key.pub', '--board', 'rpi3').stderr, /not for rpi3/);
  const bytes = readFileSync(path.join(folder, 'image'));
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path.join(folder, 'changed'), bytes);
  const refused = firmware('verify', 'changed', '--key', 'key.pub');
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /not the one that was signed/);
});

test('a key is never written over, a private one is never taken for a public one, nothing half stays', () => {
  assert.equal(firmware('keygen', '--out', 'once').status, 0);
  const before = readFileSync(path.join(folder, 'once'));
  assert.equal(firmware('keygen', '--out', 'once').status, 1);
  assert.ok(readFileSync(path.join(folder, 'once')).equals(before));
  assert.match(firmware('verify', 'payload', '--key', 'once').stderr, /private key/);
  const options = ['--key', 'once', '--version', '1.2', '--board', 'b', '--out', 'bad'];
  assert.equal(firmware('sign', 'payload', ...options).status, 1);
  assert.deepEqual(
    readdirSync(folder).filter(name => name.startsWith('bad')),
    [],
  );
});

test('mistakes are told in a sentence, with status 2; --help says what there is', () => {
  for (const argv of [
    ['nonsense'],
    ['sign'],
    ['verify', 'image'],
    ['keygen', '--key', 'k', '--out', 'o'],
    ['--what'],
  ]) {
    const { status, stderr } = firmware(...argv);
    assert.equal(status, 2, argv.join(' '));
    assert.match(stderr, /try opencamerad firmware --help/);
  }
  assert.match(firmware('--help').stdout, /firmware verify IMAGE/);
  assert.equal(firmware('verify', '/nonexistent', '--key', 'key.pub').status, 1);
});
