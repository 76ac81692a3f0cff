/**
 * Makes bundles as a release does, and reads their archives with a reader of its own (POSIX.1-1988, ustar), which takes
 * nothing but what the format promises: regular files and folders of owner 0.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The package's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** What this machine runs. */
export const ownTarget = `linux-${process.arch}`;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs scripts/bundle.mjs of the package in `folder` to its end. */
export async function runBundle(
  argv: readonly string[],
  { folder = root, env = {} }: { folder?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [path.join(folder, 'scripts/bundle.mjs'), ...argv], {
    cwd: path.parse(folder).root,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { status, stdout, stderr };
}

/** Copies what the build reads to another folder; node_modules by hard links, so on the same file system. */
export async function copyPackage(target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const parts = ['assets', 'bench', 'native-bindings', 'scripts', 'src', 'test', 'workers'];
  const files = [
    'LICENSE',
    'README.md',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsup.config.ts',
  ];
  const built = ['build', 'prebuilds'].map(name => path.join(root, 'native-bindings', name));
  for (const name of [...parts, ...files])
    cpSync(path.join(root, name), path.join(target, name), {
      recursive: true,
      filter: from => !built.includes(from),
    });
  const copy = spawn('cp', ['-al', path.join(root, 'node_modules'), target], { stdio: 'inherit' });
  const status = await new Promise((resolve, reject) => copy.once('error', reject).once('close', resolve));
  assert.equal(status, 0);
}

export interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly owner: number;
  readonly mtimeSeconds: number;
  readonly content: Buffer;
}

/** Entries of an archive in their order; fails on a wrong checksum, and on bytes behind the end. */
export function readTar(archive: string): TarEntry[] {
  const tar = gunzipSync(readFileSync(archive));
  const entries: TarEntry[] = [];
  let at = 0;
  for (; tar[at] !== 0; ) {
    const block = Buffer.from(tar.subarray(at, at + 512));
    const text = (from: number, length: number): string =>
      block
        .subarray(from, from + length)
        .toString('utf8')
        .replace(/\0.*$/s, '');
    const number = (from: number, length: number): number => Number.parseInt(text(from, length), 8);
    const sum = number(148, 8);
    block.fill(' ', 148, 156);
    assert.equal(
      sum,
      block.reduce((total, byte) => total + byte, 0),
    );
    assert.equal(block.toString('latin1', 257, 265), 'ustar\x0000');
    const prefix = text(345, 155);
    const length = number(124, 12);
    entries.push({
      name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
      type: text(156, 1),
      mode: number(100, 8),
      owner: number(108, 8) + number(116, 8),
      mtimeSeconds: number(136, 12),
      content: tar.subarray(at + 512, at + 512 + length),
    });
    at += 512 + Math.ceil(length / 512) * 512;
  }
  assert.ok(tar.length - at >= 1024 && tar.subarray(at).every(byte => byte === 0));
  return entries;
}

/** Writes the entries below `folder`. */
export function unpack(entries: readonly TarEntry[], folder: string): void {
  for (const { name, type, mode, content } of entries) {
    const target = path.join(folder, name);
    if (type === '5') mkdirSync(target, { mode });
    else writeFileSync(target, content, { mode });
  }
}
