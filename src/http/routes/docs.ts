/**
 * `GET /api/docs`: the API for people to read and to try, by Swagger UI out of this package; open to everybody, without a
 * secret in it, as the document that it shows.
 *
 * The policy (Content Security Policy Level 3) lets it run its own scripts and talk to this camera, nothing else. A reply
 * of the viewer is half a megabyte that the library keeps for a slow reader; how many may be under way is bounded by how
 * often it is handed out.
 */
import type { Clock } from '../../base/clock.ts';
import { type DocsFile, docsFiles, findDocsFile } from '../docs-assets.ts';
import { isCurrent } from '../entity-tag.ts';
import type { HeaderFields } from '../header-fields.ts';
import { docsFilesAtOnce, docsFilesPerSecond } from '../limits.ts';
import { RequestFault } from '../problems.ts';
import { KeyedRateLimiter } from '../rate-limiter.ts';
import type { Reply } from '../reply.ts';
import type { FileRoute } from '../router.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Whether the client takes gzip (RFC 9110 §12.5.3). */
const takesGzip = /(?:^|[,\s])(?:gzip|\*)\s*(?:;\s*q=(?:1|0\.[0-9]*[1-9])[0-9.]*\s*)?(?:,|$)/i;

/** One route for each file. */
export function docsRoutes(clock: Clock): readonly FileRoute[] {
  const limit = new KeyedRateLimiter({ perSecond: docsFilesPerSecond, burst: docsFilesAtOnce, clock });
  return docsFiles.map(file => ({
    method: 'GET',
    path: file.path,
    handle: ({ headers }) => fileReply(file, headers, limit),
  }));
}

async function fileReply(file: DocsFile, headers: HeaderFields, limit: KeyedRateLimiter): Promise<Reply> {
  const found = await findDocsFile(file);
  if (!found) return missing;
  const common = {
    etag: found.etag,
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    vary: 'Accept-Encoding',
  };
  if (isCurrent(headers.single('if-none-match'), found.etag))
    return { status: 304, headers: common, body: '' };
  const retryAfterSeconds = limit.take('');
  if (retryAfterSeconds > 0) throw new RequestFault('rate-limited', { retryAfterSeconds });
  const packed = takesGzip.test(headers.all('accept-encoding').join(','));
  return {
    status: 200,
    headers: {
      ...common,
      'content-type': file.contentType,
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
    },
    body: await found.read(packed),
  };
}

/** A package that was built without the viewer serves its API all the same. */
const missing: Reply = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'The documentation page is not part of this build. The description itself is at /api/v1/openapi.json.\n',
};
