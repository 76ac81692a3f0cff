import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { auditFileBytesMax, auditFileName, readAudit } from '../../src/auth/audit-file.ts';
import {
  AuditLog,
  failureLinesAtOnce,
  otherLinesPerMinute,
  queueLinesMax,
} from '../../src/auth/audit-log.ts';
import type { LogFields } from '../../src/ipc/messages.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const owner = { remoteAddress: '192.0.2.1', requestId: 'req-1' };
const guesser = { remoteAddress: '192.0.2.66', requestId: 'req-2' };

function makeAudit() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'opencamerad-audit-'));
  folders.push(folder);
  const file = path.join(folder, auditFileName);
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: LogFields): void =>
      void lines.push({ level, message, fields });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const clock = new ManualClock();
  return { audit: new AuditLog({ file, clock, logger }), folder, file, lines, clock };
}

test('writes one JSON object a line, with time, event, caller and fields, in order', async () => {
  const { audit, file, folder } = makeAudit();
  audit.record('login', owner, { label: 'Phone', sessions: 2, nothing: undefined });
  audit.record('logout', owner);
  audit.record('session-expired');
  await audit.close();
  const time = '2023-11-14T22:13:20.000Z';
  const caller = { remoteAddress: '192.0.2.1', requestId: 'req-1' };
  const expected = [
    { time, event: 'login', ...caller, label: 'Phone', sessions: 2 },
    { time, event: 'logout', ...caller },
    { time, event: 'session-expired' },
  ];
  assert.deepEqual(
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text)),
    expected,
  );
  assert.deepEqual(await readAudit(folder, 100), expected);
  assert.deepEqual(await readAudit(folder, 1), expected.slice(2));
  assert.deepEqual(await readAudit(folder, 0), []);
});

test('the file is for its owner alone, even if somebody widened it', async () => {
  const { audit, file } = makeAudit();
  writeFileSync(file, '');
  chmodSync(file, 0o644);
  audit.record('login', owner);
  await audit.close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a new file is made 0600', async () => {
  const { audit, file } = makeAudit();
  audit.record('login', owner);
  await audit.close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a file that would grow beyond 1 MiB becomes the older one, and the older one goes', async () => {
  const { audit, file, folder } = makeAudit();
  writeFileSync(`${file}.1`, 'oldest\n');
  writeFileSync(file, `{"time":"old","event":"login"}\n${'x'.repeat(auditFileBytesMax - 40)}\n`);
  audit.record('login', owner);
  await audit.close();
  assert.ok(statSync(file).size < 1000);
  assert.equal(readFileSync(`${file}.1`, 'utf8').slice(0, 14), '{"time":"old",');
  assert.deepEqual(
    (await readAudit(folder, 10)).map(({ time }) => time),
    ['old', '2023-11-14T22:13:20.000Z'],
  );
});

test('continues on a new line after half a line, which readers skip', async () => {
  const { audit, file, folder } = makeAudit();
  writeFileSync(file, '{"time":"t","event":"login"}\n{"time":"u","ev');
  audit.record('logout', owner);
  await audit.close();
  appendFileSync(file, 'null\n[]\n{}\n{"time":1,"event":"x"}\n\n');
  assert.deepEqual(
    (await readAudit(folder, 10)).map(({ event }) => event),
    ['login', 'logout'],
  );
});

test('where there is no log there is nothing to read', async () => {
  assert.deepEqual(await readAudit(path.join(os.tmpdir(), 'no such folder'), 10), []);
});

