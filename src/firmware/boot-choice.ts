/**
 * What is started, and what is concluded from its end. Pure: the launcher does as it is told here (commands/launch.ts).
 *
 * A version on trial has a few starts and a time limit; when it does not prove itself, the one before is active still, for
 * a trial changes nothing but itself. A version that had proved itself and now crashes again and again is given up for
 * the other slot if that is good, else for what the device came with.
 */
import { type BootRecord, type BootSource, crashesMax, type SlotRecord } from './boot-record.ts';
import { isNewerVersion } from './version.ts';

export interface BootChoice {
  readonly source: BootSource;
  readonly isTrial: boolean;
  /** To be written before the start, if it is another than the one that was read. */
  readonly record: BootRecord;
}

/** What {@link chooseBoot} must be told. */
export interface BootFacts {
  /** Whether what is in a slot could be started at all. */
  isThere(source: BootSource): boolean;
  readonly nowUnixMs: number;
}

/** Decides what is started now. */
export function chooseBoot(record: BootRecord, facts: BootFacts): BootChoice {
  const { trial } = record;
  if (trial) {
    if (trial.startsLeft > 0 && facts.isThere(trial.slot)) {
      const counted = { ...record, trial: { ...trial, startsLeft: trial.startsLeft - 1 } };
      return { source: trial.slot, isTrial: true, record: counted };
    }
    const reason = facts.isThere(trial.slot) ? 'it did not prove itself' : 'its files are not whole';
    return chooseBoot(endTrial(record, reason, facts.nowUnixMs), facts);
  }
  if (record.crashes >= crashesMax || !facts.isThere(record.active)) {
    const other = replacement(record, facts);
    if (other !== record.active) {
      const reason = facts.isThere(record.active) ? 'it crashed again and again' : 'its files are not whole';
      return { source: other, isTrial: false, record: replaced(record, other, reason, facts.nowUnixMs) };
    }
  }
  return { source: record.active, isTrial: false, record };
}

/** The version on trial is given up. */
export function endTrial(record: BootRecord, reason: string, nowUnixMs: number): BootRecord {
  const { trial } = record;
  if (!trial) return record;
  return {
    ...marked(record, trial.slot, 'bad'),
    trial: null,
    lastResult: {
      outcome: 'fell-back',
      version: versionOf(record, trial.slot),
      reason,
      atUnixMs: nowUnixMs,
    },
  };
}

/** Gives a start on trial back: it was ended from outside before it could prove anything. */
export function giveStartBack(record: BootRecord): BootRecord {
  const { trial } = record;
  return trial ? { ...record, trial: { ...trial, startsLeft: trial.startsLeft + 1 } } : record;
}

/** The running version has proved itself. `version` is what it says of itself. */
export function confirm(record: BootRecord, version: string, nowUnixMs: number): BootRecord {
  const { trial, highestVersion } = record;
  if (!trial) return record.crashes === 0 ? record : { ...record, crashes: 0 };
  return {
    ...marked(record, trial.slot, 'good'),
    active: trial.slot,
    trial: null,
    crashes: 0,
    highestVersion:
      highestVersion === null || isNewerVersion(version, highestVersion) ? version : highestVersion,
    lastResult: { outcome: 'confirmed', version, atUnixMs: nowUnixMs },
  };
}

/** What an owner who wants the version before goes back to; undefined when there is none. */
export function rollBackTarget(record: BootRecord): BootSource | undefined {
  if (record.trial) return undefined;
  const { active, slots } = record;
  if (active !== 'a' && slots.a?.state === 'good') return 'a';
  if (active !== 'b' && slots.b?.state === 'good') return 'b';
  return active === 'factory' ? undefined : 'factory';
}

function replacement(record: BootRecord, facts: BootFacts): BootSource {
  for (const slot of ['a', 'b'] as const)
    if (slot !== record.active && record.slots[slot]?.state === 'good' && facts.isThere(slot)) return slot;
  return 'factory';
}

function replaced(record: BootRecord, by: BootSource, reason: string, atUnixMs: number): BootRecord {
  const version = versionOf(record, record.active);
  return {
    ...marked(record, record.active, 'bad'),
    active: by,
    crashes: 0,
    lastResult: { outcome: 'fell-back', version, reason, atUnixMs },
  };
}

function marked(record: BootRecord, source: BootSource, state: SlotRecord['state']): BootRecord {
  if (source === 'factory') return record;
  const slot = record.slots[source];
  return slot ? { ...record, slots: { ...record.slots, [source]: { ...slot, state } } } : record;
}

function versionOf(record: BootRecord, source: BootSource): string {
  return source === 'factory' ? 'factory' : (record.slots[source]?.version ?? 'unknown');
}
