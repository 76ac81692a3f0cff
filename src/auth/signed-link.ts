/**
 * Signed links: a text that opens one target for a short time, for players and downloads that send no header.
 *
 * version (1 byte) · expiry (8 bytes, big-endian, monotonic ms) · HMAC-SHA-256 under `link-key` (32 bytes), in base64url
 * without padding. The MAC covers version, expiry, target, the user's password generation and the id of this start of the
 * machine. So a new password or new keys end all links, and the time that counts is monotonic: no step of the wall clock
 * prolongs one. The price is that a restart of the machine (not of the daemon) ends them too. Pure but for the hash.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const version = 1;
const macBytes = 32;
const headBytes = 9;
const form = /^[A-Za-z0-9_-]+$/;

/** What a link is made under. */
export interface LinkScope {
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly boot: string;
  readonly passwordGeneration: string;
  /** Path and query of the URL, without the link itself, in the one spelling that its operation gives them. */
  readonly target: string;
}

/** @param expiryMonoMs whole milliseconds, not negative. */
export function signLinkText(scope: LinkScope, expiryMonoMs: number): string {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(version);
  head.writeBigUInt64BE(BigInt(expiryMonoMs), 1);
  return Buffer.concat([head, macOf(scope, head)]).toString('base64url');
}

/** Whether the text opens the target now; in constant time as far as the MAC goes. */
export function isLinkText(scope: LinkScope, text: string, nowMonoMs: number): boolean {
  if (text.length !== Math.ceil(((headBytes + macBytes) * 4) / 3) || !form.test(text)) return false;
  const bytes = Buffer.from(text, 'base64url');
  // One spelling of each link: the spare bits at the end are zero.
  if (bytes.toString('base64url') !== text) return false;
  const head = bytes.subarray(0, headBytes);
  if (!timingSafeEqual(macOf(scope, head), bytes.subarray(headBytes))) return false;
  return head.readUInt8() === version && nowMonoMs < Number(head.readBigUInt64BE(1));
}

function macOf({ key, boot, passwordGeneration, target }: LinkScope, head: Uint8Array): Buffer {
  // JSON keeps the parts apart whatever characters they hold.
  const scope = JSON.stringify(['opencamerad link', boot, passwordGeneration, target]);
  return createHmac('sha256', key).update(head).update(scope).digest();
}
