/**
 * What the index of the recordings is opened with, and what it says of itself. Types alone.
 */
import type { SegmentRecord } from '../../isobmff/recorded-segment.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { ScanVerdict } from '../scan-process.ts';
import type { IndexStore } from './index-store.ts';

/** A segment as recovery has to know it; a path and offsets alone. */
export type KnownSegment = Pick<
  SegmentRecord,
  'stream' | 'number' | 'path' | 'endOffset' | 'trailerOffset' | 'isClosed'
>;

/** Which segment. */
export type SegmentName = Pick<SegmentRecord, 'stream' | 'number'>;

export interface RecordingIndexOptions {
  /** Of its own; made when it is not there. */
  readonly folder: string;
  readonly logger: Logger;
  /** Entry of the child that looks at a database after an unclean end: workers/scan-database. */
  readonly scanEntry: URL;
  /** An empty index took the place of a damaged one: recovery must report all that is on the card. */
  readonly onRebuild?: () => void;
  readonly commitMs?: number;
  readonly openWaitMs?: number;
  readonly commitTimeoutMs?: number;
  readonly tailFragmentsMax?: number;
  /** For tests: failures in the place of LMDB. */
  readonly openStore?: (folder: string) => IndexStore;
  /** For tests. */
  readonly scan?: (folder: string) => Promise<ScanVerdict>;
}

/** For /metrics and the log. */
export interface RecordingIndexStats {
  readonly segments: number;
  /** Reported, and not on the disk yet. */
  readonly fragmentsWaiting: number;
  /** Given up because the disk took nothing for too long; recovery finds them on the card at the next start. */
  readonly segmentsDropped: number;
  /** Reports that did not fit what was known. */
  readonly reportsRefused: number;
  readonly commits: number;
  readonly commitFailures: number;
  readonly lastCommitMs: number;
  readonly lastFailure: string | undefined;
  /** Of the database on the disk. */
  readonly fileBytes: number;
}
