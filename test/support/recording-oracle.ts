/**
 * Says what is wrong with a clip of a camera that plays a test clip: each picture's number and time, and the sound's place
 * beside the pictures, against what one decode of the whole recording showed.
 *
 * The whole recording is first checked by itself: its numbers must follow one another. A clip is then looked for in it. A
 * picture that began before the start of a clip and stands into it may be seen from the start on, or not at all.
 */
import { topLevelBoxes } from './clip-boxes.ts';
import {
  type DecodedSound,
  decodeClip,
  type ProbedClip,
  probeClip,
  secondsOf,
  soundRate,
} from './decoded-clip.ts';
import type { CountedFrame } from './frame-counter.ts';
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
/**
 * A segment knows the wall clock in whole milliseconds, as the clock tells it, and pictures of it wherever that runs a little
 * faster or slower; so one picture has two times that are so much apart, in two clips that begin in two segments.
 */
const clockSecondsMax = 0.004;

interface Moment {
  readonly number: number;
  readonly unixMs: number;
}

export class RecordingOracle {
  /** Pictures in the recording, in their order. */
  readonly moments: readonly Moment[];
  /** Pictures whose number does not follow the one before, or that are a picture's time off, as text. */
  readonly jumps: readonly string[];
  /** Pictures that are shown too early or too late by more than the clock excuses. */
  readonly shifts: readonly string[];
  /** When the last picture ends. */
  readonly endUnixMs: number;
  private readonly media: TestMedia;
  private readonly original: OriginalSound;

