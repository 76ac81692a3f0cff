/**
 * Is every clip right? Records from the real daemon, then asks for random ranges and looks at each of them with ffprobe and
 * ffmpeg: numbers and times of all pictures, the place of the sound, lengths, the order of boxes; every 20th is also put
 * together from random pieces.
 *
 * `npm run bench:ranges -- --clip demo|1080p60|720p120|720p30-gop4|hevc --seconds 600 --ranges 500`. Everything on
 * 127.0.0.1, some 1 to 2 GB below the temporary folder. Ends with status 1 when anything was wrong.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { assembleClip, clipPath, downloadClip, manifestOf } from '../../test/support/clip-client.ts';
import { Daemon } from '../../test/support/daemon.ts';
import { type ClipExpectation, RecordingOracle } from '../../test/support/recording-oracle.ts';
import { mediaOf } from '../../test/support/test-media.ts';
import { printTable, quantileOf } from '../support/table.ts';

const { values } = parseArgs({
  options: {
    clip: { type: 'string', default: 'demo' },
    seconds: { type: 'string', default: '600' },
    ranges: { type: 'string', default: '500' },
    'segment-seconds': { type: 'string', default: '60' },
    jobs: { type: 'string', default: '2' },
  },
});
const media = mediaOf(values.clip);
const seconds = Number(values.seconds);
const ranges = Number(values.ranges);
const segmentSeconds = Number(values['segment-seconds']);
const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-ranges-'));
const daemon = await Daemon.start({
  flags: [...media.flags, '--recorder-segment-seconds', String(segmentSeconds)],
});
const failures: string[] = [];

interface Outcome {
  readonly kind: string;
  readonly firstByteMs: number;
  readonly bytes: number;
  readonly faults: number;
}

/** What to ask for: short ones mostly, some over a segment's end, some out of what exists. */
function randomRange(oracle: RecordingOracle, i: number): ClipExpectation & { kind: string } {
  const { startUnixMs } = oracle;
  // What begins just behind is not in the oracle.
  const endUnixMs = Math.floor(oracle.endUnixMs) - 5;
  const isLong = i % 25 === 24;
  const longest = endUnixMs - startUnixMs;
  const wantedMs = isLong ? 5000 + Math.random() * 55_000 : 100 * Math.exp(Math.random() * Math.log(50));
  const lengthMs = Math.min(wantedMs, longest);
  const from = startUnixMs + Math.random() * (endUnixMs - startUnixMs - lengthMs);
  let start = Math.round(from);
  let kind = isLong ? '5 to 60 s' : '0.1 to 5 s';
  if (i % 5 === 3) {
    const segmentMs = segmentSeconds * 1000;
    const edge = Math.ceil(from / segmentMs) * segmentMs;
    if (edge < endUnixMs) start = Math.round(Math.min(edge - Math.random() * lengthMs, endUnixMs - lengthMs));
    kind = 'over a segment';
  } else if (i % 50 === 10) {
    start = Math.round(startUnixMs - Math.random() * lengthMs * 0.9);
    kind = 'from before the first';
  }
  const format = i % 10 === 7 ? 'fmp4' : 'mp4';
  const audio = i % 10 === 5 ? 'raw' : i % 10 === 9 ? 'none' : 'flac';
  if (format === 'fmp4') kind = 'fmp4';
  if (audio !== 'flac') kind = `audio=${audio}`;
  return { startUnixMs: start, endUnixMs: start + Math.round(lengthMs), format, audio, kind };
}

async function check(oracle: RecordingOracle, i: number): Promise<Outcome> {
  const { kind, ...expected } = randomRange(oracle, i);
  const target = clipPath(expected);
  const file = path.join(folder, `${i}.mp4`);
  let faults: string[];
  let firstByteMs = Number.NaN;
  let length = 0;
  try {
    const clip = await downloadClip(daemon, target);
    firstByteMs = clip.firstByteMs;
    length = clip.bytes.length;
    writeFileSync(file, clip.bytes);
    faults = await oracle.faultsOf(file, clip.bytes, expected);
    if (i % 20 === 0) {
      const whole = { lengthBytes: clip.bytes.length, etag: clip.etag };
      const assembled = await assembleClip(daemon, target, whole);
      if (!assembled.equals(clip.bytes)) faults.push('put together from pieces it is another file');
      const manifest = await manifestOf(daemon, target);
      if (manifest.length_bytes !== length || manifest.etag !== clip.etag)
        faults.push(
          `the manifest says ${manifest.length_bytes} bytes, ${manifest.etag}; not ${length}, ${clip.etag}`,
        );
    }
  } catch (error) {
    faults = [String(error)];
  }
  for (const fault of faults) {
    failures.push(`${target} (${kind}): ${fault}`);
    console.log(`  ${failures.at(-1)}`);
  }
  if (faults.length === 0) rmSync(file, { force: true });
  return { kind, firstByteMs, bytes: length, faults: faults.length };
}

