/** A damaged user database lets nobody in, and the process runs on. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { factoryReset } from '../../src/auth/accounts-offline.ts';
import { Database } from '../../src/store/database.ts';
import { Bench, basic, caller, eventually, owner, withCode } from './accounts-fixture.ts';

const dataFile = (bench: Bench): string => path.join(bench.folder, 'accounts', 'data.mdb');

async function letsNobodyIn(bench: Bench, token: string): Promise<void> {
  const { accounts } = bench;
  assert.equal(accounts.state, 'damaged');
  assert.equal(accounts.setupToken, undefined);
  assert.deepEqual(accounts.iceServers(), []);
  assert.equal(accounts.verifyLink('/clip', 'anything'), false);
  const session = { sid: 'x', label: '', validUntilUnixMs: 0 };
  for (const attempt of [
    () => accounts.authenticate(token),
    () => accounts.logIn(basic(owner.email, owner.password), caller),
    () => accounts.createUser('0123456789ABCDEF', owner, caller),
    () => accounts.refresh(session),
    () => accounts.logOut(session, caller),
    () => accounts.resetPassword(session, 'another good one', caller),
    () => accounts.setIceServers([], caller),
  ])
    await assert.rejects(attempt(), withCode('accounts-damaged'));
}

const damages: Record<string, (file: string) => void> = {
  'is empty': file => truncateSync(file, 0),
  'is cut in a page of the tree': file => truncateSync(file, 9000),
  'holds zeros': file => writeFileSync(file, Buffer.alloc(32_768)),
  'holds something else': file => writeFileSync(file, 'not a database at all'.repeat(1000)),
  'is missing': file => rmSync(file),
  'has wild page numbers': file => {
    const bytes = readFileSync(file);
    // The roots of both meta pages (mm_dbs[1].md_root), so that whoever follows them leaves the file.
    for (const page of [0, 4096]) bytes.writeBigUInt64LE(0x7fffffn, page + 24 + 24 + 48 + 40);
    writeFileSync(file, bytes);
  },
  'has a flipped bit in the user': file => {
    const bytes = readFileSync(file);
    for (let at = bytes.indexOf(owner.email); at >= 0; at = bytes.indexOf(owner.email, at + 1))
      bytes[at]! ^= 1;
    writeFileSync(file, bytes);
  },
};

for (const [name, spoil] of Object.entries(damages))
  test(`a user database that ${name} lets nobody in, at this start and the next, and is left as it is`, async t => {
    const bench = await Bench.claimed();
    t.after(() => bench.remove());
    const { token } = await bench.logIn();
    await bench.accounts.close();
    spoil(dataFile(bench));
    const spoilt = name === 'is missing' ? undefined : readFileSync(dataFile(bench));
    await bench.open();
    await letsNobodyIn(bench, token);
    await bench.restart();
    await letsNobodyIn(bench, token);
    if (spoilt) assert.deepEqual(readFileSync(dataFile(bench)), spoilt);
    assert.ok(bench.lines.some(line => line.includes('damaged')));
  });

test('a database that vanished from a camera that has its keys does not make it a new one', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  await bench.accounts.close();
  rmSync(path.join(bench.folder, 'accounts'), { recursive: true });
  await bench.open();
  await letsNobodyIn(bench, token);
  assert.equal(existsSync(path.join(bench.folder, 'setup-token')), false);
  await factoryReset(bench.options());
  await eventually(() => bench.accounts.state === 'factory');
});

const inItsPlace: Record<string, (folder: string) => void> = {
  'a file': folder => writeFileSync(folder, 'x'),
  'a link to nowhere': folder => symlinkSync('nowhere', folder),
};

for (const [name, put] of Object.entries(inItsPlace))
  test(`${name} in the place of the database's folder lets nobody in, until a factory reset`, async t => {
    const bench = await Bench.claimed();
    t.after(() => bench.remove());
    const { token } = await bench.logIn();
    await bench.accounts.close();
    rmSync(path.join(bench.folder, 'accounts'), { recursive: true });
    put(path.join(bench.folder, 'accounts'));
    await bench.open();
    await letsNobodyIn(bench, token);
    await factoryReset(bench.options());
    await eventually(() => bench.accounts.state === 'factory');
  });

test('a user database that is lost while the camera runs ends what its sessions watch', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  const { sid } = await bench.session(token);
  rmSync(dataFile(bench));
  await eventually(() => bench.accounts.state === 'damaged');
  assert.deepEqual(bench.ended, [sid]);
  await letsNobodyIn(bench, token);
});

test('a user that vanished from a sound database does not make the camera a new one', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  await bench.accounts.close();
  const database = Database.open(path.join(bench.folder, 'accounts'));
  await database.change(records => records.delete('user'));
  await database.close();
  await bench.open();
  await letsNobodyIn(bench, token);
});

test('a record of a later version is refused, not guessed at', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  await bench.accounts.close();
  const bytes = readFileSync(dataFile(bench));
  const before = Buffer.from(' {"revision"');
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) bytes[at - 18] = 0x32;
  writeFileSync(dataFile(bench), bytes);
  await bench.open();
  assert.equal(bench.accounts.state, 'damaged');
});

test('a database that is put back from a backup is taken again without a restart', async t => {
  const bench = await Bench.claimed();
  t.after(() => bench.remove());
  const { token } = await bench.logIn();
  await bench.accounts.close();
  const backup = path.join(mkdtempSync(path.join(tmpdir(), 'backup-')), 'data.mdb');
  t.after(() => rmSync(path.dirname(backup), { recursive: true }));
  copyFileSync(dataFile(bench), backup);
  truncateSync(dataFile(bench), 9000);
  await bench.open();
  await letsNobodyIn(bench, token);
  copyFileSync(backup, dataFile(bench));
  await eventually(() => bench.accounts.state === 'claimed');
  assert.ok(await bench.isGood(token));
});
