/**
 * Attacks on the running daemon that need the whole of it: a hostile viewer that is connected, a crowd at the door,
 * workers that hang, are lapped or run out of memory, sources that give nothing. All the while GET /device is asked.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PeerConnection } from '../../src/live/peer/peer.ts';
import { SrtcpSession } from '../../src/native/srtp/srtcp-session.ts';
import { Daemon } from '../support/daemon.ts';
import { isWhole } from '../support/fast-camera.ts';
import { depayloadH264 } from '../support/h264-depayloader.ts';
import { type Answer, LightViewer, newIdentity, offerSdp, postOffer } from '../support/light-viewer.ts';
import { SrtpReceiver } from '../support/srtp-receiver.ts';

interface Health {
  readonly status: string;
  readonly workers: readonly { readonly name: string; readonly state: string; readonly restarts: number }[];
}

const flags = [
  ...['--live-addresses', '127.0.0.1', '--live-max-viewers', '3', '--live-max-pending', '2'],
  ...['--live-connect-timeout-seconds', '2', '--live-viewer-timeout-seconds', '5'],
];

/** Asks GET /device every 20 ms until it is stopped; every answer must be as expected. */
class DeviceWatch {
  slowestMs = 0;
  readonly statuses = new Map<number, number>();
  private isOver = false;
  private readonly asking: Promise<void>;

  constructor(daemon: Daemon) {
    this.asking = this.ask(daemon);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.asking;
  }

