/**
 * kill -9 in the middle of token operations and changes of the configuration: what was answered is there after the
 * restart, and a log-out that was answered stays one. What was under way may be either.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../support/daemon.ts';

const operationsInAll = 500;
const rounds = 5;
const clients = 6;
/** Below the cap of sessions by more than the operations under way, so that no session is pushed out. */
const liveTokensMax = 40;

/** What the client was told of a token; `unsure` while a log-out was under way when the camera died. */
type Fate = 'alive' | 'ended' | 'unsure';

test('every acknowledged token operation is there after kill -9, and an answered log-out stays logged out', async t => {
  const daemon = await Daemon.start({
    flags: ['--accounts-max-sessions', '64', '--live-max-session-seconds', '86400'],
  });
  t.after(() => daemon.stop());
  const fates = new Map<string, Fate>([[daemon.token, 'alive']]);
  let acknowledged = 0;
  let turn = 0;

  const tokensOf = (fate: Fate): string[] =>
    [...fates].filter(([, value]) => value === fate).map(([token]) => token);
  const call = (method: string, operation: string, token: string): Promise<number> =>
    fetch(new URL(`/api/v1${operation}`, daemon.url), { method, headers: { 'x-token': token } }).then(
      async response => {
        await response.arrayBuffer();
        return response.status;
      },
    );

  /** One operation; throws when the camera died under it. */
  async function operate(): Promise<void> {
    const alive = tokensOf('alive');
    const kind = turn++ % 3;
    if (kind === 0 || alive.length < 3) {
      if (alive.length < liveTokensMax) {
        const token = await daemon.logIn();
        fates.set(token, 'alive');
        acknowledged++;
        return;
      }
    }
    const token = alive[turn % alive.length]!;
    if (kind === 1) {
      const status = await call('POST', '/user/token/refresh', token);
      // Another client may have logged it out meanwhile.
      const expected = fates.get(token) === 'alive' ? [200] : [200, 401];
      assert.ok(expected.includes(status), `refresh: ${status}`);
    } else {
      fates.set(token, 'unsure');
      assert.equal(await call('GET', '/user/logout', token), 200);
      fates.set(token, 'ended');
    }
    acknowledged++;
  }

  async function client(until: number): Promise<void> {
    while (acknowledged < until)
      try {
        await operate();
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
  }

  for (let round = 1; round <= rounds; round++) {
    const until = Math.round((operationsInAll / rounds) * round);
    const working = Array.from({ length: clients }, () => client(Number.POSITIVE_INFINITY));
    await daemon.until(() => acknowledged >= until || undefined, `operation ${until}`);
    await daemon.restart('SIGKILL');
    // Their connections ended with the process; whoever still waits gets an error.
    await Promise.all(working);
    for (const token of tokensOf('alive'))
      assert.equal(await call('GET', '/system', token), 200, `round ${round}: an answered token is lost`);
    for (const token of tokensOf('ended'))
      assert.equal(await call('GET', '/system', token), 401, `round ${round}: a log-out came undone`);
    for (const token of tokensOf('unsure')) {
      const status = await call('GET', '/system', token);
      assert.ok(status === 200 || status === 401, `round ${round}: ${status}`);
      fates.set(token, status === 200 ? 'alive' : 'ended');
    }
  }
  assert.ok(acknowledged >= operationsInAll);
  t.diagnostic(`${acknowledged} operations, ${rounds} kills, ${tokensOf('ended').length} log-outs`);
});

test('a list of ICE servers is the old one or the new one after kill -9, never half, never older than the answer', async t => {
  const daemon = await Daemon.start();
  t.after(() => daemon.stop());
  const listOf = (n: number): string[] =>
    Array.from({ length: 8 }, (_, i) => `stun${i}.example-${n}.org:${3478 + i}`);
  let sent = 0;
  let answered = 0;
  const send = async (): Promise<void> => {
    for (;;) {
      const n = ++sent;
      const response = await daemon
        .fetch('/api/v1/media/live/config', {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ice_servers: listOf(n) }),
        })
        .catch(() => undefined);
      if (!response) return;
      assert.equal(response.status, 200);
      answered = n;
    }
  };
  for (let round = 1; round <= 3; round++) {
    const enough = answered + 40;
    const working = send();
    await daemon.until(() => answered >= enough || undefined, 'changes of the configuration');
    await daemon.restart('SIGKILL');
    await working;
    const { live_session_config } = await daemon.json<{ live_session_config: { ice_servers: string[] } }>(
      '/api/v1/system',
    );
    const found = Number(/example-(\d+)/.exec(live_session_config.ice_servers[0]!)?.[1]);
    assert.deepEqual(live_session_config.ice_servers, listOf(found));
    assert.ok(found === answered || found === sent, `${found} of ${answered} answered, ${sent} sent`);
  }
});
