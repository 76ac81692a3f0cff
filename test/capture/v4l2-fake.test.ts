/** The V4L2 source against fake devices: the tests themselves are in v4l2-fake-process.ts, which runs under the shim. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFakeDevices } from '../support/v4l2-devices.ts';
import { annexB, idr, inter, pps, sps } from './capture-fixture.ts';

/** Ten pictures, each in the form that `write` gives it. */
function clip(write: (units: readonly Uint8Array[]) => Uint8Array): Uint8Array[] {
  const rest = Array.from({ length: 9 }, (_, i) => [inter(30 + i)]);
  return [[sps, pps, idr(40)], ...rest].map(write);
}

/** The first start code of four bytes, the others of three, as x264 writes them. */
const shortCodes = (units: readonly Uint8Array[]) =>
  Uint8Array.from(units.flatMap((unit, i) => [...(i === 0 ? [0] : []), 0, 0, 1, ...unit]));
const delimiter = Uint8Array.from([9, 0xf0]);

test('the V4L2 source', async t => {
  const devices = makeFakeDevices(t, {
    plain: clip(units => annexB(...units)),
    once: [annexB(sps, pps, idr(40)), ...Array.from({ length: 5000 }, () => annexB(inter(30)))],
    short: clip(shortCodes),
    delimited: clip(units => annexB(delimiter, ...units)),
    apart: [annexB(sps, pps), annexB(idr(40)), ...Array.from({ length: 9 }, () => annexB(inter(30)))],
  });
  if (!devices) return;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [
      ...['--import', fileURLToPath(new URL('../register.mjs', import.meta.url))],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      fileURLToPath(new URL('v4l2-fake-process.ts', import.meta.url)),
    ],
    { env: { ...env, ...devices.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  const [output, errors, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise(resolve => child.once('close', resolve)),
  ]);
  assert.equal(status, 0, `${output}\n${errors}`);
  assert.match(output, /pass \d\d/);
});
