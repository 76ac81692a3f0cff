/** The clips with a readable frame counter that cameras under test play: the bundled demo, and those beside the repository. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const demo = fileURLToPath(new URL('../../assets/demo/', import.meta.url));
const media = process.env.TEST_MEDIA ?? fileURLToPath(new URL('../../../shared/media/', import.meta.url));

/** What a camera plays round and round, and what is known of it. */
export interface TestMedia {
  readonly name: string;
  /** Flags of the daemon. */
  readonly flags: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Pictures of a round; their numbers go from 0 on. */
  readonly frames: number;
  /** Raw µ-law; its rounds and those of the pictures begin together. */
  readonly sound: string;
}

/** The bundled demo. */
export const demoMedia: TestMedia = {
  name: 'demo',
  flags: ['--source', 'demo'],
  width: 1280,
  height: 720,
  framesPerSecond: 30,
  frames: 300,
  sound: path.join(demo, 'demo-speech.ulaw'),
};

const sizes = {
  '1080p60': { width: 1920, height: 1080, framesPerSecond: 60, frames: 1200, file: '1080p60.h264' },
  '720p120': { width: 1280, height: 720, framesPerSecond: 120, frames: 2400, file: '720p120.h264' },
  '720p30-gop4': { width: 1280, height: 720, framesPerSecond: 30, frames: 600, file: '720p30-gop4.h264' },
  hevc: { width: 1280, height: 720, framesPerSecond: 30, frames: 300, file: 'demo-720p30-hevc.h265' },
} as const;

/** Names that {@link mediaOf} knows. */
export const mediaNames = ['demo', ...Object.keys(sizes)];

/** By its name; throws where the clips are missing. */
export function mediaOf(name: string): TestMedia {
  if (name === 'demo') return demoMedia;
  if (!Object.hasOwn(sizes, name)) throw new Error(`${name} is none of ${mediaNames.join(', ')}`);
  const { file, ...size } = sizes[name as keyof typeof sizes];
  const video = path.join(media, file);
  const sound = path.join(media, 'speech-20s.ulaw');
  if (!existsSync(video)) throw new Error(`${video} is missing; TEST_MEDIA names another folder`);
  return {
    name,
    ...size,
    sound,
    flags: [
      ...['--source', `file:${video}`, '--source-fps', String(size.framesPerSecond)],
      ...['--audio-source', `file:${sound}`],
    ],
  };
}
