/**
 * Plays a raw G.711 file, 8000 bytes a second, for ever, reading each frame of 20 ms straight into the ring.
 *
 * A rest of less than a frame at the end is left out. The codec is µ-law unless the file's name says A-law. Frames that
 * were due during a long stall are left out, so that a picture that runs beside stays beside. Methods throw CameraError
 * `source-failed`. Capture thread only.
 */
import { type AudioCodec, Codec } from '../base/tracks.ts';
import type { AudioTrackWriter } from './audio-track-writer.ts';
import { audioFrameBytes, audioFrameUs } from './limits.ts';
import type { PacedPlayer } from './paced-run.ts';
import type { SourceFile } from './source-file.ts';

export class G711Player implements PacedPlayer {
  private readonly file: SourceFile;
  private readonly writer: AudioTrackWriter;
  private readonly frames: number;
  /** Frames played since the start, over all loops. */
  private played = 0;

  /** @param file closed by the player. */
  constructor(file: SourceFile, writer: AudioTrackWriter) {
    this.file = file;
    this.writer = writer;
    this.frames = Math.floor(file.sizeBytes / audioFrameBytes);
    if (this.frames === 0) throw file.failure('it is shorter than 20 ms of G.711');
    const magic = new Uint8Array(4);
    file.read(magic, 0);
    const text = String.fromCharCode(...magic);
    if (text === 'RIFF' || text === '.snd' || text === 'OggS')
      throw file.failure('it is no raw G.711; make it so: ffmpeg -i FILE -ar 8000 -ac 1 -f mulaw FILE.ulaw');
    writer.begin(codecOfName(file.path));
  }

  get nextOffsetUs(): number {
    return this.played * audioFrameUs;
  }

  emit(captureMonoUs: number): void {
    const offset = (this.played % this.frames) * audioFrameBytes;
    this.played++;
    const claim = this.writer.claim();
    try {
      if (this.file.read(claim.bytes, offset) < audioFrameBytes) throw this.file.failure('it was cut short');
    } catch (error) {
      claim.abandon();
      throw error;
    }
    this.writer.commit(claim, captureMonoUs);
  }

  skipTo(offsetUs: number): void {
    this.writer.statistics.dropped += Math.max(0, Math.ceil(offsetUs / audioFrameUs) - this.played);
    this.played = Math.max(this.played, Math.ceil(offsetUs / audioFrameUs));
    this.writer.markGap();
  }

  close(): void {
    this.file.close();
  }
}

function codecOfName(path: string): AudioCodec {
  return /\.(al|alaw|pcma|g711a)$/i.test(path) ? Codec.pcma : Codec.pcmu;
}
