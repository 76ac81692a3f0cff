/** The launcher with cameras that do as they are told: what is started, how often, and what becomes of it. Real processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  type BootRecord,
  emptyBootRecord,
  readBootRecord,
  type SlotName,
  type Trial,
  trialStarts,
  writeBootRecord,
} from '../../src/firmware/boot-record.ts';
import { entryOf, makeSlotFolder } from '../../src/firmware/slot-folder.ts';
import { tarOf } from './tar-of.ts';

const process_ = (name: string): string => fileURLToPath(new URL(`${name}-process.ts`, import.meta.url));
const expected = { pictures: false, recording: false };

let folder: string;
let started: Launched[];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'launch-test-'));
  started = [];
});
afterEach(async () => {
  for (const { process: each } of started)
    if (each.exitCode === null && each.signalCode === null) {
      const ended = once(each, 'exit');
      each.kill('SIGKILL');
      await ended;
    }
  rmSync(folder, { recursive: true });
});

interface Launched {
  readonly process: ChildProcess;
  readonly lines: Interface;
  /** Resolves to the status, null for a signal. */
  readonly ended: Promise<number | null>;
  said: string;
}

function launcher(options: { limitMs?: number; argv?: readonly string[] } = {}): Launched {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      process_('launcher'),
      folder,
      process_('fake-camera'),
      String(options.limitMs ?? 60_000),
      ...(options.argv ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FAKE_FOLDER: folder, FAKE_CAMERA: process_('fake-camera') },
    },
  );
  const launched = {
    process: child,
    lines: createInterface({ input: child.stdout }),
    ended: once(child, 'exit').then(([status]) => status as number | null),
    said: '',
  };
  child.stderr.on('data', text => {
    launched.said += text;
  });
  started.push(launched);
  return launched;
}

/** The next camera that serves. */
async function up({ lines }: Launched): Promise<{ slot: string }> {
  const [line] = (await once(lines, 'line')) as [string];
  return { slot: line.split(' ')[1]! };
}

async function fill(slot: SlotName, version: string): Promise<void> {
  const payload = path.join(folder, 'payload');
  const files = {
    'dist/cli.js': 'import(process.env.FAKE_CAMERA);',
    'package.json': JSON.stringify({ version, type: 'module' }),
  };
  writeFileSync(payload, gzipSync(tarOf(files)));
  await makeSlotFolder(payload, path.join(folder, slot), { version, bytesMax: 1e6 });
  rmSync(payload);
}

function write(changes: Partial<BootRecord>): void {
  writeBootRecord(folder, { ...emptyBootRecord, ...changes });
}

const slot = (version: string, state: 'good' | 'untried') => ({
  version,
  state,
  payloadSha256: '0'.repeat(64),
});
const trialOf = (of: Trial['slot']): Trial => ({ slot: of, startsLeft: trialStarts, expected });
const plan = (...actions: readonly string[]): void =>
  writeFileSync(path.join(folder, 'plan'), actions.join('\n'));
const starts = (): string[] =>
  readFileSync(path.join(folder, 'starts'), 'utf8')
    .trim()
    .split('\n')
    .map(line => line.trim());
const record = (): BootRecord => readBootRecord(folder).record;

/** Slot a is good and active, b is on trial. */
async function withTrial(): Promise<void> {
  await fill('a', '1.0.0');
  await fill('b', '2.0.0');
  write({
    active: 'a',
    slots: { a: slot('1.0.0', 'good'), b: slot('2.0.0', 'untried') },
    trial: trialOf('b'),
  });
}

test('without a slot it starts what it came with, with the same words, and ends with its status', async () => {
  plan('exit 3');
  assert.equal(await launcher({ argv: ['start', '--port', '0'] }).ended, 3);
  assert.deepEqual(starts(), ['factory exit 3 start --port 0']);
});

test('a camera that asks for it is followed by what the record says then', async () => {
  await withTrial();
  write({ ...record(), trial: null });
  plan('exit 75', 'exit 2');
  assert.equal(await launcher().ended, 2);
  assert.deepEqual(starts(), ['a exit 75', 'a exit 2']);
  assert.equal(record().crashes, 0);
});

