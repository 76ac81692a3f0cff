/**
 * What does recording cost, and giving recordings out? A camera of 1080p60, 8 Mbit/s, with sound (or of `--clip`), records
 * into the run's folder; `--folder` puts that on the card. Then clips of what it recorded are downloaded by HTTP on the
 * loopback address, one at a time, while it goes on recording.
 *
 * CPU of recording is the camera's less that of one that does not record; of clips, the camera's less that of recording.
 * Bytes that the kernel was made to write are beside those of the media; a folder in memory has none, and says so.
 */
import http from 'node:http';
import type { BenchContext, Part } from '../context.ts';
import type { PartName } from '../part-names.ts';
import { Camera } from '../support/camera.ts';
import { sourceFlags } from '../support/material.ts';
import { growthOf } from '../support/metrics-text.ts';
import { runNanoseconds, writtenBytes } from '../support/process-usage.ts';
import { median } from '../support/table.ts';

const fragmentsCounter = 'opencamera_recorder_bytes_total';
/** Bytes that are downloaded for one sample. */
const quickSampleBytes = 100e6;
const wholeSampleBytes = 400e6;

export const recorderPart: Part = {
  names: ['recorder', 'clips'],
  run: (context, wanted) => measureRecorder(context, wanted),
};

async function measureRecorder(context: BenchContext, wanted: ReadonlySet<PartName>): Promise<void> {
  const without = wanted.has('recorder') ? await cpuWithout(context) : 0;
  context.progress('starting a camera');
  const camera = await Camera.start(context, [...sourceFlags(context), '--recorder-guard', 'off']);
  try {
    await camera.pictures();
    const fromUnixMs = await recordingStart(camera);
    await context.sleep(context.pick(2000, 5000));
    const before = { metrics: await camera.metrics(), written: writtenBytes(camera.pid) };
    const windows = await cpuWindows(context, camera, context.pick(3, 8));
    const after = { metrics: await camera.metrics(), written: writtenBytes(camera.pid) };
    if (wanted.has('recorder')) {
      context.add('recorder', {
        id: 'recorder.cpu',
        name: 'CPU of recording',
        unit: 'ms/s',
        better: 'lower',
        samples: windows.map(cpuMs => cpuMs - without),
      });
      addBytes(
        context,
        growthOf(before.metrics, after.metrics, fragmentsCounter),
        after.written - before.written,
      );
    }
    if (wanted.has('clips')) await measureClips(context, camera, fromUnixMs, median(windows));
  } finally {
    await camera.stop();
  }
}

function addBytes(context: BenchContext, media: number, written: number): void {
  if (written === 0) {
    context.note('recorder: the folder is in memory, so nothing is known of bytes on the card');
    return;
  }
  context.add('recorder', {
    id: 'recorder.bytes',
    name: 'bytes written to the card for a byte recorded',
    unit: 'times',
    better: 'lower',
    samples: [written / media],
  });
}

async function cpuWithout(context: BenchContext): Promise<number> {
  context.progress('a camera that does not record');
  const camera = await Camera.start(context, [...sourceFlags(context), '--recorder-enabled', 'false']);
  try {
    await camera.pictures();
    await context.sleep(context.pick(2000, 5000));
    return median(await cpuWindows(context, camera, context.pick(2, 5)));
  } finally {
    await camera.stop();
  }
}

async function cpuWindows(context: BenchContext, camera: Camera, windows: number): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < windows; i++) {
    context.progress(`window ${i + 1} of ${windows}`);
    const startedMs = performance.now();
    const before = runNanoseconds(camera.pid);
    await context.sleep(context.pick(1500, 4000));
    samples.push((runNanoseconds(camera.pid) - before) / 1000 / (performance.now() - startedMs));
  }
  return samples;
}

async function recordingStart(camera: Camera): Promise<number> {
  return camera.until('a recording', async () => {
    const { spans } = await camera.json<{ spans: { start: string }[] }>('/api/v1/media/recordings');
    return spans[0] && Date.parse(spans[0].start);
  });
}

async function measureClips(
  context: BenchContext,
  camera: Camera,
  fromUnixMs: number,
  recordingCpuMs: number,
): Promise<void> {
  // What ends long enough ago does not ask the recorder to write.
  const toUnixMs = Date.now() - 1500;
  const target = `/api/v1/media/vod/${fromUnixMs + 300}/${toUnixMs}`;
  const firstByteMs: number[] = [];
  const cpuPerGb: number[] = [];
  const speed: number[] = [];
  const samples = context.pick(3, 10);
  for (let i = -1; i < samples; i++) {
    context.progress(i < 0 ? 'a first download' : `download ${i + 1} of ${samples}`);
    const startedMs = performance.now();
    const cpuBefore = runNanoseconds(camera.pid);
    let bytes = 0;
    while (bytes < context.pick(quickSampleBytes, wholeSampleBytes)) {
      const one = await download(context, camera, target);
      bytes += one.bytes;
      if (i >= 0) firstByteMs.push(one.firstByteMs);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const cpuSeconds = (runNanoseconds(camera.pid) - cpuBefore) / 1e9;
    // The first one warms up.
    if (i < 0) continue;
    cpuPerGb.push(((cpuSeconds - (recordingCpuMs / 1000) * seconds) / bytes) * 1e9);
    speed.push(bytes / 1e6 / seconds);
  }
  const add = (id: string, name: string, unit: string, values: number[]): void =>
    context.add('clips', {
      ...{ id: `clips.${id}`, name, unit, samples: values },
      better: id === 'speed' ? 'higher' : 'lower',
    });
  add('cpu', 'CPU of the camera for a gigabyte', 's/GB', cpuPerGb);
  add('speed', 'speed of one download', 'MB/s', speed);
  add('firstbyte', 'from the request to the first byte', 'ms', firstByteMs);
}

/** By node:http, which hands bytes on without the work of fetch. */
function download(
  context: BenchContext,
  camera: Camera,
  target: string,
): Promise<{ bytes: number; firstByteMs: number }> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.get(
      new URL(target, camera.url),
      { headers: camera.headers, signal: context.signal },
      response => {
        const firstByteMs = performance.now() - startedMs;
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve({ bytes, firstByteMs });
          else reject(new Error(`${target}: ${response.statusCode}`));
        });
      },
    );
    request.on('error', reject);
  });
}
