/**
 * The boot record: which version of the camera software runs, which is on trial, and what came of the last upgrade.
 *
 * One JSON file beside the slots, `boot.json`, written whole or not at all, with a checksum; the one before stays as
 * `boot.previous.json`, for file systems that lose a name in a power cut. Nothing else decides what is started, so a cut
 * at any moment leaves the old decision or the new one. It has one writer at a time: the launcher while no camera runs,
 * the camera while it runs. Synchronous: a few hundred bytes, at a start and at an upgrade.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeWhole } from '../config/state-folder.ts';

/** A folder that images are put into. */
export type SlotName = 'a' | 'b';

/** What can run: a slot, or the software that was on the device from the beginning and is never written. */
export type BootSource = SlotName | 'factory';

/** What is in a slot. */
export interface SlotRecord {
  readonly version: string;
  /** Of the image's payload, 64 hexadecimal digits. */
  readonly payloadSha256: string;
  /** `installing`: not whole; `untried`: whole, and has not proved itself; `good`: it has; `bad`: it could not. */
  readonly state: 'installing' | 'untried' | 'good' | 'bad';
}

/** A version that has to prove itself. */
export interface Trial {
  readonly slot: BootSource;
  /** How often it may still be started. */
  readonly startsLeft: number;
  /** What the camera did before the upgrade, and so has to do again. */
  readonly expected: { readonly pictures: boolean; readonly recording: boolean };
}

/** What came of the last upgrade or roll-back. */
export interface UpgradeResult {
  readonly outcome: 'confirmed' | 'fell-back' | 'failed';
  /** Of the image, or of what was rolled back to. */
  readonly version: string;
  /** Why, for `fell-back` and `failed`; a code or a sentence. */
  readonly reason?: string;
  /** On the wall clock; for people. */
  readonly atUnixMs: number;
}

export interface BootRecord {
  /** What runs when nothing is on trial. */
  readonly active: BootSource;
  readonly slots: Readonly<Record<SlotName, SlotRecord | null>>;
  readonly trial: Trial | null;
  /** The newest version that has proved itself here; older images are refused. */
  readonly highestVersion: string | null;
  /** How often in a row the active version ended by itself before it had proved itself again. */
  readonly crashes: number;
  readonly lastResult: UpgradeResult | null;
}

/** Of a device on which nothing was ever upgraded. */
export const emptyBootRecord: BootRecord = {
  active: 'factory',
  slots: { a: null, b: null },
  trial: null,
  highestVersion: null,
  crashes: 0,
  lastResult: null,
};

/** Starts that a version has to prove itself in. */
export const trialStarts = 3;

/** Crashes in a row after which the active version is given up for another good one. */
export const crashesMax = 5;

const names = { current: 'boot.json', previous: 'boot.previous.json' };
const formatVersion = 1;

/** What {@link readBootRecord} found. */
export interface FoundRecord {
  readonly record: BootRecord;
  /** `previous`: the newest could not be read; `none`: there is none, or none that can be read. */
  readonly from: 'current' | 'previous' | 'none';
}

/** Reads the record in a folder of slots; never throws. */
export function readBootRecord(folder: string): FoundRecord {
  for (const from of ['current', 'previous'] as const)
    try {
      return { record: decode(readFileSync(path.join(folder, names[from]), 'utf8')), from };
    } catch {
      // The next one.
    }
  return { record: emptyBootRecord, from: 'none' };
}

/** Writes the record; when this returns it is on the disk. Throws what the file system throws. */
export function writeBootRecord(folder: string, record: BootRecord): void {
  let current: string | undefined;
  try {
    current = readFileSync(path.join(folder, names.current), 'utf8');
    decode(current);
  } catch {
    // One that cannot be read is no use as the previous one.
    current = undefined;
  }
  if (current !== undefined) writeWhole(folder, names.previous, current);
  writeWhole(folder, names.current, encode(record));
}

function encode(record: BootRecord): string {
  const text = JSON.stringify(record);
  return JSON.stringify({ formatVersion, sha256: digest(text), record }, null, 1);
}

/** Throws for everything that {@link encode} did not write. */
function decode(text: string): BootRecord {
  const value = JSON.parse(text) as { formatVersion: number; sha256: string; record: BootRecord };
  if (value.formatVersion !== formatVersion || value.sha256 !== digest(JSON.stringify(value.record)))
    throw new Error('the boot record is damaged');
  return value.record;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
