import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Codec } from '../../src/base/tracks.ts';
import { AnnexBPlayer } from '../../src/capture/annexb-player.ts';
import { G711Player } from '../../src/capture/g711-player.ts';
import { looksLikeMp4, Mp4Player } from '../../src/capture/mp4-player.ts';
import type { PacedPlayer } from '../../src/capture/paced-run.ts';
import { SourceFile } from '../../src/capture/source-file.ts';
import { requireProgram } from '../support/requires.ts';
import { annexB, hex, idr, inter, makeCapture, pps, sps } from './capture-fixture.ts';

const demo = (name: string) => fileURLToPath(new URL(`../../assets/demo/${name}`, import.meta.url));
const videoFile = demo('demo-720p30.mp4');
const soundFile = demo('demo-speech.ulaw');

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'capture-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

function fileOf(t: TestContext, name: string, bytes: Uint8Array): SourceFile {
  const file = path.join(folder(t), name);
  writeFileSync(file, bytes);
  return new SourceFile(file);
}

test('a named pipe in the place of a file is refused at once, and not waited for', t => {
  const pipe = path.join(folder(t), 'pipe');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  assert.throws(() => new SourceFile(pipe), /not a regular file; for a pipe or device use command:cat PATH/);
});

/** Plays frames without waiting for them, as the pacer would at `startUs`. */
function play(player: PacedPlayer, frames: number, startUs = 1_000_000): number[] {
  const times: number[] = [];
  for (let i = 0; i < frames; i++) {
    times.push(startUs + player.nextOffsetUs);
    player.emit(times.at(-1)!);
  }
  return times;
}

test('the demo loops: times go on over the seam, the bytes come again, nothing is marked', t => {
  const { writer, reader, statistics, infos } = makeCapture({ dataBytes: 1 << 22 });
  const player = new Mp4Player(new SourceFile(videoFile), writer);
  t.after(() => player.close());
  const times = play(player, 602);
  const records = reader.take();
  assert.equal(records.length, 602);
  assert.deepEqual(
    records.map(record => record.captureMonoUs),
    times,
  );
  for (let i = 1; i < 602; i++) assert.ok(Math.abs(times[i]! - times[i - 1]! - 1e6 / 30) <= 1, `frame ${i}`);
  assert.equal(times[300]! - times[0]!, 10_000_000);
  assert.deepEqual(records[300]!.units, records[0]!.units);
  assert.deepEqual(
    records.flatMap((record, i) => (record.discontinuity ? [i] : [])),
    [0],
  );
  assert.equal(records.filter(record => record.randomAccess).length, 21);
  assert.equal(statistics.dropped, 0);
  assert.deepEqual([infos[0]!.width, infos[0]!.height, infos[0]!.framesPerSecond], [1280, 720, 30]);
});

test('the samples of the demo are records as they are: every random access point begins with SPS and PPS', t => {
  const { writer, reader } = makeCapture({ dataBytes: 1 << 22 });
  const player = new Mp4Player(new SourceFile(videoFile), writer);
  t.after(() => player.close());
  play(player, 31);
  const file = readFileSync(videoFile);
  for (const { randomAccess, units } of reader.take()) {
    const types = units.map(unit => Number.parseInt(unit.slice(0, 2), 16) & 0x1f);
    if (randomAccess) assert.deepEqual(types.slice(0, 2), [7, 8]);
    const record = Buffer.concat(
      units.flatMap(unit => {
        const bytes = Buffer.from(unit, 'hex');
        const length = Buffer.alloc(4);
        length.writeUInt32BE(bytes.length);
        return [length, bytes];
      }),
    );
    assert.ok(file.indexOf(record) > 0, 'a record lies in the file byte for byte');
  }
});

test('sound and picture of the demo come round together', t => {
  const { audioWriter, reader, writer } = makeCapture({ dataBytes: 1 << 22 });
  const sound = new G711Player(new SourceFile(soundFile), audioWriter);
  const picture = new Mp4Player(new SourceFile(videoFile), writer);
  t.after(() => {
    sound.close();
    picture.close();
  });
  play(sound, 501);
  play(picture, 300);
  const records = reader.take().filter(record => record.codec === Codec.pcmu);
  assert.deepEqual(records[500]!.units, records[0]!.units);
  assert.equal(records[500]!.captureMonoUs - records[0]!.captureMonoUs, 10_000_000);
  assert.equal(picture.nextOffsetUs, 10_000_000);
  assert.equal(records.filter(record => record.discontinuity).length, 1);
});

test('after a stall picture and sound go on at the same place, the picture at a random access point', t => {
  const { audioWriter, reader, writer } = makeCapture({ dataBytes: 1 << 22 });
  const sound = new G711Player(new SourceFile(soundFile), audioWriter);
  const picture = new Mp4Player(new SourceFile(videoFile), writer);
  t.after(() => {
    sound.close();
    picture.close();
  });
  play(sound, 10);
  play(picture, 10);
  for (const player of [sound, picture]) player.skipTo(73_510_000);
  assert.equal(sound.nextOffsetUs, 73_520_000);
  assert.ok(picture.nextOffsetUs - 73_510_000 >= 0 && picture.nextOffsetUs - 73_510_000 < 33_334);
  reader.take();
  play(picture, 30);
  const [first] = reader.take();
  assert.deepEqual([first!.randomAccess, first!.discontinuity], [true, true]);
  assert.equal(first!.captureMonoUs, 1_000_000 + 74_000_000);
});

