/** The power goes at any moment of a recording; `npm run bench:power-cuts` tries thousands. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { probeClip } from '../support/decoded-clip.ts';
import { PowerCuts } from '../support/power-cuts.ts';
import { requireProgram } from '../support/requires.ts';

test('a power cut at any moment, and another one while that is mended, costs nothing that was told of', async t => {
  const cuts = await PowerCuts.record(t, 6, 3000);
  const folder = mkdtempSync(path.join(tmpdir(), 'power-cuts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let repairs = 0;
  for (let moment = 0; moment < cuts.moments; moment++) {
    const seed = 1000 + moment;
    const result = await cuts.cut(folder, moment, seed).catch((error: unknown) => {
      throw new Error(`cut ${moment} of ${cuts.moments}, seed ${seed}`, { cause: error });
    });
    repairs += result.repairs;
    // A second: a fragment of 0.8 s, and what comes while it is written.
    assert.ok(result.lostPictures <= 30, `${result.lostPictures} pictures are lost at ${moment}`);
  }
  assert.ok(cuts.moments > 30, `${cuts.moments} moments`);
  assert.ok(repairs > cuts.moments, `${repairs} repairs`);
});

test('every file that a power cut leaves plays', async t => {
  if (!requireProgram(t, 'ffprobe')) return;
  const cuts = await PowerCuts.record(t, 5, 4000);
  const folder = mkdtempSync(path.join(tmpdir(), 'power-cuts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { files } = await cuts.cut(folder, cuts.moments - 4, 7);
  assert.ok(files.length > 0);
  for (const file of files) assert.ok((await probeClip(path.join(folder, file))).videoSeconds > 0);
});
