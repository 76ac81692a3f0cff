import assert from 'node:assert/strict';
import { existsSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CameraError } from '../../src/base/errors.ts';
import { createDatabase, databaseExists, databaseIdentity, diskBytesMin } from '../../src/store/create.ts';
import { newFolder } from './database-fixture.ts';

test('without room on the disk no database is begun, since writing its lock would end the process by a signal', async t => {
  const folder = newFolder(t);
  rmdirSync(folder);
  const creating = createDatabase(folder, () => {}, { freeBytes: () => diskBytesMin - 1 });
  await assert.rejects(creating, (error: CameraError) => {
    assert.equal(error.code, 'state-failed');
    return /the disk is full/.test(error.message);
  });
  assert.equal(existsSync(folder) || existsSync(`${folder}.new`), false);
  await createDatabase(folder, () => {}, { freeBytes: () => diskBytesMin });
  assert.equal(databaseExists(folder), true);
});

const others: Record<string, (folder: string) => void> = {
  'a file': folder => writeFileSync(folder, 'x'),
  'a link to nowhere': folder => symlinkSync('nowhere', folder),
};

for (const [name, put] of Object.entries(others))
  test(`${name} under the name of a database is one that is there, and damaged`, t => {
    const folder = newFolder(t);
    rmdirSync(folder);
    assert.equal(databaseExists(folder), false);
    put(folder);
    assert.equal(databaseExists(folder), true);
    assert.equal(databaseIdentity(folder), undefined);
  });
