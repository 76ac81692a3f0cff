/**
 * The firmware upgrades of a camera that consists of its services alone: real upgrades over real slots of files in a folder
 * of their own, made when a test sets them up; off until then.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Caller } from '../../src/auth/audit-log.ts';
import type { Clock } from '../../src/base/clock.ts';
import { CameraError } from '../../src/base/errors.ts';
import type { FirmwareConfiguration } from '../../src/config/configuration.ts';
import { type BootRecord, writeBootRecord } from '../../src/firmware/boot-record.ts';
import { FileSlots } from '../../src/firmware/file-slots.ts';
import type { FirmwareManifest } from '../../src/firmware/manifest.ts';
import { noSlots } from '../../src/firmware/no-slots.ts';
import { entryOf } from '../../src/firmware/slot-folder.ts';
import { FirmwareUpgrades, type FirmwareUpgrades as Upgrades } from '../../src/firmware/upgrades.ts';
import type { UpgradesService } from '../../src/http/services.ts';
import { imageOf, keyPair } from '../firmware/images.ts';
import { tarOf } from '../firmware/tar-of.ts';

const board = 'test-board';

export const firmwareConfiguration: FirmwareConfiguration = {
  keys: [],
  developmentKey: false,
  backEnd: 'files',
  slots: '',
  command: '',
  board,
  allowDowngrade: false,
  maxImageMb: 2,
  trialSeconds: 60,
  uploadsPerHour: 1_000_000,
};

/** What can be unpacked into a slot: a version of the camera software without content. */
export function softwareOf(version: string): Buffer {
  return gzipSync(
    tarOf({ 'dist/cli.js': '// nothing', 'package.json': JSON.stringify({ name: 'opencamerad', version }) }),
  );
}

/** See the head of the file. */
export class CameraUpgrades implements UpgradesService {
  /** Of the running software. */
  readonly version = '1.0.0';
  readonly keys = keyPair();
  configuration = firmwareConfiguration;
  private readonly clock: Clock;
  private readonly record: (event: string) => void;
  private real: Upgrades;
  private folder: string | undefined;
  private onRestart: (() => void) | undefined;
  private failure: CameraError | undefined;

  constructor(clock: Clock, record: (event: string) => void) {
    this.clock = clock;
    this.record = record;
    this.real = this.make();
  }

  /** From now on images are taken. Returns the folder of the slots. @param record that they begin with. */
  setUp(record?: BootRecord): string {
    this.restore();
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'upgrades-test-'));
    writeFileSync(path.join(this.folder, 'key.pub'), this.keys.publicPem);
    const slots = path.join(this.folder, 'slots');
    for (const name of ['a', 'b'] as const)
      if (record?.slots[name]) {
        const entry = entryOf(path.join(slots, name));
        mkdirSync(path.dirname(entry), { recursive: true });
        writeFileSync(entry, '');
      }
    if (record) writeBootRecord(slots, record);
    this.real = this.make();
    return slots;
  }

  /** Resolves when the camera is told to start what is next. */
  restarted(): Promise<void> {
    return new Promise(resolve => {
      this.onRestart = resolve;
    });
  }

  /** Lets every roll-back fail. */
  failWith(error: CameraError): void {
    this.failure = error;
  }

  /** Back to how it was made. */
  restore(): void {
    this.failure = undefined;
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
    this.folder = undefined;
    this.real = this.make();
  }

  /** A signed image for this camera. */
  image(changes: Partial<FirmwareManifest> = {}, payload?: Uint8Array, key = this.keys.privateKey): Buffer {
    const version = changes.version ?? '1.1.0';
    return imageOf(payload ?? softwareOf(version), key, {
      version,
      boards: [board],
      minimumVersion: '0.0.0',
      ...changes,
    });
  }

  get imageBytesMax(): number {
    return this.real.imageBytesMax;
  }
  get uploadsPerHour(): number {
    return this.real.uploadsPerHour;
  }
  status: UpgradesService['status'] = () => this.real.status();
  watch: UpgradesService['watch'] = listener => this.real.watch(listener);
  checkReady: UpgradesService['checkReady'] = caller => this.real.checkReady(caller);
  begin: UpgradesService['begin'] = (caller: Caller) => this.real.begin(caller);
  rollBack: UpgradesService['rollBack'] = caller =>
    this.failure ? Promise.reject(this.failure) : this.real.rollBack(caller);

  private make(): Upgrades {
    const { folder, clock } = this;
    const quiet = (): void => undefined;
    return new FirmwareUpgrades({
      configuration: this.configuration,
      backEnd:
        folder === undefined
          ? noSlots('files', new CameraError('firmware-not-set-up', 'no key'))
          : FileSlots.open({
              folder: path.join(folder, 'slots'),
              running: 'factory',
              runningVersion: this.version,
              factoryVersion: this.version,
              clock,
            }),
      keyNames: folder === undefined ? [] : [path.join(folder, 'key.pub')],
      board,
      version: this.version,
      clock,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      audit: { record: event => this.record(event) },
      doing: () => ({ pictures: true, recording: false }),
      restart: () => this.onRestart?.(),
    });
  }
}
