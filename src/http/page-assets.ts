/**
 * The files of the web page (assets/page), read once at start and served from memory.
 *
 * The files are few and small, so they are read whole; the entity tag is a digest of the content (RFC 9110 §8.8.3),
 * strong, and the same on every camera with the same page. A folder outside the list of types is not looked into.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CameraError } from '../base/errors.ts';
import { entityTag } from './entity-tag.ts';
import { assetBytesMax } from './limits.ts';
import { findPackageFile } from './package-file.ts';

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
    assets.push({ path: name === 'index.html' ? '/' : `/${name}`, contentType, body, etag: entityTag(body) });
  }
  return assets;
}

function findPageFolder(): string {
  const index = findPackageFile('assets/page/index.html');
  if (index === undefined)
    throw new CameraError('internal', 'the files of the web page are missing from the package');
  return path.dirname(index);
}
