/** A card of its own file system: pulled, missing at the start, and filled to its end. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { clipPath, downloadClip } from '../support/clip-client.ts';
import { Daemon } from '../support/daemon.ts';
import { decodeClip } from '../support/decoded-clip.ts';
import { LoopCard } from '../support/loop-card.ts';
import { recorderState, recordingStart, testFolder, timelineOf, until } from '../support/recorded.ts';
import { requireProgram } from '../support/requires.ts';
import { demoMedia } from '../support/test-media.ts';

test('a card that is pulled leaves nothing on the system below it, at run and at the next start', async t => {
  const card = LoopCard.insertNew(t, 100);
  if (!card) return;
  const daemon = await Daemon.start({ flags: [...demoMedia.flags, '--recordings', card.folder] });
  t.after(() => daemon.stop());
  const stateBecomes = (wanted: RegExp): Promise<string> =>
    daemon.until(async () => {
      const state = await recorderState(daemon);
      return state !== undefined && wanted.test(state) ? state : undefined;
    }, `the state ${wanted}`);
  const startUnixMs = await recordingStart(daemon);
  await until(startUnixMs + 3000);
  const range = { startUnixMs, endUnixMs: startUnixMs + 2000, format: 'mp4', audio: 'flac' } as const;
  const before = await downloadClip(daemon, clipPath(range));

  card.pull();
  await stateBecomes(/^card-(refused|missing)$/);
  await until(Date.now() + 2000);
  assert.deepEqual(readdirSync(card.folder), [], 'something was written below the card');

  card.insert();
  await stateBecomes(/^recording$/);
  const after = await downloadClip(daemon, clipPath(range));
  assert.ok(after.bytes.equals(before.bytes), 'the clip of before is another');

  await daemon.end('SIGTERM');
  card.pull();
  await daemon.restart();
  await stateBecomes(/^card-(refused|missing)$/);
  await until(Date.now() + 2000);
  assert.deepEqual(readdirSync(card.folder), [], 'something was written below the missing card');
  card.insert();
  await stateBecomes(/^recording$/);
  const last = await downloadClip(daemon, clipPath(range));
  assert.ok(last.bytes.equals(before.bytes), 'the clip of before is another after the restart');
});

test('on a card that is nearly full the oldest recordings make room, and what is left is whole', async t => {
  if (!requireProgram(t, 'ffmpeg')) return;
  const folder = testFolder(t);
  const card = LoopCard.insertNew(t, 80);
  if (!card) return;
  const daemon = await Daemon.start({
    flags: [
      ...demoMedia.flags,
      ...['--recordings', card.folder, '--recorder-segment-seconds', '10'],
      ...['--recorder-keep-free-mb', '50', '--recorder-keep-free-percent', '0'],
    ],
  });
  t.after(() => daemon.stop());
  const startUnixMs = await recordingStart(daemon);
  await until(startUnixMs + 12_000);
  const { bsize, bavail } = statfsSync(card.folder);
  // So that it must delete the first segment, and may keep the one that is being written.
  const filler = path.join(card.folder, 'holiday.bin');
  writeFileSync(filler, Buffer.alloc(bsize * bavail - 50_500_000));
  const first = await daemon.until(async () => {
    const [span] = (await timelineOf(daemon)).spans;
    return span && Date.parse(span.start) > startUnixMs ? Date.parse(span.start) : undefined;
  }, 'the deletion of the oldest');
  assert.ok(existsSync(filler), 'what is not ours was deleted');
  await until(Date.now() + 3000);
  assert.equal(await recorderState(daemon), 'recording');
  const range = { startUnixMs: first, endUnixMs: Date.now() - 500, format: 'mp4', audio: 'flac' } as const;
  const file = path.join(folder, 'left.mp4');
  writeFileSync(file, (await downloadClip(daemon, clipPath(range))).bytes);
  const { pictures } = await decodeClip(file, demoMedia, { hasSound: true });
  const steps = pictures.slice(1).map(({ number }, i) => (number - pictures[i]!.number + 300) % 300);
  assert.ok(
    steps.every(step => step === 1),
    `${steps.filter(step => step !== 1)}`,
  );
  const gone = await daemon.fetch(clipPath({ ...range, startUnixMs, endUnixMs: first - 100 }));
  assert.equal(gone.status, 404);
});
