/** The recordings of a camera as a whole: the real recorder thread, a real index, a real folder. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Codec, Track, type VideoCodec } from '../../src/base/tracks.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { openStateFolder } from '../../src/config/state-folder.ts';
import type { RecorderReport } from '../../src/ipc/messages.ts';
import type { SegmentRecord } from '../../src/isobmff/recorded-segment.ts';
import { segmentPath } from '../../src/recorder/segment-path.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingProducer } from '../../src/ring/ring-producer.ts';
import { RecordFlag } from '../../src/ring/slot-layout.ts';
import type { IndexStore } from '../../src/store/recordings/index-store.ts';
import { indexFolder, RecordingsPart } from '../../src/supervisor/recordings-part.ts';
import { TaskPool } from '../../src/supervisor/task-pool.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { type Clip, fixtureClip } from '../isobmff/segments.ts';
import { nalTableOf } from '../recorder/recorder-fixture.ts';
import { emptySegment, record, silentLogger } from '../store/recordings/index-fixture.ts';
import { probeClip } from '../support/decoded-clip.ts';
import { requireProgram } from '../support/requires.ts';

const framesPerSecond = 30;

/** A camera of which only the ring and the recordings are there. */
class Camera {
  readonly part: RecordingsPart;
  readonly folder: string;
  private readonly producer: RingProducer;
  private shown = 0;
  private startMonoUs = 0;
  private isStopped = false;

  private constructor(part: RecordingsPart, ring: SharedArrayBuffer) {
    this.part = part;
    this.folder = part.folder;
    this.producer = new RingProducer(ring, systemClock);
  }

  static async open(t: TestContext, flags: Readonly<Record<string, string>> = {}): Promise<Camera> {
    const folder = mkdtempSync(path.join(tmpdir(), 'recordings-part-'));
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    const { configuration } = loadConfiguration({
      flags: new Map(Object.entries({ state: folder, ...flags })),
    });
    const logged: string[] = [];
    const log = (message: string): void => void logged.push(message);
    const ring = createFrameRing({ dataBytes: 16 * 1024 * 1024, slotCount: 1024 });
    const part = await RecordingsPart.open(configuration, {
      clock: systemClock,
      logger: { debug: log, info: log, warn: log, error: log },
      metrics: new Metrics(),
      ring,
      state: openStateFolder(folder),
      tasks: new TaskPool({ logger: silentLogger }),
    });
    const camera = new Camera(part, ring);
    t.after(() => camera.stop());
    await part.start();
    for (const recorder of part.recorderPart()) {
      await recorder.start();
      await camera.until('the recorder is there', () => logged.some(message => /looked at/.test(message)));
    }
    return camera;
  }

  get index() {
    return this.part.index;
  }

  /** The database of the index. */
  get database(): string {
    return path.join(path.dirname(this.folder), 'recordings-index', 'database', 'data.mdb');
  }

  /** Pictures of so many seconds at once; the first was captured 2.5 s ago, each other after the one before. */
  publish(seconds: number, clips: ReadonlyMap<Track, Clip>): void {
    const nowMonoUs = systemClock.monoUs();
    if (this.shown === 0) this.startMonoUs = nowMonoUs - 2_500_000;
    const count = Math.round(seconds * framesPerSecond);
    for (let i = 0; i < count; i++, this.shown++)
      for (const [track, { pictures, format }] of clips) {
        const captureMonoUs = this.startMonoUs + (this.shown * 1e6) / framesPerSecond;
        const wallUnixMs = systemClock.wallUnixMs() + (captureMonoUs - nowMonoUs) / 1000;
        this.put(track, format.codec, pictures[this.shown % pictures.length]!, { captureMonoUs, wallUnixMs });
      }
  }