test('text from outside is made printable and short, and a secret by its name is masked', async () => {
  const { audit, file, folder, lines } = makeAudit();
  audit.record(
    'configuration-changed',
    { remoteAddress: 'a\nb', requestId: 'x'.repeat(10_000) },
    {
      label: 'two\nlines\u202e\u001b[2J',
      password: 'hunter2',
      accessToken: 'hunter2',
      ['__proto__']: 'x',
      event: 'forged',
      time: 'forged',
    },
  );
  await audit.close();
  const text = readFileSync(file, 'utf8');
  assert.doesNotMatch(text + JSON.stringify(lines), /hunter2|forged"/);
  assert.equal(text.indexOf('\n'), text.length - 1);
  const [entry] = await readAudit(folder, 1);
  assert.equal(entry?.label, 'two\\nlines\\u202e\\x1b[2J');
  assert.equal(entry?.event, 'configuration-changed');
  assert.ok(text.length < 1000);
});

test('failures of one address within a minute are one line, and one with their count', async () => {
  const { audit, clock, folder } = makeAudit();
  for (let i = 0; i < 100; i++) audit.record('login-failed', guesser);
  audit.record('login-failed', owner);
  clock.advanceUs(60_000_000);
  audit.record('login', owner);
  await audit.close();
  assert.deepEqual(
    (await readAudit(folder, 100)).map(({ event, remoteAddress, count }) => [event, remoteAddress, count]),
    [
      ['login-failed', '192.0.2.66', undefined],
      ['login-failed', '192.0.2.1', undefined],
      ['login-failed', '192.0.2.66', 99],
      ['login', '192.0.2.1', undefined],
    ],
  );
});

test('an IPv6 guesser is one address with its whole /64', async () => {
  const { audit, folder } = makeAudit();
  for (let i = 0; i < 100; i++)
    audit.record('login-throttled', { remoteAddress: `2001:db8::${i}`, requestId: 'r' });
  await audit.close();
  assert.deepEqual(
    (await readAudit(folder, 100)).map(({ count }) => count),
    [undefined, 99],
  );
});

test('what was only counted when the process ends is written then', async () => {
  const { audit, folder } = makeAudit();
  for (let i = 0; i < 7; i++) audit.record('setup-failed', guesser);
  await audit.close();
  assert.deepEqual(
    (await readAudit(folder, 9)).map(({ count }) => count),
    [undefined, 6],
  );
});

test('a flood of failures from many addresses takes one line a minute and loses no count', async () => {
  const { audit, clock, file, folder } = makeAudit();
  const minutes = 300;
  for (let minute = 0; minute < minutes; minute++) {
    for (let n = 0; n < 400; n++)
      audit.record('login-throttled', { remoteAddress: `10.${minute}.${n >> 8}.${n & 255}`, requestId: 'r' });
    clock.advanceUs(60_000_000);
  }
  audit.record('login', owner);
  await audit.close();
  const entries = await readAudit(folder, 1e6);
  assert.ok(entries.length <= failureLinesAtOnce + minutes + 2, `${entries.length}`);
  assert.ok(statSync(file).size < 250 * entries.length);
  const failures = entries.filter(({ event }) => event === 'login-throttled');
  assert.equal(
    failures.reduce((sum, { count }) => sum + ((count as number | undefined) ?? 1), 0),
    400 * minutes,
  );
  assert.ok(entries.some(({ event }) => event === 'login'));
});

test('an owner who logs in again and again is counted after ten lines a minute', async () => {
  const { audit, folder } = makeAudit();
  for (let i = 0; i < 50; i++) audit.record('login', owner);
  await audit.close();
  const entries = await readAudit(folder, 100);
  assert.equal(entries.length, otherLinesPerMinute + 1);
  assert.equal(entries.at(-1)?.count, 50 - otherLinesPerMinute);
});

test('a burst beyond the queue is dropped and the rest is written', async () => {
  const { audit, folder } = makeAudit();
  for (let i = 0; i < 2 * queueLinesMax; i++)
    audit.record('login', { remoteAddress: `10.0.${i >> 8}.${i & 255}`, requestId: 'r' });
  await audit.close();
  const written = (await readAudit(folder, 1e6)).length;
  assert.ok(written > 200 && written <= queueLinesMax + 1, `${written}`);
});

test('the log of the daemon has every event, failures as throttled warnings', async () => {
  const { audit, lines, clock } = makeAudit();
  audit.record('login', owner, { label: 'Phone' });
  for (let i = 0; i < 1000; i++) audit.record('login-failed', guesser);
  clock.advanceUs(10_000_000);
  audit.record('login-failed', guesser);
  await audit.close();
  assert.deepEqual(
    lines.map(({ level, message, fields }) => [level, message, fields?.suppressed]),
    [
      ['info', 'audit: login', undefined],
      ['warn', 'audit: login-failed', undefined],
      ['warn', 'audit: login-failed', 999],
    ],
  );
  assert.equal(lines[0]?.fields?.label, 'Phone');
});

test('a folder that cannot be written costs one warning and no request', async () => {
  const { audit, lines, folder, file } = makeAudit();
  mkdirSync(file);
  for (let i = 0; i < 5; i++) {
    audit.record('login', owner);
    await audit.close();
  }
  const warnings = lines.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!.message, /audit log cannot be written/);
  rmSync(file, { recursive: true });
  audit.record('logout', owner);
  await audit.close();
  assert.equal((await readAudit(folder, 10)).at(-1)?.event, 'logout');
});

test('a named pipe in its place holds nobody', async () => {
  const { audit, lines, file, folder } = makeAudit();
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', file]);
  audit.record('login', owner);
  await audit.close();
  assert.equal(lines.filter(({ level }) => level === 'warn').length, 1);
  assert.deepEqual(await readAudit(folder, 10), []);
});

test('two processes may append: no line of either is lost', async () => {
  const { audit, file, folder, clock } = makeAudit();
  const log = (): void => {};
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const other = new AuditLog({ file, clock, logger });
  for (let i = 0; i < 5; i++) {
    audit.record('login', owner);
    other.record('keys-rotated');
  }
  await Promise.all([audit.close(), other.close()]);
  assert.equal((await readAudit(folder, 100)).length, 10);
});
