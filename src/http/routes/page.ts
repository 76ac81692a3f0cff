/**
 * `GET /` and the files of the web page: open to everybody, without a secret in them, from memory.
 *
 * The page may run its own script and talk to this camera, nothing else (Content Security Policy Level 3); no style and no
 * script stands in its text. Files with a hash in their name are kept by the browser for good (RFC 8246); for the others it
 * asks each time whether its copy is still right and gets 304 (RFC 9110 §13.1.2), so a new firmware shows at once. A client
 * that takes neither Brotli nor gzip gets the content unpacked for it, which is rare enough to be done each time.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { codingFor } from '../content-coding.ts';
import { isCurrent } from '../entity-tag.ts';
import type { HeaderFields } from '../header-fields.ts';
import type { PageAsset } from '../page-assets.ts';
import type { Reply } from '../reply.ts';
import type { FileRoute } from '../router.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const keptForGood = 'public, max-age=31536000, immutable';

/** One route for each file. */
export function pageRoutes(assets: readonly PageAsset[]): readonly FileRoute[] {
  return assets.map(asset => ({
    method: 'GET',
    path: asset.path,
    handle: ({ headers }) => assetReply(asset, headers),
  }));
}

function assetReply({ packed, ...asset }: PageAsset, fields: HeaderFields): Reply | Promise<Reply> {
  const coding = codingFor(fields.all('accept-encoding'));
  const { body, etag } = packed[coding ?? 'gzip'];
  // A strong tag belongs to one representation (RFC 9110 §8.8.3.3).
  const ownTag = coding ? etag : `${etag.slice(0, -1)}-plain"`;
  const headers = {
    etag: ownTag,
    vary: 'Accept-Encoding',
    'cache-control': asset.isImmutable ? keptForGood : 'no-cache',
    'content-security-policy': policy,
  };
  if (isCurrent(fields.single('if-none-match'), ownTag)) return { status: 304, headers, body: '' };
  const whole = { ...headers, 'content-type': asset.contentType };
  if (coding) return { status: 200, headers: { ...whole, 'content-encoding': coding }, body };
  return promisify(gunzip)(body).then(plain => ({ status: 200, headers: whole, body: plain }));
}
