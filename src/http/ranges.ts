/**
 * Ranges of bytes and conditions of a request for one representation (RFC 9110 §13, §14). Pure.
 *
 * One range is served; several at once, another unit or a broken syntax are ignored, as the standard allows, and the whole
 * is the answer. Entity tags are strong and are all that counts: there are no dates, since the clock of a camera may step.
 */
import { isCurrent } from './entity-tag.ts';
import type { HeaderFields } from './header-fields.ts';

/** What is to be answered: the body from a byte up to another, that one left out. */
export type RangeAnswer =
  | { readonly status: 200 | 206; readonly from: number; readonly to: number }
  | { readonly status: 304 | 412 | 416 };

/** Digits of a position; fifteen are exact as a number and above every length. */
const rangeForm = /^bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))$/i;

/**
 * The answer to a GET of a representation of so many bytes with this strong entity tag, in the order of §13.2.2; a HEAD
 * has no ranges (§14.2).
 */
export function answerTo(
  headers: HeaderFields,
  lengthBytes: number,
  etag: string,
  { isHead = false } = {},
): RangeAnswer {
  const ifMatch = headers.all('if-match');
  if (ifMatch.length > 0 && !isMatch(ifMatch.join(','), etag)) return { status: 412 };
  const ifNoneMatch = headers.all('if-none-match');
  if (ifNoneMatch.length > 0 && isCurrent(ifNoneMatch.join(','), etag)) return { status: 304 };
  const whole = { status: 200, from: 0, to: lengthBytes } as const;
  const range = rangeForm.exec(headers.single('range') ?? '');
  if (!range || isHead) return whole;
  // A date, or the tag of another version: the client's part is of something else.
  if (headers.count('if-range') > 0 && headers.single('if-range') !== etag) return whole;
  const [, first, last, suffix] = range;
  if (suffix !== undefined) {
    const bytes = Math.min(Number(suffix), lengthBytes);
    return bytes === 0 ? { status: 416 } : { status: 206, from: lengthBytes - bytes, to: lengthBytes };
  }
  const from = Number(first);
  if (last !== undefined && Number(last) < from) return whole;
  if (from >= lengthBytes) return { status: 416 };
  return {
    status: 206,
    from,
    to: last === undefined ? lengthBytes : Math.min(Number(last) + 1, lengthBytes),
  };
}

/** Whether If-Match names the tag, by the strong comparison (§13.1.1). */
function isMatch(ifMatch: string, etag: string): boolean {
  return ifMatch.split(',').some(item => item.trim() === '*' || item.trim() === etag);
}
