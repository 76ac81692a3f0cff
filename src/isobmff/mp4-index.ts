/**
 * Finds the video samples of an MP4 or QuickTime file: where each lies, how long it is, and when it is decoded.
 *
 * ISO/IEC 14496-12 sample tables and movie fragments, 14496-15 avcC and hvcC, by way of mp4box, which builds the boxes
 * to objects; they are taken over into flat arrays and let go. The caller reads the file and appends pieces of it where
 * the index asks for them: sample data is jumped over. Pure. Edit lists, other tracks and the composition times are left
 * out: a live source is played in decoding order. Encrypted tracks are no H.264 or H.265 here.
 */
import { createFile, type ISOFile, Log, MP4BoxBuffer, type Sample } from 'mp4box';
import { CameraError } from '../base/errors.ts';
import { Codec, type VideoCodec } from '../base/tracks.ts';

/** The samples of one track, in decoding order. */
export interface Mp4VideoSamples {
  readonly codec: VideoCodec;
  /** Bytes of the length in front of each NAL unit. */
  readonly lengthSize: 1 | 2 | 4;
  /** VPS, SPS and PPS of the sample description. */
  readonly parameterSets: readonly Uint8Array[];
  readonly count: number;
  /** Byte offset in the file. */
  readonly offsets: Float64Array;
  readonly sizes: Uint32Array;
  /** Microseconds since the first sample; never falling. */
  readonly decodeTimesUs: Float64Array;
  /** Microseconds of one round: the last sample's duration included; above 0. */
  readonly durationUs: number;
}

/** Samples at most: two hours at 30 frames a second. Each takes some hundred bytes of heap while the file is parsed. */
export const samplesMax = 216_000;

/** A description of H.264 or H.265 samples, as far as it is read. */
interface VideoDescription {
  readonly avcC?: {
    readonly lengthSizeMinusOne: number;
    readonly SPS: readonly { readonly data: Uint8Array }[];
    readonly PPS: readonly { readonly data: Uint8Array }[];
  };
  readonly hvcC?: {
    readonly lengthSizeMinusOne: number;
    readonly nalu_arrays: readonly (readonly { readonly data: Uint8Array }[])[];
  };
}

export class Mp4Index {
  private readonly file: ISOFile;
  private error: string | undefined;

  constructor() {
    // It would print what it thinks of boxes that it does not know; what matters comes through onError.
    Log.error = (module, message, file) => file?.onError?.(module, message ?? module);
    this.file = createFile();
    this.file.onError = (_module: string, message: string) => {
      this.error ??= message;
    };
  }

  /**
   * Takes a piece of the file that begins at `fileOffset`; the bytes are copied. Returns the offset of the piece that
   * is wanted next, behind `fileOffset`. Throws CameraError `stream-invalid`.
   */
  append(bytes: Uint8Array, fileOffset: number): number {
    const piece = MP4BoxBuffer.fromArrayBuffer(bytes.slice().buffer, fileOffset);
    let wanted: number | undefined;
    try {
      wanted = this.file.appendBuffer(piece);
    } catch (cause) {
      throw invalid(`its boxes cannot be read (${String(cause)})`);
    }
    if (this.error !== undefined) throw invalid(`its boxes cannot be read (${this.error})`);
    return wanted !== undefined && wanted > fileOffset ? wanted : fileOffset + bytes.length;
  }

  /**
   * The samples of the first H.264 or H.265 track. Call once, after the last piece.
   * Throws CameraError `stream-invalid`, with words, when there is nothing to play.
   */
  finish(fileBytes: number): Mp4VideoSamples {
    try {
      return this.firstVideo(fileBytes);
    } catch (cause) {
      if (cause instanceof CameraError) throw cause;
      // Objects that the rest of the boxes promise are missing.
      throw invalid(`its boxes contradict one another (${String(cause)})`);
    }
  }

  private firstVideo(fileBytes: number): Mp4VideoSamples {
    this.file.flush();
    if (!this.file.moov) throw invalid('it has no movie box');
    for (const { tkhd } of this.file.moov.traks) {
      const track = this.file.getTrackById(tkhd.track_id);
      const description = track.mdia.minf.stbl.stsd.entries[0] as unknown as VideoDescription | undefined;
      if (!description?.avcC && !description?.hvcC) continue;
      const samples = this.file.getTrackSamplesInfo(tkhd.track_id);
      return flatten(description, samples, track.mdia.mdhd.timescale, fileBytes);
    }
    throw invalid('it has no track of H.264 or H.265');
  }
}

function flatten(
  description: VideoDescription,
  samples: readonly Sample[],
  timescale: number,
  fileBytes: number,
): Mp4VideoSamples {
  const count = samples.length;
  if (count === 0) throw invalid('its video track is empty');
  if (count > samplesMax) throw invalid(`it has more than ${samplesMax} pictures`);
  if (!(timescale > 0)) throw invalid('its video track has no time scale');
  const offsets = new Float64Array(count);
  const sizes = new Uint32Array(count);
  const decodeTimesUs = new Float64Array(count);
  const first = samples[0]!.dts;
  let timeUs = 0;
  for (const [i, sample] of samples.entries()) {
    if (!(sample.offset >= 0 && sample.size >= 0 && sample.offset + sample.size <= fileBytes))
      throw invalid('it is cut short');
    offsets[i] = sample.offset;
    sizes[i] = sample.size;
    // Times that fall break the standard; they become one moment.
    timeUs = Math.max(timeUs, Math.round(((sample.dts - first) * 1e6) / timescale));
    decodeTimesUs[i] = timeUs;
  }
  const lastUs = Math.round((samples[count - 1]!.duration * 1e6) / timescale);
  return {
    ...configuration(description),
    count,
    offsets,
    sizes,
    decodeTimesUs,
    // A file of one picture may say that it lasts no time; it is shown ten times a second then.
    durationUs: timeUs + lastUs > 0 ? timeUs + lastUs : 100_000,
  };
}

function configuration(
  description: VideoDescription,
): Pick<Mp4VideoSamples, 'codec' | 'lengthSize' | 'parameterSets'> {
  const { avcC, hvcC } = description;
  const lengthSize = ((avcC ?? hvcC)!.lengthSizeMinusOne & 3) + 1;
  if (lengthSize === 3) throw invalid('its NAL units have 3-byte lengths, which the standard forbids');
  const sets = avcC ? [...avcC.SPS, ...avcC.PPS] : hvcC!.nalu_arrays.flat();
  return {
    codec: avcC ? Codec.h264 : Codec.h265,
    lengthSize: lengthSize as 1 | 2 | 4,
    parameterSets: sets.map(({ data }) => data.slice()),
  };
}

function invalid(reason: string): CameraError {
  return new CameraError('stream-invalid', reason);
}
