// Packs the viewer of the API's documentation page (Swagger UI) into dist/docs, gzip at its best, for a camera has neither
// node_modules/swagger-ui-dist nor time to pack. Run after tsup, which empties dist. An argument names another folder than dist.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../', import.meta.url));
const target = path.join(path.resolve(process.argv[2] ?? path.join(root, 'dist')), 'docs');
mkdirSync(target, { recursive: true });
for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
  const content = readFileSync(path.join(root, 'node_modules/swagger-ui-dist', name));
  writeFileSync(path.join(target, `${name}.gz`), gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}
// The viewer's licence, and those of what is bundled in it.
const licenses = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'].map(name =>
  readFileSync(path.join(root, 'node_modules/swagger-ui-dist', name), 'utf8'),
);
writeFileSync(path.join(target, 'LICENSES.txt'), licenses.join('\n'));
