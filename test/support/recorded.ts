/** A camera that records: waits until there is enough of it, and asks what there is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { clipPath, downloadClip, manifestOf } from './clip-client.ts';
import type { Daemon } from './daemon.ts';
import { RecordingOracle } from './recording-oracle.ts';
import type { TestMedia } from './test-media.ts';

/** The answer of GET /media/recordings, as far as tests read it. */
export interface Timeline {
  readonly spans: readonly {
    readonly start: string;
    readonly end: string;
    readonly bytes: number;
    readonly video_codec: string;
    readonly resolution: string;
  }[];
  readonly gaps: readonly { readonly start: string; readonly end: string }[];
  readonly bytes: number;
  readonly next: string | null;
}

export function timelineOf(daemon: Daemon): Promise<Timeline> {
  return daemon.json<Timeline>('/api/v1/media/recordings');
}

/** When the first recording begins; waits for one. */
export function recordingStart(daemon: Daemon): Promise<number> {
  return daemon.until(async () => {
    const [span] = (await timelineOf(daemon)).spans;
    return span && Date.parse(span.start);
  }, 'a first recording');
}

/** The state of the recorder, as /healthz says it. */
export async function recorderState(daemon: Daemon): Promise<string | undefined> {
  const health = (await (await daemon.fetch('/healthz')).json()) as { recorder?: { state: string } };
  return health.recorder?.state;
}

/** Resolves at a moment of the wall clock. */
export function until(unixMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, Math.max(0, unixMs - Date.now())));
}

/** A folder of the test's own. */
export function testFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-clips-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Downloads and decodes all that lies in a range. */
export async function oracleOf(
  daemon: Daemon,
  range: { readonly startUnixMs: number; readonly endUnixMs: number },
  { media, folder }: { readonly media: TestMedia; readonly folder: string },
): Promise<RecordingOracle> {
  const target = clipPath({ ...range, format: 'mp4', audio: 'flac' });
  const { start } = await manifestOf(daemon, target);
  const file = path.join(folder, 'whole.mp4');
  writeFileSync(file, (await downloadClip(daemon, target)).bytes);
  return RecordingOracle.of(file, Date.parse(start), media);
}
