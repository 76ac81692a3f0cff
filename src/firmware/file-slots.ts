/**
 * The back end of file slots: two folders and a boot record; the launcher starts what the record says.
 *
 *     SLOTS/boot.json          the decision (boot-record.ts)
 *     SLOTS/a/, SLOTS/b/       what is in the slots (slot-folder.ts)
 *     SLOTS/payload.part       an upload
 *     SLOTS/lock               the launcher's (commands/launch.ts)
 *
 * Invariants, each with a test:
 * 1. What runs is never written: an image goes to the slot that neither runs nor is active, and never while a trial runs.
 *    What is in that slot stays until the whole payload is here and is the one that was signed.
 * 2. A slot whose files are not whole is `installing` in the record, before its old content is touched.
 * 3. The record names a slot for a trial only after all its files are on the disk, under their final name, read back.
 * 4. The last step of each operation is one write of the record. A cut before it changes nothing that is started.
 * 5. What a cut left half done is removed at the next start of the camera.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { BackEndView, FirmwareBackEnd, Installation, SlotView } from './back-end.ts';
import { confirm, endTrial, rollBackTarget } from './boot-choice.ts';
import {
  type BootRecord,
  type BootSource,
  readBootRecord,
  type SlotName,
  type SlotRecord,
  type Trial,
  trialStarts,
  writeBootRecord,
} from './boot-record.ts';
import { reserveBytes } from './limits.ts';
import type { FirmwareManifest } from './manifest.ts';
import { freeBytesOf, PayloadFile } from './payload-file.ts';
import { entryOf, makeSlotFolder, syncFolder } from './slot-folder.ts';
import { onDisk } from './storage-errors.ts';

const slotNames: readonly SlotName[] = ['a', 'b'];
const payloadName = 'payload.part';

interface Options {
  /** Absolute path of the slots; made if it is missing. */
  readonly folder: string;
  /** What runs, as the launcher said. */
  readonly running: BootSource;
  readonly runningVersion: string;
  /** Of the software that the device came with; null when it cannot be told. */
  readonly factoryVersion: string | null;
  readonly clock: Pick<Clock, 'wallUnixMs'>;
}

/** See the head of the file. */
export class FileSlots implements FirmwareBackEnd {
  readonly kind = 'files';
  readonly restart = undefined;
  private readonly options: Options;
  private record: BootRecord;

  private constructor(options: Options, record: BootRecord) {
    this.options = options;
    this.record = record;
  }

  /** Opens the slots and clears away what a power cut left. Throws what the file system throws. */
  static open(options: Options): FileSlots {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const slots = new FileSlots(options, readBootRecord(options.folder).record);
    slots.clearAway();
    return slots;
  }

  view(): BackEndView {
    const { record, options } = this;
    const target = rollBackTarget(record);
    const factory: SlotView = { name: 'factory', version: options.factoryVersion, state: 'good' };
    return {
      activeSlot: options.running,
      slots: [
        factory,
        ...slotNames.map((name): SlotView => {
          const slot = record.slots[name];
          return slot
            ? { name, version: slot.version, state: slot.state }
            : { name, version: null, state: 'empty' };
        }),
      ],
      trial: this.isOnTrial ? record.trial! : undefined,
      rollBackTo: target && { slot: target, version: this.versionOf(target) },
      lastResult: record.lastResult,
      highestVersion: record.highestVersion,
    };
  }

  async begin(manifest: FirmwareManifest, expected: Trial['expected']): Promise<Installation> {
    const { folder } = this.options;
    const slot = this.slotToWrite();
    const payload = await PayloadFile.create(path.join(folder, payloadName), manifest);
    let isSlotTouched = false;
    let isDone = false;
    return {
      write: bytes => payload.write(bytes),
      complete: async () => {
        await payload.settle(manifest);
        isSlotTouched = true;
        await onDisk(() => this.fill(slot, payload.file, manifest, expected));
        isDone = true;
        await payload.remove();
      },
      abandon: async () => {
        if (isDone) return;
        await payload.remove();
        if (isSlotTouched) await this.giveUp(slot);
      },
    };
  }

