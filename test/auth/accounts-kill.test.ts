/** kill -9 in the middle of token operations: what was answered holds, what was under way may be either. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bench, runningClock } from './accounts-fixture.ts';

const operationsInAll = 500;
const rounds = 4;
const script = fileURLToPath(new URL('kill-process.ts', import.meta.url));
const register = new URL('../register.mjs', import.meta.url).href;

interface Known {
  readonly token: string;
  endsUnixMs: number;
  fate: 'alive' | 'unsure' | 'ended';
}

test('after kill -9 every answered log-in, refresh and log-out holds', async t => {
  const bench = new Bench({ clock: runningClock() });
  bench.boot = 'one boot';
  t.after(() => rmSync(bench.folder, { recursive: true, force: true }));
  const sessions = new Map<string, Known>();
  let answered = 0;

  function take(line: string): void {
    const [phase, what, sid, value] = line.split(' ') as [string, string, string, string];
    if (phase === 'done') answered += 1;
    if (what === 'in') sessions.set(sid, { token: value, endsUnixMs: 0, fate: 'alive' });
    if (what === 'refresh') sessions.get(sid)!.endsUnixMs = Number(value);
    if (what === 'out') sessions.get(sid)!.fate = phase === 'done' ? 'ended' : 'unsure';
  }

  for (let round = 1; round <= rounds; round++) {
    const argv = ['--import', register, script, bench.folder];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const goal = Math.ceil((operationsInAll / rounds) * round) + Math.floor(Math.random() * 20);
    const lines = createInterface({ input: child.stdout });
    lines.on('line', line => {
      take(line);
      if (answered >= goal) child.kill('SIGKILL');
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    assert.equal(child.signalCode, 'SIGKILL');
    await bench.open({ maxSessions: 1000, sessionSeconds: 86_400 });
    assert.equal(bench.accounts.state, 'claimed');
    for (const [sid, known] of sessions) {
      const session = await bench.accounts.authenticate(known.token);
      if (known.fate === 'alive') assert.ok(session, `round ${round}: an answered log-in is lost`);
      if (known.fate === 'ended') assert.equal(session, undefined, `round ${round}: a log-out came undone`);
      if (known.fate === 'unsure') sessions.set(sid, { ...known, fate: session ? 'alive' : 'ended' });
      // The two clocks are read one after the other: a millisecond or two.
      if (session)
        assert.ok(session.validUntilUnixMs >= known.endsUnixMs - 5, `round ${round}: a refresh is lost`);
    }
    await bench.accounts.close();
  }
  const fates = [...sessions.values()].map(({ fate }) => fate);
  t.diagnostic(
    `${answered} answered, ${rounds} kills, ${fates.filter(fate => fate === 'ended').length} log-outs`,
  );
  assert.ok(answered >= operationsInAll);
});
