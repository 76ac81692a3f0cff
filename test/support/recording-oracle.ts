/**
 * Says what is wrong with a clip of a camera that plays a test clip: each picture's number and time, and the sound's place
 * beside the pictures, against what one decode of the whole recording showed.
 *
 * The whole recording is first checked by itself: its numbers must follow one another. A clip is then looked for in it.
 * ffmpeg leaves out a picture that began before the start of a clip and stands into it; both are let pass.
 */
import { topLevelBoxes } from './clip-boxes.ts';
import { type DecodedClip, type DecodedSound, decodeClip, probeClip, secondsOf } from './decoded-clip.ts';
import { audiblePiece, OriginalSound } from './g711-original.ts';
import type { TestMedia } from './test-media.ts';

/** What a clip is to be. */
export interface ClipExpectation {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly format: 'mp4' | 'fmp4';
  readonly audio: 'flac' | 'raw' | 'none';
}

/** How far sound and picture may be apart, in seconds. */
const soundSecondsMax = 0.02;
/** The wall clock is told in whole milliseconds, once a segment. */
const clockSecondsMax = 0.002;

interface Moment {
  readonly number: number;
  readonly unixMs: number;
}

export class RecordingOracle {
  /** Pictures in the recording, in their order. */
  readonly moments: readonly Moment[];
  /** Numbers that did not follow the one before, as text. */
  readonly jumps: readonly string[];
  /** When the last picture ends. */
  readonly endUnixMs: number;
  private readonly media: TestMedia;
  private readonly original: OriginalSound;

  private constructor(media: TestMedia, moments: readonly Moment[], endUnixMs: number) {
    this.media = media;
    this.moments = moments;
    this.endUnixMs = endUnixMs;
    this.original = new OriginalSound(media.sound);
    this.jumps = moments.slice(1).flatMap(({ number, unixMs }, i) => {
      const before = moments[i]!;
      const follows = number === (before.number + 1) % media.frames;
      const stepMs = unixMs - before.unixMs;
      const isOnTime = Math.abs(stepMs - 1000 / media.framesPerSecond) < 2;
      return follows && isOnTime ? [] : [`${before.number} → ${number} after ${stepMs.toFixed(1)} ms`];
    });
  }

  /**
   * Decodes the whole recording.
   *
   * @param startUnixMs when the clip in the file begins.
   */
  static async of(file: string, startUnixMs: number, media: TestMedia): Promise<RecordingOracle> {
    const { pictures } = await decodeClip(file, media, { hasSound: false });
    const moments = pictures.map(each => ({
      number: each.number,
      unixMs: startUnixMs + each.seconds * 1000,
    }));
    const last = moments.at(-1);
    if (!last) throw new Error('the recording holds no picture');
    return new RecordingOracle(media, moments, last.unixMs + 1000 / media.framesPerSecond);
  }

  get startUnixMs(): number {
    return this.moments[0]!.unixMs;
  }

  /** What is wrong with a clip; its bytes are those of the file. Never rejects. */
  async faultsOf(file: string, bytes: Uint8Array, expected: ClipExpectation): Promise<string[]> {
    try {
      const { audio } = expected;
      const boxes = topLevelBoxes(bytes);
      const [clip, probed] = await Promise.all([
        decodeClip(file, this.media, { hasSound: audio !== 'none' }),
        probeClip(file),
      ]);
      return [
        ...orderFaults(boxes, expected),
        ...this.lengthFaults(probed, expected),
        ...codecFaults(probed.audioCodec, expected),
        ...this.pictureFaults(clip, expected),
        ...(clip.sound ? this.soundFaults(clip, clip.sound) : []),
      ];
    } catch (error) {
      return [String(error)];
    }
  }

  private lengthFaults(
    probed: { readonly seconds: number; readonly videoSeconds: number; readonly audioSeconds: number },
    { startUnixMs, endUnixMs }: ClipExpectation,
  ): string[] {
    const start = Math.max(startUnixMs, this.startUnixMs);
    const wanted = (Math.min(endUnixMs, this.endUnixMs) - start) / 1000;
    const frame = 1 / this.media.framesPerSecond + clockSecondsMax;
    const { seconds } = probed;
    return Math.abs(seconds - wanted) <= frame
      ? []
      : [`lasts ${seconds} s and not ${wanted} (${JSON.stringify(probed)})`];
  }

