/**
 * Where segments lie below the folder of the recordings, and how their names are read back:
 * `opencamera-<8 hex digits of the device>/<main|sub>/<YYYY-MM-DD>/<YYYYMMDD>T<HHMMSS>Z-<number, 8 digits>.mp4`.
 *
 * Times are UTC and name a file for people; order is by the number alone. Only names of exactly this form are ever
 * touched: whatever else lies on a card belongs to others. Pure.
 */
import type { RecordedStream } from '../isobmff/recorded-segment.ts';

const streamNames = ['main', 'sub'] as const;
const dayForm = /^\d{4}-\d{2}-\d{2}$/;
const fileForm = /^\d{8}T\d{6}Z-(\d{8})\.mp4$/;
const secondForm = /(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-\d{8}\.mp4$/;

/** The camera's own folder on a card. */
export function cameraFolderName(deviceUuid: string): string {
  return `opencamera-${deviceUuid.slice(0, 8)}`;
}

/** The folder of a stream's days. */
export function streamFolder(deviceUuid: string, stream: RecordedStream): string {
  return `${cameraFolderName(deviceUuid)}/${streamNames[stream]}`;
}

/** Path of a segment below the folder of the recordings, with `/`. */
export function segmentPath(segment: {
  readonly deviceUuid: string;
  readonly stream: RecordedStream;
  readonly number: number;
  readonly baseWallUnixMs: number;
}): string {
  const text = new Date(segment.baseWallUnixMs).toISOString();
  const day = text.slice(0, 10);
  const moment = `${day.replaceAll('-', '')}T${text.slice(11, 19).replaceAll(':', '')}Z`;
  const number = String(segment.number).padStart(8, '0');
  return `${streamFolder(segment.deviceUuid, segment.stream)}/${day}/${moment}-${number}.mp4`;
}

/** Whether a folder's name is that of a day. */
export function isDayName(name: string): boolean {
  return dayForm.test(name);
}

/** The number in a file's name; undefined for any other file. */
export function segmentNumberOf(name: string): number | undefined {
  const match = fileForm.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** The second that the name at the end of a path says, Unix ms; undefined for any other file. */
export function segmentSecondOf(path: string): number | undefined {
  const match = secondForm.exec(path);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