test('plays an Annex-B file at the rate of its SPS and goes round at its end', t => {
  const { writer, reader, statistics } = makeCapture();
  const file = fileOf(t, 'clip.h264', annexB(sps, pps, idr(300), inter(99, 2), inter(98, 3)));
  const player = new AnnexBPlayer(file, writer, 0);
  t.after(() => player.close());
  assert.equal(player.framesPerSecond, 30);
  const times = play(player, 7);
  assert.deepEqual(
    times.map(time => time - 1_000_000),
    [0, 33_333, 66_667, 100_000, 133_333, 166_667, 200_000],
  );
  assert.deepEqual(
    reader.take().map(record => record.units.at(-1)),
    [idr(300), inter(99, 2), inter(98, 3), idr(300), inter(99, 2), inter(98, 3), idr(300)].map(hex),
  );
  assert.deepEqual([statistics.dropped, statistics.losses], [0, 0]);
});

test('plays a raw file at the rate that is given', t => {
  const { writer } = makeCapture();
  const player = new AnnexBPlayer(fileOf(t, 'a.264', annexB(sps, pps, idr(9))), writer, 12.5);
  t.after(() => player.close());
  assert.deepEqual(play(player, 3).at(-1), 1_000_000 + 160_000);
});

for (const [what, name, arguments_, codec] of [
  ['fragmented MP4', 'f.mp4', ['-c', 'copy', '-movflags', 'frag_keyframe+empty_moov'], Codec.h264],
  ['MOV with its tables at the end', 'm.mov', ['-c', 'copy'], Codec.h264],
  [
    'H.265 with its parameter sets in hvcC alone',
    'h.mp4',
    ['-c:v', 'libx265', '-tag:v', 'hvc1', '-x265-params', 'log-level=none', '-t', '1'],
    Codec.h265,
  ],
] as const)
  test(`plays ${what}`, t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    const output = path.join(folder(t), name);
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-i', videoFile, ...arguments_, output]);
    assert.equal(status, 0, String(stderr));
    const { writer, reader, statistics, infos } = makeCapture({ dataBytes: 1 << 22 });
    const file = new SourceFile(output);
    assert.ok(looksLikeMp4(file));
    const player = new Mp4Player(file, writer);
    t.after(() => player.close());
    play(player, 40);
    const records = reader.take();
    assert.equal(records.length, 40);
    assert.equal(statistics.dropped, 0);
    assert.deepEqual([infos[0]!.codec, infos[0]!.width, infos[0]!.framesPerSecond], [codec, 1280, 30]);
    assert.ok(records[0]!.units.length >= (codec === Codec.h265 ? 4 : 3));
  });

for (const [what, name, bytes, reason] of [
  ['an empty file', 'empty.h264', new Uint8Array(0), /empty/],
  ['a file of noise', 'noise.h264', new Uint8Array(5000).fill(0xa5), /no H.264 or H.265 parameter sets/],
  ['parameter sets without a picture', 'sets.h264', annexB(sps, pps), /no picture/],
  ['an MP4 without a movie box', 'a.mp4', Buffer.from('\0\0\0\x10ftypisom\0\0\0\0'), /no movie box/],
  ['an MP4 that is cut short', 'cut.mp4', readFileSync(videoFile).subarray(0, 500_000), /cut short/],
  [
    'an MP4 whose boxes are nonsense',
    'b.mp4',
    Buffer.from(`\0\0\0\x10ftypisom\0\0\0\0${'\xff'.repeat(4000)}`, 'latin1'),
    /cannot be played/,
  ],
] as const)
  test(`refuses ${what} with words`, t => {
    const { writer } = makeCapture();
    assert.throws(
      () => {
        const file = fileOf(t, name, bytes);
        t.after(() => file.close());
        looksLikeMp4(file) ? new Mp4Player(file, writer) : new AnnexBPlayer(file, writer, 0);
      },
      { code: 'source-failed', message: reason },
    );
  });

test('refuses a missing file, a folder, a device and a WAV file with words', t => {
  const refused = (open: () => unknown, message: RegExp) =>
    assert.throws(open, { code: 'source-failed', message });
  refused(() => new SourceFile('/no/such/file'), /no such file/);
  refused(() => new SourceFile(tmpdir()), /not a regular file/);
  refused(() => new SourceFile('/dev/null'), /not a regular file/);
  const { audioWriter } = makeCapture();
  const wav = fileOf(t, 'a.wav', Buffer.from(`RIFF${'x'.repeat(400)}`));
  t.after(() => wav.close());
  refused(() => new G711Player(wav, audioWriter), /no raw G.711/);
});

test('a file that is cut while it is played ends the run with an error', t => {
  const { writer } = makeCapture();
  const copy = path.join(folder(t), 'copy.mp4');
  writeFileSync(copy, readFileSync(videoFile));
  const player = new Mp4Player(new SourceFile(copy), writer);
  t.after(() => player.close());
  play(player, 3);
  truncateSync(copy, 10_000);
  assert.throws(() => play(player, 30), { code: 'source-failed', message: /cut short/ });
});

test('takes the name of a sound file for its codec', t => {
  const { audioWriter, reader } = makeCapture();
  const player = new G711Player(fileOf(t, 'speech.alaw', new Uint8Array(330).fill(7)), audioWriter);
  t.after(() => player.close());
  play(player, 3);
  const records = reader.take();
  assert.deepEqual(
    records.map(record => [record.codec, record.lengthBytes]),
    Array(3).fill([Codec.pcma, 160]),
  );
});
