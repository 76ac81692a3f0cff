/**
 * What do log-ins cost those who watch? The real daemon with its default passwords, 4 viewers of the 720p30 demo:
 *
 *   1. a quiet stretch, then bursts of 50 log-ins at once with the throttle out of the way: how they were answered, how
 *      late the front end's event loop was (50th and 99th percentile, from /metrics), packets missing at the viewers,
 *      time of GET /device meanwhile;
 *   2. a guesser on a camera as shipped for 20 s: how many guesses were looked at, beside what the throttle allows.
 *
 * `node --import ./test/register.mjs bench/logins/run.ts`. All on 127.0.0.1, about 50 s.
 */
import { Daemon, owner } from '../../test/support/daemon.ts';
import { LightViewer } from '../../test/support/light-viewer.ts';
import { median, printTable } from '../support/table.ts';

const viewersCount = 4;
const loginsAtOnce = 50;
const bursts = 6;
const guessSeconds = 20;

/** Missing sequence numbers of one viewer, by stream; the RTP header is in the clear. */
class Gaps {
  private readonly seen = new Map<number, { highest: number; lowest: number; numbers: Set<number> }>();

  take(bytes: Buffer): void {
    const payloadType = bytes[1]! & 0x7f;
    // 64 to 95 is RTCP (RFC 5761 §4).
    if (bytes.length < 12 || (payloadType >= 64 && payloadType <= 95)) return;
    const ssrc = bytes.readUInt32BE(8);
    const number = bytes.readUInt16BE(2);
    const stream = this.seen.get(ssrc) ?? { highest: number, lowest: number, numbers: new Set<number>() };
    this.seen.set(ssrc, stream);
    const index = stream.highest + (((number - stream.highest) << 16) >> 16);
    stream.highest = Math.max(stream.highest, index);
    stream.lowest = Math.min(stream.lowest, index);
    stream.numbers.add(index);
  }

  get missing(): number {
    let missing = 0;
    for (const { highest, lowest, numbers } of this.seen.values())
      missing += highest - lowest + 1 - numbers.size;
    return missing;
  }
}

const flags = [
  ...['--live-addresses', '127.0.0.1'],
  ...['--accounts-argon2-memory-kib', '19456', '--accounts-argon2-iterations', '2'],
];
const unthrottled = [
  ...['--accounts-free-login-failures', '1000000', '--accounts-login-failures-per-minute', '1000000'],
  // Every log-in is a session, and the one that asks here must not be pushed out.
  ...['--accounts-max-sessions', '64'],
];
let daemon = await Daemon.start({ flags: [...flags, ...unthrottled] });
const viewers = await Promise.all(
  Array.from({ length: viewersCount }, async () => {
    const viewer = await LightViewer.open(daemon);
    const gaps = new Gaps();
    viewer.onDatagram = bytes => gaps.take(bytes);
    await viewer.connected;
    return { viewer, gaps };
  }),
);

async function logIn(password: string): Promise<{ status: number; ms: number }> {
  const startedMs = performance.now();
  const response = await fetch(new URL('/api/v1/user/token/obtain', daemon.url), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${owner.email}:${password}`).toString('base64')}` },
  });
  await response.arrayBuffer();
  return { status: response.status, ms: performance.now() - startedMs };
}

async function stretch(seconds: number, work: () => Promise<void>): Promise<string[]> {
  await daemon.fetch('/metrics');
  const missingBefore = viewers.map(({ gaps }) => gaps.missing);
  const deviceMs: number[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      await (await daemon.fetch('/api/v1/device')).arrayBuffer();
      deviceMs.push(performance.now() - startedMs);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  })();
  const until = performance.now() + seconds * 1000;
  await work();
  await new Promise(resolve => setTimeout(resolve, Math.max(until - performance.now(), 0)));
  isOver = true;
  await asking;
  // One scrape answers all: the values are those since the scrape before.
  const text = await (await daemon.fetch('/metrics')).text();
  const value = (name: string): string =>
    new RegExp(`^opencamera_main_event_loop_delay_${name}_us (\\S+)$`, 'm').exec(text)?.[1] ?? '?';
  const missing = viewers.reduce((sum, { gaps }, i) => sum + gaps.missing - missingBefore[i]!, 0);
  return [
    value('p50'),
    value('p99'),
    value('max'),
    String(missing),
    median(deviceMs).toFixed(1),
    Math.max(...deviceMs).toFixed(1),
  ];
}

try {
  const quiet = await stretch(10, async () => {});
  const answers = new Map<number, number>();
  const loginMs: number[] = [];
  const busy = await stretch(10, async () => {
    for (let burst = 0; burst < bursts; burst++)
      for (const { status, ms } of await Promise.all(
        Array.from({ length: loginsAtOnce }, () => logIn(owner.password)),
      )) {
        answers.set(status, (answers.get(status) ?? 0) + 1);
        if (status === 200) loginMs.push(ms);
      }
  });
  printTable(
    ['', 'loop p50 µs', 'p99 µs', 'max µs', 'packets missing', 'GET /device median ms', 'max ms'],
    [
      ['quiet', ...quiet],
      [`${bursts} bursts of ${loginsAtOnce} log-ins`, ...busy],
    ],
  );
  console.log(
    `log-ins by status: ${[...answers].map(([status, count]) => `${status} × ${count}`).join(', ')}`,
  );
  console.log(`time of a log-in that was let in: median ${median(loginMs).toFixed(0)} ms\n`);

  for (const { viewer } of viewers.splice(0)) await viewer.close();
  await daemon.stop();
  daemon = await Daemon.start({ flags });
  const untilMs = performance.now() + guessSeconds * 1000;
  let looked = 0;
  let refused = 0;
  while (performance.now() < untilMs) {
    const { status } = await logIn(`guess ${looked + refused}`);
    if (status === 400) looked++;
    else refused++;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  console.log(
    `a guesser, ${guessSeconds} s: ${looked} guesses looked at, ${refused} refused (5 free, then 1, 2, 4, 8 … s apart: at most 9 or 10)`,
  );
} finally {
  for (const { viewer } of viewers) await viewer.close();
  await daemon.stop();
}
