import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { LiveReplies, LiveRequest } from '../../src/ipc/messages.ts';
import { RequestChannel, type RequestEnvelope } from '../../src/ipc/request-channel.ts';

function openChannel(options?: { timeoutMs?: number; pendingMax?: number }) {
  const channel = new RequestChannel<LiveRequest, LiveReplies>('live', options);
  const sent: RequestEnvelope<LiveRequest>[] = [];
  channel.open(command => sent.push(command));
  return { channel, sent };
}

const close = (sessionId: string) => ({ kind: 'close-session', sessionId }) as const;

test('settles each request by the reply with its id, in whatever order they come', async () => {
  const { channel, sent } = openChannel();
  const first = channel.request(close('a'));
  const second = channel.request(close('b'));
  assert.deepEqual(
    sent.map(({ request }) => request),
    [close('a'), close('b')],
  );
  assert.notEqual(sent[0]!.id, sent[1]!.id);
  channel.take({
    type: 'reply-error',
    id: sent[1]!.id,
    error: { code: 'session-unknown', message: 'b', details: {} },
  });
  channel.take({ type: 'reply', id: sent[0]!.id, value: { closed: true } });
  assert.deepEqual(await first, { closed: true });
  await assert.rejects(second, { code: 'session-unknown', message: 'b' });
  assert.equal(channel.pendingCount, 0);
});

test('refuses at once before the worker is ready and after it is gone', async () => {
  const channel = new RequestChannel<LiveRequest, LiveReplies>('live');
  await assert.rejects(channel.request(close('a')), { code: 'worker-unavailable' });
  channel.open(() => assert.fail('nothing must be posted'));
  channel.close();
  await assert.rejects(channel.request(close('a')), { code: 'worker-unavailable' });
});

test('rejects everything that waits when the worker dies, and ignores its replies from then on', async () => {
  const { channel, sent } = openChannel();
  const waiting = [channel.request(close('a')), channel.request(close('b'))];
  channel.close();
  for (const request of waiting) await assert.rejects(request, { code: 'worker-unavailable' });
  assert.equal(channel.take({ type: 'reply', id: sent[0]!.id, value: {} }), true);
});

test('never uses an id twice, so that a reply of a former life settles no request of the next one', async () => {
  const { channel, sent } = openChannel();
  const lost = channel.request(close('a'));
  channel.close();
  await assert.rejects(lost);
  channel.open(command => sent.push(command));
  const next = channel.request(close('b'));
  channel.take({ type: 'reply', id: sent[0]!.id, value: 'stale' });
  channel.take({ type: 'reply', id: sent[1]!.id, value: { closed: true } });
  assert.deepEqual(await next, { closed: true });
});

test('gives a request up after the time limit and drops its late reply', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { channel, sent } = openChannel({ timeoutMs: 500 });
    const request = channel.request(close('a'));
    mock.timers.tick(499);
    assert.equal(channel.pendingCount, 1);
    mock.timers.tick(1);
    await assert.rejects(request, {
      code: 'request-timeout',
      details: { kind: 'close-session', timeoutMs: 500 },
    });
    assert.equal(channel.take({ type: 'reply', id: sent[0]!.id, value: {} }), true);
  } finally {
    mock.timers.reset();
  }
});

test('refuses requests beyond the bound without posting them', async () => {
  const { channel, sent } = openChannel({ pendingMax: 2 });
  const waiting = [channel.request(close('a')), channel.request(close('b'))];
  await assert.rejects(channel.request(close('c')), {
    code: 'worker-unavailable',
    details: { worker: 'live', pending: 2 },
  });
  assert.equal(sent.length, 2);
  channel.close();
  await Promise.allSettled(waiting);
});

test('a request that cannot be posted is rejected and not left waiting', async () => {
  const channel = new RequestChannel<LiveRequest, LiveReplies>('live');
  channel.open(() => {
    throw new Error('could not be cloned');
  });
  await assert.rejects(channel.request(close('a')), { code: 'internal' });
  assert.equal(channel.pendingCount, 0);
});

test('leaves other reports to others', () => {
  const { channel } = openChannel();
  assert.equal(channel.take({ type: 'beat' }), false);
});