  private async ask(daemon: Daemon): Promise<void> {
    while (!this.isOver) {
      const begin = performance.now();
      const response = await daemon.fetch('/api/v1/device');
      await response.text();
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begin);
      this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

/** A viewer that can seal RTCP and open the video. */
class HostileViewer {
  readonly viewer: LightViewer;
  readonly videoSsrc: number;
  /** RTP packets of the video, opened, by arrival. */
  readonly video: Buffer[] = [];
  readonly srtcp: SrtcpSession;
  private readonly receiver: SrtpReceiver;

  private constructor(viewer: LightViewer, { profile, sendKeys, receiveKeys }: PeerConnection) {
    this.viewer = viewer;
    this.videoSsrc = Number(/^a=ssrc:(\d+) /m.exec(viewer.answerSdp)?.[1]);
    this.srtcp = new SrtcpSession(profile, sendKeys, receiveKeys);
    this.receiver = new SrtpReceiver(profile, receiveKeys);
    viewer.onDatagram = bytes => {
      if (bytes[1]! >= 192 && bytes[1]! <= 223) return;
      if (bytes.readUInt32BE(8) !== this.videoSsrc) return;
      const opened = this.receiver.unprotect(bytes);
      if (opened) this.video.push(opened.packet);
    };
  }

  static async open(daemon: Daemon): Promise<HostileViewer> {
    const viewer = await LightViewer.open(daemon);
    return new HostileViewer(viewer, await viewer.connected);
  }

  send(packet: Uint8Array): void {
    this.viewer.peer.send(packet);
  }

  /** A PLI (RFC 4585 §6.3.1). */
  pli(senderSsrc = 7): Buffer {
    const packet = Buffer.from([0x81, 206, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    packet.writeUInt32BE(senderSsrc, 4);
    packet.writeUInt32BE(this.videoSsrc, 8);
    return packet;
  }

  async count(name: string): Promise<number> {
    return Number((await this.viewer.describe())?.[name]);
  }

  /** How often the picture was begun again: packets with a sequence parameter set, those that were resent once. */
  get beginnings(): number {
    const first = this.video.filter(packet => [24, 7].includes(payloadOf(packet)[0]! & 31));
    return new Set(first.map(packet => packet.readUInt16BE(2))).size;
  }
}

/** Without CSRCs and padding; with the header extension left out. */
function payloadOf(packet: Buffer): Buffer {
  const hasExtension = (packet[0]! & 0x10) !== 0;
  return packet.subarray(12 + (hasExtension ? 4 + 4 * packet.readUInt16BE(14) : 0));
}

describe('the daemon under attack', () => {
  const crashFolder = mkdtempSync(path.join(os.tmpdir(), 'attacks-'));
  let daemon: Daemon;
  let watch: DeviceWatch;
  before(async () => {
    daemon = await Daemon.start({
      // The recorder has a file of its own (recorder-crashes.test.ts): this one is long as it is.
      flags: [...flags, '--recorder-enabled=false'],
      imports: ['./test/support/crash-hook.mjs'],
      env: { CRASH_FOLDER: crashFolder },
    });
    await daemon.until(
      async () => (await daemon.fetch('/api/v1/device')).status === 200 || undefined,
      'the first picture',
    );
    watch = new DeviceWatch(daemon);
  });
  after(async () => {
    await daemon.stop();
    rmSync(crashFolder, { recursive: true, force: true });
  });

  const restartsOf = async (name: string): Promise<number> => {
    const health = (await (await daemon.fetch('/healthz')).json()) as Health;
    return health.workers.find(worker => worker.name === name)!.restarts;
  };

  test('garbage, wrong tags, replays and lying lengths from a connected viewer change nothing', async () => {
    const hostile = await HostileViewer.open(daemon);
    await daemon.until(() => hostile.video.length > 30 || undefined, 'video');
    const replayed = hostile.srtcp.protect(hostile.pli());
    for (let i = 0; i < 1000; i++) {
      const garbage = randomBytes(12 + (i % 1200));
      garbage[0] = 128 + (i % 64);
      if (i % 2) garbage[1] = 192 + (i % 32);
      hostile.send(garbage);
      hostile.send(replayed.slice());
      // The event loops of both sides breathe, or the kernel drops most of it.
      if (i % 50 === 0) await new Promise(resolve => setTimeout(resolve, 2));
    }
    const lying = [
      [0x81, 206, 0xff, 0xff, 0, 0, 0, 7, 0, 0, 0, 1],
      [0x81, 205, 0, 0, 0, 0, 0, 7],
      [0x9f, 201, 0, 1, 0, 0, 0, 7],
      [0x9f, 203, 0, 1, 0, 0, 0, 7],
      [0xbf, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0xff],
      [0x84, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 1],
    ];
    for (const bytes of lying) hostile.send(hostile.srtcp.protect(Buffer.from(bytes)));
    const seen = hostile.video.length;
    await daemon.until(() => hostile.video.length > seen + 60 || undefined, 'video after the attack');
    assert.equal(await hostile.count('plis_received'), 1);
    await hostile.viewer.close();
  });

  test('a flood of authentic PLIs, NACKs and senders costs two beginnings a second and no keyframe of the source', async () => {
    const hostile = await HostileViewer.open(daemon);
    await daemon.until(() => hostile.video.length > 30 || undefined, 'video');
    const randomAccessPoints = 'opencamera_capture_main_random_access_points_total';
    const nack = Buffer.concat([Buffer.from([0x81, 205, 0, 82]), Buffer.alloc(8), Buffer.alloc(320, 0xff)]);
    nack.writeUInt32BE(7, 4);
    nack.writeUInt32BE(hostile.videoSsrc, 8);
    for (let i = 0; i < 80; i++)
      nack.writeUInt16BE((hostile.video.at(-1)!.readUInt16BE(2) - 17 * i) & 0xffff, 12 + 4 * i);
    const [beginnings, keyframes] = [hostile.beginnings, await daemon.metric(randomAccessPoints)];
    const begin = performance.now();
    for (let i = 0; i < 2000; i++) {
      hostile.send(hostile.srtcp.protect(hostile.pli(i % 4 === 0 ? i + 1000 : 7)));
      if (i % 10 === 0) hostile.send(hostile.srtcp.protect(nack));
      if (i % 20 === 0) await new Promise(resolve => setTimeout(resolve, 5));
    }
    await daemon.until(
      async () => (await hostile.count('plis_received')) >= 500 || undefined,
      'the PLIs that were authentic',
    );
    const seconds = (performance.now() - begin) / 1000;
    const natural = (await daemon.metric(randomAccessPoints))! - keyframes! + 1;
    assert.ok(
      hostile.beginnings - beginnings <= Math.ceil(2 * seconds) + natural,
      `${hostile.beginnings - beginnings} beginnings in ${seconds} s`,
    );
    assert.ok((await hostile.count('packets_resent')) <= 400 * Math.ceil(seconds + 1));
    await hostile.viewer.close();
  });

  test('an offer posted 100 times leaves the viewer that is there alone, and the door opens again', async t => {
    const hostile = await HostileViewer.open(daemon);
    await daemon.until(() => hostile.video.length > 30 || undefined, 'video');
    const sdp = offerSdp(await newIdentity());
    const seen = hostile.video.length;
    const statuses = new Map<number, number>();
    for (let i = 0; i < 100; i += 10)
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const response = await postOffer(daemon, sdp);
          const body = (await response.json()) as { code?: string };
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
          if (response.status === 200) return;
          assert.equal(response.status, 503);
          assert.equal(body.code, 'offers-pending');
          assert.ok(Number(response.headers.get('retry-after')) > 0);
        }),
      );
    t.diagnostic(`statuses ${JSON.stringify([...statuses])}`);
    assert.ok(statuses.get(200)! >= 2);
    await daemon.until(() => hostile.video.length > seen + 60 || undefined, 'video meanwhile');
    const next = await daemon.until(() => LightViewer.open(daemon).catch(() => undefined), 'the next viewer');
    await next.connected;
    await Promise.all([next.close(), hostile.viewer.close()]);
  });

  test('at the viewer limit an offer is 503 with Retry-After, until a vanished viewer is noticed', async () => {
    await daemon.until(
      async () => (await daemon.metric('opencamera_live_viewers')) === 0 || undefined,
      'an empty camera',
    );
    const viewers: LightViewer[] = [];
    for (let i = 0; i < 3; i++) {
      const viewer = await daemon.until(() => LightViewer.open(daemon).catch(() => undefined), 'an answer');
      await viewer.connected;
      await daemon.until(
        async () => (await viewer.describe())?.state === 'connected' || undefined,
        'the connection',
      );
      viewers.push(viewer);
    }
    const response = await postOffer(daemon, offerSdp(await newIdentity()));
    assert.equal(response.status, 503);
    assert.equal(((await response.json()) as { code: string }).code, 'viewer-limit');
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    await viewers[0]!.vanish();
    const next = await daemon.until(() => LightViewer.open(daemon).catch(() => undefined), 'the free place');
    await next.connected;
    await Promise.all([next, viewers[1]!, viewers[2]!].map(viewer => viewer.close()));
  });

  test('a session ends at its valid_until, and the viewer is told', async () => {
    const identity = await newIdentity();
    const validUntil = new Date(Date.now() + 1200).toISOString();
    const body = JSON.stringify({ type: 'offer', sdp: offerSdp(identity), valid_until: validUntil });
    const answer = await daemon.until(async () => {
      const response = await postOffer(daemon, '', { body });
      return response.ok ? ((await response.json()) as Answer) : undefined;
    }, 'an answer');
    assert.equal(answer.valid_until, validUntil);
    const viewer = await LightViewer.take(daemon, identity, answer);
    await viewer.connected;
    assert.equal(await viewer.closed, 'closed-by-viewer');
    assert.ok(Date.now() >= Date.parse(validUntil));
    assert.equal(await viewer.describe(), undefined);
  });

  for (const [worker, kind, what] of [
    ['live', 'reject', 'an unhandled rejection'],
    ['live', 'loop', 'an endless loop'],
    ['live', 'memory', 'too much memory'],
    ['capture', 'reject', 'an unhandled rejection'],
    ['capture', 'loop', 'an endless loop'],
    ['capture', 'memory', 'too much memory'],
  ] as const)
    test(`the ${worker} worker is back after ${what}, and a viewer gets a whole picture`, async t => {
      const other = worker === 'live' ? 'capture' : 'live';
      const earlier = await restartsOf(worker);
      const restartsOfOther = await restartsOf(other);
      const before = await HostileViewer.open(daemon);
      await daemon.until(() => before.video.length > 30 || undefined, 'video before the fault');
      const begin = performance.now();
      writeFileSync(path.join(crashFolder, `${worker}-${kind}`), '');
      await daemon.until(async () => {
        const health = (await (await daemon.fetch('/healthz')).json()) as Health;
        const { state, restarts } = health.workers.find(each => each.name === worker)!;
        return (restarts > earlier && state === 'running') || undefined;
      }, 'the restart');
      t.diagnostic(`back after ${Math.round(performance.now() - begin)} ms`);
      // The other worker's viewers stay; those of the live worker come again and get a 404 for their old session.
      if (worker === 'live') {
        assert.equal(await before.viewer.describe(), undefined);
        await before.viewer.vanish();
      }
      const survivor = worker === 'live' ? await HostileViewer.open(daemon) : before;
      const seen = survivor.video.length;
      await daemon.until(() => survivor.video.length > seen + 60 || undefined, 'video after the fault');
      assert.equal(await restartsOf(other), restartsOfOther);
      await survivor.viewer.close();
    });

  test('GET /device answered all the while, with 200', async t => {
    await watch.stop();
    t.diagnostic(
      `slowest GET /device ${Math.round(watch.slowestMs)} ms, ${JSON.stringify([...watch.statuses])}`,
    );
    assert.deepEqual([...watch.statuses.keys()], [200]);
    assert.ok(watch.slowestMs < 1000);
    const unhandled = daemon.log.filter(line => /UnhandledPromise|unhandled/i.test(line));
    assert.deepEqual(unhandled, []);
  });
});

describe('a live worker that is lapped several times', () => {
  const crashFolder = mkdtempSync(path.join(os.tmpdir(), 'lapped-'));
  const support = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  let daemon: Daemon;
  before(async () => {
    const camera = [
      '--import',
      support('../register.mjs'),
      support('../support/fast-camera.ts'),
      support('../fixtures/demo-720p30.h264'),
    ];
    daemon = await Daemon.start({
      flags: [
        ...flags,
        ...['--source', `command:${process.execPath} ${camera.join(' ')}`, '--audio-source', ''],
        ...['--ring-data-bytes', String(1024 * 1024), '--ring-slot-count', '256'],
      ],
      imports: ['./test/support/crash-hook.mjs'],
      env: { CRASH_FOLDER: crashFolder },
    });
  });
  after(async () => {
    await daemon.stop();
    rmSync(crashFolder, { recursive: true, force: true });
  });

  test('moves its viewer forward to a random access point and sends no torn NAL unit', async t => {
    const hostile = await daemon.until(() => HostileViewer.open(daemon).catch(() => undefined), 'an answer');
    await daemon.until(() => hostile.video.length > 1000 || undefined, 'video');
    const laps = (await daemon.metric('opencamera_live_ring_laps_total'))!;
    const begin = hostile.video.length;
    writeFileSync(path.join(crashFolder, 'live-block'), '');
    await daemon.until(async () => {
      return (await daemon.metric('opencamera_live_ring_laps_total'))! > laps || undefined;
    }, 'the lap');
    const lapped = hostile.video.length;
    await daemon.until(() => hostile.video.length > lapped + 8000 || undefined, 'video afterwards');
    const jumps = await hostile.count('forward_jumps');
    assert.ok(jumps >= 1);
    const pictures = wholePictures(hostile.video.slice(begin));
    const slices = pictures.flat().filter(unit => [1, 5].includes(unit[0]! & 31));
    assert.ok(slices.length > 30, `${slices.length} slices`);
    assert.ok(slices.every(unit => isWhole(unit)));
    const health = (await (await daemon.fetch('/healthz')).json()) as Health;
    assert.ok(health.workers.every(({ restarts }) => restarts === 0));
    t.diagnostic(`${slices.length} slices whole after ${jumps} jump(s) forward`);
    await hostile.viewer.close();
  });
});

/** The NAL units of the pictures of which every packet arrived. */
function wholePictures(packets: readonly Buffer[]): Uint8Array[][] {
  const pictures: Uint8Array[][] = [];
  let current: Buffer[] | undefined;
  let previous: Buffer | undefined;
  for (const packet of packets) {
    const isNext = previous && packet.readUInt16BE(2) === ((previous.readUInt16BE(2) + 1) & 0xffff);
    const isNewPicture = !previous || packet.readUInt32BE(4) !== previous.readUInt32BE(4);
    // A picture whose first packet is unknown, or that has a gap, is left out.
    if (isNewPicture) current = isNext ? [] : undefined;
    else if (!isNext) current = undefined;
    current?.push(packet);
    if (current && packet[1]! >= 128) pictures.push(depayloadH264(current.map(payloadOf)));
    previous = packet;
  }
  return pictures;
}

describe('a source that gives nothing usable', () => {
  for (const [what, command] of [
    ['random bytes', 'cat /dev/urandom'],
    ['silence', 'sleep 1000'],
  ] as const)
    test(`${what}: the daemon is ready, says so, is degraded, and takes no offer`, async () => {
      const daemon = await Daemon.start({ flags: [...flags, '--source', `command:${command}`] });
      try {
        const device = await daemon.fetch('/api/v1/device');
        assert.equal(device.status, 503);
        assert.equal(((await device.json()) as { code: string }).code, 'source-not-ready');
        const offer = await postOffer(daemon, offerSdp(await newIdentity()));
        assert.equal(offer.status, 503);
        assert.equal(((await offer.json()) as { code: string }).code, 'source-not-ready');
        await daemon.until(
          async () => (await daemon.metric('opencamera_live_sessions_pending')) === 0 || undefined,
          'the statistics',
        );
        await daemon.until(async () => {
          const health = (await (await daemon.fetch('/healthz')).json()) as { status: string };
          return health.status === 'degraded' || undefined;
        }, 'degraded health');
        assert.equal(await daemon.stop(), 0);
      } finally {
        await daemon.stop();
      }
    });
});
