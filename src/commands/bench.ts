/**
 * `opencamerad bench`: measures on this machine what the camera promises. The benchmark is a bundle of its own beside the
 * command line (dist/bench.js, sources in bench/), so that a camera does not load it; from the sources it is `npm run bench`.
 */
import { existsSync } from 'node:fs';
import { CameraError } from '../base/errors.ts';

/** What the bundle gives. */
interface BenchModule {
  bench(argv: readonly string[]): Promise<number>;
}

/** Runs it with what stands behind the word; resolves to the exit status. Rejects with `state-failed` when it is missing. */
export async function benchCommand(argv: readonly string[]): Promise<number> {
  const entry = new URL('./bench.js', import.meta.url);
  if (!existsSync(entry))
    throw new CameraError('state-failed', 'the benchmark is not built in here: use npm run bench');
  const { bench } = (await import(entry.href)) as BenchModule;
  return bench(argv);
}
