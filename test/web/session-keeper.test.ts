/** How the page keeps its log-in alive. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CameraProblem } from '../../src/web/api/camera-problem.ts';
import { SessionKeeper } from '../../src/web/session/session-keeper.ts';

interface Scene {
  readonly keeper: SessionKeeper;
  /** Requests so far. */
  asked(): number;
  /** What the next requests are answered: a life in ms, or a refusal. */
  answer: number | Error;
  /** Lets time pass by both clocks, with the timers that fall due. */
  pass(ms: number): Promise<void>;
  /** Sets the wall clock forward or back. */
  setClock(ms: number): void;
  /** Lets time pass in which no timer runs and the steady clock stands still, as in a computer that sleeps. */
  sleep(ms: number): void;
}

function scene(t: TestContext, lifeMs: number | undefined): Scene {
  let steadyMs = 1000;
  let asked = 0;
  let wallMs = 1_800_000_000_000;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(Date, 'now', () => wallMs);
  t.mock.method(performance, 'now', () => steadyMs);
  const self: Scene = {
    answer: 10_000,
    keeper: new SessionKeeper(
      {
        refresh: async () => {
          asked += 1;
          if (self.answer instanceof Error) throw self.answer;
          return { lifeMs: self.answer };
        },
      },
      lifeMs,
    ),
    asked: () => asked,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 500) {
        steadyMs += 500;
        wallMs += 500;
        t.mock.timers.tick(500);
        // The answer to a request arrives.
        await Promise.resolve().then(() => Promise.resolve());
      }
    },
    setClock(ms) {
      wallMs += ms;
    },
    sleep(ms) {
      self.keeper.stop();
      wallMs += ms;
    },
  };
  t.after(() => self.keeper.stop());
  return self;
}

test('refreshes at half of the life, again and again', async t => {
  const { keeper, asked, pass } = scene(t, 10_000);
  keeper.start();
  await pass(4500);
  assert.equal(asked(), 0);
  await pass(1000);
  assert.equal(asked(), 1);
  await pass(20_000);
  assert.equal(asked(), 5);
  assert.equal(keeper.refreshes, 5);
  assert.ok(!keeper.hasExpired);
});

test('refreshes a stored session at once, since nobody knows how long it lives', async t => {
  const { keeper, asked, pass } = scene(t, undefined);
  assert.ok(!keeper.isKnown);
  keeper.start();
  assert.equal(asked(), 1);
  await pass(1000);
  assert.ok(keeper.isKnown);
});

test('refreshes on return from a sleep in which the timers stood still', async t => {
  const { keeper, asked, sleep } = scene(t, 12 * 3_600_000);
  keeper.start();
  sleep(7 * 3_600_000);
  keeper.start();
  assert.equal(asked(), 1);
  assert.ok(!keeper.hasExpired);
});

test('knows after a long sleep that the session has expired', async t => {
  const { keeper, asked, sleep } = scene(t, 12 * 3_600_000);
  keeper.start();
  sleep(13 * 3_600_000);
  keeper.start();
  assert.equal(asked(), 1);
  assert.ok(keeper.hasExpired);
});

test('is not misled by a wall clock that was set back', async t => {
  const { keeper, asked, pass, setClock } = scene(t, 10_000);
  keeper.start();
  setClock(-3_600_000);
  await pass(5500);
  assert.equal(asked(), 1);
});

test('tries again when the camera does not answer, and not before it has asked to', async t => {
  const it = scene(t, 10_000);
  it.answer = new CameraProblem({ code: 'rate-limited', status: 429, retryAfterMs: 20_000 });
  it.keeper.start();
  await it.pass(6000);
  assert.equal(it.asked(), 1);
  it.keeper.look();
  await it.pass(18_000);
  assert.equal(it.asked(), 1);
  it.answer = new CameraProblem({ code: 'unreachable' });
  await it.pass(3000);
  assert.equal(it.asked(), 2);
  it.answer = 60_000;
  await it.pass(6000);
  assert.equal(it.asked(), 3);
  await it.pass(20_000);
  assert.equal(it.asked(), 3);
});

test('asks no more once the camera knows the session no longer', async t => {
  const it = scene(t, 10_000);
  it.answer = new CameraProblem({ code: 'unauthorized', status: 401 });
  it.keeper.start();
  await it.pass(60_000);
  assert.equal(it.asked(), 1);
});

test('does not hurry when the session has come to its longest life', async t => {
  const it = scene(t, 8000);
  it.answer = 1000;
  it.keeper.start();
  await it.pass(14_000);
  assert.ok(it.asked() <= 6, `${it.asked()}`);
});
