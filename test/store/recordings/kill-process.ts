/**
 * Reports segments without end and says what is durable, until it is killed: `kill-process.ts FOLDER`.
 * Lines: `durable STREAM SEGMENT FRAGMENTS`, `removing STREAM SEGMENT`, `removed STREAM SEGMENT`.
 */
import { writeSync } from 'node:fs';
import { withFragment } from '../../../src/store/recordings/index-file.ts';
import { emptySegment, nextFragment, openIndex } from './index-fixture.ts';

const index = await openIndex(process.argv[2]!);
const say = (text: string): void => void writeSync(1, `${text}\n`);
const perSegment = 20;
for (let number = (index.segments(0).at(-1)?.number ?? 0) + 1; ; number++) {
  let segment = emptySegment(0, number);
  index.segmentOpened(segment);
  for (let i = 0; i < perSegment; i++) {
    const fragment = nextFragment(segment);
    index.fragmentWritten(0, number, fragment);
    segment = withFragment(segment, fragment);
    if (i % 4 !== 3) continue;
    const count = i + 1;
    await index.flush();
    say(`durable 0 ${number} ${count}`);
  }
  index.segmentClosed({ ...segment, isClosed: true });
  const oldest = index.segments(0)[0]!;
  if (index.segments(0).length < 6) continue;
  say(`removing 0 ${oldest.number}`);
  await index.removeSegments([oldest]);
  say(`removed 0 ${oldest.number}`);
}
