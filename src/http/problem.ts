/** What one row of the table of problems says (problems.ts). Pure types. */
import type { ErrorCode } from '../base/errors.ts';

/** See the head of the file. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** One or two sentences for people: what is wrong and what helps. */
  readonly detail: string;
  /** When it is worth trying again, in seconds (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number;
  /** Whether the error's details are shown. */
  readonly showsDetails?: true;
  /** Shown instead of the code, for faults of the inside that are nobody's business outside. */
  readonly shownAs?: ErrorCode | 'unauthorized';
}
