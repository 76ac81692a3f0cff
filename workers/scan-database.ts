/** Entry of the child process that reads a database whole before the camera opens it (src/store/scan-process.ts). */
import { scanRecordingIndex } from '../src/store/recordings/scan.ts';
import { scanDatabase } from '../src/store/scan.ts';
import { soundWord } from '../src/store/scan-process.ts';

try {
  const [what, folder] = process.argv.slice(2);
  if (what === '--recordings') await scanRecordingIndex(folder!);
  else await scanDatabase(what!, folder);
  process.stdout.write(`${soundWord}\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
