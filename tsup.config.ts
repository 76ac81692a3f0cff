/**
 * The build: one bundle for the command line and one for each worker thread. Packages stay outside, but for werift and what
 * it brings: of its 570 KB the live worker needs the DTLS part alone, and every V8 isolate pays for source text that it loads.
 * Bundling it and leaving out white space saves 6 MB of the camera's memory (ARCHITECTURE.md, memory budget).
 */
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    cli: 'src/cli.ts',
    bench: 'bench/main.ts',
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
  // What went into the build, for scripts/bundle.mjs.
  metafile: true,
  noExternal: ['werift', '@peculiar/x509', 'reflect-metadata'],
  // CommonJS packages within a bundle ask for Node's modules by require().
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  esbuildOptions(options) {
    options.minifyWhitespace = true;
    options.legalComments = 'linked';
  },
});
