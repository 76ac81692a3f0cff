/**
 * What the measured cameras play: synthetic 1080p60 unless `--clip` names a file, written to the run's folder once; and
 * the bundled speech as sound. The clip is read in the process that measures, so its size is bounded.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolder } from '../../src/supervisor/worker-entry.ts';
import type { BenchContext } from '../context.ts';
import { annexBOf, syntheticFormat, syntheticPictures } from './synthetic-video.ts';

/** Seconds of the synthetic file; it is played round and round. */
const fileSeconds = 10;

/** Bytes of the first `seconds` seconds of the video, by its mean bit rate for a clip of one's own. */
export function videoBytes(context: BenchContext, seconds: number): Uint8Array {
  const { clip } = context.options;
  return clip === undefined ? annexBOf(syntheticPictures(seconds)) : headOf(clip, seconds * 1_000_000);
}

/** At most so many bytes from the beginning of a file. */
function headOf(file: string, bytesMax: number): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = new Uint8Array(Math.min(bytesMax, fstatSync(descriptor).size));
    return bytes.subarray(0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

/** Flags of a camera that plays the video and the bundled speech. */
export function sourceFlags(context: BenchContext): readonly string[] {
  const { clip, clipFps } = context.options;
  const file = clip === undefined ? syntheticFile(context) : path.resolve(clip);
  const fps = clip === undefined ? syntheticFormat.framesPerSecond : clipFps;
  const speech = fileURLToPath(new URL('assets/demo/demo-speech.ulaw', packageFolder()));
  return ['--source', `file:${file}`, '--source-fps', String(fps), '--audio-source', `file:${speech}`];
}

function syntheticFile(context: BenchContext): string {
  const file = path.join(context.folder, 'synthetic-1080p60.h264');
  if (!existsSync(file)) writeFileSync(file, annexBOf(syntheticPictures(fileSeconds)));
  return file;
}
