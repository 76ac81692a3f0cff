/**
 * The files of the web page (dist/web, built from src/web by scripts/build-web.mjs), read once at start and served from
 * memory as they lie there: packed with Brotli and with gzip, never plain.
 *
 * The entity tag is a digest of the content (RFC 9110 §8.8.3), strong, so each coding has its own. A name with the hash of
 * its content in it never means anything else and may be kept for good; the others are asked for again each time.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CameraError } from '../base/errors.ts';
import { type ContentCoding, contentCodings } from './content-coding.ts';
import { entityTag } from './entity-tag.ts';
import { assetBytesMax } from './limits.ts';
import { findPackageFile } from './package-file.ts';

/** The content in one coding. */
export interface PackedContent {
  readonly body: Uint8Array;
  /** With its quotes. */
  readonly etag: string;
}

/** A file of the page. */
export interface PageAsset {
  /** Path on the server: `/` for index.html, `/app-HASH.js` and so on for the others. */
  readonly path: string;
  readonly contentType: string;
  /** Whether the path names this content for ever. */
  readonly isImmutable: boolean;
  readonly packed: Readonly<Record<ContentCoding, PackedContent>>;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

const suffixes: Readonly<Record<ContentCoding, string>> = { br: '.br', gzip: '.gz' };
const hashedName = /-[A-Z0-9]{8}\.\w+$/;

/**
 * Reads all files of the page.
 *
 * @throws CameraError `internal` when the page was not built, or a file is larger than a page's file should be.
 */
export async function loadPageAssets(folder = findPageFolder()): Promise<readonly PageAsset[]> {
  const assets: PageAsset[] = [];
  const names = (await readdir(folder)).filter(file => file.endsWith('.gz')).map(file => file.slice(0, -3));
  for (const name of names.sort()) {
    const contentType = contentTypes[path.extname(name)];
    if (!contentType) continue;
    const packed = Object.fromEntries(
      await Promise.all(contentCodings.map(async coding => [coding, await load(folder, name, coding)])),
    );
    assets.push({
      path: name === 'index.html' ? '/' : `/${name}`,
      contentType,
      isImmutable: hashedName.test(name),
      packed,
    });
  }
  if (!assets.some(asset => asset.path === '/')) throw pageMissing();
  return assets;
}

async function load(folder: string, name: string, coding: ContentCoding): Promise<PackedContent> {
  const body = await readFile(path.join(folder, name + suffixes[coding]));
  if (body.length > assetBytesMax)
    throw new CameraError('internal', 'a file of the web page is too large', { name, bytes: body.length });
  return { body, etag: entityTag(body) };
}

/** Beside the bundle that runs, or in the package's own build when the sources run. */
function findPageFolder(): string {
  const beside = fileURLToPath(new URL('./web/index.html.gz', import.meta.url));
  const index = existsSync(beside) ? beside : findPackageFile('dist/web/index.html.gz');
  if (index === undefined) throw pageMissing();
  return path.dirname(index);
}

function pageMissing(): CameraError {
  return new CameraError('internal', 'the web page is missing from the package: run npm run build');
}
