/** The benchmark as its user starts it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseReport } from '../../bench/figures.ts';
import { partNames } from '../../bench/part-names.ts';
import { parts } from '../../bench/parts.ts';
import { commandLine } from '../support/command-line.ts';

const entry = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const register = fileURLToPath(new URL('../register.mjs', import.meta.url));
const source = ['--import', register, entry];

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'bench-command-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function run(argv: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...source, ...argv], { encoding: 'utf8' });
}

test('every name of a part is measured by one part', () => {
  assert.deepEqual(parts.flatMap(({ names }) => names).sort(), [...partNames].sort());
});

test('a quick run of one part prints a table and writes figures and page; compared with itself nothing got worse', t => {
  const out = folder(t);
  const { status, stdout, stderr } = run(['--quick', '--only', 'payloaders', '--out', out]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^part +figure +unit +median/);
  assert.match(stderr, /payloaders: G\.711, 20 ms/);
  const json = path.join(out, 'bench.json');
  const { figures, isPartial } = parseReport(readFileSync(json, 'utf8'), json);
  assert.equal(isPartial, false);
  assert.deepEqual(new Set(figures.map(({ part }) => part)), new Set(['payloaders']));
  assert.match(readFileSync(path.join(out, 'bench.html'), 'utf8'), /^<!doctype html>/);
  const compared = run(['compare', json, json]);
  assert.equal(compared.status, 0);
  assert.match(compared.stdout, /nothing got worse beyond 1\.25 times/);
});

test('the first Ctrl-C ends the run in order: what was measured is written, no camera and no folder stay', async t => {
  const out = folder(t);
  const child = spawn(
    process.execPath,
    [...source, '--only', 'payloaders,viewers', '--quick', '--out', out],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: out },
    },
  );
  let text = '';
  let isEnded = false;
  child.stderr.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    if (isEnded || !/no viewer/.test(text)) return;
    isEnded = true;
    child.kill('SIGINT');
  });
  assert.deepEqual(await once(child, 'exit'), [130, null], text);
  const { isPartial, figures } = parseReport(readFileSync(path.join(out, 'bench.json'), 'utf8'), 'f');
  assert.equal(isPartial, true);
  assert.ok(figures.some(({ part }) => part === 'payloaders'));
  assert.deepEqual(
    readdirSync(out).filter(name => name.startsWith('opencamerad-bench-')),
    [],
  );
});

test('mistakes are told in a sentence, with status 2', () => {
  for (const [argv, words] of [
    [['--only', 'rings'], /there is no part "rings"/],
    [['--viewers', '0'], /--viewers is a number from 1/],
    [['compare', 'a.json'], /takes two files/],
    [['--threshold', '2'], /--threshold belongs to bench compare/],
    [['--nonsense'], /--nonsense/],
  ] as const) {
    const { status, stderr } = run(argv);
    assert.equal(status, 2, argv.join(' '));
    assert.match(stderr, words);
  }
  assert.equal(run(['compare', '/nonexistent/a', '/nonexistent/b']).status, 1);
});

test('the command line of the camera knows the word, and has the benchmark beside it when it is built', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...commandLine, 'bench', '--help'], {
    encoding: 'utf8',
  });
  if (commandLine.at(-1)!.endsWith('.ts')) assert.match(stderr, /use npm run bench/);
  else assert.deepEqual([status, /--quick/.test(stdout)], [0, true], stderr);
});
