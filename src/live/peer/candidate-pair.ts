/**
 * A candidate pair of ICE and the state of its connectivity check (RFC 8445 §6.1.2.6). Data only; ice-agent.ts acts.
 */
import { randomBytes } from 'node:crypto';
import type { IceBase } from './ice-base.ts';

export interface CandidatePair {
  readonly base: IceBase;
  readonly address: string;
  readonly port: number;
  readonly remotePriority: number;
  /** 12 bytes as hex; one transaction for a check and all its repetitions. */
  transactionId: string;
  /** Checks sent and unanswered. */
  checks: number;
  /** Moment of the next check (performance.now()), or Infinity. */
  nextCheckMs: number;
  /** Our check was answered: packets may be sent here. */
  isValid: boolean;
  /** The controlling side chose it. */
  isNominated: boolean;
  /** Moment of the last authentic message from here. */
  lastHeardMs: number;
}

/** A pair that waits for its first check. */
export function newPair(
  base: IceBase,
  address: string,
  port: number,
  remotePriority: number,
  nowMs: number,
): CandidatePair {
  return {
    base,
    address,
    port,
    remotePriority,
    transactionId: newTransactionId(),
    checks: 0,
    nextCheckMs: nowMs,
    isValid: false,
    isNominated: false,
    lastHeardMs: 0,
  };
}

/** 96 random bits (RFC 8489 §5). */
export function newTransactionId(): string {
  return randomBytes(12).toString('hex');
}

/** RFC 8445 §6.1.2.3. A double orders all but nearly equal pairs right, which is enough. */
export function pairPriority(pair: CandidatePair, isControlling: boolean): number {
  const local = pair.base.candidate.priority;
  const controlling = isControlling ? local : pair.remotePriority;
  const controlled = isControlling ? pair.remotePriority : local;
  return (
    2 ** 32 * Math.min(controlling, controlled) +
    2 * Math.max(controlling, controlled) +
    (controlling > controlled ? 1 : 0)
  );
}
