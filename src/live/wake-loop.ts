/**
 * Runs a function whenever the ring has something new, and again after a short while when it asks to: the heartbeat of
 * the live worker. Sleeps without a timer and without waiting on the ring while nobody is watching.
 *
 * Live thread. One asynchronous wait on the ring is pending at any time at most; the event loop stays free for sockets
 * and messages.
 */
import type { RingConsumer } from '../ring/ring-consumer.ts';
import type { RingWait } from '../ring/ring-wait.ts';

/** Longest wait for a frame in ms: how late a stop, or a viewer's need, is noticed when the camera gives no pictures. */
const frameWaitMsMax = 500;
/** How soon a viewer with packets left to send is looked at again, ms; timers have no finer grain. */
const paceIntervalMs = 1;

export class WakeLoop {
  private readonly wait: RingWait;
  private readonly consumer: RingConsumer;
  /** Handles what the ring has; returns whether it wants to be called again soon. */
  private readonly onFrames: () => boolean;
  private readonly onError: (error: unknown) => void;
  private isActive = false;
  private isWaiting = false;
  private paceTimer: NodeJS.Timeout | undefined;

  constructor(options: {
    wait: RingWait;
    consumer: RingConsumer;
    onFrames: () => boolean;
    onError: (error: unknown) => void;
  }) {
    this.wait = options.wait;
    this.consumer = options.consumer;
    this.onFrames = options.onFrames;
    this.onError = options.onError;
  }

  /** Starts at the live edge; does nothing when it runs already. */
  wake(): void {
    if (this.isActive) return;
    this.isActive = true;
    this.consumer.seekLive();
    if (!this.isWaiting) void this.waitForFrames();
  }

  /** Handles what there is now, without waiting for the next frame. */
  poke(): void {
    if (this.isActive) this.handle();
  }

  /** Goes to sleep; the pending wait ends by itself. */
  sleep(): void {
    this.isActive = false;
    clearTimeout(this.paceTimer);
    this.paceTimer = undefined;
  }

  private async waitForFrames(): Promise<void> {
    this.isWaiting = true;
    try {
      while (this.isActive) {
        const answer = this.wait.forRecordAsync(this.consumer.position, frameWaitMsMax);
        if (typeof answer !== 'boolean') await answer;
        // Also when no frame came: a viewer's socket may have drained.
        this.handle();
        // A ring that always answers at once must not starve sockets and timers.
        if (typeof answer === 'boolean') await new Promise<void>(resolve => setImmediate(resolve));
      }
    } finally {
      this.isWaiting = false;
    }
  }

  private handle(): void {
    let again = false;
    try {
      again = this.isActive && this.onFrames();
    } catch (error) {
      this.onError(error);
    }
    if (!again || this.paceTimer !== undefined || !this.isActive) return;
    this.paceTimer = setTimeout(() => {
      this.paceTimer = undefined;
      this.handle();
    }, paceIntervalMs);
  }
}
