import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Codec, Track, type TrackInfo } from '../../src/base/tracks.ts';
import { type CaptureOptions, startCapture } from '../../src/capture/capture-stage.ts';
import type { CaptureReport } from '../../src/ipc/messages.ts';
import type { CaptureWorkerData } from '../../src/ipc/worker-data.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { requireProgram } from '../support/requires.ts';
import {
  annexB,
  type CopiedRecord,
  hex,
  idr,
  inter,
  otherSps,
  pps,
  RecordReader,
  rememberingLogger,
  sps,
} from './capture-fixture.ts';

const demoFolder = fileURLToPath(new URL('../../assets/demo', import.meta.url));

/** A running stage, stopped at the end of the test. */
function startStage(t: TestContext, options: Partial<CaptureOptions>) {
  const ring = options.ring ?? createFrameRing({ dataBytes: 4 << 20, slotCount: 1024 });
  const reader = new RecordReader(ring);
  const edge = new RingConsumer(ring);
  const wait = new RingWait(ring);
  const logger = rememberingLogger();
  const reports: CaptureReport[] = [];
  const stage = startCapture(
    { ring, source: 'demo', subSource: '', audioSource: '', sourceFps: 0, demoFolder, ...options },
    { logger, clock: systemClock, report: report => reports.push(report) },
  );
  t.after(() => stage.stop());
  return {
    stage,
    logger,
    ring,
    tracks: (): readonly TrackInfo[] =>
      reports.flatMap(r => (r.type === 'tracks' ? [r.tracks] : [])).at(-1) ?? [],
    /** Reads records until `count` of them came. */
    async records(count: number): Promise<CopiedRecord[]> {
      const records: CopiedRecord[] = [];
      for (;;) {
        const seen = edge.liveEdge;
        records.push(...reader.take());
        if (records.length >= count) return records;
        // Without a timer the wait alone would not keep the process alive.
        const alive = setTimeout(() => undefined, 10_000);
        assert.ok(await wait.forRecordAsync(seen, 10_000), `only ${records.length} of ${count} records came`);
        clearTimeout(alive);
      }
    },
  };
}

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'capture-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

/** A command that writes each of the pieces and pauses after it, then sleeps. */
function playing(t: TestContext, ...pieces: Uint8Array[]): string {
  const file = path.join(folder(t), 'pieces.mjs');
  const code = `
    const pieces = ${JSON.stringify(pieces.map(piece => Buffer.from(piece).toString('base64')))};
    for (const piece of pieces) {
      process.stdout.write(Buffer.from(piece, 'base64'));
      await new Promise(resolve => setTimeout(resolve, 30));
    }
    await new Promise(resolve => setTimeout(resolve, 100_000));`;
  writeFileSync(file, code);
  return `command:exec ${process.execPath} ${file}`;
}

test('the demo gives picture and sound, and reports both tracks', async t => {
  const { records, tracks, stage } = startStage(t, { audioSource: 'auto' });
  const seen = await records(20);
  assert.deepEqual([...new Set(seen.map(record => record.track))].sort(), [Track.main, Track.audio]);
  assert.deepEqual(
    tracks().map(info => [info.track, info.codec]),
    [
      [Track.main, Codec.h264],
      [Track.audio, Codec.pcmu],
    ],
  );
  const { values, histograms } = stage.stats();
  assert.equal(values.main_source_up, 1);
  assert.ok(histograms!.main_source_delay_us!.count > 0);
});

test('a command gives its pictures, each before the next one is written', async t => {
  const { records } = startStage(t, {
    source: playing(t, annexB(sps, pps, idr(200)), annexB(inter(100)), annexB(inter(20))),
  });
  // The third picture is followed by nothing but silence.
  const seen = await records(3);
  assert.deepEqual(
    seen.map(record => record.units.at(-1)),
    [idr(200), inter(100), inter(20)].map(hex),
  );
  for (const { captureMonoUs, commitMonoUs } of seen) assert.ok(captureMonoUs < commitMonoUs);
});

test('main, sub and a sound command run beside each other', async t => {
  const { records, tracks } = startStage(t, {
    source: playing(t, annexB(sps, pps, idr(20))),
    subSource: 'demo',
    audioSource: 'command+pcma:while :; do head -c 480 /dev/zero; sleep 0.06; done',
  });
  const seen = await records(30);
  assert.deepEqual([...new Set(seen.map(record => record.track))].sort(), [0, 1, 2]);
  const sound = seen.filter(record => record.track === Track.audio);
  assert.ok(sound.every(record => record.lengthBytes === 160 && record.codec === Codec.pcma));
  assert.equal(tracks().length, 3);
});

test('a command that ends is started again, with a discontinuity', async t => {
  const file = path.join(folder(t), 'one.h264');
  writeFileSync(file, annexB(sps, pps, idr(50), inter(9)));
  const { records, stage, logger } = startStage(t, { source: `command:echo hello >&2; cat ${file}` });
  const seen = await records(4);
  assert.deepEqual(
    seen.map(record => record.discontinuity),
    [true, false, true, false],
  );
  assert.ok(stage.stats().values.main_restarts_total! >= 1);
  assert.ok(logger.lines.some(line => line.message === 'hello' && line.fields.source === 'main'));
  const failures = logger.lines.filter(line => line.level === 'error');
  assert.match(String(failures[0]!.fields.error), /ended with status 0/);
});

test('a change of resolution in the stream is a discontinuity and a new track report', async t => {
  const { records, tracks } = startStage(t, {
    source: playing(
      t,
      annexB(sps, pps, idr(20)),
      annexB(inter(20)),
      annexB(otherSps, pps, idr(21)),
      annexB(inter(21)),
    ),
  });
  const seen = await records(4);
  assert.deepEqual(
    seen.map(record => record.discontinuity),
    [true, false, true, false],
  );
  assert.deepEqual(
    tracks().map(info => info.kind === 'video' && info.width),
    [1920],
  );
});

