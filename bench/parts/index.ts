/**
 * Is the index of the recordings quick enough? Days of segments of five minutes in an LMDB of the run's folder: the seek of
 * a moment, the fragments of an hour, and the commit of eight seconds of recording, which waits for the disk.
 *
 * A month, memory and what a commit writes: `npm run bench:index` in the source tree.
 */
import path from 'node:path';
import { withFragment } from '../../src/store/recordings/index-file.ts';
import {
  emptySegment,
  nextFragment,
  openIndex,
  startUnixMs,
  wholeSegment,
} from '../../test/store/recordings/index-fixture.ts';
import type { BenchContext, Part } from '../context.ts';

const segmentSeconds = 300;
const segmentsPerDay = 86_400 / segmentSeconds;
const fragmentsPerCommit = 8;
/** Segments that are handed to the index before they are committed. */
const segmentsPerFlush = 14;

export const indexPart: Part = {
  names: ['index'],
  run: context => measureIndex(context),
};

async function measureIndex(context: BenchContext): Promise<void> {
  const days = context.pick(1, 10);
  const segments = days * segmentsPerDay;
  context.progress(`making ${days} days`);
  const index = await openIndex(path.join(context.folder, 'recordings-index'));
  try {
    for (let number = 1; number <= segments; number++) {
      context.signal.throwIfAborted();
      const { segment, fragments } = wholeSegment(0, number, segmentSeconds);
      index.segmentFound(segment, fragments);
      if (number % segmentsPerFlush === 0) await index.flush();
    }
    await index.flush();

    context.progress('seeks');
    let turn = 0;
    context.add('index', {
      id: 'index.seek',
      name: 'the fragment of a moment',
      unit: 'µs',
      better: 'lower',
      samples: timed(context.pick(200, 2000), () => {
        const number = 1 + ((turn++ * 7919) % segments);
        const media90k = ((turn * 104_729) % segmentSeconds) * 90_000;
        if (!index.fragmentAt(0, number, media90k)) throw new Error('the index lacks a fragment');
      }).map(ms => ms * 1000),
    });
    context.add('index', {
      id: 'index.hour',
      name: 'the fragments of an hour',
      unit: 'ms',
      better: 'lower',
      samples: timed(context.pick(10, 40), () => {
        const first = 1 + ((turn++ * 7919) % (segments - 12));
        for (let i = 0; i < 12; i++) index.fragments(0, first + i);
      }),
    });

    context.progress('commits');
    let live = emptySegment(0, segments + 1, { baseWallUnixMs: startUnixMs + days * 86_400_000 });
    index.segmentOpened(live);
    const commits: number[] = [];
    for (let i = 0; i < context.pick(10, 40); i++) {
      context.signal.throwIfAborted();
      for (let n = 0; n < fragmentsPerCommit; n++) {
        const fragment = nextFragment(live);
        index.fragmentWritten(0, live.number, fragment);
        live = withFragment(live, fragment);
      }
      const startedMs = performance.now();
      await index.flush();
      commits.push(performance.now() - startedMs);
    }
    context.add('index', {
      id: 'index.commit',
      name: 'a durable commit of 8 s of recording',
      unit: 'ms',
      better: 'lower',
      samples: commits,
    });
  } finally {
    await index.close();
  }
}

function timed(count: number, work: () => void): number[] {
  return Array.from({ length: count }, () => {
    const startedMs = performance.now();
    work();
    return performance.now() - startedMs;
  });
}
