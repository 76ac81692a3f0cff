/** Style as a test: what a reviewer would point out in every change is pointed out here instead. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorCodes } from '../../src/base/errors.ts';
import { options } from '../../src/config/options.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

function filesBelow(folder: string, suffix: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map(name => path.posix.join(folder, String(name)))
    .filter(name => name.endsWith(suffix));
}

const sources = [...filesBelow('src', '.ts'), ...filesBelow('src', '.tsx'), ...filesBelow('workers', '.ts')];
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

test('every source file begins with a comment that says what it does', () => {
  const silent = sources.filter(file => !/^(#!.*\n)?\/\*\*[\s\S]{40,}?\*\//.test(textOf(file)));
  assert.deepEqual(silent, []);
});

test('a source file that somebody wrote has at most 420 lines', () => {
  const generated = 'src/http/openapi/api-types.ts';
  const long = sources.filter(file => file !== generated && textOf(file).split('\n').length > 420);
  assert.deepEqual(long, []);
});

test('H.264 and H.265 have the same files', () => {
  assert.deepEqual(
    readdirSync(path.join(root, 'src/codec/h264')),
    readdirSync(path.join(root, 'src/codec/h265')),
  );
});

test('threads wait in two files alone', () => {
  const waiting = sources.filter(file => /Atomics\.wait(Async)?\(/.test(textOf(file)));
  assert.deepEqual(waiting.sort(), ['src/capture/precise-timer.ts', 'src/ring/ring-wait.ts']);
});

test('uWebSockets.js and werift are known to their adapters alone', () => {
  const importers = (library: RegExp): string[] => sources.filter(file => library.test(textOf(file)));
  assert.deepEqual(importers(/['"](uwebsockets|uWebSockets\.js)['"]/), [
    'src/http/exchange.ts',
    'src/http/uws.ts',
  ]);
  assert.deepEqual(importers(/from 'werift'/), ['src/live/peer/werift-dtls.ts']);
});

test('nothing is left for later in the source', () => {
  const marks = sources.filter(file => /\b(TODO|FIXME|XXX|HACK)\b/.test(textOf(file)));
  assert.deepEqual(marks, []);
});

test('every error code is used somewhere', () => {
  const all = sources
    .filter(file => file !== 'src/base/errors.ts' && file !== 'src/http/problems.ts')
    .map(textOf)
    .join('\n');
  const unused = Object.keys(errorCodes).filter(code => !all.includes(`'${code}'`));
  assert.deepEqual(unused, []);
});

test('every environment variable and flag that the documents name exists', () => {
  const flags = options.map(({ flag }) => flag.replace(/^--/, ''));
  const variables = options.map(({ variable }) => variable);
  const documents = ['README.md', 'ARCHITECTURE.md', 'src/ring/README.md'].map(textOf).join('\n');
  const named = [...documents.matchAll(/OPENCAMERAD_[A-Z_]+/g)].map(([name]) => name);
  assert.deepEqual(
    named.filter(name => !variables.includes(name)),
    [],
  );
  const live = [...documents.matchAll(/`--((?:live|ring|log|source|sub|audio)-[a-z-]+)/g)].map(
    ([, name]) => name!,
  );
  assert.deepEqual(
    live.filter(name => !flags.includes(name)),
    [],
  );
});
