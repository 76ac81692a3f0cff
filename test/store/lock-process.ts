/** Holds the write lock of a database until its standard input ends: `lock-process.ts FOLDER`. */
import { readSync } from 'node:fs';
import { openEnvironment } from '../../src/store/environment.ts';

const environment = openEnvironment(process.argv[2]!, { mode: 'write' });
environment.transactionSync(() => {
  console.log('locked');
  // Blocks: the transaction stays open meanwhile.
  readSync(0, Buffer.alloc(1));
});
await environment.close();