async function record(): Promise<{ startUnixMs: number; endUnixMs: number }> {
  const startUnixMs = await daemon.until(async () => {
    const { spans } = await daemon.json<{ spans: { start: string }[] }>('/api/v1/media/recordings');
    return spans[0] && Date.parse(spans[0].start);
  }, 'a first recording');
  console.log(`recording ${seconds} s of ${media.name} since ${new Date(startUnixMs).toISOString()}`);
  const endUnixMs = startUnixMs + seconds * 1000;
  while (Date.now() < endUnixMs + 1500) await new Promise(resolve => setTimeout(resolve, 500));
  return { startUnixMs, endUnixMs };
}

async function decodeWhole(range: { startUnixMs: number; endUnixMs: number }): Promise<RecordingOracle> {
  const target = clipPath({ ...range, format: 'mp4', audio: 'flac' });
  const manifest = await manifestOf(daemon, target);
  const file = path.join(folder, 'whole.mp4');
  const { bytes, firstByteMs, ms } = await downloadClip(daemon, target);
  writeFileSync(file, bytes);
  console.log(
    `the whole: ${(bytes.length / 1e6).toFixed(1)} MB, first byte after ${firstByteMs.toFixed(0)} ms, ` +
      `${(bytes.length / 1000 / ms).toFixed(0)} MB/s; gaps ${JSON.stringify(manifest.gaps)}`,
  );
  const oracle = await RecordingOracle.of(file, Date.parse(manifest.start), media);
  const faults = await oracle.faultsOf(file, bytes, { ...range, format: 'mp4', audio: 'flac' });
  failures.push(...faults.map(fault => `${target} (the whole): ${fault}`));
  console.log(
    `${oracle.moments.length} pictures; numbers that do not follow: ${oracle.jumps.length}, shifted in time: ${oracle.shifts.length}`,
  );
  for (const jump of [...oracle.jumps, ...oracle.shifts].slice(0, 10)) console.log(`  ${jump}`);
  if (oracle.jumps.length > 0) failures.push(`${oracle.jumps.length} jumps in the recording`);
  rmSync(file);
  return oracle;
}

try {
  const range = await record();
  const oracle = await decodeWhole(range);
  for (const failure of failures) console.log(`  ${failure}`);
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < ranges) {
      outcomes.push(await check(oracle, next++));
      if (outcomes.length % 50 === 0)
        console.log(`${outcomes.length} of ${ranges}, ${failures.length} faults`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  printTable(
    ['ranges', 'asked', 'MB', 'first byte p50 ms', 'p99 ms', 'wrong'],
    kinds.map(kind => {
      const those = outcomes.filter(outcome => outcome.kind === kind);
      const times = Float64Array.from(those.map(({ firstByteMs }) => firstByteMs).filter(Number.isFinite));
      return [
        kind,
        those.length,
        (those.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1),
        quantileOf(times, 0.5).toFixed(1),
        quantileOf(times, 0.99).toFixed(1),
        those.filter(({ faults }) => faults > 0).length,
      ];
    }),
  );
  const offsets = Float64Array.from(oracle.soundOffsets.map(offset => offset * 1000));
  console.log(
    `sound beside picture, ${offsets.length} pieces: p50 ${quantileOf(offsets, 0.5).toFixed(2)} ms, ` +
      `largest ${Math.max(0, ...offsets).toFixed(2)} ms`,
  );
} finally {
  await daemon.stop();
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'no fault' : `${failures.length} faults; files in ${folder}`);
process.exitCode = failures.length === 0 ? 0 : 1;
