/**
 * How late the event loop of this thread is: what a request has to wait before anybody looks at it.
 *
 * Node's own monitor (a timer in native code, nothing of JavaScript runs for it) measures the time between two of its
 * ticks; what is beyond its period is the delay. Values are of the time since the last reading, so each scrape of the
 * metrics sees its own interval.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Period of the monitor in ms: 50 ticks a second cost nothing that can be measured. */
const periodMs = 20;

/** Watches the event loop of the thread that makes it, until the thread ends. */
export class EventLoopDelay {
  private readonly monitor = monitorEventLoopDelay({ resolution: periodMs });

  constructor() {
    this.monitor.enable();
  }

  /** Median, 99th percentile and maximum since the last call, in µs; 0 when nothing was measured. */
  take(): { readonly p50Us: number; readonly p99Us: number; readonly maxUs: number } {
    const { monitor } = this;
    const delays = {
      p50Us: us(monitor.percentile(50)),
      p99Us: us(monitor.percentile(99)),
      maxUs: us(monitor.max),
    };
    const isEmpty = monitor.count === 0;
    monitor.reset();
    return isEmpty ? { p50Us: 0, p99Us: 0, maxUs: 0 } : delays;
  }
}

function us(intervalNs: number): number {
  return Math.max(Math.round(intervalNs / 1000) - periodMs * 1000, 0);
}
