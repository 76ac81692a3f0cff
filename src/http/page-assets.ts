/**
 * The files of the web page (assets/page), read once at start and served from memory.
 *
 * The files are few and small, so they are read whole; the entity tag is a digest of the content (RFC 9110 §8.8.3),
 * strong, and the same on every camera with the same page. A folder outside the list of types is not looked into.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CameraError } from '../base/errors.ts';
import { assetBytesMax } from './limits.ts';

/** A file of the page. */
export interface PageAsset {
  /** Path on the server: `/` for index.html, `/page.js` and so on for the others. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** With its quotes. */
  readonly etag: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** How many folders above this file the package may begin: two from src/http, one from dist. */
const levelsUpMax = 4;

/**
 * Reads all files of the page.
 *
 * @throws CameraError `internal` when the page is missing or a file is larger than a page's file should be.
 */
export async function loadPageAssets(folder = findPageFolder()): Promise<readonly PageAsset[]> {
  const assets: PageAsset[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const contentType = contentTypes[path.extname(name)];
    if (!contentType) continue;
    const body = await readFile(path.join(folder, name));
    if (body.length > assetBytesMax)
      throw new CameraError('internal', 'a file of the web page is too large', { name, bytes: body.length });
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
    assets.push({ path: name === 'index.html' ? '/' : `/${name}`, contentType, body, etag });
  }
  return assets;
}

/** The folder, wherever the build has put this code inside the package. */
function findPageFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < levelsUpMax; level++) {
    folder = path.dirname(folder);
    const candidate = path.join(folder, 'assets', 'page');
    if (existsSync(path.join(candidate, 'index.html'))) return candidate;
  }
  throw new CameraError('internal', 'the files of the web page are missing from the package');
}
