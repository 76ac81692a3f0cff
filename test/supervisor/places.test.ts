import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { addressUrl } from '../../src/supervisor/address-url.ts';
import { packageVersion } from '../../src/supervisor/package-version.ts';
import { packageFolder, workerEntry } from '../../src/supervisor/worker-entry.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'places-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of [
  'package.json',
  'workers/live.ts',
  'dist/workers/live.js',
  'src/supervisor/x.ts',
  'dist/cli.js',
]) {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), '{}');
}
const urlOf = (name: string): string => pathToFileURL(path.join(folder, name)).href;

test('finds the TypeScript entry of a worker when running from TypeScript', () => {
  assert.equal(workerEntry('live', urlOf('src/supervisor/x.ts')).href, urlOf('workers/live.ts'));
});

test('finds the built entry of a worker from the command line file, a chunk beside it or another entry', () => {
  for (const from of ['dist/cli.js', 'dist/chunk-ABC.js', 'dist/workers/capture.js'])
    assert.equal(workerEntry('live', urlOf(from)).href, urlOf('dist/workers/live.js'));
});

test('says which file an incomplete installation lacks', () => {
  assert.throws(() => workerEntry('recorder', urlOf('dist/cli.js')), {
    code: 'internal',
    details: { path: 'workers/recorder.js' },
  });
});

test('finds the folder of the package from source and from the build', () => {
  for (const from of ['src/supervisor/x.ts', 'dist/cli.js', 'dist/chunk-ABC.js'])
    assert.equal(packageFolder(urlOf(from)).href, `${urlOf('.')}/`.replace('/./', '/'));
  assert.match(packageVersion(), /^\d+\.\d+\.\d+/);
});

test('the address of the page can be visited, whatever address is listened on', () => {
  assert.equal(addressUrl('0.0.0.0', 80), 'http://127.0.0.1:80/');
  assert.equal(addressUrl('::', 80), 'http://127.0.0.1:80/');
  assert.equal(addressUrl('192.0.2.7', 8080), 'http://192.0.2.7:8080/');
  assert.equal(addressUrl('camera.local', 8080), 'http://camera.local:8080/');
  assert.equal(addressUrl('2001:db8::7', 8080), 'http://[2001:db8::7]:8080/');
});
