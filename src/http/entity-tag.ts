/**
 * Entity tags (RFC 9110 §8.8.3): strong, and the same for the same content on every camera. Pure.
 */
import { createHash } from 'node:crypto';

/** A digest of the content, with its quotes. */
export function entityTag(content: Uint8Array): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
}

/**
 * Whether a client's If-None-Match names this entity tag, by the weak comparison that the field asks for (§13.1.2), so
 * that 304 is the answer.
 */
export function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some(item => {
    const tag = item.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}
