/** Fills a database until the disk is full, in a process whose files may not grow: `full-disk-process.ts FOLDER`. */
import type { CameraError } from '../../src/base/errors.ts';
import { Database } from '../../src/store/database.ts';

let unhandled = 0;
process.on('unhandledRejection', () => {
  unhandled += 1;
});
const database = Database.open(process.argv[2]!);
const say = (): void => console.log(`records ${[...database.records().keys()].join()}`);
await database.change(records => records.set('a', 1));
try {
  await database.change(records => records.set('b', 'x'.repeat(60_000)));
} catch (error) {
  console.log(`${(error as CameraError).code}: ${(error as CameraError).message}`);
}
say();
await database.change(records => records.set('c', 3));
say();
await new Promise(resolve => setTimeout(resolve, 50));
console.log(`unhandled ${unhandled}`);
await database.close();
