/** What is decided before a byte of a payload is taken, and that every end of an upload leaves the camera ready for the next. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { FirmwareConfiguration } from '../../src/config/configuration.ts';
import type { BackEndView, FirmwareBackEnd } from '../../src/firmware/back-end.ts';
import type { FirmwareManifest } from '../../src/firmware/manifest.ts';
import { FirmwareUpgrades } from '../../src/firmware/upgrades.ts';
import { firmwareConfiguration } from '../http/camera-upgrades.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { imageOf, keyPair } from './images.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'upgrades-'));
after(() => rmSync(folder, { recursive: true }));
const keys = keyPair();
const keyFile = path.join(folder, 'key.pub');
writeFileSync(keyFile, keys.publicPem);
const caller = { remoteAddress: '192.0.2.1', requestId: 'test' };
const payload = Buffer.from('payload');

const view: BackEndView = {
  activeSlot: 'factory',
  slots: [],
  trial: undefined,
  rollBackTo: undefined,
  lastResult: null,
  highestVersion: null,
};

/** A back end that only writes down what it is asked. */
class NotingBackEnd implements FirmwareBackEnd {
  readonly kind = 'files';
  restart: (() => Promise<void>) | undefined;
  readonly calls: string[] = [];
  shown = view;
  /** What the next {@link begin} waits for. */
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;

  view(): BackEndView {
    return this.shown;
  }
  async begin({ version }: FirmwareManifest) {
    this.calls.push(`begin ${version}`);
    await this.gate;
    if (this.failure) throw this.failure;
    return {
      write: async (bytes: Uint8Array) => void this.calls.push(`write ${bytes.length}`),
      complete: async () => void this.calls.push('complete'),
      abandon: async () => void this.calls.push('abandon'),
    };
  }
  async confirm(version: string): Promise<void> {
    this.calls.push(`confirm ${version}`);
  }
  async reject(reason: string): Promise<void> {
    this.calls.push(`reject ${reason}`);
  }
  async rollBack(): Promise<string | null> {
    this.calls.push('roll back');
    return '0.9.0';
  }
  async failed(version: string, reason: string): Promise<void> {
    this.calls.push(`failed ${version} ${reason}`);
  }
}

function camera(
  options: {
    version?: string;
    shown?: Partial<BackEndView>;
    configuration?: Partial<FirmwareConfiguration>;
    keyNames?: readonly string[];
  } = {},
) {
  const backEnd = new NotingBackEnd();
  backEnd.shown = { ...view, ...options.shown };
  const audited: string[] = [];
  const quiet = (): void => undefined;
  const upgrades = new FirmwareUpgrades({
    configuration: { ...firmwareConfiguration, ...options.configuration },
    backEnd,
    keyNames: options.keyNames ?? [keyFile],
    board: 'test-board',
    version: options.version ?? '1.0.0',
    clock: new ManualClock(),
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    audit: { record: event => audited.push(event) },
    doing: () => ({ pictures: true, recording: false }),
    restart: quiet,
  });
  return { upgrades, backEnd, audited };
}

const image = (changes: Partial<FirmwareManifest> = {}): Buffer =>
  imageOf(payload, keys.privateKey, {
    version: '1.1.0',
    boards: ['test-board'],
    minimumVersion: '0.0.0',
    ...changes,
  });

async function send({ upgrades }: ReturnType<typeof camera>, bytes = image()): Promise<void> {
  const upload = upgrades.begin(caller);
  await upload.push(bytes);
  await upload.finish();
}

test('a good image is begun, written and completed, in this order', async () => {
  const each = camera();
  await send(each);
  assert.deepEqual(each.backEnd.calls, ['begin 1.1.0', `write ${payload.length}`, 'complete']);
  assert.deepEqual(each.audited, ['upgrade-started', 'upgrade-installed']);
  assert.equal(each.upgrades.status().state, 'ready');
});

test('an image one byte at a time is the same image', async () => {
  const each = camera();
  const upload = each.upgrades.begin(caller);
  for (const byte of image()) await upload.push(Uint8Array.of(byte));
  await upload.finish();
  assert.equal(each.backEnd.calls.at(-1), 'complete');
});

const refused: Readonly<
  Record<string, readonly [code: string, Parameters<typeof camera>[0], Partial<FirmwareManifest>]>
> = {
  'for another board': ['firmware-board-mismatch', {}, { boards: ['other'] }],
  'of the version that runs': ['firmware-installed', {}, { version: '1.0.0' }],
  'older than what runs': ['firmware-downgrade', {}, { version: '0.9.9' }],
  'older than what ever proved itself here': [
    'firmware-downgrade',
    { shown: { highestVersion: '2.0.0' } },
    { version: '1.9.9' },
  ],
  'that needs a newer version first': ['firmware-step-missing', {}, { minimumVersion: '1.0.1' }],
  'that needs a newer version first, downgrade or not': [
    'firmware-step-missing',
    { configuration: { allowDowngrade: true } },
    { minimumVersion: '1.0.1' },
  ],
  'that is larger than is allowed': [
    'firmware-too-large',
    { configuration: { maxImageMb: 1 } },
    { payloadBytes: 1_000_001 },
  ],
};
for (const [name, [code, options, changes]] of Object.entries(refused))
  test(`an image ${name} is refused by its head, before the back end hears of it`, async () => {
    const each = camera(options);
    const upload = each.upgrades.begin(caller);
    const bytes = image(changes);
    await assert.rejects(upload.push(bytes.subarray(0, bytes.length - payload.length)), { code });
    assert.deepEqual(each.backEnd.calls, []);
    assert.deepEqual(each.audited, ['upgrade-refused']);
    assert.equal(each.upgrades.status().state, 'failed');
  });

