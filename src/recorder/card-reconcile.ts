/**
 * Compares the card with what the index knows: mends files that were not closed, tells of those that are new and of those
 * that are gone. Names first, so that recording can begin at once; then the files, newest first.
 *
 * Only files of our own name in our own folder are looked at. A file that cannot be read is told of and passed over: the
 * next start looks again. Recorder thread, and the command that makes the index anew.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraError } from '../base/errors.ts';
import type { KnownSegment, RecorderReport } from '../ipc/messages.ts';
import type { RecordedStream } from '../isobmff/recorded-segment.ts';
import { namesIn } from './folder-names.ts';
import { isDayName, segmentNumberOf, streamFolder } from './segment-path.ts';
import { type MendedSegment, mendSegment } from './segment-repair.ts';

/** Files between two reports of progress. */
const progressFiles = 50;
/** So many files, then a pause, in which the index commits what was reported: it takes twice as much. */
const paceFiles = 10;
const paceMs = 50;

export interface ReconcileOptions {
  /** Absolute path of the folder of the recordings. */
  readonly folder: string;
  readonly deviceUuid: string;
  readonly known: readonly KnownSegment[];
  report(report: RecorderReport): void;
  /** A file could not be looked at, or nothing in it can be used, and was passed over; its path below the folder. */
  onUnreadable(file: string, error: unknown): void;
  readonly signal?: AbortSignal;
}

/** What the names told. */
export interface CardLook {
  /** By stream, the highest number that was ever used; 0 for none. */
  readonly highest: readonly [number, number];
  /** Resolves when every file was looked at. */
  readonly done: Promise<void>;
}

interface Found {
  readonly stream: RecordedStream;
  readonly number: number;
  readonly path: string;
}

/** Resolves when the names were read; rejects with what the file system says. */
export async function reconcileCard(options: ReconcileOptions): Promise<CardLook> {
  const found = [...(await filesOf(options, 0)), ...(await filesOf(options, 1))];
  const highest: [number, number] = [0, 0];
  for (const { stream, number } of [...found, ...options.known])
    highest[stream] = Math.max(highest[stream], number);
  return { highest, done: look(options, found) };
}

async function filesOf({ folder, deviceUuid }: ReconcileOptions, stream: RecordedStream): Promise<Found[]> {
  const root = streamFolder(deviceUuid, stream);
  const days = (await namesIn(path.join(folder, root))).filter(isDayName);
  const found: Found[] = [];
  for (const day of days)
    for (const name of await namesIn(path.join(folder, root, day))) {
      const number = segmentNumberOf(name);
      if (number !== undefined) found.push({ stream, number, path: `${root}/${day}/${name}` });
    }
  return found;
}

async function look(
  { folder, deviceUuid, known, report, onUnreadable, signal }: ReconcileOptions,
  found: readonly Found[],
): Promise<void> {
  const keyOf = ({ stream, number }: { stream: number; number: number }): string => `${stream}/${number}`;
  const knownByKey = new Map(known.map(segment => [keyOf(segment), segment]));
  const foundKeys = new Set(found.map(keyOf));
  const missing = known.filter(segment => !foundKeys.has(keyOf(segment)));
  if (missing.length > 0) report({ type: 'segments-missing', segments: missing });
  const pending = found
    .filter(file => knownByKey.get(keyOf(file))?.isClosed !== true)
    .sort((a, b) => b.number - a.number);
  let files = 0;
  for (const file of pending) {
    if (signal?.aborted) return;
    let mended: MendedSegment | undefined;
    try {
      mended = await mendSegment(folder, { ...file, deviceUuid }, signal);
    } catch (error) {
      if (signal?.aborted) return;
      onUnreadable(file.path, error);
      continue;
    }
    if (mended) report({ type: 'segment-found', segment: mended.segment, fragments: mended.fragments });
    else {
      onUnreadable(file.path, new CameraError('recording-damaged', 'nothing in the file can be used'));
      const known = knownByKey.get(keyOf(file));
      if (known) report({ type: 'segments-missing', segments: [known] });
    }
    files++;
    if (files % paceFiles === 0) await delay(paceMs);
    if (files % progressFiles === 0)
      report({ type: 'card-looked', files, filesTotal: pending.length, isDone: false });
  }
  report({ type: 'card-looked', files, filesTotal: pending.length, isDone: true });
}
