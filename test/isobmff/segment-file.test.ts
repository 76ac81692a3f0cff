// Whole segments before judges that know nothing of us: ffprobe and ffmpeg read them and decode them without a word of
// complaint, to the very pictures and samples that went in; mp4box parses them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { createFile, MP4BoxBuffer } from 'mp4box';
import { pcmuToLinear } from '../../src/codec/g711.ts';
import { type FragmentHead, readFragmentHead } from '../../src/isobmff/fragment-reader.ts';
import { decodeTrailer, endBoxBytes, readEndBox } from '../../src/isobmff/sample-table.ts';
import { readSegmentHead } from '../../src/isobmff/segment-head.ts';
import { requireProgram } from '../support/requires.ts';
import { boxesOf } from './box-tree.ts';
import { fixtureClip, type MadeSegment, makeSegment } from './segments.ts';

const fixtures: { name: string; framesPerSecond: number; codec: string }[] = [
  { name: 'demo-720p30.h264', framesPerSecond: 30, codec: 'h264' },
  { name: '1080p60.h264', framesPerSecond: 60, codec: 'h264' },
  { name: 'demo-720p30-hevc.h265', framesPerSecond: 30, codec: 'hevc' },
];

const speech = Int16Array.from(
  readFileSync(new URL('../../assets/demo/demo-speech.ulaw', import.meta.url)),
  code => pcmuToLinear[code]!,
).subarray(4000);

function inFile(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'segment-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'segment.mp4');
  writeFileSync(file, bytes);
  return file;
}

/** What a program prints; whatever it complains of fails the test. */
function outputOf(program: string, ...parameters: string[]): Buffer {
  const { stdout, stderr, status } = spawnSync(program, ['-v', 'warning', ...parameters], {
    maxBuffer: 1 << 28,
  });
  assert.equal(stderr.toString(), '');
  assert.equal(status, 0);
  return stdout;
}

/** One checksum a decoded picture. */
function pictureSums(...input: string[]): string[] {
  const text = outputOf(
    'ffmpeg',
    '-nostdin',
    ...input,
    '-map',
    '0:v',
    '-fps_mode',
    'passthrough',
    '-f',
    'framemd5',
    '-',
  ).toString();
  return [...text.matchAll(/^0,.*, *([0-9a-f]{32})$/gm)].map(([, sum]) => sum!);
}

for (const { name, framesPerSecond, codec } of fixtures) {
  const clip = fixtureClip(name, framesPerSecond, true);
  const durationMs = (1000 * clip.pictures.length) / framesPerSecond;
  const sound = speech.subarray(0, 8 * durationMs);
  const segment = makeSegment(clip, { sound, fragmentPictures: 4 });

  test(`ffprobe finds every sample of ${name} at its time`, t => {
    if (!requireProgram(t, 'ffprobe')) return;
    const file = inFile(t, segment.bytes);
    const parameters = ['-count_frames', '-show_streams', '-show_packets', '-of', 'json', file];
    const { streams, packets } = JSON.parse(outputOf('ffprobe', ...parameters).toString());
    assert.deepEqual(
      streams.map((stream: Record<string, unknown>) => [
        stream.codec_name,
        Number(stream.nb_read_frames),
        Math.round(1000 * Number(stream.duration)),
      ]),
      [
        [codec, clip.pictures.length, Math.round(durationMs)],
        ['flac', segment.counts.audioBlocks, Math.round(durationMs)],
      ],
    );
    const video = packets.filter((packet: { codec_type: string }) => packet.codec_type === 'video');
    assert.deepEqual(
      video.map((packet: Record<string, string>) => [Number(packet.dts), Number(packet.size)]),
      clip.pictures.map(({ bytes }, i) => [Math.round((i * 90_000) / framesPerSecond), bytes.length]),
    );
    assert.deepEqual(
      video.map((packet: Record<string, string>) => packet.flags!.startsWith('K')),
      clip.pictures.map(({ isSync }) => isSync),
    );
  });

  test(`ffmpeg decodes ${name} to the pictures and the sound that went in`, t => {
    if (!requireProgram(t, 'ffmpeg')) return;
    const file = inFile(t, segment.bytes);
    const source = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
    const pictures = pictureSums('-i', file);
    assert.equal(pictures.length, clip.pictures.length);
    assert.deepEqual(pictures, pictureSums('-i', source));
    const decoded = outputOf('ffmpeg', '-nostdin', '-i', file, '-map', '0:a', '-f', 's16le', '-');
    assert.deepEqual(decoded, Buffer.from(sound.buffer, sound.byteOffset, sound.byteLength));
  });

  test(`mp4box parses ${name}`, () => {
    const file = createFile();
    file.onError = (module: string, message: string) => assert.fail(`${module}: ${message}`);
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(segment.bytes.slice().buffer, 0));
    file.flush();
    const info = file.getInfo();
    assert.equal(info.isFragmented, true);
    assert.deepEqual(
      info.tracks.map(track => track.codec.slice(0, 4)),
      [codec === 'h264' ? 'avc1' : 'hvc1', 'fLaC'],
    );
    const [video, audio] = info.tracks;
    const sizesOf = (trackId: number): number[] => file.getTrackSamplesInfo(trackId).map(({ size }) => size);
    assert.deepEqual(sizesOf(video!.id), [...segment.samples.videoSizes]);
    assert.deepEqual(sizesOf(audio!.id), [...segment.samples.audioSizes]);
  });

  test(`the readers find in ${name} what its boxes hold`, () => assertReadable(segment, true));
}