  private pictureFaults({ pictures }: DecodedClip, { startUnixMs, endUnixMs }: ClipExpectation): string[] {
    const { moments } = this;
    const origin = Math.max(startUnixMs, this.startUnixMs);
    const slackMs = clockSecondsMax * 1000;
    const firstWanted = moments.findIndex(({ unixMs }) => unixMs >= origin - slackMs);
    const behind = moments.findIndex(({ unixMs }) => unixMs >= endUnixMs - slackMs);
    const lastWanted = (behind < 0 ? moments.length : behind) - 1;
    // Shorter than a picture, and none begins in it: the one that stands into it is all there can be.
    if (pictures.length === 0) return firstWanted > lastWanted ? [] : ['no picture'];
    const isNear = (at: number, unixMs: number): boolean =>
      moments[at] !== undefined && Math.abs(moments[at].unixMs - unixMs) <= slackMs;
    const near = origin + pictures[0]!.seconds * 1000;
    const first = [firstWanted - 1, firstWanted, firstWanted + 1].find(at => isNear(at, near));
    if (first === undefined || (first === firstWanted + 1 && !isNear(firstWanted, origin)))
      return [`the first picture is ${text(pictures[0]!)}, not ${this.around(firstWanted, origin)}`];
    const faults = pictures.flatMap((picture, i) => {
      const moment = moments[first + i];
      const isRight = moment?.number === picture.number && isNear(first + i, origin + picture.seconds * 1000);
      return isRight ? [] : [`picture ${i} is ${text(picture)}, not ${this.around(first + i, origin)}`];
    });
    const last = first + pictures.length - 1;
    const isLastRight = last === lastWanted || (last === lastWanted + 1 && isNear(last, endUnixMs));
    if (!isLastRight)
      faults.push(`the last picture is ${text(pictures.at(-1)!)}, not ${this.around(lastWanted, origin)}`);
    return faults.slice(0, 3);
  }

  private around(index: number, origin: number): string {
    const moment = this.moments[index];
    return moment ? text({ number: moment.number, seconds: (moment.unixMs - origin) / 1000 }) : 'none';
  }

  /** Looks for the first and the last piece of the sound, where the pictures say that it is to be heard. */
  private soundFaults({ pictures }: DecodedClip, sound: DecodedSound): string[] {
    const { framesPerSecond, frames } = this.media;
    const { samples } = sound;
    const faults: string[] = [];
    const [picture] = pictures;
    if (!picture) return [];
    const length = pictures.at(-1)!.seconds + 1 / framesPerSecond;
    if (samples.length === 0) return length > 0.25 ? ['no sound'] : [];
    const begins = secondsOf(sound, 0);
    const ends = secondsOf(sound, samples.length - 1);
    if (begins > 0.15 || ends < length - 0.15)
      faults.push(`the sound goes from ${begins} to ${ends} of ${length} s`);
    for (const start of new Set([0, Math.max(0, samples.length - 4000)])) {
      const piece = audiblePiece(samples, start);
      if (piece === undefined) continue;
      const heard = picture.number / framesPerSecond + secondsOf(sound, piece) - picture.seconds;
      const places = this.original.placesOf(samples, piece);
      const rounds = Math.min(frames / framesPerSecond, this.original.length / 8000);
      const off = Math.min(...places.map(place => Math.abs(centred(heard - place / 8000, rounds))));
      if (places.length === 0) faults.push(`the sound at ${secondsOf(sound, piece)} s is not the original`);
      else if (off > soundSecondsMax)
        faults.push(`the sound at ${secondsOf(sound, piece)} s is ${(off * 1000).toFixed(1)} ms off`);
      this.soundOffsets.push(off);
    }
    return faults;
  }

  /** Seconds between sound and picture, of every piece that was looked for. */
  readonly soundOffsets: number[] = [];
}

function text({ number, seconds }: { readonly number: number; readonly seconds: number }): string {
  return `${number} at ${seconds.toFixed(4)} s`;
}

/** The same place on a circle, between minus and plus half a round. */
function centred(seconds: number, round: number): number {
  return seconds - round * Math.round(seconds / round);
}

function orderFaults(boxes: readonly string[], { format }: ClipExpectation): string[] {
  const order = boxes.join(' ');
  const isRight =
    format === 'mp4' ? /^ftyp moov mdat$/.test(order) : /^ftyp moov( moof mdat)+( mfra)?$/.test(order);
  return isRight ? [] : [`boxes ${order.slice(0, 120)}`];
}

function codecFaults(codec: string | undefined, { audio }: ClipExpectation): string[] {
  const wanted = { flac: 'flac', raw: 'pcm_mulaw', none: undefined }[audio];
  return codec === wanted ? [] : [`the sound is ${codec}, not ${wanted}`];
}