  /** Waits until something holds; fails after some seconds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (holds()) return;
      await delay(25);
    }
    assert.fail(`it does not come: ${what}`);
  }

  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    for (const recorder of this.part.recorderPart()) await recorder.stop(5000);
    await this.part.stop();
  }

  private put(
    track: Track,
    codec: VideoCodec,
    { bytes, isSync }: Clip['pictures'][number],
    times: { readonly captureMonoUs: number; readonly wallUnixMs: number },
  ): void {
    const nalTable = nalTableOf(bytes);
    const claim = this.producer.claim(bytes.length);
    claim.bytes.set(bytes);
    claim.commit({
      ...{ track, codec, nalTable, ...times },
      flags: isSync ? RecordFlag.randomAccess : 0,
      lengthBytes: bytes.length,
      nalCount: nalTable.length / 2,
    });
  }
}

const mainClip = fixtureClip('demo-720p30-hevc.h265', framesPerSecond, false);
const subClip = fixtureClip('scaling-hrd-128x96.h264', framesPerSecond, false);
const onlyMain: ReadonlyMap<Track, Clip> = new Map([[Track.main, mainClip]]);

function picturesIn(segments: readonly SegmentRecord[]): number {
  return segments.reduce((sum, { counts }) => sum + counts.videoSamples, 0);
}

/** What is private is the one way to make some things happen at once. */
interface Inside {
  readonly deleting: Promise<void> | undefined;
  makeRoom(): void;
  onReport(report: RecorderReport): void;
}

function inside(camera: Camera): Inside {
  return camera.part as unknown as Inside;
}

/** The database of the index. */
function storeOf(camera: Camera): { store: IndexStore } {
  return camera.index as unknown as { store: IndexStore };
}

/** Deletes what is too old or too much, as the camera does every few seconds. */
async function makeRoom(camera: Camera): Promise<void> {
  inside(camera).makeRoom();
  await inside(camera).deleting;
}

/** Puts an empty file where a segment of the index lies. */
function fileOf(camera: Camera, segment: SegmentRecord): string {
  const file = camera.part.fileOf(segment);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, 'a recording');
  return file;
}

test('both streams are recorded, H.265 and H.264: in the index, playable, and a quick stop loses no picture', async t => {
  const camera = await Camera.open(t, { 'recorder.streams': 'both' });
  const clips = new Map([...onlyMain, [Track.sub, subClip]]);
  for (let i = 0; i < 4; i++) {
    camera.publish(0.5, clips);
    await delay(100);
  }
  await camera.until('fragments of both', () =>
    [0, 1].every(stream => picturesIn(camera.index.segments(stream as 0 | 1)) > 0),
  );
  await camera.stop();
  for (const [stream, codec, width] of [
    [0, Codec.h265, 1280],
    [1, Codec.h264, 128],
  ] as const) {
    const segments = camera.index.segments(stream);
    assert.equal(picturesIn(segments), 60, `pictures of stream ${stream}`);
    for (const segment of segments) {
      assert.deepEqual([segment.format.codec, segment.format.width, segment.isClosed], [codec, width, true]);
      if (!requireProgram(t, 'ffprobe')) return;
      const { videoSeconds } = await probeClip(camera.part.fileOf(segment));
      assert.ok(Math.abs(videoSeconds - segment.duration90k / 90_000) < 0.05, `${videoSeconds} s`);
    }
  }
});

test('an index that breaks while the camera records is made anew from the card, and recording goes on', async t => {
  const camera = await Camera.open(t);
  camera.publish(2, onlyMain);
  await camera.until('a first fragment', () => picturesIn(camera.index.segments(0)) > 0);
  await camera.part.flush();
  await camera.index.flush();
  const recorded = picturesIn(camera.index.segments(0));
  // What MDB_PANIC leaves: nothing can be read or written, and the file is damaged.
  const { index } = camera;
  const { store } = storeOf(camera);
  truncateSync(camera.database, 8192);
  const broken = Object.create(store) as typeof store;
  broken.commit = () => Promise.reject(new Error('MDB_PANIC'));
  broken.isReadable = () => false;
  broken.close = () => store.close();
  storeOf(camera).store = broken;
  const before = index.stats().fragmentsWaiting;
  camera.publish(1.5, onlyMain);
  await camera.until('fragments that wait', () => index.stats().fragmentsWaiting > before);
  await assert.rejects(index.flush());
  assert.equal(index.state(), 'failing');
  await index.flush().catch(() => undefined);
  await camera.until('what was recorded is found', () => picturesIn(index.segments(0)) >= recorded);
  camera.publish(2, onlyMain);
  await camera.until('recording goes on', () => picturesIn(index.segments(0)) > recorded + 30);
  await camera.until('the index is well', () => index.state() === 'ok');
  assert.ok(existsSync(path.join(path.dirname(camera.database), '..', 'database.damaged')));
});

