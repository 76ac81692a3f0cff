/**
 * Everything that a viewer gets from a clip: each picture with its number and time, each sample of sound with its time.
 *
 * ffmpeg decodes, and every warning it has is an error here; so this is an oracle apart from our own code. Times are those
 * of the file's time line with its edit lists applied.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type CountedFrame, numberOf } from './frame-counter.ts';

const execute = promisify(execFile);

/** Samples of sound a second. */
export const soundRate = 8000;

/** Consecutive decoded samples that begin at a known time. */
interface SoundFrame {
  /** Of the first sample. */
  readonly seconds: number;
  /** Where they begin in `samples`. */
  readonly from: number;
  readonly count: number;
}

/** The sound of a clip. */
export interface DecodedSound {
  readonly samples: Int16Array;
  readonly frames: readonly SoundFrame[];
}

export interface DecodedClip {
  readonly pictures: readonly CountedFrame[];
  /** Undefined: the file has no track of sound. */
  readonly sound: DecodedSound | undefined;
}

/** What ffprobe says of a file. */
export interface ProbedClip {
  /** When the first sample of all begins. */
  readonly startSeconds: number;
  readonly seconds: number;
  readonly videoCodec: string | undefined;
  readonly videoSeconds: number;
  readonly audioCodec: string | undefined;
  readonly audioSeconds: number;
}

/**
 * What ffprobe reads; rejects when it has anything to say besides.
 *
 * @param file a path or a URL.
 */
export async function probeClip(file: string): Promise<ProbedClip> {
  const entries = 'format=start_time,duration:stream=codec_type,codec_name,duration';
  const { stdout, stderr } = await execute('ffprobe', [
    ...['-v', 'warning', '-show_entries', entries, '-of', 'json', file],
  ]);
  if (stderr !== '') throw new Error(`ffprobe: ${stderr.trim()}`);
  const { format, streams } = JSON.parse(stdout) as {
    format: { start_time?: string; duration?: string };
    streams: { codec_type: string; codec_name: string; duration?: string }[];
  };
  const video = streams.find(stream => stream.codec_type === 'video');
  const audio = streams.find(stream => stream.codec_type === 'audio');
  return {
    startSeconds: Number(format.start_time),
    seconds: Number(format.duration),
    videoCodec: video?.codec_name,
    videoSeconds: Number(video?.duration ?? Number.NaN),
    audioCodec: audio?.codec_name,
    audioSeconds: Number(audio?.duration ?? Number.NaN),
  };
}

/**
 * Decodes a file of the test clips; rejects when ffmpeg warns of anything.
 *
 * @param video undefined: only the sound is decoded.
 */
export async function decodeClip(
  file: string,
  video: { readonly width: number; readonly height: number } | undefined,
  { hasSound }: { readonly hasSound: boolean },
): Promise<DecodedClip> {
  const stripMiddle = video && video.height >= 1080 ? 24 : 16;
  const filters = `crop=iw:2:0:${stripMiddle},format=gray,crop=iw:1:0:0,showinfo=checksum=0`;
  const videoOutput = ['-map', '0:v:0', '-vf', filters, '-enc_time_base', '-1', '-fps_mode', 'passthrough'];
  const soundOutput = ['-map', '0:a:0', '-af', 'ashowinfo', '-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:3'];
  const child = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostats', '-loglevel', 'level+info', '-copyts', '-i', file],
      ...(video ? [...videoOutput, '-f', 'rawvideo', 'pipe:1'] : []),
      ...(hasSound ? soundOutput : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const [output, log, sound] = await Promise.all([
    bytesOf(child.stdout!),
    bytesOf(child.stderr!),
    bytesOf(child.stdio[3] as Readable),
    once(child, 'close'),
  ]);
  const lines = log.toString().split('\n');
  const complaints = lines.filter(line => /\[(warning|error|fatal|panic)\]/.test(line));
  if (child.exitCode !== 0 || complaints.length > 0)
    throw new Error(
      `ffmpeg ${child.exitCode}: ${(complaints.length > 0 ? complaints : lines).slice(0, 8).join('\n')}`,
    );
  return {
    pictures: video ? picturesOf(output, lines, video.width) : [],
    sound: hasSound ? soundOf(sound, lines) : undefined,
  };
}

function picturesOf(output: Buffer, lines: readonly string[], width: number): CountedFrame[] {
  const times = lines.flatMap(line => {
    const match = /Parsed_showinfo.* n: *\d+ pts: *-?\d+ pts_time:(-?[\d.e-]+)/.exec(line);
    return match ? [Number(match[1])] : [];
  });
  if (output.length !== times.length * width)
    throw new Error(`${output.length / width} pictures, ${times.length} times`);
  return times.map((seconds, i) => ({
    number: numberOf(output.subarray(i * width, (i + 1) * width)),
    seconds,
  }));
}

function soundOf(output: Buffer, lines: readonly string[]): DecodedSound {
  let from = 0;
  const frames = lines.flatMap(line => {
    const match = /Parsed_ashowinfo.* pts_time:(-?[\d.e-]+) .*nb_samples:(\d+)/.exec(line);
    if (!match) return [];
    const count = Number(match[2]);
    from += count;
    return [{ seconds: Number(match[1]), from: from - count, count }];
  });
  if (output.length !== from * 2) throw new Error(`${output.length / 2} samples of sound, told of ${from}`);
  const samples = new Int16Array(from);
  for (let i = 0; i < from; i++) samples[i] = output.readInt16LE(2 * i);
  return { samples, frames };
}

/** When a sample is heard. */
export function secondsOf({ frames }: DecodedSound, sample: number): number {
  const frame = frames.find(({ from, count }) => sample < from + count)!;
  return frame.seconds + (sample - frame.from) / soundRate;
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