  async confirm(version: string): Promise<void> {
    const next = confirm(this.record, version, this.options.clock.wallUnixMs());
    if (next !== this.record) await onDisk(() => this.write(next));
  }

  async reject(reason: string): Promise<void> {
    await onDisk(() => this.write(endTrial(this.record, reason, this.options.clock.wallUnixMs())));
  }

  async rollBack(expected: Trial['expected']): Promise<string | null> {
    const slot = rollBackTarget(this.record);
    if (!slot) throw new CameraError('firmware-no-previous', 'there is no version to go back to');
    await onDisk(() => this.write({ ...this.record, trial: { slot, startsLeft: trialStarts, expected } }));
    return this.versionOf(slot);
  }

  async failed(version: string, reason: string): Promise<void> {
    const atUnixMs = this.options.clock.wallUnixMs();
    await onDisk(() =>
      this.write({ ...this.record, lastResult: { outcome: 'failed', version, reason, atUnixMs } }),
    );
  }

  private get isOnTrial(): boolean {
    const { trial } = this.record;
    return trial !== null && trial.slot === this.options.running;
  }

  private versionOf(source: BootSource): string | null {
    return source === 'factory' ? this.options.factoryVersion : (this.record.slots[source]?.version ?? null);
  }

  /** Invariant 1. */
  private slotToWrite(): SlotName {
    const { record, options } = this;
    if (record.trial)
      throw new CameraError('firmware-busy', 'an upgrade waits for its start, or is on trial');
    const free = slotNames.filter(name => name !== options.running && name !== record.active);
    // Of two that are free the one without a good version goes first.
    const slot = free.find(name => record.slots[name]?.state !== 'good') ?? free[0];
    if (!slot)
      throw new CameraError('firmware-busy', 'both slots are in use until the camera is started again');
    return slot;
  }

  private withSlot(name: SlotName, slot: SlotRecord | null): BootRecord {
    return { ...this.record, slots: { ...this.record.slots, [name]: slot } };
  }

  private write(record: BootRecord): void {
    writeBootRecord(this.options.folder, record);
    this.record = record;
  }

  /** Invariants 2 to 4. */
  private async fill(
    slot: SlotName,
    payloadFile: string,
    { version, payloadSha256 }: FirmwareManifest,
    expected: Trial['expected'],
  ): Promise<void> {
    const { folder } = this.options;
    this.write(this.withSlot(slot, { version, payloadSha256, state: 'installing' }));
    await this.empty(slot);
    const bytesMax = (await freeBytesOf(folder)) - reserveBytes;
    await makeSlotFolder(payloadFile, path.join(folder, slot), { version, bytesMax });
    this.write({
      ...this.withSlot(slot, { version, payloadSha256, state: 'untried' }),
      trial: { slot, startsLeft: trialStarts, expected },
    });
  }

  private async empty(slot: SlotName): Promise<void> {
    const { folder } = this.options;
    for (const name of [slot, `${slot}.new`])
      await rm(path.join(folder, name), { recursive: true, force: true });
    await syncFolder(folder);
  }

  private async giveUp(slot: SlotName): Promise<void> {
    await this.empty(slot).catch(() => undefined);
    try {
      this.write(this.withSlot(slot, null));
    } catch {
      // It stays `installing`, and is cleared away at the next start.
    }
  }

  /** Invariant 5. */
  private clearAway(): void {
    const { folder, running } = this.options;
    let { record } = this;
    for (const name of slotNames) {
      const isGone = !existsSync(entryOf(path.join(folder, name)));
      const isHalf = record.slots[name]?.state === 'installing';
      if (name !== running && (isHalf || (isGone && record.slots[name]))) {
        if (record.trial?.slot === name) continue;
        record = { ...record, slots: { ...record.slots, [name]: null } };
      }
    }
    if (record !== this.record) this.write(record);
    const kept = new Set<string>([running, ...slotNames.filter(name => record.slots[name])]);
    for (const name of readdirSync(folder))
      if (name === payloadName || /^[ab](\.new)?$/.test(name))
        if (!kept.has(name)) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
