/**
 * Reads the frame numbers of the test clips back from a video file, with the time at which each picture is shown.
 *
 * The number is drawn along the top edge as 24 cells (shared/media/README.md): white, black, 16 bits, the xor of its four
 * nibbles, black, white. ffmpeg decodes, so this is an oracle apart from our own code.
 */
import { spawnSync } from 'node:child_process';

/** One decoded picture. */
export interface CountedFrame {
  /** The number in the picture; -1 when it cannot be read. */
  readonly number: number;
  /** Seconds on the file's time line, edit lists applied. */
  readonly seconds: number;
}

const cells = 24;
const outputBytesMax = 1 << 30;

/**
 * Decodes a file, or standard input given as bytes.
 *
 * @throws when ffmpeg says anything at all: a clean file is silent.
 */
export function countedFrames(file: string, size: { width: number; height: number }): CountedFrame[] {
  const { width, height } = size;
  const stripHeight = height >= 1080 ? 48 : 32;
  const filters = `crop=${width}:2:0:${stripHeight / 2},format=gray,showinfo=checksum=0`;
  const { stdout, stderr, status } = spawnSync(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostats', '-i', file, '-an', '-vf', filters],
      ...['-enc_time_base', '-1', '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    ],
    { maxBuffer: outputBytesMax },
  );
  const log = stderr.toString();
  const times = [...log.matchAll(/showinfo.* n: *\d+ pts: *-?\d+ pts_time:(-?[\d.]+)/g)].map(match =>
    Number(match[1]),
  );
  const complaints = log
    .split('\n')
    .filter(line => /error|invalid|corrupt|missing|non-monoton|conceal/i.test(line));
  if (status !== 0 || complaints.length > 0) throw new Error(`ffmpeg: ${complaints.join('\n') || log}`);
  const frameBytes = 2 * width;
  const count = stdout.length / frameBytes;
  if (count !== times.length) throw new Error(`${count} pictures, ${times.length} times`);
  return times.map((seconds, i) => ({
    number: numberOf(stdout.subarray(i * frameBytes, i * frameBytes + width)),
    seconds,
  }));
}

/** The number in one line of grey pixels, one byte each; -1 when it cannot be read. */
export function numberOf(line: Uint8Array): number {
  const bit = (cell: number): number =>
    line[Math.floor(((cell + 0.5) * line.length) / cells)]! > 128 ? 1 : 0;
  const bits = (from: number, to: number): number => {
    let value = 0;
    for (let cell = from; cell < to; cell++) value = (value << 1) | bit(cell);
    return value;
  };
  const number = bits(2, 18);
  const check = ((number >> 12) ^ (number >> 8) ^ (number >> 4) ^ number) & 15;
  const isWhole = bit(0) === 1 && bit(1) === 0 && bit(22) === 0 && bit(23) === 1 && bits(18, 22) === check;
  return isWhole ? number : -1;
}
