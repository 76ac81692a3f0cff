/** The build: one bundle for the command line and one for each worker thread; packages stay outside. */
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    cli: 'src/cli.ts',
    'workers/capture': 'workers/capture.ts',
    'workers/recorder': 'workers/recorder.ts',
    'workers/live': 'workers/live.ts',
    'workers/tasks': 'workers/tasks.ts',
    'workers/scan-database': 'workers/scan-database.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  outDir: 'dist',
  clean: true,
  splitting: true,
  sourcemap: false,
  dts: false,
  removeNodeProtocol: false,
});
