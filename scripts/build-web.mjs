// Builds the web page (src/web): one script and one style sheet with the hash of their content in their names, and the files
// that keep their names, each packed with Brotli and gzip at their best, for a camera has no time to pack. Nothing else is
// written, so what the daemon serves is what lies there. Run by `npm run build` after tsup, and by the tests' runner.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = path.join(root, 'src/web');

/** What the page is built from and runs beside, for its page "About": name, version and licence. */
function components() {
  const { dependencies } = readJson('package.json');
  const bundled = ['preact'];
  const seen = new Map();
  const visit = (name, from) => {
    if (seen.has(name)) return;
    const manifest = manifestOf(name, from);
    if (!manifest) return;
    const { version, license, folder } = manifest;
    seen.set(name, {
      name,
      version,
      license: typeof license === 'string' ? license : (license?.type ?? '?'),
    });
    for (const next of Object.keys(manifest.dependencies ?? {})) visit(next, folder);
  };
  for (const name of [...bundled, ...Object.keys(dependencies)]) visit(name, root);
  return [...seen.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The manifest of a package as Node would find it from a folder; undefined for one that is not installed here. */
function manifestOf(name, from) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return { ...JSON.parse(readFileSync(file, 'utf8')), folder: path.dirname(file) };
    if (folder === path.dirname(folder)) return undefined;
  }
}

function readJson(name) {
  return JSON.parse(readFileSync(path.join(root, name), 'utf8'));
}

/** The licence texts of what is inside the script. */
function licences(list) {
  const own = `opencamerad ${readJson('package.json').version}: Apache-2.0, see LICENSE of its package.\n`;
  const lines = list.map(({ name, version, license }) => `${name} ${version}: ${license}`).join('\n');
  const preact = readFileSync(path.join(root, 'node_modules/preact/LICENSE'), 'utf8');
  return `${own}\nWith these packages:\n\n${lines}\n\nPart of the web page:\n\nPreact\n\n${preact}`;
}

function write(outDir, name, content) {
  const bytes = Buffer.from(content);
  const brotli = {
    params: {
      [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY,
      [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  };
  writeFileSync(path.join(outDir, `${name}.br`), brotliCompressSync(bytes, brotli));
  writeFileSync(path.join(outDir, `${name}.gz`), gzipSync(bytes, { level: zlib.Z_BEST_COMPRESSION }));
}

/** Builds into a folder, which is emptied before. */
export async function buildWeb(outDir = path.join(root, 'dist/web')) {
  const list = components();
  const result = await build({
    entryPoints: { app: path.join(sources, 'main.tsx') },
    outdir: outDir,
    entryNames: '[name]-[hash]',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['chrome100', 'firefox100', 'safari15.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    define: { __COMPONENTS__: String(list.length) },
  });
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  const names = {};
  for (const { path: file, contents } of result.outputFiles) {
    const name = path.basename(file);
    names[path.extname(name)] = name;
    write(outDir, name, contents);
  }
  const html = readFileSync(path.join(sources, 'index.html'), 'utf8')
    .replaceAll('{{script}}', names['.js'])
    .replaceAll('{{style}}', names['.css'])
    .replaceAll(/\n\s+/g, '\n');
  write(outDir, 'index.html', html);
  for (const name of ['icon.svg', 'manifest.webmanifest'])
    write(outDir, name, readFileSync(path.join(sources, name)));
  write(outDir, 'licenses.txt', licences(list));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb(process.argv[2]);
