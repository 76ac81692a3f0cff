/**
 * What does the time line of a day cost with a month behind it? The real daemon on an index of 30 days, in segments of a
 * length (`--segment-seconds`, 300 unless told) with a gap in every tenth of them: GET /api/v1/media/recordings of a day,
 * and how long other requests wait meanwhile.
 *
 * The recorder is off, since there are no files; nothing else differs from a camera. `npm run bench:timeline`, a minute.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openIndex, startUnixMs, wholeSegment } from '../../test/store/recordings/index-fixture.ts';
import { Daemon } from '../../test/support/daemon.ts';
import { printTable, quantileOf } from '../support/table.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    'segment-seconds': { type: 'string', default: '300' },
    requests: { type: 'string', default: '50' },
  },
});
const segmentSeconds = Number(values['segment-seconds']);
const days = Number(values.days);
const dayMs = 86_400_000;

/** Quantiles of what an operation takes, by turns over the days. */
async function timed(work: (day: number) => Promise<unknown>): Promise<string[]> {
  const times = new Float64Array(Number(values.requests));
  for (let i = 0; i < times.length; i++) {
    const startedMs = performance.now();
    await work(i % (days - 1));
    times[i] = performance.now() - startedMs;
  }
  return [0.5, 0.99].map(quantile => quantileOf(times, quantile).toFixed(1));
}

const daemon = await Daemon.start({
  flags: ['--recorder-enabled', 'false', '--http-validate-replies', 'false'],
});
try {
  await daemon.end('SIGTERM');
  const index = await openIndex(path.join(daemon.state, 'recordings-index'));
  const count = (days * 86_400) / segmentSeconds;
  for (let number = 1; number <= count; number++) {
    const baseWallUnixMs = startUnixMs + (number - 1) * segmentSeconds * 1000;
    const { segment, fragments } = wholeSegment(0, number, segmentSeconds, { baseWallUnixMs });
    const withGap = { ...segment, gaps: number % 10 === 0 ? 1 : 0 };
    index.segmentFound(withGap, fragments);
    if (number % Math.ceil(4200 / segmentSeconds) === 0) await index.flush();
  }
  await index.close();
  const startedMs = performance.now();
  await daemon.restart();
  console.log(
    `${count} segments of ${segmentSeconds} s; ready ${(performance.now() - startedMs).toFixed(0)} ms after start`,
  );
  let spans = 0;
  const ofDay = async (day: number): Promise<void> => {
    const [start, end] = [day, day + 1].map(each => new Date(startUnixMs + each * dayMs).toISOString());
    const answer = await daemon.json<{ spans: unknown[] }>(
      `/api/v1/media/recordings?start=${start}&end=${end}`,
    );
    spans = answer.spans.length;
  };
  const device = async (): Promise<void> => {
    await (await daemon.fetch('/api/v1/device')).arrayBuffer();
  };
  const rows = [['the time line of a day', ...(await timed(ofDay))]];
  let isOver = false;
  const others = (async () => {
    while (!isOver) await ofDay(0);
  })();
  rows.push(['GET /device meanwhile', ...(await timed(device))]);
  isOver = true;
  await others;
  printTable(['', 'p50 ms', 'p99 ms'], rows);
  console.log(`${spans} spans in a day`);
} finally {
  await daemon.stop();
}
