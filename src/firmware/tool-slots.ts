/**
 * The back end of slots that a program of the device keeps: the payload is handed to it as a file, whole and verified.
 *
 * The device restarts as a whole, and its boot loader falls back when a version does not come up. What this adds is the
 * proof that the camera works, not only the kernel, and the memory of what was tried: the boot record in the slots' folder
 * (boot-record.ts), in which slot `a` stands for the last image and nothing is started from it.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import { CameraError } from '../base/errors.ts';
import type { BackEndView, FirmwareBackEnd, Installation } from './back-end.ts';
import { confirm, endTrial } from './boot-choice.ts';
import { type BootRecord, readBootRecord, type Trial, writeBootRecord } from './boot-record.ts';
import type { FirmwareManifest } from './manifest.ts';
import { PayloadFile } from './payload-file.ts';
import type { SlotTool, ToolStatus } from './slot-tool.ts';
import { onDisk } from './storage-errors.ts';

interface Options {
  readonly tool: SlotTool;
  /** For the payload and the record; made if it is missing. */
  readonly folder: string;
  readonly runningVersion: string;
  readonly clock: Pick<Clock, 'wallUnixMs'>;
}

/** See the head of the file. */
export class ToolSlots implements FirmwareBackEnd {
  readonly kind: 'rauc' | 'command';
  readonly restart: () => Promise<void>;
  private readonly options: Options;
  private record: BootRecord;
  private status: ToolStatus;
  private isInstalled = false;

  private constructor(options: Options, record: BootRecord, status: ToolStatus) {
    this.options = options;
    this.kind = options.tool.kind;
    this.restart = () => options.tool.restart();
    this.record = record;
    this.status = status;
  }

  /** Asks the program for its slots; rejects with `firmware-tool-failed` when it cannot be used. */
  static async open(options: Options): Promise<ToolSlots> {
    await onDisk(() => mkdirSync(options.folder, { recursive: true, mode: 0o700 }));
    let { record } = readBootRecord(options.folder);
    const slots = new ToolSlots(options, record, await options.tool.status());
    if (record.trial && record.slots.a?.version !== options.runningVersion) {
      record = endTrial(record, 'the device started the version before', options.clock.wallUnixMs());
      await onDisk(() => slots.write(record));
    }
    return slots;
  }

  view(): BackEndView {
    const { record, status } = this;
    const { activeSlot, slots, previous } = status;
    return {
      activeSlot,
      slots,
      trial: this.isInstalled ? undefined : (record.trial ?? undefined),
      rollBackTo: previous && { slot: previous.name, version: previous.version },
      lastResult: record.lastResult,
      highestVersion: record.highestVersion,
    };
  }

  async begin(manifest: FirmwareManifest, expected: Trial['expected']): Promise<Installation> {
    const { folder, tool } = this.options;
    const payload = await PayloadFile.create(path.join(folder, 'payload.part'), manifest);
    return {
      write: bytes => payload.write(bytes),
      complete: async () => {
        await payload.settle(manifest);
        await tool.install(payload.file, manifest.version);
        await payload.remove();
        const { version, payloadSha256 } = manifest;
        await onDisk(() =>
          this.write({
            ...this.record,
            slots: { ...this.record.slots, a: { version, payloadSha256, state: 'untried' } },
            trial: { slot: 'a', startsLeft: 0, expected },
          }),
        );
        this.isInstalled = true;
      },
      abandon: () => payload.remove(),
    };
  }

  async confirm(version: string): Promise<void> {
    if (!this.record.trial) return;
    await this.options.tool.markGood();
    await onDisk(() => this.write(confirm(this.record, version, this.options.clock.wallUnixMs())));
    this.status = await this.options.tool.status();
  }

  async reject(reason: string): Promise<void> {
    await this.options.tool.markBad();
    await onDisk(() => this.write(endTrial(this.record, reason, this.options.clock.wallUnixMs())));
  }

  async rollBack(): Promise<string | null> {
    const { tool } = this.options;
    this.status = await tool.status();
    const { previous } = this.status;
    if (!previous) throw new CameraError('firmware-no-previous', 'there is no version to go back to');
    await tool.activateOther();
    return previous.version;
  }

  async failed(version: string, reason: string): Promise<void> {
    const atUnixMs = this.options.clock.wallUnixMs();
    await onDisk(() =>
      this.write({ ...this.record, lastResult: { outcome: 'failed', version, reason, atUnixMs } }),
    );
  }

  private write(record: BootRecord): void {
    writeBootRecord(this.options.folder, record);
    this.record = record;
  }
}
