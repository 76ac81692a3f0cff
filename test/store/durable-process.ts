/** Three changes, each answered on standard output by one system call: `durable-process.ts FOLDER`, under strace. */
import { writeSync } from 'node:fs';
import { Database } from '../../src/store/database.ts';

const database = Database.open(process.argv[2]!);
for (const n of [1, 2, 3]) {
  await database.change(records => records.set('n', n));
  writeSync(1, `answered ${n}\n`);
}
await database.close();
