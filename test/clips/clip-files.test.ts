// Whole clips before judges that know nothing of us: ffprobe and ffmpeg read them without a word of complaint, show the
// pictures of the range and no other, each at its time, and mp4box parses them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFile, MP4BoxBuffer } from 'mp4box';
import type { ClipOptions } from '../../src/clips/clip-types.ts';
import { fixtureClip } from '../isobmff/segments.ts';
import { topLevelBoxes } from '../support/clip-boxes.ts';
import { type DecodedClip, decodeClip, probeClip, secondsOf } from '../support/decoded-clip.ts';
import { requireProgram } from '../support/requires.ts';
import { baseUnixMs, cutClip, demoClip, demoSound, MadeClip, MadeRecording } from './made-recording.ts';

const formats = ['mp4', 'fmp4'] as const;
const audios = ['flac', 'raw', 'none'] as const;
const kinds: ClipOptions[] = formats.flatMap(format => audios.map(audio => ({ format, audio })));
const prober = 'ffprobe';
const size = { width: 1280, height: 720 };
const pictureMs = 1000 / 30;

function inFile(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'clip-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'clip.mp4');
  writeFileSync(file, bytes);
  return file;
}

/** Three segments: the second follows at once, the third after 2.5 s. */
function threeSegments(): MadeRecording {
  const demo = demoClip();
  return new MadeRecording()
    .add(cutClip(demo, 0, 120), { sound: demoSound.subarray(0, 32_000) })
    .add(cutClip(demo, 120, 210), {
      sound: demoSound.subarray(32_000, 56_000),
      baseWallUnixMs: baseUnixMs + 4000,
    })
    .add(cutClip(demo, 210, 300), {
      sound: demoSound.subarray(56_000),
      baseWallUnixMs: baseUnixMs + 9500,
    });
}

/** When the pictures of those segments were taken, since the recording began. */
function takenMs(picture: number): number {
  return picture * pictureMs + (picture < 210 ? 0 : 2500);
}

/** Asserts that just the pictures of a range are shown, each when it should be. */
function assertPictures(decoded: DecodedClip, startMs: number, endMs: number): void {
  const shown = decoded.pictures.filter(({ seconds }) => seconds >= 0);
  const wanted = Array.from({ length: 300 }, (_, i) => i).filter(i => {
    const next = i === 299 ? takenMs(299) + pictureMs : takenMs(i + 1);
    return next > startMs + 0.02 && takenMs(i) < endMs;
  });
  assert.deepEqual(
    shown.map(({ number }) => number),
    wanted,
  );
  for (const { number, seconds } of shown) {
    const wantedSeconds = Math.max(0, takenMs(number) - startMs) / 1000;
    assert.ok(Math.abs(seconds - wantedSeconds) < 0.001, `${number} at ${seconds}, not ${wantedSeconds}`);
  }
}

/** Asserts that the sound that is heard is that of its time; silence of gaps is passed over. */
function assertSound({ sound }: DecodedClip, startMs: number): void {
  let compared = 0;
  const { samples, frames } = sound!;
  for (const { from, count } of frames) {
    const clipMs = 1000 * secondsOf(sound!, from) + startMs;
    if (clipMs > 6800 && clipMs < 9700) continue;
    const at = Math.round(8 * (clipMs < 7000 ? clipMs : clipMs - 2500));
    if (at < 0 || at + count > 78_000) continue;
    const best = [-2, -1, 0, 1, 2].find(shift => {
      for (let i = 0; i < count; i++) if (samples[from + i] !== demoSound[at + shift + i]) return false;
      return true;
    });
    assert.notEqual(best, undefined, `the sound at ${clipMs} ms is another`);
    compared += count;
  }
  assert.ok(compared > 20_000, `only ${compared} samples`);
}

for (const options of kinds)
  test(`a clip as ${options.format} with sound ${options.audio} shows just its range`, async t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    const clip = new MadeClip(threeSegments(), threeSegments().plan(1345, 11_234, options));
    const { plan } = clip;
    const bytes = clip.whole();
    assert.equal(bytes.length, plan.lengthBytes);
    assert.match(
      topLevelBoxes(bytes).join(' '),
      options.format === 'mp4' ? /^ftyp moov mdat$/ : /^ftyp moov( moof mdat)+$/,
    );
    const file = inFile(t, bytes);
    const probed = await probeClip(file);
    const seconds = options.format === 'mp4' ? probed.seconds : probed.videoSeconds;
    assert.ok(Math.abs(seconds - 9.889) < 0.005, `${seconds} s`);
    const decoded = await decodeClip(file, size, { hasSound: plan.hasAudio });
    assertPictures(decoded, 1345, 11_234);
    if (plan.hasAudio) assertSound(decoded, 1345);
    assert.equal(plan.hasAudio, options.audio !== 'none');
    assert.deepEqual(plan.gaps, [{ startUnixMs: baseUnixMs + 7000, endUnixMs: baseUnixMs + 9500 }]);
    assert.deepEqual([plan.startUnixMs, plan.endUnixMs], [baseUnixMs + 1345, baseUnixMs + 11_234]);
  });

