/** The steps of the owner's way that upgrade the firmware: a real image, a real restart, and back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { untilInPage } from '../support/chromium.ts';
import { deviceBundle, deviceImage } from '../support/device-image.ts';
import { type Device, type Scene, showView, wordsOf } from './page-fixture.ts';

export const nextVersion = '9.0.0';

let bundle: Buffer | undefined;

/** A port for a camera that comes back on it after each restart. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return String(port);
}

const stateSays = (words: string): string =>
  `/${words}/.test(document.querySelector('#firmware-state')?.textContent ?? '')`;
const cardSays = (words: string): string =>
  `/${words}/.test(document.querySelector('#firmware')?.textContent ?? '')`;

/** Drops a file on the card, as from a folder of the desk. */
async function drop({ page }: Scene, image: Buffer): Promise<void> {
  await page.evaluate(
    `(text => {
      const bytes = Uint8Array.from(atob(text), each => each.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'camera.img'));
      document.querySelector('#firmware .drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    })(${JSON.stringify(image.toString('base64'))})`,
  );
}

export async function upgradeFirmware(scene: Scene, device: Device, folder: string): Promise<void> {
  const { page, daemon } = scene;
  bundle ??= deviceBundle(nextVersion);
  const file = (name: string, content: Buffer): string => {
    const target = path.join(folder, name);
    writeFileSync(target, content);
    return target;
  };
  await showView(page, 'settings');
  await untilInPage(page, stateSays('No upgrade is under way'));
  await page.setInputFiles(
    '#firmware-file',
    file('other.img', deviceImage(bundle, nextVersion, ['other-board'])),
  );
  await untilInPage(page, `document.querySelector('#firmware-error')`);
  assert.match(await wordsOf(page, '#firmware-error'), /another kind of camera/);
  await untilInPage(page, stateSays('The upgrade failed'));

  const image = deviceImage(bundle, nextVersion);
  await page.setInputFiles('#firmware-file', file('half.img', image.subarray(0, image.length / 2)));
  await untilInPage(page, `/not whole/.test(document.querySelector('#firmware-error')?.textContent ?? '')`);

  if (device === 'desk') await drop(scene, image);
  else await page.setInputFiles('#firmware-file', file('good.img', image));
  await untilInPage(page, stateSays('restarts'));
  await untilInPage(page, stateSays('on trial'));
  await untilInPage(page, stateSays('works and is kept'));
  assert.equal(
    (await daemon.json<{ firmwareVersion: string }>('/api/v1/system')).firmwareVersion,
    nextVersion,
  );
  await untilInPage(page, cardSays(`Slot A, runs${nextVersion}`));
  if (device === 'phone') return;

  await page.click('#roll-back button');
  await page.click('#roll-back .danger');
  await untilInPage(page, stateSays('restarts'));
  await untilInPage(page, cardSays('Came with, runs'));
  await untilInPage(page, stateSays('works and is kept'));
}
