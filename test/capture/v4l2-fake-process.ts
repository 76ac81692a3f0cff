/**
 * What v4l2-fake.test.ts runs under the shim, where the fake devices are: a capture stage on real worker-thread code, its
 * own ring, and the tests themselves. Its argument is the folder of the devices.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { startCapture } from '../../src/capture/capture-stage.ts';
import { createFrameRing } from '../../src/ring/frame-ring.ts';
import { RingConsumer } from '../../src/ring/ring-consumer.ts';
import { RingWait } from '../../src/ring/ring-wait.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { requestsOf } from '../support/v4l2-devices.ts';
import { type CopiedRecord, hex, idr, pps, RecordReader, rememberingLogger, sps } from './capture-fixture.ts';

const folder = process.env.V4L2_SHIM_FOLDER!;
const forceKeyFrame = 'control 0x9909e5 1';

function startStage(t: TestContext, device: string, query = '') {
  const ring = createFrameRing({ dataBytes: 4 << 20, slotCount: 1024 });
  const reader = new RecordReader(ring);
  const edge = new RingConsumer(ring);
  const wait = new RingWait(ring);
  const logger = rememberingLogger();
  const source = `v4l2:${folder}/${device}${query}`;
  const stage = startCapture(
    { ring, source, subSource: '', audioSource: '', sourceFps: 0, demoFolder: folder },
    { logger, clock: systemClock, report: () => undefined },
  );
  t.after(() => stage.stop());
  return {
    stage,
    ring,
    logger,
    messages: () => logger.lines.map(line => [line.message, line.fields.error ?? ''].join(' ').trim()),
    async records(count: number): Promise<CopiedRecord[]> {
      const records: CopiedRecord[] = [];
      for (;;) {
        const seen = edge.liveEdge;
        records.push(...reader.take());
        if (records.length >= count) return records;
        const alive = setTimeout(() => undefined, 10_000);
        const came = await wait.forRecordAsync(seen, 10_000);
        clearTimeout(alive);
        assert.ok(
          came,
          `only ${records.length} of ${count} records:\n${JSON.stringify(logger.lines, null, 1)}`,
        );
      }
    },
    async logged(pattern: RegExp): Promise<string> {
      for (;;) {
        const line = logger.lines.find(({ message, fields }) =>
          pattern.test(`${message} ${fields.error ?? ''}`),
        );
        if (line) return `${line.message} ${line.fields.error ?? ''}`;
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    },
  };
}

const starts = [sps, pps, idr(40)].map(hex);

// Most of the time is the devices' frame periods, so many go at once.
describe('the V4L2 source', { concurrency: 12 }, () => {
  test('a camera that gives H.264 fills the ring in place, at the times of its driver', async t => {
    const device = 'camera,h264';
    const { records, stage, messages } = startStage(
      t,
      device,
      '?fps=100&width=128&height=96&bitrateKbps=900',
    );
    const seen = await records(12);
    assert.deepEqual(seen[0]!.units, starts);
    assert.ok(seen[0]!.discontinuity && seen[10]!.randomAccess && !seen[10]!.discontinuity);
    for (const { captureMonoUs, commitMonoUs } of seen)
      assert.ok(
        captureMonoUs % 1 === 0 && captureMonoUs < commitMonoUs,
        'the driver counts whole microseconds',
      );
    assert.deepEqual(
      requestsOf(folder, device).filter(line => line.startsWith('control')),
      ['control 0x9909ca 0', 'control 0x990a6b 4', 'control 0x9909cf 900000', 'control 0x9909cb 200'],
    );
    assert.equal(stage.stats().values.main_dropped_total, 0);
    assert.ok(!messages().some(line => /byte stream/.test(line)));
    await stage.stop();
    assert.equal(requestsOf(folder, device).at(-1), 'close');
  });

  test('a wish for a key frame in the ring is asked of the driver', async t => {
    const device = 'camera,h264,clip=once';
    const { records, ring } = startStage(t, device, '?fps=100');
    const first = await records(5);
    assert.equal(first.filter(({ randomAccess }) => randomAccess).length, 1);
    new RingConsumer(ring).requestKeyframe(0);
    // The camera makes none by itself.
    while (!(await records(1)).some(({ randomAccess }) => randomAccess));
    assert.ok(requestsOf(folder, device).includes(forceKeyFrame));
  });

  for (const [fault, counted] of [
    ['error', 1],
    ['empty', 1],
    ['oversize', 1],
    ['skip', 0],
  ] as const)
    test(`a picture with the fault "${fault}" is a loss: nothing that refers to it is kept`, async t => {
      const device = `camera,h264,${fault}=14`;
      const { records, stage, ring } = startStage(t, device, '?fps=100');
      const edge = new RingConsumer(ring);
      let seen: CopiedRecord[] = [];
      while (!seen.some(({ discontinuity }, i) => i > 0 && discontinuity))
        seen = seen.concat(await records(1));
      const at = seen.findIndex(({ discontinuity }, i) => i > 0 && discontinuity);
      assert.equal(at, 13, 'pictures before the fault');
      assert.ok(seen[at]!.randomAccess);
      const { values } = stage.stats();
      assert.equal(values.main_losses_total, 1);
      assert.ok(values.main_dropped_total! >= counted);
      assert.ok(requestsOf(folder, device).includes(forceKeyFrame), 'a key frame was asked for');
      assert.ok(edge.liveEdge >= 0);
    });

  test('a device whose start codes are short is read as a byte stream, and nothing is lost', async t => {
    const { records, stage, messages } = startStage(t, 'camera,h264,clip=short', '?fps=100');
    const seen = await records(12);
    assert.deepEqual(seen[0]!.units, starts);
    assert.equal(stage.stats().values.main_dropped_total, 0);
    assert.equal(messages().filter(line => /byte stream/.test(line)).length, 1);
  });

  test('an access unit delimiter is left behind, and the rest goes in place', async t => {
    const { records, stage, messages } = startStage(t, 'camera,h264,clip=delimited', '?fps=100');
    const seen = await records(12);
    assert.deepEqual(seen[0]!.units, starts);
    assert.equal(new Set(seen.map(({ units }) => units.length)).size, 2);
    assert.equal(stage.stats().values.main_dropped_total, 0);
    assert.ok(!messages().some(line => /byte stream/.test(line)));
  });

  test('parameter sets in a buffer of their own are joined to the picture that follows', async t => {
    const { records, stage } = startStage(t, 'camera,h264,clip=apart', '?fps=100');
    const seen = await records(12);
    assert.deepEqual(seen[0]!.units, starts);
    assert.equal(stage.stats().values.main_dropped_total, 0);
  });

  for (const [way, reason] of [
    ['unplug', /the device is gone/],
    ['gone', /the device is gone/],
  ] as const)
    test(`a camera that goes away (${way}) ends the run, and is opened again`, async t => {
      const device = `camera,h264,${way}=5`;
      const { records, stage, logged } = startStage(t, device, '?fps=100');
      const seen = await records(4);
      await logged(reason);
      while (seen.length < 6) seen.push(...(await records(1)));
      assert.equal(seen.filter(({ discontinuity }) => discontinuity).length, 2, 'one for each run');
      assert.equal(stage.stats().values.main_restarts_total, 1);
      assert.deepEqual(
        requestsOf(folder, device)
          .filter(line => line === 'open' || line === 'close')
          .slice(0, 3),
        ['open', 'close', 'open'],
      );
    });

  test('what a camera has no control for is said once, and it is used as it is', async t => {
    const device = 'camera,h264,nocontrols,unplug=5';
    const { records, ring, messages, logged } = startStage(t, device, '?fps=100');
    await records(3);
    new RingConsumer(ring).requestKeyframe(0);
    await logged(/key frames on demand/);
    await records(6);
    assert.deepEqual(
      messages().filter(line => /no control/.test(line)),
      ['the device has no control for: bitrate, key frame interval, key frames on demand'],
    );
  });

  test('times of another clock are not believed: the arrival counts', async t => {
    const { records } = startStage(t, 'camera,h264,noclock', '?fps=100');
    for (const { captureMonoUs, commitMonoUs } of await records(3))
      assert.ok(commitMonoUs - captureMonoUs < 1_000_000);
  });

  for (const [device, words] of [
    ['camera,yuyv,mjpg', /gives no H\.264 or H\.265 \(it gives YUYV, MJPG\).*encoder=/],
    ['camera,h264,refuse', /gives MJPG where H264 was asked for/],
    ['camera,h264,busy', /another program is using it/],
    ['camera,h264,mplane,twoplanes', /several pieces of memory/],
    ['encoder,h264,nv12,r', /v4l2:\/dev\/video0\?encoder=/],
    ['radio', /is no capture device/],
  ] as const)
    test(`refused in words: ${device}`, async t => {
      const { logged } = startStage(t, device);
      await logged(words);
      await nextTurn();
      assert.equal(requestsOf(folder, device).at(-1), 'close');
    });

  for (const [camera, encoder, mode] of [
    ['camera,nv12', 'encoder,h264,nv12', 'imported'],
    ['camera,yuyv,nv12,mplane', 'encoder,h264,yuyv,mplane', 'imported'],
    ['camera,nv12,noexport', 'encoder,h264,nv12,mplane', 'copied'],
    ['camera,nv12,c', 'encoder,h264,nv12,noimport', 'copied'],
  ] as const)
    test(`raw pictures of ${camera} are coded by ${encoder}: ${mode}`, async t => {
      const { records, stage } = startStage(t, camera, `?fps=100&encoder=${folder}/${encoder}`);
      const seen = await records(12);
      assert.deepEqual(seen[0]!.units, starts);
      const coded = requestsOf(folder, encoder).filter(line => line.startsWith('encoded'));
      const numbers = coded.map(line => Number(line.split(' ')[1]));
      assert.ok(coded.every(line => line.endsWith(mode)));
      assert.ok(
        numbers.every((n, i) => i === 0 || n > numbers[i - 1]!),
        'each raw picture once, in order',
      );
      for (const { captureMonoUs } of seen) assert.ok(captureMonoUs % 1 === 0, 'the time of the raw picture');
      await stage.stop();
    });

  test('memory that the encoder refuses at last is copied by the next run', async t => {
    const encoder = 'encoder,h264,nv12,badimport';
    const { records } = startStage(t, 'camera,nv12,b', `?fps=100&encoder=${folder}/${encoder}`);
    await records(3);
    assert.ok(requestsOf(folder, encoder).some(line => line.endsWith('copied')));
  });

  test('an encoder that is too slow loses raw pictures, and no time', async t => {
    const encoder = 'encoder,h264,nv12,slow=40';
    const { records, stage } = startStage(t, 'camera,nv12,s', `?fps=100&encoder=${folder}/${encoder}`);
    const seen = await records(6);
    assert.ok(stage.stats().values.main_dropped_total! > 0);
    assert.equal(stage.stats().values.main_losses_total, 0);
    for (const { captureMonoUs, commitMonoUs } of seen) assert.ok(commitMonoUs - captureMonoUs < 1_000_000);
  });

  test('a worker that is terminated while it captures leaves an open device to nobody', async () => {
    const device = 'camera,h264,w';
    const ring = createFrameRing({ dataBytes: 4 << 20, slotCount: 1024 });
    const workerData = {
      ring,
      ...{ logLevel: 'info', source: `v4l2:${folder}/${device}?fps=100`, subSource: '', audioSource: '' },
      ...{ sourceFps: 0, demoFolder: folder, beatIntervalMs: 50 },
    };
    const worker = new Worker(new URL('../../workers/capture.ts', import.meta.url), { workerData });
    const alive = setTimeout(() => undefined, 10_000);
    const wait = new RingWait(ring);
    const consumer = new RingConsumer(ring);
    assert.ok(await wait.forRecordAsync(consumer.liveEdge, 10_000));
    clearTimeout(alive);
    await worker.terminate();
    assert.deepEqual(
      requestsOf(folder, device).filter(line => line === 'open' || line === 'close'),
      ['open', 'close'],
    );
  });
});
