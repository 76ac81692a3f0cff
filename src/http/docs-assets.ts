/**
 * The files of the API's documentation page: a few of our own (assets/docs), and the viewer, which is Swagger UI.
 *
 * The build packs the viewer into dist/docs (scripts/pack-docs.mjs); from the source tree it is taken out of node_modules
 * and packed at every request. A file is read when it is asked for and not kept: the page is for people and seldom looked
 * at, and the camera has better use for the memory. Only the names listed here are served. Main thread; asynchronous.
 */
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { findPackageFile } from './package-file.ts';

/** A file of the documentation page. */
export interface DocsFile {
  /** Path on the server. */
  readonly path: string;
  readonly contentType: string;
  /** Where it may lie in the package, the first that is there; `.gz` is packed already. */
  readonly places: readonly string[];
}

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

function own(path: string, name: string, contentType: string): DocsFile {
  return { path, contentType, places: [`assets/docs/${name}`] };
}

function viewer(name: string, contentType: string): DocsFile {
  const places = [`dist/docs/${name}.gz`, `node_modules/swagger-ui-dist/${name}`];
  return { path: `/api/docs/${name}`, contentType, places };
}

/** All files, the page itself at two paths. */
export const docsFiles: readonly DocsFile[] = [
  own('/api/docs', 'index.html', 'text/html; charset=utf-8'),
  own('/api/docs/', 'index.html', 'text/html; charset=utf-8'),
  own('/api/docs/docs.js', 'docs.js', script),
  own('/api/docs/docs.css', 'docs.css', style),
  viewer('swagger-ui-bundle.js', script),
  viewer('swagger-ui.css', style),
];

/** A file that is there; its content is not read yet. */
export interface FoundDocsFile {
  /** Of size and time of the file, so that it costs no reading. With its quotes. */
  readonly etag: string;
  /** The content, packed with gzip (RFC 1952) or not. */
  read(packed: boolean): Promise<Uint8Array>;
}

/** Looks for a file of the page; undefined when the package was built without it. */
export async function findDocsFile(
  { places }: DocsFile,
  find: (place: string) => string | undefined = findPackageFile,
): Promise<FoundDocsFile | undefined> {
  for (const place of places) {
    const file = find(place);
    if (file === undefined) continue;
    const { size, mtimeMs } = await stat(file);
    const isPacked = file.endsWith('.gz');
    return {
      etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`,
      async read(packed) {
        const content = await readFile(file);
        if (packed === isPacked) return content;
        return packed ? promisify(gzip)(content) : promisify(gunzip)(content);
      },
    };
  }
  return undefined;
}
