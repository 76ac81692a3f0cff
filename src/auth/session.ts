/**
 * A session as the rest of the camera sees it: who holds a token, and until when.
 *
 * The record in the database says more (session-record.ts). `sid` names it in the log of live viewers too; it opens
 * nothing, because a token is signed.
 */
export interface Session {
  readonly sid: string;
  /** The client's own name for its device; '' when it gave none. */
  readonly label: string;
  /** When it ends unless it is refreshed, Unix ms by today's wall clock. */
  readonly validUntilUnixMs: number;
}
