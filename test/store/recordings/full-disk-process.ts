/** Fills the index until the disk is full, removes, and goes on, in a process whose files may not grow: `… FOLDER`. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { CameraError } from '../../../src/base/errors.ts';
import { openIndex, record } from './index-fixture.ts';

let unhandled = 0;
process.on('unhandledRejection', () => {
  unhandled += 1;
});
const folder = process.argv[2]!;
const index = await openIndex(folder);
let number = 0;
for (;;) {
  record(index, 0, ++number, 100);
  try {
    await index.flush();
  } catch (error) {
    console.log(`failing after ${number}: ${(error as CameraError).code}: ${(error as CameraError).message}`);
    break;
  }
}
const isWhole = index.segments(0).every(({ number: n }) => index.fragments(0, n).length === 100);
console.log(isWhole && index.segments(0).length === number ? 'answers whole' : 'answers torn');
console.log(existsSync(path.join(folder, 'ballast')) ? 'ballast there' : 'ballast gone');
await index.removeSegments(index.segments(0).slice(0, 12));
console.log('removed');
// What was freed is used again two commits later.
for (let i = 0; i < 10 && index.state() !== 'ok'; i++) {
  const oldest = index.segments(0).slice(0, 1);
  await index.removeSegments(oldest).catch(() => undefined);
}
console.log(`state ${index.state()}`);
await new Promise(resolve => setTimeout(resolve, 50));
console.log(`unhandled ${unhandled}`);
await index.close();