test('an older version and the same one are taken where the owner allows it', async () => {
  for (const version of ['0.5.0', '1.0.0']) {
    const each = camera({ configuration: { allowDowngrade: true }, shown: { highestVersion: '2.0.0' } });
    await send(each, image({ version }));
    assert.equal(each.backEnd.calls.at(-1), 'complete');
  }
});

test('the version that once proved itself may come again after a roll-back', async () => {
  const each = camera({ shown: { highestVersion: '1.1.0' } });
  await send(each);
  assert.equal(each.backEnd.calls.at(-1), 'complete');
});

test('without a key nothing is taken, and the state says so', () => {
  const each = camera({ keyNames: [] });
  assert.throws(() => each.upgrades.begin(caller), { code: 'firmware-not-set-up' });
  assert.equal(each.upgrades.status().state, 'off');
});

test('a key that cannot be read is said, and does not make the camera trust less than it was told', () => {
  const each = camera({ keyNames: [keyFile, path.join(folder, 'missing')] });
  assert.throws(() => each.upgrades.begin(caller), { code: 'firmware-key-invalid' });
  assert.equal(each.upgrades.status().state, 'idle');
});

test('a second upload is refused while one is under way, and taken after it was abandoned', async () => {
  const each = camera();
  const upload = each.upgrades.begin(caller);
  assert.throws(() => each.upgrades.begin(caller), { code: 'firmware-busy' });
  await upload.abandon(new Error('the client left'));
  await send(each);
});

test('an upload that is abandoned while the back end makes room leaves nothing behind', async () => {
  const each = camera();
  let open = (): void => undefined;
  each.backEnd.gate = new Promise(resolve => {
    open = resolve;
  });
  const upload = each.upgrades.begin(caller);
  const pushed = upload.push(image());
  const abandoned = upload.abandon(new Error('the client left'));
  open();
  await abandoned;
  await pushed.catch(() => undefined);
  assert.equal(each.backEnd.calls.filter(call => call === 'abandon').length, 1);
  assert.equal(each.backEnd.calls.at(-1), 'failed 1.1.0 internal');
  assert.equal(each.upgrades.status().state, 'failed');
});

test('whoever abandons an upload that is ending waits for its end', async () => {
  const each = camera();
  const upload = each.upgrades.begin(caller);
  const pushed = upload.push(Buffer.from('no image at all'));
  await Promise.all([
    assert.rejects(pushed, { code: 'firmware-malformed' }),
    upload.abandon(new Error('the client left')),
  ]);
  await upload.abandon(new Error('again'));
  each.upgrades.begin(caller);
});

test('a back end that fails ends the upload with its error, and the next one is taken', async () => {
  const each = camera();
  each.backEnd.failure = Object.assign(new Error('disk'), { code: 'EIO' });
  await assert.rejects(send(each), /disk/);
  each.backEnd.failure = undefined;
  await send(each);
});

test('nothing but the proof ends a trial', async () => {
  const expected = { pictures: true, recording: true };
  const each = camera({ shown: { trial: { expected } } });
  assert.equal(each.upgrades.status().state, 'trial');
  assert.deepEqual(each.upgrades.trial, expected);
  assert.throws(() => each.upgrades.begin(caller), { code: 'firmware-busy' });
  await assert.rejects(each.upgrades.rollBack(caller), { code: 'firmware-busy' });
  await each.upgrades.proved();
  assert.deepEqual(each.backEnd.calls, ['confirm 1.0.0']);
  assert.equal(each.upgrades.status().state, 'confirmed');
});

test('a trial that fails tells the back end why before anything is started', async () => {
  const each = camera({ shown: { trial: { expected: { pictures: true, recording: true } } } });
  const restarted = new Promise<void>(resolve => {
    each.backEnd.restart = async () => {
      each.backEnd.calls.push('restart');
      resolve();
    };
  });
  await each.upgrades.notProved('there are no pictures');
  await restarted;
  assert.deepEqual(each.backEnd.calls, ['reject there are no pictures', 'restart']);
});

test('a device that does not restart says ready, and goes on', async () => {
  const each = camera({ shown: { trial: { expected: { pictures: true, recording: true } } } });
  const told = new Promise<void>(resolve => {
    each.upgrades.watch(() => {
      if (each.upgrades.status().state === 'ready') resolve();
    });
  });
  each.backEnd.restart = () => Promise.reject(new Error('no rights'));
  await each.upgrades.notProved('x');
  await told;
});

test('eight watch at once, a ninth does not; all are told of each state', async () => {
  const each = camera();
  const states: string[] = [];
  const end = each.upgrades.watch(() => states.push(each.upgrades.status().state));
  for (let i = 1; i < 8; i++) assert.ok(each.upgrades.watch(() => undefined));
  assert.equal(
    each.upgrades.watch(() => undefined),
    undefined,
  );
  await send(each);
  assert.deepEqual([...new Set(states)], ['receiving', 'verifying', 'ready']);
  end!();
  assert.ok(each.upgrades.watch(() => undefined));
});