test('a stream without SPS, or with a picture larger than the ring, is dropped and counted; the camera goes on', async t => {
  const ring = createFrameRing({ dataBytes: 8192, slotCount: 64 });
  const { records, stage } = startStage(t, {
    ring,
    source: playing(
      t,
      annexB(idr(30), inter(31)),
      annexB(sps, pps, idr(40)),
      annexB(inter(5001)),
      annexB(inter(50)),
      annexB(sps, pps, idr(41)),
    ),
  });
  const seen = await records(2);
  assert.deepEqual(
    seen.map(record => record.units.at(-1)),
    [idr(40), idr(41)].map(hex),
  );
  assert.equal(seen[1]!.discontinuity, true);
  const { values } = stage.stats();
  assert.equal(values.main_too_large_total, 1);
  assert.ok(values.main_dropped_total! >= 2);
});

test('random bytes on the pipe are counted; nothing of them reaches the ring', async t => {
  const { records, stage, logger } = startStage(t, {
    source: playing(
      t,
      annexB(sps, pps, idr(40)),
      Uint8Array.from([0, 0, 1, 0xff, ...Array.from({ length: 3000 }, (_, i) => (i * 73) % 256 || 1)]),
      annexB(inter(30), sps, pps, idr(41)),
    ),
  });
  const seen = await records(2);
  assert.deepEqual(
    seen.map(record => record.units.at(-1)),
    [idr(40), idr(41)].map(hex),
  );
  assert.ok(stage.stats().values.main_garbage_bytes_total! > 2000);
  assert.ok(logger.lines.some(line => line.level === 'warn'));
});

test('a broken source does not stop the others: it is reported as a state', async t => {
  const { records, stage, logger } = startStage(t, { source: 'file:/no/such/file', subSource: 'demo' });
  await records(3);
  const { values } = stage.stats();
  assert.deepEqual([values.main_source_up, values.sub_source_up], [0, 1]);
  assert.match(String(logger.lines.find(line => line.level === 'error')!.fields.error), /no such file/);
});

test('a V4L2 device without the native addon is refused in words, once', async t => {
  const before = process.env.OPENCAMERAD_ADDON;
  process.env.OPENCAMERAD_ADDON = '/none/opencamera.node';
  t.after(() => {
    if (before === undefined) delete process.env.OPENCAMERAD_ADDON;
    else process.env.OPENCAMERAD_ADDON = before;
  });
  const { stage, logger } = startStage(t, { source: 'v4l2:/dev/none' });
  const errors = logger.lines.filter(line => line.level === 'error');
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]!.fields.error), /needs the native addon.*build:native/);
  assert.equal(stage.stats().values.main_source_up, 0);
});

test('a source that does not exist is a configuration error', t => {
  assert.throws(() => startStage(t, { source: 'webcam' }), { code: 'config-invalid' });
});

test('keyframe wishes are taken from the ring, also those of tracks that there are not', async t => {
  const { ring, records } = startStage(t, {});
  const consumer = new RingConsumer(ring);
  consumer.requestKeyframe(Track.main);
  consumer.requestKeyframe(Track.sub);
  const { words } = (await import('../../src/ring/frame-ring.ts')).openFrameRing(ring);
  const { wordKeyframeWanted } = await import('../../src/ring/ring-layout.ts');
  for (let i = 0; i < 20 && Atomics.load(words, wordKeyframeWanted) !== 0; i++) await records(1);
  assert.equal(Atomics.load(words, wordKeyframeWanted), 0);
});

test('ffmpeg as the child process: a live encode arrives whole and in time', async t => {
  if (!requireProgram(t, 'ffmpeg')) return;
  const { records, stage, tracks } = startStage(t, {
    source:
      'command:ffmpeg -v error -re -f lavfi -i testsrc2=s=320x240:r=25 ' +
      '-c:v libx264 -preset ultrafast -tune zerolatency -g 25 -f h264 -',
    audioSource: 'command:ffmpeg -v error -re -f lavfi -i sine=f=440:r=8000 -ac 1 -c:a pcm_mulaw -f mulaw -',
  });
  const seen = await records(100);
  const { values } = stage.stats();
  assert.deepEqual(
    [values.main_losses_total, values.main_garbage_bytes_total, values.main_dropped_total],
    [0, 0, 0],
  );
  assert.ok(seen.filter(record => record.track === Track.main).length > 10);
  assert.ok(
    tracks().some(info => info.kind === 'video' && info.width === 320 && info.framesPerSecond === 25),
  );
});

test('the worker says that it is ready, reports its tracks, fills the ring and ends at stop', async () => {
  const ring = createFrameRing({ dataBytes: 4 << 20, slotCount: 1024 });
  const workerData: CaptureWorkerData = {
    ring,
    logLevel: 'info',
    source: 'demo',
    subSource: 'command:sleep 1000',
    audioSource: 'auto',
    sourceFps: 0,
    demoFolder,
    beatIntervalMs: 50,
  };
  const worker = new Worker(new URL('../../workers/capture.ts', import.meta.url), { workerData });
  const seen = new Set<string>();
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (report: CaptureReport) => {
      seen.add(report.type);
      if (['ready', 'tracks', 'stats', 'beat', 'log'].every(type => seen.has(type))) resolve();
    });
  });
  assert.ok(new RingConsumer(ring).newestRandomAccess(Track.main) !== undefined);
  const status = new Promise(resolve => worker.once('exit', resolve));
  worker.postMessage({ type: 'stop' });
  assert.equal(await status, 0);
});