for (const options of kinds)
  test(`mp4box parses a clip as ${options.format} with sound ${options.audio}`, () => {
    const recording = threeSegments();
    const bytes = new MadeClip(recording, recording.plan(1345, 11_234, options)).whole();
    const file = createFile();
    file.onError = (module: string, message: string) => assert.fail(`${module}: ${message}`);
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(bytes.slice().buffer as ArrayBuffer, 0));
    file.flush();
    const { tracks } = file.getInfo();
    assert.equal(tracks.length, options.audio === 'none' ? 1 : 2);
    const samples = file.getTrackSamplesInfo(tracks[0]!.id);
    const pictures = demoClip().pictures.slice(30, 262 + 1);
    assert.deepEqual(
      samples.map(sample => sample.size),
      pictures.map(picture => picture.bytes.length),
    );
    for (const [i, sample] of samples.entries())
      assert.deepEqual(
        Buffer.from(bytes.subarray(sample.offset, sample.offset + sample.size)),
        Buffer.from(pictures[i]!.bytes),
        `picture ${i}`,
      );
  });

for (const format of formats)
  test(`a lost fragment is a gap in time, as ${format}`, async t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    // Fragments of 24 and 6 pictures: the third second is lost.
    const recording = new MadeRecording().add(demoClip(), { sound: demoSound, lost: [4, 5] });
    for (const audio of audios) {
      const clip = new MadeClip(recording, recording.plan(500, 5000, { format, audio }));
      const file = inFile(t, clip.whole());
      const { pictures, sound } = await decodeClip(file, size, { hasSound: audio !== 'none' });
      const shown = pictures.filter(({ seconds }) => seconds >= 0);
      assert.deepEqual(
        shown.map(({ number }) => number),
        [...Array(45).keys()].map(i => i + 15).concat([...Array(60).keys()].map(i => i + 90)),
      );
      for (const { number, seconds } of shown)
        assert.ok(Math.abs(seconds - (number / 30 - 0.5)) < 0.001, `${number} at ${seconds}`);
      if (audio !== 'none') assert.ok(sound!.samples.length > 24_000);
    }
  });

for (const format of formats)
  test(`other parameter sets of the same codec are another sample entry, as ${format}`, async t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    const small = fixtureClip('scaling-hrd-128x96.h264', 30, true);
    const recording = new MadeRecording()
      .add(cutClip(demoClip(), 0, 60), { sound: demoSound.subarray(0, 16_000) })
      .add(small, { baseWallUnixMs: baseUnixMs + 2000 })
      .add(cutClip(demoClip(), 60, 90), { baseWallUnixMs: baseUnixMs + 4000 });
    const plan = recording.plan(0, 6000, { format, audio: 'flac' });
    assert.equal(plan.tracks.videoEntries.length, 2);
    const file = inFile(t, new MadeClip(recording, plan).whole());
    const { stdout, stderr } = spawnSync(prober, [
      ...['-v', 'warning', '-select_streams', 'v', '-show_entries', 'frame=width', '-of', 'csv=p=0', file],
    ]);
    assert.equal(stderr.toString(), '');
    const widths = [...stdout.toString().matchAll(/^\d+/gm)].map(Number);
    const count = small.pictures.length;
    assert.deepEqual(widths, [...Array(60).fill(1280), ...Array(count).fill(128), ...Array(30).fill(1280)]);
  });

for (const options of kinds)
  test(`H.265 goes into a clip as ${options.format} with sound ${options.audio}`, async t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    const source = fixtureClip('demo-720p30-hevc.h265', 30, true);
    const durationMs = source.pictures.length * pictureMs;
    const recording = new MadeRecording().add(source, { sound: demoSound.subarray(0, 8 * durationMs) });
    const plan = recording.plan(-1000, 60_000, options);
    assert.equal(plan.startUnixMs, baseUnixMs);
    const file = inFile(t, new MadeClip(recording, plan).whole());
    const probed = await probeClip(file);
    assert.equal(probed.videoCodec, 'hevc');
    assert.ok(Math.abs(probed.seconds - durationMs / 1000) < 0.001);
    const { pictures } = await decodeClip(file, size, { hasSound: false });
    assert.equal(pictures.length, source.pictures.length);
  });
