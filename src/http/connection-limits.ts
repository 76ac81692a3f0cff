/**
 * How many connections there may be at once, in all and of one address, and how quickly one address may open them.
 *
 * A connection beyond is closed as it is accepted, before TLS and before a byte is read, so that a flood takes neither
 * descriptors nor handshakes. The total is exact. uWebSockets.js does not say *whose* connection has ended, so the count of
 * an address only grows, though never above the total, until the kernel's table says how many there really are. The table
 * is asked before an address comes to its limit, which while there are few connections in all is never. Where there is no
 * such table (not Linux), only the total and the rate hold. Main thread.
 */
import { addressKey } from '../auth/address-key.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { LogThrottle } from '../telemetry/log-throttle.ts';
import { kernelTableCostFactor, kernelTableIntervalMs } from './limits.ts';
import { KeyedRateLimiter } from './rate-limiter.ts';

/** Counts the open connections to a port by the text of their remote address; undefined where that is unknown. */
export type ConnectionTable = (
  ports: ReadonlySet<number>,
) => Promise<ReadonlyMap<string, number> | undefined>;

/** One for all ports of a server. */
export class ConnectionLimits {
  private readonly max: number;
  private readonly maxPerAddress: number;
  private readonly clock: Clock;
  private readonly opening: KeyedRateLimiter;
  private readonly table: ConnectionTable;
  private readonly log: LogThrottle;
  private readonly ports = new Set<number>();
  private total = 0;
  /** By key of the address: at least as many as are open. */
  private counts = new Map<string, number>();
  /** Opened since the table was asked, while its answer is awaited. */
  private meanwhile: Map<string, number> | undefined;
  private nextAskUs = Number.NEGATIVE_INFINITY;
  private isTableMissing = false;

  constructor(options: {
    readonly max: number;
    readonly maxPerAddress: number;
    /** New connections of one address: a second over time, and at once. */
    readonly perSecond: number;
    readonly burst: number;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly table: ConnectionTable;
  }) {
    this.max = options.max;
    this.maxPerAddress = options.maxPerAddress;
    this.clock = options.clock;
    this.opening = new KeyedRateLimiter(options);
    this.table = options.table;
    this.log = new LogThrottle(options.logger, options.clock);
  }

  /** Tells a port whose connections are counted. */
  listensOn(port: number): void {
    this.ports.add(port);
  }

  /** Connections that are open. */
  get open(): number {
    return this.total;
  }

  /** A connection was accepted. False: it must be closed at once, and {@link closed} will be called for it too. */
  opened(address: string): boolean {
    this.total += 1;
    const key = addressKey(address);
    const count = Math.min((this.counts.get(key) ?? 0) + 1, this.total);
    const reason = this.reasonAgainst(key, count);
    // Before the limit is reached, so that the answer is there in time.
    if (2 * count > this.maxPerAddress) this.ask();
    if (reason === undefined) {
      this.counts.set(key, count);
      if (this.meanwhile) this.meanwhile.set(key, (this.meanwhile.get(key) ?? 0) + 1);
      return true;
    }
    this.log.log('warn', reason, 'connection refused', { reason, address, open: this.total - 1 });
    return false;
  }

  /** A connection has ended, whosever it was. */
  closed(): void {
    this.total -= 1;
    // No address has any left, and this costs nothing to know.
    if (this.total === 0) this.counts.clear();
  }

  private reasonAgainst(key: string, count: number): string | undefined {
    if (this.total > this.max) return 'too many connections';
    if (count > this.maxPerAddress && !this.isTableMissing) return 'too many connections of one address';
    if (this.opening.take(key) > 0) return 'too many new connections of one address';
    return undefined;
  }

  private ask(): void {
    const beginUs = this.clock.monoUs();
    if (this.meanwhile || this.isTableMissing || beginUs < this.nextAskUs) return;
    const meanwhile = new Map<string, number>();
    this.meanwhile = meanwhile;
    void this.table(this.ports).then(rows => {
      const endUs = this.clock.monoUs();
      this.nextAskUs =
        endUs + Math.max(kernelTableIntervalMs * 1000, kernelTableCostFactor * (endUs - beginUs));
      this.meanwhile = undefined;
      if (!rows) {
        this.isTableMissing = true;
        this.log.log('warn', 'table', 'connections of one address cannot be counted on this system');
        return;
      }
      // What was opened meanwhile may be in the rows already: counted twice until the next time, never too little.
      const counts = meanwhile;
      for (const [address, count] of rows) {
        const key = addressKey(address);
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
      this.counts = counts;
    });
  }
}