  private constructor(media: TestMedia, moments: readonly Moment[], endUnixMs: number) {
    this.media = media;
    this.moments = moments;
    this.endUnixMs = endUnixMs;
    this.original = new OriginalSound(media.sound);
    const frameMs = 1000 / media.framesPerSecond;
    const steps = moments.slice(1).map(({ number, unixMs }, i) => {
      const before = moments[i]!;
      const offMs = Math.abs(unixMs - before.unixMs - frameMs);
      const follows = number === (before.number + 1) % media.frames;
      const description = `${before.number} → ${number} after ${(unixMs - before.unixMs).toFixed(1)} ms`;
      return { isJump: !follows || offMs >= frameMs, isShift: offMs > clockSecondsMax * 1000, description };
    });
    this.jumps = steps.filter(({ isJump }) => isJump).map(({ description }) => description);
    this.shifts = steps.filter(({ isShift }) => isShift).map(({ description }) => description);
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
      // Of a fragmented file ffmpeg shows also what the edit list leaves out, squeezed together before the start.
      const seen = clip.pictures.filter(({ seconds }) => expected.format === 'mp4' || seconds > -1e-6);
      return [
        ...orderFaults(boxes, expected),
        ...this.lengthFaults(probed, expected),
        ...codecFaults(probed.audioCodec, expected),
        ...this.pictureFaults(seen, expected),
        ...(clip.sound ? this.soundFaults(clip.sound, expected) : []),
      ];
    } catch (error) {
      return [String(error)];
    }
  }

  /**
   * ffprobe heeds no edit list of a fragmented file: what lies before the start counts in its length. The length of the
   * file it has from the end of the sound, which it takes for as long as the picture, begin it when it may: of no use.
   */
  private lengthFaults(probed: ProbedClip, { startUnixMs, endUnixMs, format }: ClipExpectation): string[] {
    const start = Math.max(startUnixMs, this.startUnixMs);
    const wanted = (Math.min(endUnixMs, this.endUnixMs) - start) / 1000;
    const frame = 1 / this.media.framesPerSecond + clockSecondsMax;
    const seconds =
      format === 'mp4' ? probed.seconds : probed.videoSeconds + Math.min(0, probed.startSeconds);
    return Math.abs(seconds - wanted) <= frame
      ? []
      : [`lasts ${seconds} s and not ${wanted} (${JSON.stringify(probed)})`];
  }

  private pictureFaults(pictures: readonly CountedFrame[], expected: ClipExpectation): string[] {
    const { moments } = this;
    const origin = this.originOf(expected);
    const slackMs = clockSecondsMax * 1000;
    const { firstWanted, lastWanted } = this.wanted(expected);
    // Shorter than a picture, and none begins in it: the one that stands into it is all there can be.
    if (pictures.length === 0) return firstWanted > lastWanted ? [] : ['no picture'];
    /** Whether a picture is to be seen then; what began before the start is seen from the start on. */
    const isNear = (at: number, unixMs: number): boolean =>
      moments[at] !== undefined && Math.abs(Math.max(moments[at].unixMs, origin) - unixMs) <= slackMs;
    const near = origin + pictures[0]!.seconds * 1000;
    const first = [firstWanted - 1, firstWanted, firstWanted + 1].find(
      at => isNear(at, near) && moments[at]!.number === pictures[0]!.number,
    );
    const isFirstRight =
      first !== undefined &&
      (first <= firstWanted || Math.abs(moments[firstWanted]!.unixMs - origin) <= slackMs);
    if (!isFirstRight)
      return [`the first picture is ${text(pictures[0]!)}, not ${this.around(firstWanted, origin)}`];
    const faults = pictures.flatMap((picture, i) => {
      const moment = moments[first + i];
      const isRight = moment?.number === picture.number && isNear(first + i, origin + picture.seconds * 1000);
      return isRight ? [] : [`picture ${i} is ${text(picture)}, not ${this.around(first + i, origin)}`];
    });
    const last = first + pictures.length - 1;
    const isLastRight =
      last === lastWanted ||
      (last === lastWanted + 1 && isNear(last, expected.endUnixMs)) ||
      firstWanted > lastWanted;
    if (!isLastRight)
      faults.push(`the last picture is ${text(pictures.at(-1)!)}, not ${this.around(lastWanted, origin)}`);
    return faults.slice(0, 3);
  }

  /** Where a clip's time line begins. */
  private originOf({ startUnixMs }: ClipExpectation): number {
    return Math.max(startUnixMs, this.startUnixMs);
  }

  /** Places of the first and the last picture that begin in the range. */
  private wanted(expected: ClipExpectation): { firstWanted: number; lastWanted: number } {
    const { moments } = this;
    const origin = this.originOf(expected) - clockSecondsMax * 1000;
    const end = expected.endUnixMs - clockSecondsMax * 1000;
    const firstWanted = moments.findIndex(({ unixMs }) => unixMs >= origin);
    const behind = moments.findIndex(({ unixMs }) => unixMs >= end);
    return { firstWanted, lastWanted: (behind < 0 ? moments.length : behind) - 1 };
  }

  private around(index: number, origin: number): string {
    const moment = this.moments[index];
    return moment ? text({ number: moment.number, seconds: (moment.unixMs - origin) / 1000 }) : 'none';
  }

  /** Looks for the first and the last piece of the sound, where the pictures say that it is to be heard. */
  private soundFaults(sound: DecodedSound, expected: ClipExpectation): string[] {
    const { framesPerSecond, frames } = this.media;
    const { samples } = sound;
    const faults: string[] = [];
    const origin = this.originOf(expected);
    const length = (Math.min(expected.endUnixMs, this.endUnixMs) - origin) / 1000;
    const moment = this.moments[this.wanted(expected).firstWanted];
    if (!moment) return ['nothing was recorded there'];
    if (samples.length === 0) return length > 0.25 ? ['no sound'] : [];
    const begins = secondsOf(sound, 0);
    const ends = secondsOf(sound, samples.length - 1);
    if (begins > 0.15 || ends < length - 0.15)
      faults.push(`the sound goes from ${begins} to ${ends} of ${length} s`);
    for (const start of new Set([0, Math.max(0, samples.length - 4000)])) {
      const piece = audiblePiece(samples, start);
      if (piece === undefined) continue;
      const heard =
        moment.number / framesPerSecond + secondsOf(sound, piece) - (moment.unixMs - origin) / 1000;
      const places = this.original.placesOf(samples, piece);
      const rounds = Math.min(frames / framesPerSecond, this.original.length / soundRate);
      const off = Math.min(...places.map(place => Math.abs(centred(heard - place / soundRate, rounds))));
      if (places.length === 0) faults.push(`the sound at ${secondsOf(sound, piece)} s is not the original`);
      else if (off > soundSecondsMax)
        faults.push(`the sound at ${secondsOf(sound, piece)} s is ${(off * 1000).toFixed(1)} ms off`);
      if (places.length > 0) this.soundOffsets.push(off);
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
