/** `npm run bundle`: the payload of a firmware image, made for this machine by two builds in two folders. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { commandLine } from '../support/command-line.ts';
import { copyPackage, ownTarget, readTar, root, runBundle, type TarEntry, unpack } from './unpacked.ts';

const version = '9.8.7';
const archiveName = `bundle-${version}-${ownTarget}.tar.gz`;
/** Outside of the package, so that nothing is found in its node_modules. */
const scratch = mkdtempSync(path.join(os.tmpdir(), 'bundle-test-'));
/** Within it, so that hard links are possible. */
const copy = path.join(root, '.test-build', `bundle-${process.pid}`, 'another folder');
const unpacked = path.join(scratch, 'camera');
let entries: TarEntry[] = [];
let summary = '';

interface Sbom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly timestamp?: string; readonly component: { readonly version: string } };
  readonly components: readonly {
    readonly group?: string;
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses: readonly unknown[];
    readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const readSbom = (): Sbom => JSON.parse(readFileSync(path.join(unpacked, 'sbom.cdx.json'), 'utf8')) as Sbom;
const nameOf = ({ group, name }: { group?: string; name: string }): string =>
  group === undefined ? name : `${group}/${name}`;

before(async () => {
  await copyPackage(copy);
  const words = ['--target', ownTarget, '--version-override', version];
  const [first, second] = await Promise.all([
    runBundle([...words, '--out', path.join(scratch, 'first')]),
    runBundle([...words, '--out', path.join(scratch, 'second')], {
      folder: copy,
      env: { TZ: 'Asia/Tokyo', LC_ALL: 'C' },
    }),
  ]);
  assert.equal(first.status, 0, first.stderr);
  assert.equal(second.status, 0, second.stderr);
  summary = first.stdout;
  entries = readTar(path.join(scratch, 'first', archiveName));
  mkdirSync(unpacked);
  unpack(entries, unpacked);
});

after(() => {
  rmSync(scratch, { recursive: true, force: true });
  rmSync(path.dirname(copy), { recursive: true, force: true });
});

test('two builds of the same sources in two folders give the same bytes', () => {
  const [first, second] = ['first', 'second'].map(name =>
    createHash('sha256')
      .update(readFileSync(path.join(scratch, name, archiveName)))
      .digest('hex'),
  );
  assert.equal(first, second);
});

test('the archive holds sorted folders and regular files of no time and no owner, nothing else', () => {
  const names = entries.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const { name, type, mode, owner, mtimeSeconds } of entries) {
    assert.match(type, /^[05]$/, name);
    assert.equal(name.endsWith('/'), type === '5', name);
    assert.equal(mode, type === '5' || name === 'dist/cli.js' ? 0o755 : 0o644, name);
    assert.equal(owner, 0, name);
    assert.equal(mtimeSeconds, 0, name);
  }
});

