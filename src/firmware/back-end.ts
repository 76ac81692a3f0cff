/**
 * What installs an image and starts it: slots of files, RAUC, or a board's own tool, behind one interface. The upgrade
 * itself (upgrades.ts) knows keys, boards and versions; a back end knows where the payload goes.
 */
import type { BootSource, Trial, UpgradeResult } from './boot-record.ts';
import type { FirmwareManifest } from './manifest.ts';

/** A place for a version, as the API shows it. */
export interface SlotView {
  readonly name: string;
  /** Null: empty, or not known. */
  readonly version: string | null;
  readonly state: 'empty' | 'installing' | 'untried' | 'good' | 'bad' | 'unknown';
}

export interface BackEndView {
  /** The slot that runs. */
  readonly activeSlot: string;
  readonly slots: readonly SlotView[];
  /** Whether the running version has yet to prove itself. */
  readonly trial: Pick<Trial, 'expected'> | undefined;
  /** What an owner could go back to. */
  readonly rollBackTo: { readonly slot: BootSource | string; readonly version: string | null } | undefined;
  readonly lastResult: UpgradeResult | null;
  readonly highestVersion: string | null;
}

/** One payload on its way; one at a time. */
export interface Installation {
  /** Takes the next bytes of the payload; borrowed until the promise is settled. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * The payload is whole and the one that was signed: brings it to the disk, reads it back and, as the last step, makes it
   * what is started next.
   */
  complete(): Promise<void>;
  /** It comes to nothing. Never rejects; after {@link complete} it changes nothing. */
  abandon(): Promise<void>;
}

/** See the head of the file. Methods reject with CameraError `firmware-…`. */
export interface FirmwareBackEnd {
  readonly kind: 'files' | 'rauc' | 'command';
  view(): BackEndView;
  /** Makes room for a payload. What runs now is not touched until the installation is complete. */
  begin(manifest: FirmwareManifest, expected: Trial['expected']): Promise<Installation>;
  /** The running version has proved itself. */
  confirm(version: string): Promise<void>;
  /** The running version could not prove itself in time: what runs next is the one before. */
  reject(reason: string): Promise<void>;
  /** Makes the version before what is started next. Resolves to its version, null if that is not known. */
  rollBack(expected: Trial['expected']): Promise<string | null>;
  /** Notes that an upgrade came to nothing. */
  failed(version: string, reason: string): Promise<void>;
  /** Starts what is next; undefined where the process ends and is started again by the launcher. */
  readonly restart: (() => Promise<void>) | undefined;
}
