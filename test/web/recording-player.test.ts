/** The player of recordings, with an element that does what it is told: which clips it opens, and where it goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraApi, ClipRange } from '../../src/web/api/camera-api.ts';
import { CameraProblem } from '../../src/web/api/camera-problem.ts';
import { windowMs } from '../../src/web/timeline/clip-window.ts';
import { RecordingPlayer } from '../../src/web/timeline/recording-player.ts';

const start = 1_800_000_000_000;

/** As a video element: a clip that is set is loaded, and a time that is set is sought, when the test lets it. */
class FakeVideo extends EventTarget {
  duration = windowMs / 1000;
  paused = true;
  seeking = false;
  readyState = 4;
  readonly sought: number[] = [];
  private address = '';
  private time = 0;

  get src(): string {
    return this.address;
  }

  set src(address: string) {
    this.address = address;
    this.time = 0;
    this.paused = true;
  }

  get currentTime(): number {
    return this.time;
  }

  set currentTime(seconds: number) {
    this.time = seconds;
    this.seeking = true;
    this.sought.push(seconds);
  }

  async play(): Promise<void> {
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  load(): void {}

  removeAttribute(): void {
    this.address = '';
  }

  tell(type: string): void {
    if (type === 'seeked') this.seeking = false;
    this.dispatchEvent(new Event(type));
  }

  /** Plays on to so many seconds. */
  reach(seconds: number): void {
    this.time = seconds;
    this.tell('timeupdate');
  }
}

const iso = (unixMs: number): string => new Date(unixMs).toISOString();

function setUp(gaps: readonly (readonly [number, number])[] = []) {
  const video = new FakeVideo();
  const opened: ClipRange[] = [];
  const camera = { refusal: undefined as CameraProblem | undefined, lifeMs: 3_600_000 };
  const api = {
    async manifest(range: ClipRange) {
      opened.push(range);
      if (camera.refusal) throw camera.refusal;
      return {
        start: iso(range.startUnixMs),
        gaps: gaps.map(([from, to]) => ({ start: iso(start + from), end: iso(start + to) })),
      };
    },
    link: async () => ({ url: `/clip-${opened.length}`, lifeMs: camera.lifeMs }),
  };
  const player = new RecordingPlayer(api as unknown as CameraApi, video as unknown as HTMLVideoElement);
  player.setSpans([{ startUnixMs: start, endUnixMs: start + 3 * windowMs, bytes: 1e8 }]);
  return { video, player, opened, camera };
}

/** What was asked of the camera is answered. */
const answered = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function shows(
  { player, video }: Pick<ReturnType<typeof setUp>, 'player' | 'video'>,
  unixMs: number,
): Promise<void> {
  player.seek(unixMs);
  await answered();
  video.tell('loadedmetadata');
  video.tell('seeked');
}

test('a moment is sought in the clip that it lies in, and its neighbours in the same one', async () => {
  const scene = setUp();
  const { player, video, opened } = scene;
  await shows(scene, start + 90_000);
  assert.equal(player.positionUnixMs, start + 90_000);
  player.seek(start + 95_500);
  video.tell('seeked');
  assert.deepEqual(video.sought, [90, 95.5]);
  assert.equal(opened.length, 1);
  player.seek(start + windowMs + 1000);
  await answered();
  assert.deepEqual(
    opened.map(range => range.startUnixMs),
    [start, start + windowMs],
  );
});

test('of moments that are asked for while one is sought, the newest alone is sought next', async () => {
  const scene = setUp();
  const { player, video } = scene;
  await shows(scene, start + 1000);
  for (const ms of [2000, 3000, 4000, 5000]) player.seek(start + ms);
  assert.equal(player.positionUnixMs, start + 5000);
  video.tell('seeked');
  video.tell('seeked');
  assert.deepEqual(video.sought, [1, 2, 5]);
});

test('of moments that are asked for while a clip is opened, the newest alone is opened next', async () => {
  const { player, video, opened } = setUp();
  for (const window of [0, 1, 0, 2]) player.seek(start + window * windowMs + 500);
  await answered();
  await answered();
  assert.deepEqual(
    opened.map(range => range.startUnixMs),
    [start, start + 2 * windowMs],
  );
  assert.equal(video.src, '/clip-2');
});

test('what is not recorded is stepped over while it plays, and shown when one stands in it', async () => {
  const scene = setUp([[10_000, 40_000]]);
  const { player, video } = scene;
  await shows(scene, start + 9000);
  video.reach(10.02);
  assert.equal(player.positionUnixMs, start + 10_020);
  player.play();
  video.reach(10.05);
  assert.equal(player.positionUnixMs, start + 40_000);
});

test('at the end of a clip it plays on in the next, and at the end of all it says so', async () => {
  const scene = setUp();
  const { player, video, opened } = scene;
  await shows(scene, start + windowMs - 2000);
  player.play();
  video.tell('ended');
  await answered();
  video.tell('loadedmetadata');
  video.tell('seeked');
  assert.equal(opened.at(-1)?.startUnixMs, start + windowMs);
  assert.deepEqual([player.isPlaying, video.paused, player.isAtEnd], [true, false, false]);
  await shows(scene, start + 3 * windowMs - 1000);
  video.tell('ended');
  assert.equal(player.isAtEnd, true);
});

test('a clip that breaks is opened anew where it was; one that breaks again is told', async () => {
  const scene = setUp();
  const { player, video, opened } = scene;
  await shows(scene, start + 20_000);
  video.tell('error');
  await answered();
  assert.equal(opened.length, 2);
  assert.equal(player.positionUnixMs, start + 20_000);
  video.tell('error');
  assert.deepEqual([player.state, player.problem?.code], ['failed', 'playback']);
  player.retry();
  await answered();
  video.tell('loadedmetadata');
  assert.equal(player.state, 'ready');
});

test('a link that has run out is renewed however often, but not for ever when nothing comes of it', async () => {
  const scene = setUp();
  const { player, video, camera, opened } = scene;
  camera.lifeMs = 0;
  await shows(scene, start + 20_000);
  for (let i = 0; i < 10; i++) {
    video.tell('error');
    await answered();
    video.tell('loadedmetadata');
  }
  assert.equal(player.state, 'ready');
  assert.equal(opened.length, 11);
  for (let i = 0; i < 10 && video.src !== ''; i++) {
    video.tell('error');
    await answered();
  }
  assert.equal(player.state, 'failed');
  assert.equal(opened.length, 14);
});

test('what the camera refuses is told in its words', async () => {
  const { player, camera } = setUp();
  camera.refusal = new CameraProblem({ code: 'not-recorded', status: 404, detail: 'Nothing there.' });
  player.seek(start);
  await answered();
  assert.deepEqual([player.state, player.problem?.code], ['failed', 'not-recorded']);
});
