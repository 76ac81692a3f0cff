/**
 * What is counted about one track; the capture stage turns it into metrics.
 *
 * Counters only ever grow over the life of the stage, restarts of the source included. Capture thread only.
 */
import { Histogram } from '../telemetry/histogram.ts';

export class TrackStatistics {
  /** Records in the ring: access units, or audio frames. */
  records = 0;
  bytes = 0;
  randomAccessPoints = 0;
  /** Access units that came and were not put into the ring, for whatever reason. */
  dropped = 0;
  /** Those among them that were too large for the ring, or had too many NAL units. */
  tooLarge = 0;
  /** Times that the stream was not continuous and went on at a random access point. */
  losses = 0;
  garbageBytes = 0;
  earlyFlushes = 0;
  /** Microseconds from a record's capture time to its commit. */
  readonly delayUs = new Histogram();
}
