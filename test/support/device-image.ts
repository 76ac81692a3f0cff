/**
 * Firmware images of the daemon itself: the bundle of what is tested (the run's own build, else a build made for it), under any
 * version, signed with the development key.
 */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { imageOf } from '../firmware/images.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** As a camera of this machine calls its board. */
export const ownBoard = `${process.platform}-${process.arch}`;

const developmentKey = createPrivateKey(readFileSync(path.join(root, 'assets/firmware/development.key')));

function run(script: string, ...argv: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [path.join(root, script), ...argv], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`${script} failed`);
}

/** The device bundle of a version, some MB. Takes seconds. */
export function deviceBundle(version: string): Buffer {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'device-image-'));
  try {
    const words = ['--target', ownBoard, '--version-override', version, '--out', folder];
    const cli = process.env.OPENCAMERAD_TEST_CLI;
    if (cli === undefined) run('scripts/bundle.mjs', ...words);
    else {
      const dist = path.join(folder, 'dist');
      cpSync(path.dirname(cli), dist, { recursive: true });
      run('scripts/pack-docs.mjs', dist);
      run('scripts/bundle.mjs', ...words, '--dist', dist);
    }
    return readFileSync(path.join(folder, `bundle-${version}-${ownBoard}.tar.gz`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An image that a camera with the development key takes. */
export function deviceImage(
  bundle: Uint8Array,
  version: string,
  boards: readonly string[] = [ownBoard],
): Buffer {
  return imageOf(bundle, developmentKey, { version, boards, minimumVersion: '0.0.0' });
}
