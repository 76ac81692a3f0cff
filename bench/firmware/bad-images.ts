/**
 * Does any broken image get in, or bring the camera down, or grow it? Sends mutated images and forms to the real daemon: bits
 * flipped, parts cut, repeated, exchanged and appended, in the head, the manifest, the payload and the form around it. None may be
 * accepted; the same processes must live; what the camera holds in memory must not grow; GET /device must answer meanwhile. Then
 * an image of 200 MB that is refused only after all of it has come.
 *
 * `npm run bench:bad-images -- --images 2000`. A minute or two. Ends with status 1 when anything was wrong.
 */
import { createPrivateKey, randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { imageOf } from '../../test/firmware/images.ts';
import { printTable } from '../support/table.ts';
import { LaunchedCamera, signImage } from './launched-camera.ts';

const { values } = parseArgs({ options: { images: { type: 'string', default: '2000' } } });
const images = Number(values.images);
const keyFile = fileURLToPath(new URL('../../assets/firmware/development.key', import.meta.url));
const board = `${process.platform}-${process.arch}`;
const good = imageOf(randomBytes(20_000), createPrivateKey(readFileSync(keyFile)), {
  version: '0.2.0',
  boards: [board],
  minimumVersion: '0.0.0',
});

const flip = (bytes: Buffer): Buffer => {
  // Mostly in the head, where everything is decided.
  const end = randomInt(4) === 0 ? bytes.length : Math.min(bytes.length, 400);
  for (let i = randomInt(1, 4); i > 0; i--) bytes[randomInt(end)]! ^= 1 << randomInt(8);
  return bytes;
};
const at = (bytes: Buffer): number => randomInt(bytes.length + 1);
const mutations: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'bits flipped': flip,
  'cut off': bytes => bytes.subarray(0, at(bytes.subarray(1))),
  'cut off in front': bytes => bytes.subarray(1 + at(bytes.subarray(1))),
  'appended to': bytes => Buffer.concat([bytes, randomBytes(randomInt(1, 2000))]),
  'a piece repeated': bytes => {
    const place = at(bytes);
    return Buffer.concat([
      bytes.subarray(0, place),
      bytes.subarray(randomInt(place + 1), place),
      bytes.subarray(place),
      Buffer.of(0),
    ]);
  },
  'a piece overwritten': bytes => {
    randomBytes(randomInt(1, 200)).copy(bytes, randomInt(bytes.length));
    return bytes;
  },
  'a length changed': bytes => {
    bytes.writeUInt32BE(randomInt(2 ** 32 - 1), 8);
    return bytes;
  },
  'another head': bytes => Buffer.concat([randomBytes(84), bytes.subarray(84)]),
};
const names = Object.keys(mutations);

/** The form around an image, now and then broken as well. */
function formOf(image: Buffer): { type: string; body: Buffer } {
  const boundary = 'opencamerad-boundary';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="img_file"; filename="a.img"\r\n\r\n`;
  const form = Buffer.concat([Buffer.from(head), image, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { type: `multipart/form-data; boundary=${boundary}`, body: form };
}

const camera = new LaunchedCamera(['--http-requests-per-second', '100000', '--http-request-burst', '100000']);
const faults: string[] = [];
const answers = new Map<string, number>();
let slowestMs = 0;

function residentMb(): number {
  const text = readFileSync(`/proc/${camera.pids.camera}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

async function send(name: string, body: Buffer, type: string): Promise<void> {
  const response = await camera
    .fetch('/api/v1/system/upgrade', {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(body),
    })
    .catch((error: Error) => error);
  if (response instanceof Error) {
    answers.set('connection ended', (answers.get('connection ended') ?? 0) + 1);
    return;
  }
  const { code } = (await response.json()) as { code?: string };
  const key = `${response.status} ${code}`;
  answers.set(key, (answers.get(key) ?? 0) + 1);
  if (response.ok || response.status >= 500) faults.push(`${name}: ${key}`);
}

async function ask(): Promise<void> {
  const sinceMs = performance.now();
  await camera.json('/api/v1/device');
  slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-images-'));
try {
  await camera.start();
  const { launcher, camera: child } = camera.pids;
  const quarters: number[] = [];
  for (let i = 0; i < images; i++) {
    const name = names[i % names.length]!;
    const mutated = mutations[name]!(Buffer.from(good));
    if (mutated.equals(good)) continue;
    const form = formOf(mutated);
    if (i % 10 === 9) {
      // The good image in a broken form: the head of the part, the boundary, or the end.
      const whole = formOf(good);
      const place = randomInt(2) === 0 ? randomInt(90) : whole.body.length - randomInt(1, 30);
      const broken = Buffer.from(whole.body);
      broken[place]! ^= 0x80;
      await send('form', broken, whole.type);
    } else await send(name, form.body, form.type);
    if (i % 50 === 0) await ask();
    if ((i + 1) % Math.ceil(images / 4) === 0) quarters.push(residentMb());
  }
  if (camera.pids.launcher !== launcher || camera.pids.camera !== child)
    faults.push('another process serves');
  const { slots } = await camera.upgrade();
  if (slots.some(({ name, state }) => name !== 'factory' && state !== 'empty'))
    faults.push('a slot was written');
  console.log(`resident after each quarter: ${quarters.map(mb => mb.toFixed(1)).join(', ')} MB`);
  console.log(`GET /device, slowest: ${slowestMs.toFixed(0)} ms`);
  printTable(
    ['answer', 'times'],
    [...answers].sort((a, b) => b[1] - a[1]),
  );

  const payload = path.join(folder, 'payload');
  writeFileSync(payload, randomBytes(200_000_000));
  const large = path.join(folder, 'large.img');
  signImage(payload, large, '0.2.0');
  const before = residentMb();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentMb());
  }, 20);
  const sinceMs = performance.now();
  const response = await camera.upload(large);
  clearInterval(timer);
  const { code } = (await response.json()) as { code?: string };
  console.log(
    `200 MB: ${response.status} ${code} after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s; ` +
      `resident ${before.toFixed(1)} MB before, ${most.toFixed(1)} MB at most`,
  );
  if (most - before > 30) faults.push(`200 MB grew the camera by ${(most - before).toFixed(1)} MB`);
  if (response.ok) faults.push('200 MB of nothing were accepted');
  for (const [name, pid] of Object.entries(camera.pids)) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    console.log(`${name}: PSS ${(Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]) / 1024).toFixed(1)} MB`);
  }
} finally {
  await camera.remove();
  rmSync(folder, { recursive: true });
}
for (const fault of faults.slice(0, 20)) console.log(`FAULT ${fault}`);
console.log(`${images} images, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
