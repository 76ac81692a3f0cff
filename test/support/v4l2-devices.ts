/**
 * Fake V4L2 devices for tests: a folder of them, and the environment in which a process sees them (v4l2-shim.c,
 * preloaded). A device is the name of its traits, as the shim's comment lists them: `camera,h264,unplug=20`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../../src/native/addon.ts';

const shimSource = fileURLToPath(new URL('v4l2-shim.c', import.meta.url));

/** One buffer's content after another, as the shim reads them. */
export type Clip = readonly Uint8Array[];

export interface FakeDevices {
  /** Where the devices and the file `log` are. */
  readonly folder: string;
  /** What a process needs to see them. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes a folder of fake devices that play `clips` (`plain` unless the device names another), removed after the test.
 * Undefined, and the test is skipped, without a C compiler or without the addon; with OPENCAMERAD_REQUIRE_ALL it fails.
 */
export function makeFakeDevices(
  t: TestContext,
  clips: Readonly<Record<string, Clip>>,
): FakeDevices | undefined {
  const loaded = loadAddon();
  if ('missing' in loaded) return skip(t, `needs the native addon: ${loaded.missing}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'v4l2-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const shim = path.join(folder, 'shim.so');
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, shimSource, '-ldl', '-lpthread'], {
    encoding: 'utf8',
  });
  if (compiled.error) return skip(t, 'needs a C compiler (cc), which is not installed here');
  if (compiled.status !== 0) throw new Error(`the shim does not compile:\n${compiled.stderr}`);
  for (const [name, pictures] of Object.entries(clips))
    writeFileSync(
      path.join(folder, `${name}.clip`),
      Buffer.concat(pictures.flatMap(picture => [lengthOf(picture), picture])),
    );
  // Behind what is preloaded already: a sanitizer has to come first.
  const preloaded = [process.env.LD_PRELOAD, shim].filter(Boolean).join(':');
  return { folder, env: { LD_PRELOAD: preloaded, V4L2_SHIM_FOLDER: folder } };
}

/** What was asked of a device so far, in order. */
export function requestsOf(folder: string, device: string): string[] {
  return readFileSync(path.join(folder, 'log'), 'utf8')
    .split('\n')
    .filter(line => line.startsWith(`${device} `))
    .map(line => line.slice(device.length + 1));
}

function lengthOf(picture: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(picture.length);
  return length;
}

function skip(t: TestContext, reason: string): undefined {
  if (process.env.OPENCAMERAD_REQUIRE_ALL) throw new Error(`${reason}, and all tests are required`);
  t.skip(reason);
  return undefined;
}