test('a version on trial that ends by itself is started three times; then the one before serves', async () => {
  await withTrial();
  plan('exit 1', 'crash', 'exit 0', 'serve');
  const launched = launcher();
  // Whoever ends with 0 was asked to, so the third start is given back: it has a fourth.
  assert.equal(await launched.ended, 0);
  assert.equal(record().trial?.startsLeft, 1);
  plan('exit 1', 'serve');
  const again = launcher();
  assert.equal((await up(again)).slot, 'a');
  assert.equal(record().slots.b?.state, 'bad');
  assert.equal(record().lastResult?.outcome, 'fell-back');
  again.process.kill('SIGTERM');
  assert.equal(await again.ended, 0);
});

test('a version on trial that proves itself stays', async () => {
  await withTrial();
  plan('confirm', 'serve');
  const launched = launcher();
  assert.equal((await up(launched)).slot, 'b');
  assert.equal(record().active, 'b');
  launched.process.kill('SIGTERM');
  assert.equal(await launched.ended, 0);
  const again = launcher();
  assert.equal((await up(again)).slot, 'b');
});

test('a version on trial that hangs is ended, whatever signals it hears, and the one before serves', async () => {
  await withTrial();
  plan('hang', 'serve');
  const launched = launcher({ limitMs: 1500 });
  assert.equal((await up(launched)).slot, 'b');
  assert.equal((await up(launched)).slot, 'a');
  assert.equal(record().lastResult?.reason, 'it hung');
});

test('a version on trial with one changed byte is not started at all', async () => {
  await withTrial();
  writeFileSync(entryOf(path.join(folder, 'b')), 'import(process.env.FAKE_CAMERA);;');
  plan('serve');
  const launched = launcher();
  assert.equal((await up(launched)).slot, 'a');
  assert.match(record().lastResult?.reason ?? '', /dist\/cli\.js is not as it was/);
  assert.match(launched.said, /version 2\.0\.0 is not started/);
});

test('a camera that crashes is the end of the launcher too; the fifth time another version is started', async () => {
  await fill('a', '1.0.0');
  write({ active: 'a', slots: { a: slot('1.0.0', 'good'), b: null } });
  plan('exit 1', 'exit 1', 'crash', 'exit 1', 'exit 1', 'serve');
  for (let i = 1; i <= 5; i++) {
    assert.equal(await launcher().ended, 1);
    assert.equal(record().crashes, i);
  }
  assert.equal((await up(launcher())).slot, 'factory');
  assert.equal(record().slots.a?.state, 'bad');
});

test('a trial that is stopped from outside costs no start', async () => {
  await withTrial();
  plan('serve');
  const launched = launcher();
  await up(launched);
  assert.equal(record().trial?.startsLeft, trialStarts - 1);
  launched.process.kill('SIGTERM');
  assert.equal(await launched.ended, 0);
  assert.equal(record().trial?.startsLeft, trialStarts);
});

test('a launcher that is killed takes its camera with it, and the next one waits for that', async () => {
  plan('serve', 'serve');
  const first = launcher();
  await up(first);
  first.process.kill('SIGKILL');
  await up(launcher());
  assert.deepEqual(starts(), ['factory serve', 'factory is alone', 'factory serve']);
});

test('a second launcher is refused while the first lives, and touches nothing', async () => {
  plan('serve', 'serve');
  await up(launcher());
  const second = launcher();
  assert.equal(await second.ended, 1);
  assert.match(second.said, /another camera runs/);
  assert.deepEqual(starts(), ['factory serve']);
});

test('where the record cannot be written no version is tried', async () => {
  await withTrial();
  // The name that the record is written under first is taken by a folder.
  for (const name of ['boot.json', 'boot.previous.json'])
    mkdirSync(path.join(folder, `${name}.new`, 'in-the-way'), { recursive: true });
  plan('serve');
  const launched = launcher();
  assert.equal((await up(launched)).slot, 'a');
  assert.match(launched.said, /cannot be written/);
});
