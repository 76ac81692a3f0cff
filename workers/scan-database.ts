/** Entry of the child process that reads a database whole before the camera opens it (src/store/scan-process.ts). */
import { scanDatabase } from '../src/store/scan.ts';
import { soundWord } from '../src/store/scan-process.ts';

try {
  await scanDatabase(process.argv[2]!, process.argv[3]);
  process.stdout.write(`${soundWord}\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