test('it is at most 20 MB, with native code of one platform and no file for people who develop', () => {
  assert.ok(readFileSync(path.join(scratch, 'first', archiveName)).length <= 20e6);
  const natives = entries.filter(({ name }) => name.endsWith('.node'));
  const names = natives.map(({ name }) => name.replace(/^.*\//, ''));
  const expected = ['argon2', `uws_linux_${process.arch}_115.node`, 'node.abi115.glibc.node'];
  for (const part of expected)
    assert.ok(
      names.some(name => name.startsWith(part)),
      part,
    );
  const machine = process.arch === 'arm64' ? 183 : 62;
  for (const { name, content } of natives) {
    assert.equal(content.readUInt16LE(18), machine, name);
    assert.doesNotMatch(name, /musl/);
  }
  const forPeople = entries.filter(({ name }) => /\.(?:d\.[cm]?ts|ts|map|md|cc?|h)$|\/tests?\//.test(name));
  assert.deepEqual(
    forPeople
      .map(({ name }) => name)
      .filter(name => name !== 'README.md' && name !== 'assets/demo/README.md'),
    [],
  );
});

test('every module that the daemon imports is in it', async () => {
  const scripts = (readdirSync(path.join(unpacked, 'dist'), { recursive: true }) as string[])
    .filter(name => name.endsWith('.js'))
    .map(name => path.join(unpacked, 'dist', name));
  // Fails on the first name that leads nowhere.
  const { metafile } = await build({
    entryPoints: [...scripts, path.join(unpacked, 'node_modules/piscina/dist/worker.js')],
    absWorkingDir: unpacked,
    outdir: path.join(scratch, 'never-written'),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    conditions: ['node-addons', 'module-sync'],
    // Asked for only where a priority of the task threads is configured, which the daemon does not.
    external: ['*.node', '@napi-rs/nice'],
    logLevel: 'silent',
  });
  const outside = Object.keys(metafile.inputs).filter(name => name.startsWith('../'));
  assert.deepEqual(outside, []);
  assert.ok(Object.keys(metafile.inputs).some(name => name.startsWith('node_modules/lmdb/')));
});

test('the list of parts names every package, its hash in the lock file, and a licence text that is there', () => {
  const sbom = readSbom();
  assert.equal(sbom.bomFormat, 'CycloneDX');
  assert.equal(sbom.specVersion, '1.6');
  assert.equal(sbom.metadata.timestamp, undefined);
  assert.equal(sbom.metadata.component.version, version);
  const listed = new Set(sbom.components.map(part => `${nameOf(part)}@${part.version}`));
  const shipped = entries
    .filter(({ name }) => /node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(name))
    .map(({ content }) => JSON.parse(content.toString('utf8')) as { name: string; version: string });
  assert.ok(shipped.length > 30);
  for (const part of shipped) assert.ok(listed.has(`${part.name}@${part.version}`), part.name);
  // Written into dist by the build.
  const names = new Set(sbom.components.map(nameOf));
  for (const name of [
    'werift',
    '@peculiar/x509',
    'reflect-metadata',
    'tsyringe',
    'benchmark',
    'swagger-ui-dist',
    'preact',
  ])
    assert.ok(names.has(name), name);
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  for (const part of sbom.components) {
    const name = nameOf(part);
    const entry = Object.entries(lock.packages).find(
      ([place, { version: found }]) => place.endsWith(`node_modules/${name}`) && found === part.version,
    );
    const hash = Buffer.from(part.hashes[0]!.content, 'hex').toString('base64');
    assert.equal(`sha512-${hash}`, entry?.[1].integrity, name);
    assert.equal(part.purl, `pkg:npm/${name.replace('@', '%40')}@${part.version}`);
    assert.equal(part.licenses.length, 1, name);
    const text = readFileSync(path.join(unpacked, 'licenses', `${name}@${part.version}.txt`), 'utf8');
    assert.match(text, /copyright|licen[cs]e|public domain/i, name);
    assert.ok(text.length > 300, name);
  }
  const references = new Set(sbom.dependencies.map(({ ref }) => ref));
  for (const { dependsOn } of sbom.dependencies)
    for (const ref of dependsOn) assert.ok(references.has(ref), ref);
});

test('it starts in a folder of its own with nothing but Node, takes a user, records, and says its version', async t => {
  const state = path.join(scratch, 'state');
  const flags = ['--host', '127.0.0.1', '--port', '0', '--state', state, '--log-format', 'json'];
  const child = spawn(process.execPath, ['dist/cli.js', 'start', ...flags], {
    cwd: unpacked,
    env: { PATH: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  t.after(() => {
    process.off('exit', kill);
    kill();
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', status => reject(new Error(`ended with ${status}: ${log}`)));
    createInterface({ input: child.stdout }).on('line', line => {
      const ready = /^ready (\S+)$/.exec(line);
      if (ready) resolve(ready[1]!);
    });
  });
  const user = { email: 'owner@camera.example', password: 'a good long password' };
  const created = await fetch(new URL('/api/v1/user', url), {
    method: 'POST',
    headers: {
      'x-token': readFileSync(path.join(state, 'setup-token'), 'utf8').trim(),
      'content-type': 'application/json',
    },
    body: JSON.stringify(user),
  });
  assert.equal(created.status, 200, await created.text());
  const session = await fetch(new URL('/api/v1/user/token/obtain', url), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${user.email}:${user.password}`).toString('base64')}` },
  });
  const headers = { 'x-token': ((await session.json()) as { access_token: string }).access_token };
  const system = await fetch(new URL('/api/v1/system', url), { headers });
  assert.equal(((await system.json()) as { firmwareVersion: string }).firmwareVersion, version);
  const metrics = await (await fetch(new URL('/metrics', url), { headers })).text();
  const isNative = /^addon +yes$/m.test(summary);
  assert.equal(/^opencamera_live_native_data_plane 1$/m.test(metrics), isNative);
  for (const page of ['/', '/api/docs', '/api/v1/openapi.json'])
    assert.equal((await fetch(new URL(page, url), { headers })).status, 200, page);

  const deadline = Date.now() + 20_000;
  for (let health = ''; !health.includes('"recording"'); ) {
    assert.ok(Date.now() < deadline, `${health}\n${log}`);
    const answer = await fetch(new URL('/healthz', url));
    health = await answer.text();
    assert.equal(answer.status, 200, health);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], log);
});

test('a platform package that is not the one of package-lock.json is refused', async () => {
  // In npm's place a program that brings another file, as a bad mirror would.
  const programs = path.join(scratch, 'programs');
  mkdirSync(programs);
  const npm = path.join(programs, 'npm');
  writeFileSync(
    npm,
    '#!/bin/sh\nwhile [ "$1" != --pack-destination ]; do shift; done\necho other > "$2/other.tgz"\n',
  );
  chmodSync(npm, 0o755);
  const other = ownTarget === 'linux-x64' ? 'linux-arm64' : 'linux-x64';
  const built = commandLine.length === 1 ? ['--dist', path.dirname(commandLine[0]!)] : [];
  const out = path.join(scratch, 'refused');
  const { status, stderr } = await runBundle(['--target', other, '--out', out, ...built], {
    env: { PATH: `${programs}:${process.env.PATH}` },
  });
  assert.equal(status, 1);
  assert.match(stderr, /^bundle: @lmdb\/lmdb-linux-\w+@\S+ is not the package of package-lock\.json/m);
  assert.throws(() => readdirSync(out), /ENOENT/);
});

test('--help says what there is; wrong words have status 2', async () => {
  const { status, stdout } = await runBundle(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /--target linux-x64\|linux-arm64/);
  for (const words of [
    [],
    ['--target', 'linux-mips'],
    ['--target', ownTarget, '--version-override', '../../1.2.3'],
    ['--target', ownTarget, '--outt', 'x'],
  ]) {
    const refused = await runBundle(words);
    assert.equal(refused.status, 2, words.join(' '));
    assert.match(refused.stderr, /^bundle: /);
  }
});
