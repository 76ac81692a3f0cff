/** The live stage with real peers on the loopback address; the camera is a ring that the test fills. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CameraError } from '../../src/base/errors.ts';
import type { LiveReplies, LiveReport } from '../../src/ipc/messages.ts';
import { LiveStage } from '../../src/live/live-stage.ts';
import type { Peer } from '../../src/live/peer/peer.ts';
import { systemClock } from '../../src/telemetry/system-clock.ts';
import { newIdentity, offerSdp, peerFor } from '../support/light-viewer.ts';
import { Camera } from './live-fixture.ts';
import { h264Track } from './offer/offer-fixture.ts';
import { activeResources, closed, connected } from './peer/peer-fixture.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

class Stage {
  readonly camera = new Camera();
  readonly reports: LiveReport[] = [];
  readonly stage: LiveStage;
  readonly viewers: Peer[] = [];

  constructor(live: { maxViewers?: number; maxPending?: number } = {}) {
    this.stage = new LiveStage({
      ring: this.camera.ring,
      clock: systemClock,
      logger: silent,
      report: report => this.reports.push(report),
      live: {
        maxViewers: 16,
        maxPending: 4,
        offersPerMinute: 10,
        connectTimeoutSeconds: 15,
        viewerTimeoutSeconds: 30,
        maxSessionSeconds: 3600,
        maxPayloadBytes: 1200,
        addresses: ['127.0.0.1'],
        dataPlane: 'auto',
        ...live,
      },
    });
    this.stage.command({ type: 'tracks', tracks: [h264Track('42e01f')] });
  }

  async open(identity?: Awaited<ReturnType<typeof newIdentity>>): Promise<LiveReplies['open-session']> {
    const reply = await this.stage.request({
      kind: 'open-session',
      sdp: offerSdp(identity ?? (await newIdentity())),
      validUntilUnixMs: Date.now() + 60_000,
      iceServers: [],
    });
    return reply as LiveReplies['open-session'];
  }

  /** A viewer that is connected on both sides. */
  async connect(): Promise<{ viewer: Peer; sessionId: string }> {
    const identity = await newIdentity();
    const { sdp, sessionId } = await this.open(identity);
    const viewer = await peerFor(identity, sdp);
    this.viewers.push(viewer);
    const first = new Promise<void>(resolve => viewer.onDatagram(() => resolve()));
    const ready = connected(viewer);
    viewer.start();
    await ready;
    this.camera.keyPicture(3000);
    await first;
    return { viewer, sessionId };
  }

  value(name: string): number {
    return this.stage.stats().values[name] ?? 0;
  }

  async stop(): Promise<void> {
    await this.stage.stop();
    await Promise.all(this.viewers.map(viewer => viewer.close()));
  }
}

function isError(code: string): (error: unknown) => boolean {
  return error => error instanceof CameraError && error.code === code;
}

describe('the live stage', () => {
  const stages: Stage[] = [];
  const make = (live?: { maxViewers?: number; maxPending?: number }): Stage => {
    const stage = new Stage(live);
    stages.push(stage);
    return stage;
  };
  after(() => Promise.all(stages.map(stage => stage.stop())));

  it('counts what ended viewers were sent, so that no total ever falls', async () => {
    const stage = make();
    const { sessionId } = await stage.connect();
    const sent = stage.value('packets_sent_total');
    assert.ok(sent > 0);
    await stage.stage.request({ kind: 'close-session', sessionId });
    assert.equal(stage.value('viewers'), 0);
    assert.ok(stage.value('packets_sent_total') >= sent, `${stage.value('packets_sent_total')} < ${sent}`);
    assert.equal(stage.value('sessions_ended_closed_by_api_total'), 1);
  });

  it('answers no more offers than there are places, also while the viewers are still connecting', async () => {
    const stage = make({ maxViewers: 2, maxPending: 4 });
    await stage.connect();
    await stage.open();
    await assert.rejects(stage.open(), isError('offers-pending'));
    assert.equal(stage.value('viewers') + stage.value('sessions_pending'), 2);
  });

  it('counts offers that are being answered at the same moment', async () => {
    const stage = make({ maxViewers: 3, maxPending: 2 });
    const identities = await Promise.all(Array.from({ length: 6 }, () => newIdentity()));
    const answers = await Promise.allSettled(identities.map(identity => stage.open(identity)));
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 2);
  });

  it('refuses at the viewer limit and takes the next one when a viewer has left', async () => {
    const stage = make({ maxViewers: 1 });
    const { viewer } = await stage.connect();
    await assert.rejects(stage.open(), isError('viewer-limit'));
    await viewer.close();
    while (stage.value('viewers') > 0) await new Promise(resolve => setImmediate(resolve));
    await stage.open();
  });

  it('leaves nothing behind of an offer that is being answered while it stops', async () => {
    const before = await activeResources();
    const stage = make();
    const identity = await newIdentity();
    const answer = stage.open(identity);
    const stopping = stage.stop();
    await assert.rejects(answer, isError('worker-unavailable'));
    await stopping;
    assert.deepEqual(await activeResources(), before);
  });

  it('ends a session once and forgets it, however it ends', async () => {
    const stage = make();
    const { viewer, sessionId } = await stage.connect();
    const end = closed(viewer);
    await stage.stage.request({ kind: 'close-session', sessionId });
    assert.equal(await end, 'closed-by-viewer');
    for (const kind of ['close-session', 'describe-session'] as const)
      await assert.rejects(stage.stage.request({ kind, sessionId }), isError('session-unknown'));
    assert.deepEqual(
      stage.reports.map(report => (report.type === 'session-ended' ? report.reason : report.type)),
      ['closed-by-api'],
    );
  });
});
