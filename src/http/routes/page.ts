/**
 * `GET /` and the files of the web page: open to everybody, without a secret in them, from memory.
 *
 * The page may run its own script and talk to this camera, nothing else (Content Security Policy Level 3). A browser
 * asks each time whether its copy is still right and gets 304 (RFC 9110 §13.1.2), so a new firmware shows at once.
 */
import { isCurrent } from '../entity-tag.ts';
import type { PageAsset } from '../page-assets.ts';
import type { Reply } from '../reply.ts';
import type { Route } from '../router.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** One route for each file. */
export function pageRoutes(assets: readonly PageAsset[]): readonly Route[] {
  return assets.map(asset => ({
    method: 'GET',
    path: asset.path,
    access: 'open',
    handle: request => assetReply(asset, request.headers.single('if-none-match')),
  }));
}

function assetReply(asset: PageAsset, ifNoneMatch: string | undefined): Reply {
  const headers = { etag: asset.etag, 'cache-control': 'no-cache', 'content-security-policy': policy };
  if (isCurrent(ifNoneMatch, asset.etag)) return { status: 304, headers, body: '' };
  return { status: 200, headers: { ...headers, 'content-type': asset.contentType }, body: asset.body };
}
