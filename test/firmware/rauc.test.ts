/** Upgrades by RAUC: Debian's own, real bundles, `rauc install` over D-Bus; only the boot loader is a script. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { raucStatusOf, raucTool } from '../../src/firmware/rauc-tool.ts';
import { ToolSlots } from '../../src/firmware/tool-slots.ts';
import { FirmwareUpgrades } from '../../src/firmware/upgrades.ts';
import { firmwareConfiguration } from '../http/camera-upgrades.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { imageOf, keyPair } from './images.ts';
import { RaucDevice } from './rauc-device.ts';

const keys = keyPair();
const caller = { remoteAddress: '192.0.2.1', requestId: 'test' };
const system = randomBytes(1_000_000);

function imageOfBundle(bundle: Uint8Array, version: string): Buffer {
  return imageOf(bundle, keys.privateKey, { version, boards: ['test-board'], minimumVersion: '0.0.0' });
}

/** The camera as it runs on the device in a version. */
async function camera(device: RaucDevice, version: string): Promise<FirmwareUpgrades> {
  const keyFile = path.join(device.folder, 'camera.pub');
  writeFileSync(keyFile, keys.publicPem);
  const clock = new ManualClock();
  const quiet = (): void => undefined;
  const tool = raucTool({ rauc: device.rauc, reboot: device.reboot });
  const folder = path.join(device.folder, 'camera');
  return new FirmwareUpgrades({
    configuration: { ...firmwareConfiguration, backEnd: 'rauc' },
    backEnd: await ToolSlots.open({ tool, folder, runningVersion: version, clock }),
    keyNames: [keyFile],
    board: 'test-board',
    version,
    clock,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    audit: { record: quiet },
    doing: () => ({ pictures: true, recording: true }),
    restart: () => assert.fail('RAUC restarts the device'),
  });
}

/** Resolves when the upgrades are in a state. */
function stateIs(upgrades: FirmwareUpgrades, state: string): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (upgrades.status().state === state) resolve();
    };
    upgrades.watch(look);
    look();
  });
}

async function upload(upgrades: FirmwareUpgrades, image: Uint8Array): Promise<void> {
  const upload = upgrades.begin(caller);
  for (let at = 0; at < image.length; at += 65_536) await upload.push(image.subarray(at, at + 65_536));
  await upload.finish();
}

test('a bundle is installed into the other slot, tried, confirmed, and rolled back', async t => {
  const device = await RaucDevice.make(t);
  if (!device) return;
  const before = await camera(device, '1.0.0');
  assert.deepEqual(
    before
      .status()
      .slots.map(({ name, state }) => `${name} ${state}`)
      .sort(),
    ['A good', 'B good'],
  );
  const restarted = stateIs(before, 'restarting');
  await upload(before, imageOfBundle(device.bundle(system, '1.1.0'), '1.1.0'));
  assert.ok(device.slot('B').subarray(0, system.length).equals(system));
  assert.ok(device.slot('A').every(byte => byte === 0));
  assert.equal(device.told('primary'), 'B');
  await restarted;

  await device.start('B');
  const after = await camera(device, '1.1.0');
  assert.equal(after.status().state, 'trial');
  assert.deepEqual(after.trial, { pictures: true, recording: true });
  writeFileSync(path.join(device.folder, 'state.B'), 'bad');
  await after.proved();
  assert.equal(device.told('state.B'), 'good');
  const { state, activeSlot, slots, lastResult } = after.status();
  assert.equal(`${state} ${activeSlot} ${lastResult?.outcome}`, 'confirmed B confirmed');
  assert.equal(slots.find(({ name }) => name === 'B')?.version, '1.1.0');

  await after.rollBack(caller);
  assert.equal(device.told('primary'), 'A');
});

test('a version that does not prove itself is marked bad, and the one before is started', async t => {
  const device = await RaucDevice.make(t);
  if (!device) return;
  await upload(await camera(device, '1.0.0'), imageOfBundle(device.bundle(system, '1.1.0'), '1.1.0'));
  await device.start('B');
  const trying = await camera(device, '1.1.0');
  await trying.notProved('there are no pictures');
  assert.equal(device.told('state.B'), 'bad');
  assert.equal(device.told('primary'), 'A');
  await device.start('A');
  const back = await camera(device, '1.0.0');
  const { state, lastResult } = back.status();
  assert.equal(`${state}: ${lastResult?.reason}`, 'fell-back: there are no pictures');
});

test('a device that comes up in the old slot by itself says that the new version was given up', async t => {
  const device = await RaucDevice.make(t);
  if (!device) return;
  await upload(await camera(device, '1.0.0'), imageOfBundle(device.bundle(system, '1.1.0'), '1.1.0'));
  await device.start('A');
  const { state, lastResult } = (await camera(device, '1.0.0')).status();
  assert.equal(`${state} ${lastResult?.version}`, 'fell-back 1.1.0');
});

test("a bundle that RAUC's own key did not sign is not installed, and the camera says what RAUC said", async t => {
  const device = await RaucDevice.make(t);
  if (!device) return;
  const upgrades = await camera(device, '1.0.0');
  const image = imageOfBundle(device.bundle(system, '1.1.0', 'other'), '1.1.0');
  await assert.rejects(upload(upgrades, image), (error: CameraError) => {
    assert.equal(error.code, 'firmware-tool-failed');
    return true;
  });
  assert.equal(upgrades.status().state, 'failed');
  assert.equal(device.told('primary'), undefined);
  assert.ok(device.slot('B').every(byte => byte === 0));
});

test('a document that names no slot that runs is no status', () => {
  for (const text of ['', 'null', '[]', '{}', '{"booted": "A"}', '{"booted": 1, "slots": []}'])
    assert.throws(() => raucStatusOf(text), { code: 'firmware-tool-failed' });
});