test('a file that ended without a picture is in the index no more, and then not on the card', async t => {
  const camera = await Camera.open(t, { 'recorder.enabled': 'false' });
  const segment = emptySegment(0, 5);
  const file = fileOf(camera, segment);
  inside(camera).onReport({ type: 'segment-opened', segment });
  inside(camera).onReport({ type: 'segment-closed', segment });
  assert.deepEqual(camera.index.segments(0), []);
  await camera.until('the file is gone', () => !existsSync(file));
});

test('the oldest recordings make room, the index first; what is being read stays', async t => {
  const camera = await Camera.open(t, { 'recorder.enabled': 'false', 'recorder.maxGb': '3' });
  const files = [1, 2, 3, 4].map(number =>
    fileOf(
      camera,
      record(camera.index, 0, number, 2, { changes: { headBytes: 1e9, endOffset: 1e9 } }).segment,
    ),
  );
  const [oldest] = camera.index.segments(0);
  camera.part.hold(oldest!);
  await makeRoom(camera);
  assert.deepEqual(
    camera.index.segments(0).map(({ number }) => number),
    [1, 4],
  );
  assert.deepEqual(files.map(existsSync), [true, false, false, true]);
  camera.part.release(oldest!);
});

test('while the index cannot be written the oldest recordings make room all the same', async t => {
  const camera = await Camera.open(t, { 'recorder.enabled': 'false', 'recorder.maxGb': '1' });
  const changes = { headBytes: 9e8, endOffset: 9e8 };
  const files = [1, 2, 3].map(number =>
    fileOf(camera, record(camera.index, 0, number, 2, { changes }).segment),
  );
  const { index } = camera;
  await index.flush();
  const { store } = storeOf(camera);
  const { commit } = store;
  store.commit = () => Promise.reject(new Error('no space left on device'));
  record(index, 0, 4, 1, { isClosed: false });
  await assert.rejects(index.flush());
  await makeRoom(camera);
  assert.deepEqual(files.map(existsSync), [false, false, true]);
  assert.deepEqual(
    index.segments(0).map(({ number }) => number),
    [3, 4],
  );
  store.commit = commit;
  await index.flush();
  assert.equal(index.state(), 'ok');
});

test('the folder of a day goes with the last recording in it', async t => {
  const camera = await Camera.open(t, { 'recorder.enabled': 'false', 'recorder.maxGb': '1' });
  const { deviceUuid } = openStateFolder(path.dirname(camera.folder));
  const paths = [1, 2].map(number =>
    segmentPath({ deviceUuid, stream: 0, number, baseWallUnixMs: number * 86_400_000 }),
  );
  for (const [i, relative] of paths.entries()) {
    const changes = { path: relative, headBytes: 9e8, endOffset: 9e8 };
    fileOf(camera, record(camera.index, 0, i + 1, 1, { changes }).segment);
  }
  await makeRoom(camera);
  assert.equal(readdirSync(path.join(camera.folder, path.dirname(path.dirname(paths[0]!)))).length, 1);
});

test('the index lies in the state folder, wherever the recordings are', () => {
  const { configuration } = loadConfiguration({
    flags: new Map([
      ['state', '/var/lib/camera'],
      ['recordings', '/media/card'],
    ]),
  });
  assert.equal(indexFolder(configuration), '/var/lib/camera/recordings-index');
});