function assertReadable(segment: MadeSegment, hasAudio: boolean): void {
  const { bytes, samples } = segment;
  const head = readSegmentHead(bytes, crc32)!;
  assert.deepEqual(head, { ...segment.info, headBytes: segment.headBytes, tag: segment.tag });
  let offset = head.headBytes;
  for (const fragment of samples.fragments) {
    assert.equal(offset, fragment.offset);
    const found: FragmentHead = readFragmentHead(bytes.subarray(offset), hasAudio, head.tag, crc32)!;
    assert.equal(found.number, fragment.number);
    const payloadAt = offset + found.moofBytes + 8;
    offset = payloadAt + found.payloadBytes;
    assert.equal(crc32(bytes.subarray(payloadAt, offset)), found.payloadCrc32);
    assert.equal(offset, fragment.offset + fragment.lengthBytes);
  }
  const end = readEndBox(bytes.subarray(-endBoxBytes), crc32)!;
  assert.deepEqual([end.tag, end.trailerOffset, end.counts], [head.tag, offset, segment.counts]);
  const trailer = bytes.subarray(end.trailerOffset, end.trailerOffset + end.trailerBytes);
  assert.equal(end.trailerOffset + end.trailerBytes, bytes.length - endBoxBytes);
  assert.deepEqual(decodeTrailer(trailer, head.tag, crc32), samples);
}

test('players pass over fragments without sound, and a track of sound that never has any', t => {
  if (!requireProgram(t, 'ffprobe')) return;
  const clip = fixtureClip('demo-720p30.h264', 30, true);
  for (const [samples, blocks] of [
    [0, 0],
    [900, 2],
  ] as const) {
    const segment = makeSegment(clip, { sound: speech.subarray(0, samples), fragmentPictures: 3 });
    const file = inFile(t, segment.bytes);
    const parameters = ['-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file];
    const counted = outputOf('ffprobe', ...parameters)
      .toString()
      .split('\n');
    assert.deepEqual(
      counted.slice(0, 2).map(count => Number(count) || 0),
      [clip.pictures.length, blocks],
    );
  }
});

test('a segment without sound, and one that is being written, are files as well', t => {
  if (!requireProgram(t, 'ffprobe')) return;
  const clip = fixtureClip('demo-720p30-hevc.h265', 30, false);
  const closed = makeSegment(clip, { fragmentPictures: 5 });
  const open = makeSegment(clip, { fragmentPictures: 5, isOpen: true });
  assertReadable(closed, false);
  assert.deepEqual(open.bytes, closed.bytes.subarray(0, closed.endOffset));
  for (const { bytes } of [closed, open]) {
    boxesOf(bytes);
    const file = inFile(t, bytes);
    const parameters = ['-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file];
    assert.equal(Number(outputOf('ffprobe', ...parameters)), clip.pictures.length);
  }
});
